"""Register, change, cancel, and the personal links once more."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events.models import Webinar
from notifications.addresses import clean_address
from notifications.models import Message
from registration import consents as consent_records
from registration import messages
from registration.answers import Cleaned, release_seats, require_seats, save_answers
from registration.errors import ConsentMissing, NotRegistered
from registration.models import (
    ConsentText,
    Group,
    Invitation,
    Registration,
    RegistrationSource,
    RegistrationState,
)
from registration.services import admission, invitations, places
from registration.validators import Details, clean_details

LINKS_AGAIN_AFTER = timedelta(minutes=10)
# An organiser who adds somebody decides what these wait for.
_UNDECIDED = (RegistrationState.UNPROVED, RegistrationState.PENDING, RegistrationState.DECLINED)


def register(
    *,
    webinar: Webinar,
    email: str,
    name: str,
    language: str,
    time_zone: str,
    consents: Iterable[str],
    country: str = "",
    profession: str = "",
    sector: str = "",
    affiliation: str = "",
    source: str = RegistrationSource.FORM,
    invitation: Invitation | None = None,
    group: Group | None = None,
    answers: Cleaned | None = None,
    consent_texts: Iterable[ConsentText] = (),
    said_by: str = "",
    user: User | None = None,
) -> Registration:
    """Register a person; what they get depends on the webinar.

    Where only addresses of some institutions may register, nothing is taken until the mailed link proved the address
    (a personal invitation, which was mailed to it, is such a proof); where registrations need approval, nothing until
    an organiser approved; then a place, or the waiting list when all are taken.

    An address, in any case of its letters, has one registration per webinar. Registering again returns it unchanged
    and mails its links again, at most every ten minutes; after a cancellation it brings the registration back with the
    new details.

    Args:
        consents: the texts that were agreed to; must hold "privacy".
        said_by: who said so for the person, who is then asked on their own page; empty when it was themselves.
        invitation: what opened the form; needed where the webinar wants one.
        answers: to the organiser's own questions; stored for new registrations only, like all details.
        consent_texts: the organisation's own texts that were agreed to (registration.consents).
        user: the organiser who does it for them, for whom no condition but the end of the webinar holds; None when they
            do it themselves.

    Raises:
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled: nobody can register now.
        WrongDomain, InvitationNeeded, InvitationEnded, InvitationForAnother: not this person, or not this way.
        ConsentMissing: the privacy notice was not agreed to.
        AnswersRefused: the last seat of a choice has gone; nobody is registered.
        InvalidDetail, events.errors.InvalidValue, notifications.errors.AddressRefused: a value cannot be meant;
            `field` names it.
    """
    admission.require_open(webinar, user=user)
    agreed = set(consents)
    if "privacy" not in agreed:
        raise ConsentMissing(_("Please agree to the privacy notice; we cannot register you without."), field="privacy")
    details = clean_details(
        Details(
            name=name,
            language=language,
            time_zone=time_zone,
            country=country,
            profession=profession,
            sector=sector,
            affiliation=affiliation,
        )
    )
    address = clean_address(email)
    with transaction.atomic():
        webinar = places.lock(webinar)
        admission.require_open(webinar, user=user)
        if user is None:
            # Before anybody is looked up, so that the answer tells nothing about the address (promise A9).
            admission.require_domain(webinar, address)
            invitation = invitations.require(webinar, invitation, address)
            if answers is not None:
                require_seats(cleaned=answers)
        registration = _find(webinar, address)
        if registration is not None and not _can_begin_anew(registration, user):
            if group is not None and registration.group_id is None:
                # The coordinator sees the same as for everybody else: an address and its state.
                registration.group = group
                registration.save(update_fields=["group", "updated_at"])
            _send_links(registration)
            return registration
        is_new = registration is None
        registration = registration or Registration(webinar=webinar, email=address)
        if not is_new:
            invitations.give_back(registration)
        _fill(registration, details, consent_records.built_in_consents(agreed, said_by=said_by))
        registration.source, registration.group = source, group
        invitations.use(registration, invitation)
        _admit(registration, user=user)
        registration.save(force_insert=is_new)
        consent_records.give(registration=registration, texts=consent_texts)
        if answers is not None:
            save_answers(registration=registration, cleaned=answers)
        record_action(
            action="registration.created" if is_new else "registration.renewed",
            target=registration,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "registrant",
            state=registration.state,
        )
        messages.send_state(registration)
    return registration


def change_registration(*, registration: Registration, details: Details) -> Registration:
    """Change what a registrant told about themselves; the address and the place stay.

    Raises:
        NotRegistered: the registration is cancelled or declined.
        InvalidDetail, events.errors.InvalidValue: a value cannot be meant; `field` names it.
    """
    cleaned = asdict(clean_details(details))
    with transaction.atomic():
        changed = (
            Registration.objects.filter(pk=registration.pk)
            .exclude(state__in=[RegistrationState.CANCELLED, RegistrationState.DECLINED])
            .update(**cleaned, updated_at=timezone.now())
        )
        if not changed:
            raise NotRegistered(_("This registration is cancelled."))
        record_action(
            action="registration.changed",
            target=registration,
            organisation=registration.webinar.organisation,
            actor="registrant",
            changes=sorted(field for field, value in cleaned.items() if getattr(registration, field) != value),
        )
    registration.refresh_from_db()
    return registration


def cancel_registration(*, registration: Registration, user: User | None = None) -> Registration:
    """Give up a place, leave the waiting list, or take back a request. A freed place goes to the next at once.

    Cancelling twice changes nothing, nor does cancelling what was declined.

    Args:
        user: who does it for the registrant; None when they do it themselves.
    """
    with transaction.atomic():
        webinar = places.lock(registration.webinar)
        current = Registration.objects.get(pk=registration.pk)
        current.webinar = webinar
        if current.state in (RegistrationState.CANCELLED, RegistrationState.DECLINED):
            return current
        had_place = current.state == RegistrationState.CONFIRMED
        if had_place:
            places.free_place(webinar)
        invitations.give_back(current)
        current.state = RegistrationState.CANCELLED
        current.cancelled_at = timezone.now()
        current.waitlist_position = None
        current.calendar_sequence += 1
        current.save(update_fields=["state", "cancelled_at", "waitlist_position", "calendar_sequence", "updated_at"])
        release_seats(registration=current)
        record_action(
            action="registration.cancelled",
            target=current,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "registrant",
        )
        messages.send_cancelled(current, had_place=had_place)
        places.promote(webinar)
    return current


# --- The links once more -------------------------------------------------------------------------------------------
def send_links_again(*, email: str, webinar: Webinar) -> None:
    """Mail the personal links again if this address is registered; the caller cannot tell (promise A9).

    For an address that is not, the same is done with a made-up registration and undone, so that the time it takes
    tells nothing either.

    Raises:
        AddressRefused: this is no address.
    """
    address = clean_address(email)
    with transaction.atomic():
        webinar = places.lock(webinar)
        registration = _find(webinar, address)
        if registration is not None and registration.state != RegistrationState.CANCELLED:
            _send_links(registration)
        else:
            _pretend_to_send(webinar)


def resend_links(*, registration: Registration, user: User) -> Registration:
    """Mail a registrant's links again because an organiser asks for it, however recent the last mail is.

    Raises:
        NotRegistered: the registration is cancelled.
    """
    with transaction.atomic():
        webinar = places.lock(registration.webinar)
        current = Registration.objects.get(pk=registration.pk)
        current.webinar = webinar
        if current.state == RegistrationState.CANCELLED:
            raise NotRegistered(_("This registration is cancelled."))
        _send_again(current)
        record_action(action="registration.resent", target=current, organisation=webinar.organisation, user=user)
    return current


def _send_links(registration: Registration) -> None:
    """Mail the links once more, as a new version of the last mail, unless that was done minutes ago.

    Then the mail is made all the same and undone: whoever asks learns nothing from the time it takes.
    """
    recent = Message.objects.filter(
        about=messages.about(registration),
        purpose__in=messages.WITH_LINK,
        created_at__gt=timezone.now() - LINKS_AGAIN_AFTER,
    ).exists()
    with transaction.atomic():
        _send_again(registration)
        transaction.set_rollback(recent)
    if recent:
        registration.refresh_from_db(fields=["calendar_sequence", "updated_at"])


def _send_again(registration: Registration) -> None:
    registration.calendar_sequence += 1
    registration.save(update_fields=["calendar_sequence", "updated_at"])
    messages.send_state(registration)


def _pretend_to_send(webinar: Webinar) -> None:
    nobody = Registration(
        webinar=webinar,
        email=f"{uuid.uuid4().hex}@example.org",
        name="Nobody",
        language=webinar.organisation.language,
        time_zone=webinar.time_zone,
        state=RegistrationState.CONFIRMED,
    )
    with transaction.atomic():
        nobody.save(force_insert=True)
        messages.send_state(nobody)
        transaction.set_rollback(True)


# --- Parts of registering ------------------------------------------------------------------------------------------
def _find(webinar: Webinar, address: str) -> Registration | None:
    # Lower() so that the unique index is used.
    found = Registration.objects.alias(address=Lower("email")).filter(webinar=webinar, address=address).first()
    if found is not None:
        found.webinar = webinar
    return found


def _can_begin_anew(registration: Registration, user: User | None) -> bool:
    if registration.state == RegistrationState.CANCELLED:
        return True
    return user is not None and registration.state in _UNDECIDED


def _fill(registration: Registration, details: Details, agreed: dict[str, dict[str, str]]) -> None:
    for field, value in asdict(details).items():
        setattr(registration, field, value)
    registration.consents = agreed
    registration.cancelled_at = registration.proved_at = None
    registration.decided_at = registration.decided_by = None
    if not registration._state.adding:
        registration.calendar_sequence += 1


def _admit(registration: Registration, *, user: User | None) -> None:
    """Give the registration the first state that the webinar's conditions allow; the caller saves it."""
    webinar, now = registration.webinar, timezone.now()
    if registration.invitation is not None and registration.invitation.email == registration.email:
        registration.proved_at = now  # the link was mailed there
    if webinar.needs_approval and user is not None:
        registration.decided_at, registration.decided_by = now, user
    if webinar.email_domains and registration.proved_at is None and user is None:
        registration.state = RegistrationState.UNPROVED
    elif webinar.needs_approval and registration.decided_at is None:
        registration.state = RegistrationState.PENDING
    else:
        places.give_place_or_queue(registration)
