"""What this app does when an app below tells it something."""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from events.signals import slides_changed
from library import light, updates
from library.models import Recording
from transcripts.models import TextTrack


@receiver(slides_changed)
def _find_them_again(webinar_id: UUID, **_kwargs: Any) -> None:
    updates.slides_changed(webinar_id=webinar_id)


@receiver([post_save, post_delete], sender=TextTrack)
def _renew_the_light_version(instance: TextTrack, **_kwargs: Any) -> None:
    recording = Recording.objects.filter(asset=instance.asset_id).select_related("asset__current_package").first()
    if recording is not None:
        light.tracks_changed(recording)
