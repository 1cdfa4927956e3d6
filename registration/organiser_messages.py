"""What an organiser writes to some of the people around a webinar, sent once its recipients were seen and confirmed.

The recipients are fixed when the message is written, so what is confirmed is what is sent: nobody who registers, or
whose segment changes, in between is written to (promises M8, M10).
"""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import User
from accounts.services import record_action
from accounts.text import without_links
from events import validators
from events.models import Webinar, WebinarState
from notifications import purposes, wording
from notifications.models import NEWS, Message, OptOut, Suppression
from notifications.opt_outs import opted_out
from notifications.rendering import Rendered, interface_language, render
from notifications.services import send
from registration import announcements, consents, messages, segments
from registration.errors import MessageRefused
from registration.links import link_for
from registration.models import (
    Announcement,
    AnnouncementKind,
    Consent,
    ConsentKind,
    Registration,
    RegistrationState,
)
from registration.times import session_times
from work import services as work
from work.errors import Skip
from work.models import WorkState

MESSAGE = "registration.message"
NEWS_MAIL = "registration.news"
TEST = "registration.message_test"
CONTACTS = "contacts"  # people who agreed to hear of further webinars of the organisation
PLACEHOLDERS = ("name", "title", "organisation", "time", "page_link", "own_link")
PER_DAY = 10  # messages about one webinar; more are a mistake or a nuisance
_SENDABLE = (RegistrationState.CONFIRMED, RegistrationState.WAITLISTED)


def draft_message(
    *,
    webinar: Webinar,
    segment: str,
    subject: dict[str, str],
    text: dict[str, str],
    user: User | None,
) -> Announcement:
    """Write a message and fix who gets it. Nothing is sent before `confirm_message`.

    Args:
        subject, text: by language; a reader without one of their own gets the webinar's, else the first.

    Raises:
        MessageRefused: there is nobody to write to, or a text is missing in a language that the other has.
        events.errors.InvalidValue, notifications.errors.UnusableWords: a text cannot be meant; `field` names it.
    """
    if webinar.state == WebinarState.DRAFT:
        raise MessageRefused(_("Publish the webinar first; nobody can have registered."), code="not_published")
    language = webinar.spoken_language
    subjects = validators.translated_text(
        subject, field="subject", label=_("Subject"), language=language, max_length=wording.SUBJECT_MAX, required=True
    )
    texts = validators.translated_text(
        text,
        field="text",
        label=_("Text"),
        language=language,
        max_length=wording.TEXT_MAX,
        required=True,
        one_line=False,
    )
    if subjects.data.keys() != texts.data.keys():
        raise MessageRefused(_("Give subject and text in the same languages."), field="text")
    for field, values in (("subject", subjects.data), ("text", texts.data)):
        for value in values.values():
            wording.check_placeholders(value, PLACEHOLDERS, field=field)
    if segments.get(segment) is None:
        raise MessageRefused(_("Choose whom the message is for."), field="segment")
    recipients = [str(pk) for pk in _reachable(webinar, segment).order_by("pk").values_list("pk", flat=True)]
    if not recipients:
        raise MessageRefused(_("There is nobody to write to."), field="segment", code="no_recipients")
    with transaction.atomic():
        row = Announcement.objects.create(
            webinar=webinar,
            kind=AnnouncementKind.MESSAGE,
            version=announcements.next_version(webinar, AnnouncementKind.MESSAGE),
            segment=segment,
            recipients=recipients,
            subject=subjects,
            text=texts,
            created_by=user,
        )
        record_action(
            action="message.drafted",
            target=row,
            organisation=webinar.organisation,
            user=user,
            segment=segment,
            recipients=len(recipients),
        )
    return row


