"""Mails to speakers."""

from django.utils import timezone

import events.services
import notifications.services
from accounts.text import without_links
from events.models import Speaker
from notifications.models import Message
from notifications.rendering import interface_language
from registration.times import session_times

INVITATION = "speaker_invitation"


def send_speaker_invitation(*, speaker: Speaker) -> Message | None:
    """Mail a speaker the personal link to their page. Each invitation that an organiser asks for is one mail."""
    webinar, language = speaker.webinar, interface_language(speaker.language)
    return notifications.services.send(
        purpose=INVITATION,
        about=f"speaker:{speaker.pk}",
        version=_version(speaker),
        recipient_email=speaker.email,
        recipient_name=speaker.name,
        language=speaker.language,
        template=INVITATION,
        context={
            "title": without_links(webinar.title.localize(language)),
            "times": session_times(webinar, time_zone=webinar.time_zone, language=language),
            "organisation_name": without_links(webinar.organisation.name),
            "link": events.services.speaker_link(speaker),
        },
        organisation=webinar.organisation,
    )


def _version(speaker: Speaker) -> int:
    """Seconds since 1970 of the invitation, so that a repeated signal of the same one makes no second mail."""
    return int((speaker.invited_at or timezone.now()).timestamp())


def is_invitation_wanted(message: Message) -> bool:
    """Not any more once the speaker was removed, or has another address."""
    pk = message.about.partition(":")[2]
    return Speaker.objects.filter(pk=pk, email__iexact=message.recipient_email).exists()
