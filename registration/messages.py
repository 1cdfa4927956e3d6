"""The mails that registrants get about their place. Each says what happened, when the session is, and what they can do.

`notifications` delivers them. A mail's `version` is the number that makes it another mail about the same thing: the
registration's own sequence, or the webinar's for what everybody is told.
"""

import functools
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from accounts.text import without_links
from events.ical import Attendee, Method, webinar_calendar, webinar_uid
from events.models import Webinar, WebinarState
from notifications import purposes
from notifications.models import Message
from notifications.rendering import interface_language
from notifications.services import send
from registration.links import (
    certificate_link_for,
    group_link_for,
    invitation_link_for,
    join_link_for,
    link_for,
    proof_link_for,
)
from registration.models import (
    Announcement,
    AnnouncementKind,
    Group,
    Invitation,
    Registration,
    RegistrationSource,
    RegistrationState,
)
from registration.open_points import open_points_of
from registration.times import moment_in_zone, session_times

CONFIRMATION = "registration.confirmation"
WAITLISTED = "registration.waitlisted"
PROMOTED = "registration.promoted"
PROOF = "registration.proof"
PENDING = "registration.pending"
DECLINED = "registration.declined"
INVITATION = "registration.invitation"
GROUP = "registration.group"
CANCELLED = "registration.cancelled"
WEBINAR_CHANGED = "registration.webinar_changed"
WEBINAR_CANCELLED = "registration.webinar_cancelled"
CERTIFICATE = "registration.certificate"
# After each of these its reader holds what there is of personal links.
WITH_LINK = (CONFIRMATION, WAITLISTED, PROMOTED, PROOF, PENDING, DECLINED)


def send_state(registration: Registration) -> Message | None:
    """Tell a person what became of their registration: the mail that belongs to its state."""
    match registration.state:
        case RegistrationState.UNPROVED:
            return _send(registration, purpose=PROOF, template="proof", proof_url=proof_link_for(registration))
        case RegistrationState.PENDING:
            return _send(registration, purpose=PENDING, template="pending")
        case RegistrationState.DECLINED:
            return _send(registration, purpose=DECLINED, template="declined")
        case RegistrationState.WAITLISTED:
            return send_waitlisted(registration)
        case RegistrationState.CONFIRMED:
            return send_confirmation(registration)
    return None


def send_confirmation(registration: Registration) -> Message | None:
    """Tell a person that they have a place, with the invitation and both personal links."""
    return _send(registration, purpose=CONFIRMATION, template="confirmation", method="REQUEST")


def send_waitlisted(registration: Registration) -> Message | None:
    """Tell a person that they are on the waiting list."""
    return _send(registration, purpose=WAITLISTED, template="waitlisted")


def send_promoted(registration: Registration) -> Message | None:
    """Tell a person from the waiting list that a place became theirs."""
    return _send(registration, purpose=PROMOTED, template="promoted", method="REQUEST")


def send_cancelled(registration: Registration, *, had_place: bool) -> Message | None:
    """Confirm that a person gave up their place, and take the session out of their calendar."""
    return _send(
        registration,
        purpose=CANCELLED,
        template="cancelled",
        method="CANCEL" if had_place else None,
        had_place=had_place,
    )


def send_announcement(registration: Registration, announcement: Announcement) -> Message | None:
    """Tell one registrant that the webinar changed or will not take place."""
    has_place = registration.state == RegistrationState.CONFIRMED
    if announcement.kind == AnnouncementKind.CANCELLED:
        return _send(
            registration,
            purpose=WEBINAR_CANCELLED,
            template="webinar_cancelled",
            method="CANCEL" if has_place else None,
            version=announcement.version,
            is_bulk=True,
        )
    return _send(
        registration,
        purpose=WEBINAR_CHANGED,
        template="webinar_changed",
        method="REQUEST" if has_place else None,
        version=announcement.version,
        is_bulk=True,
        time_changed=bool({"starts_at", "ends_at", "time_zone"} & set(announcement.changes)),
        title_changed="title" in announcement.changes,
        room_changed="join_url" in announcement.changes,
    )


