"""Mails to speakers."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import events.services
import notifications.services
from accounts.text import without_links
from events.models import Material, MaterialKind, Speaker, WebinarState
from notifications import wording
from notifications.models import Message
from notifications.rendering import interface_language
from registration.messages import scope_of
from registration.times import session_times

INVITATION = "speaker_invitation"
SLIDES = "missing_slides"
SLIDES_DAYS = (7, 2)  # before the session


def register_words() -> None:
    """Let organisations word these mails themselves, when the app is ready."""
    known = ("name", "title", "organisation", "time", "speaker_link")
    for template, label in (
        (INVITATION, _("Invitation of a speaker")),
        (SLIDES, _("A speaker’s slides are missing")),
    ):
        wording.register(wording.MailKind(template, label, known, ("speaker_link",)))


def send_speaker_invitation(*, speaker: Speaker) -> Message | None:
    """Mail a speaker the personal link to their page. Each invitation that an organiser asks for is one mail."""
    return _send(speaker, purpose=INVITATION, template=INVITATION, version=_version(speaker))


def remind_of_slides() -> int:
    """Ask speakers who were invited and have uploaded no slides for them, a week and two days before the session.

    Called at every sweep. A reminder is written within a day of its time or not at all, once for each time that the
    session had. Slides without a speaker, which the organiser uploaded, count for everybody. Returns how many mails
    were queued.
    """
    now, queued = timezone.now(), 0
    slides = Material.objects.filter(webinar=OuterRef("webinar"), kind=MaterialKind.SLIDES)
    for days in SLIDES_DAYS:
        speakers = Speaker.objects.filter(
            ~Exists(slides.filter(Q(speaker=OuterRef("pk")) | Q(speaker=None))),
            webinar__state=WebinarState.PUBLISHED,
            webinar__starts_at__gt=now + timedelta(days=days - 1),
            webinar__starts_at__lte=now + timedelta(days=days),
            invited_at__lt=now - timedelta(days=1),
        ).exclude(email="")
        for speaker in speakers.select_related("webinar__organisation"):
            day = speaker.webinar.starts_at.toordinal()
            message = _send(speaker, purpose=SLIDES, template=SLIDES, version=day * 100 + days)
            queued += message is not None
    return queued


def _send(speaker: Speaker, *, purpose: str, template: str, version: int) -> Message | None:
    webinar, language = speaker.webinar, interface_language(speaker.language)
    return notifications.services.send(
        purpose=purpose,
        about=f"speaker:{speaker.pk}",
        version=version,
        recipient_email=speaker.email,
        recipient_name=speaker.name,
        language=speaker.language,
        template=template,
        context={
            "title": without_links(webinar.title.localize(language)),
            "times": session_times(webinar, time_zone=webinar.time_zone, language=language),
            "organisation_name": without_links(webinar.organisation.name),
            "link": events.services.speaker_link(speaker),
        },
        organisation=webinar.organisation,
        scope=scope_of(webinar),
    )


def _version(speaker: Speaker) -> int:
    """Seconds since 1970 of the invitation, so that a repeated signal of the same one makes no second mail."""
    return int((speaker.invited_at or timezone.now()).timestamp())


def is_invitation_wanted(message: Message) -> bool:
    """Not any more once the speaker was removed, or has another address."""
    pk = message.about.partition(":")[2]
    return Speaker.objects.filter(pk=pk, email__iexact=message.recipient_email).exists()


def is_slides_reminder_wanted(message: Message) -> bool:
    """Not any more once the slides are there, or the session has begun or is off."""
    speaker = Speaker.objects.select_related("webinar").filter(pk=message.about.partition(":")[2]).first()
    if speaker is None or not is_invitation_wanted(message):
        return False
    webinar = speaker.webinar
    slides = webinar.materials.filter(Q(speaker=speaker) | Q(speaker=None), kind=MaterialKind.SLIDES)
    is_ahead = webinar.state == WebinarState.PUBLISHED and timezone.now() < webinar.starts_at
    return is_ahead and not slides.exists()
