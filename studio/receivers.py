"""What this app does when an app below tells it something."""

from typing import Any

from django.dispatch import receiver

from events.models import Speaker
from events.signals import speaker_invited
from library.models import Recording
from library.signals import recording_file_changed
from media import uploads
from media.models import Asset, Package, Upload
from media.signals import upload_completed, whole_version_ready
from notifications import purposes
from studio import channels, cutting, messages
from studio.uploads import (
    CHANNEL,
    RECORDING,
    REPLACEMENT,
    check_channel,
    check_recording,
    check_replacement,
)


@receiver(speaker_invited)
def _mail_the_speaker(speaker: Speaker, **_kwargs: Any) -> None:
    messages.send_speaker_invitation(speaker=speaker)


@receiver(upload_completed)
def _take_the_channel(upload: Upload, asset: Asset, **_kwargs: Any) -> None:
    """The purpose says everything, so a page that was closed meanwhile is not missed."""
    if upload.purpose.startswith(f"{CHANNEL}:"):
        upload.asset = asset
        channels.receive_channel(upload=upload, user=upload.created_by)


@receiver(recording_file_changed)
def _let_channels_follow(recording: Recording, former: Asset, **_kwargs: Any) -> None:
    channels.follow(recording=recording, former=former)


@receiver(whole_version_ready)
def _cut_it_as_before(package: Package, **_kwargs: Any) -> None:
    cutting.cut_again(package=package)


purposes.register(messages.INVITATION, messages.is_invitation_wanted)
purposes.register(messages.SLIDES, messages.is_slides_reminder_wanted)
uploads.register_purpose(RECORDING, check_recording)
uploads.register_purpose(CHANNEL, check_channel)
uploads.register_purpose(REPLACEMENT, check_replacement)