def send_optional(
    registration: Registration, *, purpose: str, template: str, version: int, **facts: Any
) -> Message | None:
    """Tell one of many something that they may ask to hear no more of: a reminder, a survey, the organiser's words."""
    return _send(
        registration,
        purpose=purpose,
        template=template,
        version=version,
        is_bulk=True,
        is_optional=True,
        **facts,
    )


def send_certificate(registration: Registration) -> Message | None:
    """Tell a person that their certificate is there, once for each: the number of theirs is the mail's version."""
    number = registration.certificates.count()
    return send_optional(
        registration,
        purpose=CERTIFICATE,
        template="certificate",
        version=number,
        certificate_url=certificate_link_for(registration),
        is_another=number > 1,
    )


def send_invitation(invitation: Invitation) -> Message | None:
    """Mail an invited person the link to the form."""
    webinar, language = invitation.webinar, interface_language(invitation.language)
    expires = ""
    if invitation.expires_at is not None:
        expires = moment_in_zone(invitation.expires_at, time_zone=webinar.time_zone, language=language)
    return _send_about_webinar(
        webinar,
        purpose=INVITATION,
        about=f"invitation:{invitation.pk}",
        email=invitation.email,
        name=invitation.name,
        language=invitation.language,
        template="invitation",
        invitation_url=invitation_link_for(invitation),
        expires=expires,
    )


def send_group_link(group: Group) -> Message | None:
    """Mail a coordinator the link to the page of their team."""
    return _send_about_webinar(
        group.webinar,
        purpose=GROUP,
        about=f"group:{group.pk}",
        email=group.coordinator_email,
        name=group.coordinator_name,
        language=group.language,
        template="group",
        group_name=without_links(group.name),
        group_url=group_link_for(group),
    )


def was_written_lately(about: str, *, within: timedelta) -> bool:
    """Whether a mail about this was queued so short a time ago that another one would only annoy."""
    return Message.objects.filter(about=about, created_at__gt=timezone.now() - within).exists()


def _send_about_webinar(
    webinar: Webinar, *, purpose: str, about: str, email: str, name: str, language: str, template: str, **facts: Any
) -> Message | None:
    """A mail to somebody without a registration; each call makes a further version of it."""
    spoken = interface_language(language)
    with translation.override(spoken):
        title = str(webinar.title)
    return send(
        purpose=purpose,
        about=about,
        version=Message.objects.filter(about=about).count(),
        recipient_email=email,
        recipient_name=name,
        language=language,
        template=template,
        context={
            "title": without_links(title),
            "times": session_times(webinar, time_zone=webinar.time_zone, language=spoken),
            "page_url": f"{settings.BASE_URL}/webinars/{webinar.slug}/",
            **facts,
        },
        organisation=webinar.organisation,
        scope=scope_of(webinar),
    )


def _send(
    registration: Registration,
    *,
    purpose: str,
    template: str,
    method: Method | None = None,
    version: int | None = None,
    is_bulk: bool = False,
    is_optional: bool = False,
    **facts: Any,
) -> Message | None:
    webinar = registration.webinar
    language = interface_language(registration.language)
    has_place = registration.state == RegistrationState.CONFIRMED
    join_url = join_link_for(registration) if has_place else ""
    with translation.override(language):
        title = str(webinar.title)
    context = {
        "title": without_links(title),
        "times": session_times(webinar, time_zone=registration.time_zone, language=language),
        "own_url": link_for(registration),
        "page_url": f"{settings.BASE_URL}/webinars/{webinar.slug}/",
        "join_url": join_url,
        "has_place": has_place,
        # Whom others registered is told at once what only they can say; whoever used the form has said it.
        "has_open_points": purpose in WITH_LINK
        and registration.source != RegistrationSource.FORM
        and bool(open_points_of(registration)),
        **facts,
    }
    return send(
        purpose=purpose,
        about=about(registration),
        version=registration.calendar_sequence if version is None else version,
        recipient_email=registration.email,
        recipient_name=registration.name,
        language=registration.language,
        template=template,
        context=context,
        organisation=webinar.organisation,
        calendar=calendar_for(registration, method, language=language, join_url=join_url) if method else "",
        calendar_method=method or "",
        is_bulk=is_bulk,
        scope=scope_of(webinar),
        is_optional=is_optional,
    )