def confirm_message(*, announcement: Announcement, count: int, user: User | None) -> Announcement:
    """Send a message to its fixed recipients.

    Args:
        count: how many these are, as the organiser says.

    Raises:
        MessageRefused: the number is another, it was sent or discarded already, or there were too many today.
    """
    with transaction.atomic():
        row = (
            Announcement.objects.select_for_update(of=("self",))
            .select_related("webinar__organisation")
            .get(pk=announcement.pk)
        )
        if row.confirmed_at is not None or row.state != WorkState.WAITING:
            raise MessageRefused(_("This message was sent or discarded already."), code="wrong_state", status=409)
        if count != len(row.recipients or []):
            raise MessageRefused(
                _("It goes to %(count)s people. Enter this number to send it.") % {"count": len(row.recipients or [])},
                field="count",
                code="wrong_count",
            )
        today = row.webinar.announcements.filter(
            kind=AnnouncementKind.MESSAGE, confirmed_at__gt=timezone.now() - timedelta(days=1)
        )
        if today.count() >= PER_DAY:
            raise MessageRefused(
                _("There were %(count)s messages about this webinar within a day. Please wait.") % {"count": PER_DAY},
                code="too_many",
            )
        row.confirmed_at = timezone.now()
        row.save(update_fields=["confirmed_at", "updated_at"])
        record_action(
            action="message.sent",
            target=row,
            organisation=row.webinar.organisation,
            user=user,
            segment=row.segment,
            recipients=count,
        )
        work.enqueue(row)
    return row


def discard_message(*, announcement: Announcement, user: User | None) -> None:
    """Throw a message away that was not sent.

    Raises:
        MessageRefused: it was sent.
    """
    with transaction.atomic():
        gone, _by_model = Announcement.objects.filter(
            pk=announcement.pk, kind=AnnouncementKind.MESSAGE, confirmed_at=None
        ).delete()
        if not gone:
            raise MessageRefused(_("This message was sent already."), code="wrong_state", status=409)
        record_action(
            action="message.discarded",
            target=announcement,
            organisation=announcement.webinar.organisation,
            user=user,
        )


def recipients_of(announcement: Announcement) -> "QuerySet[Registration]":
    """The fixed recipients, by name."""
    return Registration.objects.filter(pk__in=[uuid.UUID(pk) for pk in announcement.recipients or []]).order_by(
        "name", "pk"
    )


def preview(*, announcement: Announcement, language: str, reader_name: str) -> Rendered:
    """What a reader of `language` gets, without anybody's personal links."""
    words = _words(announcement, language)
    return render(
        template=_template(announcement),
        language=words.language,
        recipient_name=reader_name,
        context={
            "organisation_name": without_links(announcement.webinar.organisation.name),
            **_context(announcement, language=words.language, time_zone=announcement.webinar.time_zone, own_url="#"),
        },
        own_words=words,
    )


def send_test(*, announcement: Announcement, language: str, user: User) -> Message | None:
    """Send the message to the person who asks, without personal links. Each call is a mail."""
    webinar, words = announcement.webinar, _words(announcement, language)
    return send(
        purpose=TEST,
        about=f"announcement:{announcement.pk}",
        version=int(timezone.now().timestamp()),
        recipient_email=user.email,
        recipient_name=user.name or user.email,
        language=words.language,
        template=_template(announcement),
        context=_context(
            announcement,
            language=words.language,
            time_zone=user.time_zone or webinar.time_zone,
            own_url=f"{settings.BASE_URL}/webinars/{webinar.slug}/",
        ),
        organisation=webinar.organisation,
        words=words,
    )


# --- Who -----------------------------------------------------------------------------------------------------------
def _reachable(webinar: Webinar, segment: str) -> "QuerySet[Registration]":
    """Without those whose address gets no mail, and those who asked for no more of this."""
    scope = NEWS if segment == CONTACTS else messages.scope_of(webinar)
    return (
        segments.people(webinar, segment)
        .exclude(
            Exists(OptOut.objects.filter(email=OuterRef("email"), organisation=webinar.organisation_id, scope=scope))
        )
        .exclude(Exists(Suppression.objects.filter(email=OuterRef("email"))))
    )


def contacts(webinar: Webinar) -> "QuerySet[Registration]":
    """People of the organisation's other webinars who agreed to be told of further ones, each address once.

    Whoever is registered for this webinar knows of it already; whoever withdrew the consent anywhere is left out there.
    """
    here = Registration.objects.filter(webinar=webinar, email=OuterRef("email"))
    mine = (
        Registration.objects.filter(webinar__organisation=webinar.organisation_id)
        .exclude(webinar=webinar)
        .exclude(Exists(here))
    )
    mine = consents.with_consent(mine, ConsentKind.CONTACT)
    newer = mine.filter(email=OuterRef("email"), pk__gt=OuterRef("pk"))
    return mine.exclude(Exists(newer))


