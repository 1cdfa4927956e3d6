"""The places of a webinar and the waiting list for them.

A place is taken or given back by a conditional UPDATE of the counter in `Places`, which cannot exceed the capacity even
if a lock were forgotten.
"""

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from accounts.services import record_action
from events.models import Webinar, WebinarState
from registration import messages
from registration.models import Places, Registration, RegistrationState


def promote_from_waitlist(*, webinar: Webinar) -> list[Registration]:
    """Give free places to those who wait, in their order. Returns who got one. Safe to call at any moment."""
    with transaction.atomic():
        return promote(lock(webinar))


def set_capacity(*, webinar: Webinar) -> Places:
    """Bring the counter's capacity in line with the webinar's, and promote when it grew.

    When it shrank below the places given, nobody loses theirs; new ones are given once there is room again.
    """
    with transaction.atomic():
        webinar = lock(webinar)
        Places.objects.filter(pk=webinar.pk).update(capacity=webinar.capacity)
        promote(webinar)
    return Places.objects.get(pk=webinar.pk)


def recount(*, webinar: Webinar) -> bool:
    """Count the places again from the registrations. Returns whether the counter was wrong."""
    with transaction.atomic():
        webinar = lock(webinar)
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
        promote(webinar)
    return was_wrong


# --- For this package: inside a transaction that holds the lock ----------------------------------------------------
def lock(webinar: Webinar) -> Webinar:
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


def give_place_or_queue(registration: Registration) -> None:
    """Confirm a registration if a place is free, else put it at the end of the waiting list; the caller saves it."""
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


def free_place(webinar: Webinar) -> None:
    """Give back the place of somebody who is no longer confirmed; `promote` then passes it on."""
    Places.objects.filter(pk=webinar.pk, confirmed__gt=0).update(confirmed=F("confirmed") - 1)


def promote(webinar: Webinar) -> list[Registration]:
    """Give what places are free to the first in the queue, with mail."""
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


def _take_place(webinar: Webinar) -> bool:
    room = Q(capacity__isnull=True) | Q(confirmed__lt=F("capacity"))
    return Places.objects.filter(room, pk=webinar.pk).update(confirmed=F("confirmed") + 1) == 1