def calendar_for(
    registration: Registration, method: Method, *, language: str | None = None, join_url: str | None = None
) -> str:
    """Return the registrant's own calendar entry, with their join link while they have a place."""
    if join_url is None:
        join_url = join_link_for(registration) if registration.state == RegistrationState.CONFIRMED else ""
    return webinar_calendar(
        webinar=registration.webinar,
        method=method,
        attendee=None if method == "PUBLISH" else Attendee(registration.name, registration.email),
        join_url=join_url,
        uid=webinar_uid(registration.webinar, registration.pk.hex[:16]),
        sequence=registration.sequence,
        language=language or interface_language(registration.language),
    )


def about(registration: Registration) -> str:
    return f"registration:{registration.pk}"


def registration_of(message: Message) -> Registration | None:
    """The registration that a mail is about, or None when it is gone."""
    pk = message.about.removeprefix("registration:")
    return Registration.objects.select_related("webinar").filter(pk=pk).first()


def scope_of(webinar: Webinar) -> str:
    """What mails about a webinar have in common: own words for it, a rate of its own, asking for no more of them."""
    return f"webinar:{webinar.pk}"


def register_purposes() -> None:
    """Say which state of a registration each mail belongs to; asked again right before it leaves."""
    for purpose, wanted in _WANTED_IN.items():
        purposes.register(purpose, functools.partial(_is_still, wanted=wanted))
    purposes.register(INVITATION, _is_invitation_open)
    purposes.register(GROUP, _has_group)


# Whoever has a place or may yet get one.
TOLD_OF_CHANGES = (RegistrationState.CONFIRMED, RegistrationState.WAITLISTED, RegistrationState.PENDING)
# purpose: states of the registration, states of the webinar
_WANTED_IN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CONFIRMATION: ((RegistrationState.CONFIRMED,), (WebinarState.PUBLISHED,)),
    WAITLISTED: ((RegistrationState.WAITLISTED,), (WebinarState.PUBLISHED,)),
    PROMOTED: ((RegistrationState.CONFIRMED,), (WebinarState.PUBLISHED,)),
    PROOF: ((RegistrationState.UNPROVED,), (WebinarState.PUBLISHED,)),
    PENDING: ((RegistrationState.PENDING,), (WebinarState.PUBLISHED,)),
    DECLINED: ((RegistrationState.DECLINED,), (WebinarState.PUBLISHED,)),
    CANCELLED: ((RegistrationState.CANCELLED,), (WebinarState.PUBLISHED, WebinarState.CANCELLED)),
    WEBINAR_CHANGED: (TOLD_OF_CHANGES, (WebinarState.PUBLISHED,)),
    WEBINAR_CANCELLED: (TOLD_OF_CHANGES, (WebinarState.CANCELLED,)),
}


def _is_still(message: Message, *, wanted: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
    states, webinar_states = wanted
    registration = registration_of(message)
    if registration is None or registration.state not in states or registration.webinar.state not in webinar_states:
        return False
    if message.purpose == WEBINAR_CHANGED:
        # A later change says it all.
        return not registration.webinar.announcements.filter(
            kind__in=(AnnouncementKind.CHANGED, AnnouncementKind.CANCELLED), version__gt=message.version
        ).exists()
    return True


def _is_invitation_open(message: Message) -> bool:
    return Invitation.objects.filter(
        pk=message.about.removeprefix("invitation:"), revoked_at=None, webinar__state=WebinarState.PUBLISHED
    ).exists()


def _has_group(message: Message) -> bool:
    return Group.objects.filter(pk=message.about.removeprefix("group:"), webinar__state=WebinarState.PUBLISHED).exists()
