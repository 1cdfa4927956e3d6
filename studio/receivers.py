"""What this app does when an app below tells it something."""

from typing import Any

from django.dispatch import receiver

from events.models import Speaker
from events.signals import speaker_invited
from media import uploads
from media.models import Package
from media.signals import whole_version_ready
from notifications import purposes
from studio import cutting, messages
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


@receiver(whole_version_ready)
def _cut_it_as_before(package: Package, **_kwargs: Any) -> None:
    cutting.cut_again(package=package)


purposes.register(messages.INVITATION, messages.is_invitation_wanted)
uploads.register_purpose(RECORDING, check_recording)
uploads.register_purpose(CHANNEL, check_channel)
uploads.register_purpose(REPLACEMENT, check_replacement)
