"""What this app does when an app below tells it something."""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from events.signals import slides_changed
from library import light, reading, updates
from library.models import Recording
from media.timeline import Window
from transcripts.formats import Surroundings
from transcripts.models import TextTrack
from transcripts.signals import surroundings_wanted


@receiver(slides_changed)
def _find_them_again(webinar_id: UUID, **_kwargs: Any) -> None:
    updates.slides_changed(webinar_id=webinar_id)


@receiver([post_save, post_delete], sender=TextTrack)
def _renew_the_light_version(instance: TextTrack, **_kwargs: Any) -> None:
    recording = Recording.objects.filter(asset=instance.asset_id).select_related("asset__current_package").first()
    if recording is not None:
        light.tracks_changed(recording)


@receiver(surroundings_wanted)
def _describe_the_recording(track: TextTrack, window: Window, **_kwargs: Any) -> Surroundings | None:
    recording = Recording.objects.filter(asset=track.asset_id).select_related("webinar__organisation").first()
    return reading.surroundings(recording, track, window) if recording is not None else None
