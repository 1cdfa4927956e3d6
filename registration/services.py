"""What changes who has a place: register, cancel, promote, resize.

All of these first lock the webinar's row, so that they happen one after the other (SQLite's transactions do so
anyway), and take or give a place by a conditional UPDATE of the counter in `Places`, which cannot exceed the capacity
even if a lock were forgotten.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events.models import Webinar, WebinarState
from notifications.addresses import clean_address
from notifications.models import Message
from registration import messages
from registration.errors import ConsentMissing, NotRegistered, RegistrationClosed, WebinarCancelled
from registration.models import Places, Registration, RegistrationState
from registration.validators import Details, clean_details

PRIVACY_VERSION = "1"  # of the text in templates/registration/includes/privacy.html
LINKS_AGAIN_AFTER = timedelta(minutes=10)


# --- Registering ---------------------------------------------------------------------------------------------------
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
    affiliation: str = "",
    user: User | None = None,
) -> Registration:
    """Register a person, or put them on the waiting list when all places are taken.

    An address, in any case of its letters, has one registration per webinar. Registering again returns it unchanged
    and mails its links again, at most every ten minutes; after a cancellation it brings the registration back with the
    new details.

    Args:
        consents: the texts that were agreed to; must hold "privacy".
        user: who does it for them; None when they do it themselves.

    Raises:
        RegistrationClosed, WebinarCancelled: nobody can register now.
        ConsentMissing: the privacy notice was not agreed to.
        InvalidDetail, events.errors.InvalidValue, notifications.errors.AddressRefused: a value cannot be meant;
            `field` names it.
    """
    require_open(webinar)
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
            affiliation=affiliation,
        )
    )
    address = clean_address(email)
    with transaction.atomic():
        webinar = _lock(webinar)
        require_open(webinar)
        registration = _find(webinar, address)
        if registration is not None and registration.state != RegistrationState.CANCELLED:
            _send_links(registration)
            return registration
        is_new = registration is None
        registration = registration or Registration(webinar=webinar, email=address)
        _fill(registration, details, agreed)
        _give_place_or_queue(registration)
        registration.save(force_insert=is_new)
        record_action(
            action="registration.created" if is_new else "registration.renewed",
            target=registration,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "registrant",
            state=registration.state,
        )
        _send_state(registration)
    return registration


def require_open(webinar: Webinar) -> None:
    """Check that people can register now.

    Raises:
        RegistrationClosed, WebinarCancelled: they cannot.
    """
    if webinar.state == WebinarState.CANCELLED:
        raise WebinarCancelled(_("This webinar was cancelled."))
    if webinar.is_over:
        raise RegistrationClosed(_("This webinar is over."))
    if not webinar.is_registration_open:
        raise RegistrationClosed(_("Registration for this webinar is closed."))


def change_registration(*, registration: Registration, details: Details) -> Registration:
    """Change what a registrant told about themselves; the address and the place stay.

    Raises:
        NotRegistered: the registration is cancelled.
        InvalidDetail, events.errors.InvalidValue: a value cannot be meant; `field` names it.
    """
    cleaned = asdict(clean_details(details))
    with transaction.atomic():
        changed = (
            Registration.objects.filter(pk=registration.pk)
            .exclude(state=RegistrationState.CANCELLED)
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
    """Give up a place, or leave the waiting list. A freed place goes to the next in the queue at once.

    Cancelling twice changes nothing.

    Args:
        user: who does it for the registrant; None when they do it themselves.
    """
    with transaction.atomic():
        webinar = _lock(registration.webinar)
        current = Registration.objects.get(pk=registration.pk)
        current.webinar = webinar
        if current.state == RegistrationState.CANCELLED:
            return current
        had_place = current.state == RegistrationState.CONFIRMED
        if had_place:
            Places.objects.filter(pk=webinar.pk, confirmed__gt=0).update(confirmed=F("confirmed") - 1)
        current.state = RegistrationState.CANCELLED
        current.cancelled_at = timezone.now()
        current.waitlist_position = None
        current.calendar_sequence += 1
        current.save(update_fields=["state", "cancelled_at", "waitlist_position", "calendar_sequence", "updated_at"])
        record_action(
            action="registration.cancelled",
            target=current,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "registrant",
        )
        messages.send_cancelled(current, had_place=had_place)
        _promote(webinar)
    return current


def send_links_again(*, email: str, webinar: Webinar) -> None:
    """Mail the personal links again if this address is registered; the caller cannot tell (promise A9).

    Raises:
        AddressRefused: this is no address.
    """
    address = clean_address(email)
    with transaction.atomic():
        webinar = _lock(webinar)
        registration = _find(webinar, address)
        if registration is not None and registration.state != RegistrationState.CANCELLED:
            _send_links(registration)


def _find(webinar: Webinar, address: str) -> Registration | None:
    # Lower() so that the unique index is used.
    found = Registration.objects.alias(address=Lower("email")).filter(webinar=webinar, address=address).first()
    if found is not None:
        found.webinar = webinar
    return found


def _fill(registration: Registration, details: Details, agreed: Iterable[str]) -> None:
    for field, value in asdict(details).items():
        setattr(registration, field, value)
    at = timezone.now().isoformat(timespec="seconds")
    registration.consents = {name: {"version": PRIVACY_VERSION, "at": at} for name in sorted(agreed)}
    registration.cancelled_at = None
    if not registration._state.adding:
        registration.calendar_sequence += 1


def _send_state(registration: Registration) -> None:
    if registration.state == RegistrationState.CONFIRMED:
        messages.send_confirmation(registration)
    else:
        messages.send_waitlisted(registration)


def _send_links(registration: Registration) -> None:
    """Mail the links once more, as a new version of the confirmation, unless that was done minutes ago."""
    recent = Message.objects.filter(
        about=messages.about(registration),
        purpose__in=messages.WITH_LINK,
        created_at__gt=timezone.now() - LINKS_AGAIN_AFTER,
    )
    if recent.exists():
        return
    registration.calendar_sequence += 1
    registration.save(update_fields=["calendar_sequence", "updated_at"])
    _send_state(registration)


# --- Places and waiting list ---------------------------------------------------------------------------------------
def promote_from_waitlist(*, webinar: Webinar) -> list[Registration]:
    """Give free places to those who wait, in their order. Returns who got one. Safe to call at any moment."""
    with transaction.atomic():
        return _promote(_lock(webinar))


def set_capacity(*, webinar: Webinar) -> Places:
    """Bring the counter's capacity in line with the webinar's, and promote when it grew.

    When it shrank below the places given, nobody loses theirs; new ones are given once there is room again.
    """
    with transaction.atomic():
        webinar = _lock(webinar)
        Places.objects.filter(pk=webinar.pk).update(capacity=webinar.capacity)
        _promote(webinar)
    return Places.objects.get(pk=webinar.pk)


def recount(*, webinar: Webinar) -> bool:
    """Count the places again from the registrations. Returns whether the counter was wrong."""
    with transaction.atomic():
        webinar = _lock(webinar)
        facts = webinar.registrations.aggregate(last=Max("waitlist_position"))
        places = Places.objects.get(pk=webinar.pk)
        right = {
            "capacity": webinar.capacity,
            "confirmed": webinar.registrations.filter(state=RegistrationState.CONFIRMED).count(),
            "last_position": max(places.last_position, facts["last"] or 0),
        }
        was_wrong = any(getattr(places, name) != value for name, value in right.items())
        if was_wrong:
            Places.objects.filter(pk=webinar.pk).update(**right)
        _promote(webinar)
    return was_wrong


def _lock(webinar: Webinar) -> Webinar:
    """Return the webinar as it is now, locked for this transaction, and see that it has its counter.

    The weaker kind of lock (no_key) lets other transactions insert rows that refer to the webinar.
    """
    locked = (
        Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("organisation").get(pk=webinar.pk)
    )
    if not Places.objects.filter(pk=locked.pk).exists():
        confirmed = locked.registrations.filter(state=RegistrationState.CONFIRMED).count()
        Places.objects.create(webinar=locked, capacity=locked.capacity, confirmed=confirmed)
    return locked


def _take_place(webinar: Webinar) -> bool:
    room = Q(capacity__isnull=True) | Q(confirmed__lt=F("capacity"))
    return Places.objects.filter(room, pk=webinar.pk).update(confirmed=F("confirmed") + 1) == 1


def _give_place_or_queue(registration: Registration) -> None:
    webinar = registration.webinar
    if _take_place(webinar):
        registration.state = RegistrationState.CONFIRMED
        registration.confirmed_at = timezone.now()
        registration.waitlist_position = None
        return
    Places.objects.filter(pk=webinar.pk).update(last_position=F("last_position") + 1)
    registration.state = RegistrationState.WAITLISTED
    registration.confirmed_at = None
    registration.waitlist_position = Places.objects.values_list("last_position", flat=True).get(pk=webinar.pk)


def _promote(webinar: Webinar) -> list[Registration]:
    promoted: list[Registration] = []
    if webinar.state != WebinarState.PUBLISHED or webinar.is_over:
        return promoted
    waiting = webinar.registrations.filter(state=RegistrationState.WAITLISTED).order_by("waitlist_position")
    while (registration := waiting.first()) is not None and _take_place(webinar):
        registration.webinar = webinar
        registration.state = RegistrationState.CONFIRMED
        registration.confirmed_at = timezone.now()
        registration.waitlist_position = None
        registration.calendar_sequence += 1
        registration.save(
            update_fields=["state", "confirmed_at", "waitlist_position", "calendar_sequence", "updated_at"]
        )
        record_action(
            action="registration.promoted", target=registration, organisation=webinar.organisation, actor="system"
        )
        messages.send_promoted(registration)
        promoted.append(registration)
    return promoted
