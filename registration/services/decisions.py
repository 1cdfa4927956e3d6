"""What lets a registration that waits go on: the mailed link that proves its address, and an organiser's decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events.models import Webinar
from registration import messages
from registration.answers import release_seats
from registration.errors import WrongState
from registration.links import PROOF_LIFE
from registration.models import Registration, RegistrationState
from registration.services import admission, invitations, places

DECIDED_AT_ONCE = 200  # a decision takes some ten milliseconds, most of them for its mail
_REMOVED_AT_ONCE = 200


def prove(*, registration: Registration) -> Registration:
    """Note that whoever registered reads the mails of that address; only now a place is taken. Twice is once.

    Raises:
        RegistrationClosed, WebinarCancelled: the webinar is over or was called off meanwhile.
    """
    with transaction.atomic():
        current = _lock_both(registration)
        if current.state != RegistrationState.UNPROVED:
            return current
        # Whoever registered in time may prove it later; only what is over is over.
        if current.webinar.is_over or current.webinar.state != Webinar.State.PUBLISHED:
            admission.require_open(current.webinar)
        current.proved_at = timezone.now()
        if current.webinar.needs_approval:
            current.state = RegistrationState.PENDING
        else:
            places.give_place_or_queue(current)
        _save(current, "registration.proved", actor="registrant")
        messages.send_state(current)
    return current


def approve(*, registration: Registration, user: User) -> Registration:
    """Let a person in who waits for approval, or who was declined: a place, or the waiting list when all are taken.

    Raises:
        WrongState: they wait for no decision.
        RegistrationClosed, WebinarCancelled: the webinar is over or was called off.
    """
    with transaction.atomic():
        current = _lock_both(registration)
        admission.require_open(current.webinar, user=user)
        if current.state == RegistrationState.DECLINED:
            invitations.use_again(current)
        elif current.state != RegistrationState.PENDING:
            raise WrongState(_("This registration does not wait for approval."))
        current.decided_at, current.decided_by = timezone.now(), user
        places.give_place_or_queue(current)
        _save(current, "registration.approved", user=user)
        messages.send_state(current)
    return current


def decline(*, registration: Registration, user: User) -> Registration:
    """Refuse a person who waits for approval.

    Raises:
        WrongState: they wait for no decision.
    """
    with transaction.atomic():
        current = _lock_both(registration)
        if current.state != RegistrationState.PENDING:
            raise WrongState(_("This registration does not wait for approval."))
        invitations.give_back(current)
        current.decided_at, current.decided_by = timezone.now(), user
        current.state = RegistrationState.DECLINED
        _save(current, "registration.declined", user=user)
        release_seats(registration=current)
        messages.send_state(current)
    return current


@dataclass
class Decided:
    """How many of a number of registrations were decided, and how many were not in a state for it any more."""

    done: int = 0
    passed_over: int = 0


def decide(*, webinar: Webinar, pks: Iterable[UUID], approved: bool, user: User) -> Decided:
    """Approve or decline many, the earliest first. Each is decided by itself, so a stop in the middle harms nothing.

    Raises:
        RegistrationClosed, WebinarCancelled: see `approve`.
    """
    result = Decided()
    rows = webinar.registrations.filter(pk__in=list(pks)).select_related("webinar").order_by("created_at", "pk")
    for row in rows[:DECIDED_AT_ONCE]:
        try:
            (approve if approved else decline)(registration=row, user=user)
        except WrongState:
            result.passed_over += 1
        else:
            result.done += 1
    return result


def remove_unproved(*, older_than: timedelta = PROOF_LIFE) -> int:
    """Delete registrations whose address nobody proved in time; their link has expired. Returns how many."""
    removed = 0
    overdue = Registration.objects.filter(
        state=RegistrationState.UNPROVED, updated_at__lt=timezone.now() - older_than
    ).select_related("webinar")
    for row in overdue.order_by("updated_at")[:_REMOVED_AT_ONCE]:
        with transaction.atomic():
            current = _lock_both(row)
            if current.state == RegistrationState.UNPROVED:
                invitations.give_back(current)
                release_seats(registration=current)
                current.delete()
                removed += 1
    return removed


def _lock_both(registration: Registration) -> Registration:
    webinar = places.lock(registration.webinar)
    current = Registration.objects.select_related("invitation").get(pk=registration.pk)
    current.webinar = webinar
    return current


def _save(registration: Registration, action: str, *, user: User | None = None, actor: str = "") -> None:
    registration.calendar_sequence += 1
    registration.save()
    record_action(
        action=action,
        target=registration,
        organisation=registration.webinar.organisation,
        user=user,
        actor=actor,
        state=registration.state,
    )