# --- Writing -------------------------------------------------------------------------------------------------------
def _recipients(announcement: Announcement) -> "QuerySet[Registration]":
    return recipients_of(announcement).order_by().select_related("webinar__organisation")


def _write(registration: Registration, announcement: Announcement) -> Message | None:
    is_news = announcement.segment == CONTACTS
    webinar, words = announcement.webinar, _words(announcement, registration.language)
    return send(
        purpose=NEWS_MAIL if is_news else MESSAGE,
        about=f"news:{announcement.pk}" if is_news else messages.about(registration),
        version=announcement.version,
        recipient_email=registration.email,
        recipient_name=registration.name,
        language=words.language,
        template=_template(announcement),
        context=_context(
            announcement,
            language=words.language,
            time_zone=registration.time_zone,
            own_url=link_for(registration),
        ),
        organisation=webinar.organisation,
        is_bulk=True,
        scope=NEWS if is_news else messages.scope_of(webinar),
        is_optional=True,
        words=words,
    )


def _template(announcement: Announcement) -> str:
    return "news" if announcement.segment == CONTACTS else "message"


def _words(announcement: Announcement, language: str) -> wording.Words:
    """The message in the reader's language, else in the webinar's, else in the first it was written in."""
    subjects, texts = announcement.subject.data, announcement.text.data
    webinar: Webinar = announcement.webinar
    known = {tag.lower(): tag for tag in texts}
    asked = language.lower()
    for tag in (asked, asked.partition("-")[0], webinar.spoken_language.lower(), "en", next(iter(known))):
        if tag in known:
            found = known[tag]
            break
    return wording.Words(language=found, subject=subjects[found], text=texts[found])


def _context(announcement: Announcement, *, language: str, time_zone: str, own_url: str) -> dict[str, Any]:
    webinar, spoken = announcement.webinar, interface_language(language)
    with translation.override(language):
        title = str(webinar.title)
    return {
        "title": without_links(title),
        "times": session_times(webinar, time_zone=time_zone, language=spoken),
        "page_url": f"{settings.BASE_URL}/webinars/{webinar.slug}/",
        "own_url": own_url,
    }


def _check(announcement: Announcement) -> None:
    if announcement.webinar.state == WebinarState.DRAFT or announcement.confirmed_at is None:
        raise Skip(_("This message was not confirmed."))


def _is_message_wanted(message: Message) -> bool:
    registration = messages.registration_of(message)
    return registration is not None and registration.state in _SENDABLE


def _is_news_wanted(message: Message) -> bool:
    """While the webinar that it tells of is on, and its reader still agrees to be told."""
    row = Announcement.objects.select_related("webinar").filter(pk=message.about.removeprefix("news:")).first()
    if row is None or row.webinar.state != WebinarState.PUBLISHED or row.webinar.is_over:
        return False
    return Consent.objects.filter(
        registration__email=message.recipient_email,
        registration__webinar__organisation=row.webinar.organisation_id,
        text__kind=ConsentKind.CONTACT,
        withdrawn_at__isnull=True,
    ).exists()


@receiver(opted_out, sender=OptOut)
def withdraw_contact_consent(opt_out: OptOut, **_kwargs: Any) -> None:
    """Asking for no more news takes the consent back too, wherever it was given in that organisation."""
    registration = (
        Registration.objects.select_related("webinar__organisation")
        .filter(email=opt_out.email, webinar__organisation=opt_out.organisation_id)
        .first()
    )
    if opt_out.scope == NEWS and registration is not None:
        consents.withdraw_contact(registration=registration)


def register() -> None:
    """Make this kind known, when the app is ready."""
    segments.register(
        segments.Segment(
            CONTACTS, _lazy("People of your other webinars who agreed to be told of further ones"), contacts
        )
    )
    announcements.register(AnnouncementKind.MESSAGE, announcements.Writing(_recipients, _write, _check))
    purposes.register(MESSAGE, _is_message_wanted)
    purposes.register(NEWS_MAIL, _is_news_wanted)
