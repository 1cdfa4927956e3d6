"""Claiming, doing, finishing, repeating and sweeping of work rows."""

import contextlib
import errno
import logging
import os
import random
import socket
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import ChannelError

import sandbox
from work import health, kinds, leases
from work.errors import (
    Cancelled,
    DomainError,
    HandedBack,
    LeaseLost,
    Parked,
    PermanentFailure,
    Skip,
    StaleState,
    TemporaryFailure,
)
from work.leases import Lease, Row
from work.models import MAX_TRIES, WorkRow, WorkState

logger = logging.getLogger(__name__)

HINT_AGAIN_S = 60  # a queued row whose message is older than this gets a new one, if its queue is short
SHORT_QUEUE = 500  # messages; behind more of them a message is not lost, it waits
SWEPT_ROWS = 500  # of each kind at one sweep
BACKOFF_S = (10, 60, 300)  # before the second, third and any further try
WAIT_S = 30  # until somebody else's service, such as the file store, is asked again
LOG_TAIL_CHARS = 4000


def enqueue(row: WorkRow, *, due_at: Any = None) -> None:
    """Make a waiting row claimable and, after commit, tell a worker. Other states are left alone."""
    changed = (
        type(row)
        ._default_manager.filter(pk=row.pk, state=WorkState.WAITING)
        .update(state=WorkState.QUEUED, due_at=due_at, updated_at=timezone.now())
    )
    if changed:
        row.state = WorkState.QUEUED
        if due_at is None or due_at <= timezone.now():
            hint(row)


def hint(row: WorkRow) -> None:
    """After commit, send the message that says: this row may be claimed. Losing it only costs time."""
    kind = kinds.of(row)
    pk, queue = str(row.pk), kind.queue(row)

    def send() -> None:
        from work import tasks  # tasks import this module

        try:
            tasks.execute.apply_async((kind.name, pk), queue=queue)
        except Exception:
            # Without a broker the site goes on; the sweeper sends the message again (promise O5).
            logger.warning("could not queue %s %s; the sweeper will", kind.name, pk, exc_info=True)
        else:
            kind.model._default_manager.filter(pk=pk).update(hinted_at=timezone.now())

    transaction.on_commit(send)


def claim(model: type[Row], pk: Any) -> Lease[Row] | None:
    """Take a queued, due row, or return None when there is nothing to take.

    One conditional UPDATE decides, so of any number of workers exactly one gets the row.
    """
    now = timezone.now()
    worker = f"{socket.gethostname()}:{os.getpid()}"
    due = Q(due_at__isnull=True) | Q(due_at__lte=now)
    taken = model._default_manager.filter(due, pk=pk, state=WorkState.QUEUED).update(
        state=WorkState.RUNNING,
        attempt=F("attempt") + 1,
        lease_expires_at=now + timedelta(seconds=settings.WORK_LEASE_S),
        worker=worker[:120],
        progress=0,
        activity="",
        error="",
        error_code="",
        log_tail="",
        started_at=now,
        finished_at=None,
        updated_at=now,
    )
    if taken != 1:
        return None
    return Lease(model._default_manager.get(pk=pk))


def execute(kind_name: str, pk: Any) -> bool:
    """Do one row's work, whatever happens to it. Returns False when there was nothing to do."""
    kind = kinds.get(kind_name)
    if leases.stopping.is_set():
        _pass_on(kind, pk)
        return False
    lease = claim(kind.model, pk)
    if lease is None:
        return False
    if lease.row.cancel_requested:
        _finish(kind, lease, WorkState.CANCELLED, Cancelled(_("Cancelled.")))
        return True
    try:
        with lease.kept_alive():
            kind.handle(lease)
    except LeaseLost:
        logger.warning("%s %s: lease of attempt %s was lost", kind_name, pk, lease.attempt)
    except HandedBack:
        _requeue(kind, lease, delay_s=0, costs_try=False)
    except Parked:
        _park(kind, lease)
    except Cancelled as error:
        _finish(kind, lease, WorkState.CANCELLED, error)
    except Skip as error:
        _finish(kind, lease, WorkState.SKIPPED, error)
    except TemporaryFailure as error:
        _requeue(kind, lease, delay_s=error.delay_s, costs_try=error.costs_try, error=error)
    except DomainError as error:
        if error.is_temporary:
            _requeue(kind, lease, delay_s=WAIT_S, costs_try=False, error=error)
        else:
            _finish(kind, lease, WorkState.FAILED, error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            _finish(kind, lease, WorkState.FAILED, _disk_full())
            return True
        logger.exception("%s %s failed", kind_name, pk)
        failure = TemporaryFailure(
            _("An unexpected error: %(error)s") % {"error": f"{type(error).__name__}: {error}"[:500]},
            code="unexpected",
        )
        _requeue(kind, lease, delay_s=None, costs_try=True, error=failure)
    else:
        _finish(kind, lease, WorkState.DONE, None)
    return True


def _disk_full() -> DomainError:
    return PermanentFailure(
        _("The server's disk is full. Ask its operator to make room, then try this step again."), code="disk_full"
    )


def _pass_on(kind: kinds.WorkKind, pk: Any) -> None:
    """This worker is stopping: send the message again, for one that is not."""
    row = kind.model._default_manager.filter(pk=pk, state=WorkState.QUEUED).first()
    if row is not None:
        hint(row)


def _words_of(error: DomainError) -> dict[str, str]:
    """What is stored of an error: its reason for people, its code, and a tool's last words for those who ask."""
    words = {"error": str(error), "error_code": error.code[:60]}
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, sandbox.ToolFailed | sandbox.LimitExceeded) and cause.stderr_tail:
            return {**words, "log_tail": cause.stderr_tail[-LOG_TAIL_CHARS:]}
        cause = cause.__cause__
    return words


def _finish(kind: kinds.WorkKind, lease: Lease[Any], state: WorkState, error: DomainError | None) -> None:
    fields: dict[str, Any] = {"state": state, "finished_at": timezone.now(), "lease_expires_at": None}
    if state == WorkState.DONE:
        fields["progress"] = 100
    if error is not None:
        fields |= _words_of(error)
    try:
        with transaction.atomic():
            lease.write(**fields)
            kind.after(lease.row)
    except LeaseLost:
        logger.warning("%s %s: result of attempt %s came too late", kind.name, lease.row.pk, lease.attempt)


def _park(kind: kinds.WorkKind, lease: Lease[Any]) -> None:
    with contextlib.suppress(LeaseLost), transaction.atomic():
        lease.write(state=WorkState.WAITING, lease_expires_at=None, hinted_at=None)
        # What it waits for may have happened a moment ago: `after` looks again.
        kind.after(lease.row)


def _requeue(
    kind: kinds.WorkKind,
    lease: Lease[Any],
    *,
    delay_s: float | None,
    costs_try: bool,
    error: DomainError | None = None,
) -> None:
    left = lease.row.tries_left - (1 if costs_try else 0)
    if left <= 0:
        _finish(kind, lease, WorkState.FAILED, error or PermanentFailure(_("Tried too often.")))
        return
    delay = backoff_s(MAX_TRIES - left) if delay_s is None else delay_s
    fields: dict[str, Any] = {
        "state": WorkState.QUEUED,
        "tries_left": left,
        "due_at": timezone.now() + timedelta(seconds=delay) if delay else None,
        "lease_expires_at": None,
        "hinted_at": None,
    }
    if error is not None:
        fields |= _words_of(error)
    try:
        lease.write(**fields)
    except LeaseLost:
        logger.warning("%s %s: end of attempt %s came too late", kind.name, lease.row.pk, lease.attempt)
        return
    if not delay:
        hint(lease.row)


def backoff_s(failures: int) -> float:
    """Seconds to wait after that many failures, with jitter so that a crowd does not return at once."""
    base = BACKOFF_S[min(max(failures, 1), len(BACKOFF_S)) - 1]
    return base * random.uniform(0.8, 1.2)  # noqa: S311  (spreading load, not a secret)


def retry(row: WorkRow) -> None:
    """Let a failed, skipped or cancelled row be tried again from the start, as a person asked.

    Raises:
        StaleState: it is not finished, or is done.
    """
    changed = (
        type(row)
        ._default_manager.filter(pk=row.pk, state__in=[WorkState.FAILED, WorkState.SKIPPED, WorkState.CANCELLED])
        .update(
            state=WorkState.WAITING,
            tries_left=MAX_TRIES,
            cancel_requested=False,
            due_at=None,
            error="",
            error_code="",
            progress=0,
            activity="",
            finished_at=None,
            updated_at=timezone.now(),
        )
    )
    if not changed:
        raise StaleState(_("Only what failed, was skipped or was cancelled can be tried again."))
    row.refresh_from_db()


def request_cancel(row: WorkRow) -> None:
    """Stop the work: at once if nobody has begun, within seconds if a worker is at it. Finished rows stay."""
    manager = type(row)._default_manager
    now = timezone.now()
    stopped = manager.filter(pk=row.pk, state__in=[WorkState.WAITING, WorkState.QUEUED]).update(
        state=WorkState.CANCELLED, cancel_requested=True, finished_at=now, updated_at=now
    )
    if not stopped:
        manager.filter(pk=row.pk, state=WorkState.RUNNING).update(cancel_requested=True, updated_at=now)
    row.refresh_from_db()
    if stopped:
        kinds.of(row).after(row)


def sweep() -> dict[str, int]:
    """Bring back what was lost: expired leases, due rows, rows whose message vanished. Safe at any time.

    Returns how many rows of each kind got a new message or were given up.
    """
    counts: dict[str, int] = {}
    now = timezone.now()
    room = _Room()
    for chore in kinds.chores():
        try:
            chore()
        except Exception:
            logger.exception("chore %s failed; the next sweep tries again", chore.__qualname__)
    for kind in kinds.every():
        manager = kind.model._default_manager
        expired = manager.filter(state=WorkState.RUNNING, lease_expires_at__lt=now).order_by("created_at")
        for row in expired[:SWEPT_ROWS]:
            counts[kind.name] = counts.get(kind.name, 0) + _abandon(kind, row)
        due = manager.filter(Q(due_at__isnull=True) | Q(due_at__lte=now), state=WorkState.QUEUED).order_by(*kind.order)
        unsent = due.filter(hinted_at__isnull=True)[:SWEPT_ROWS]
        old = due.filter(hinted_at__lt=now - timedelta(seconds=HINT_AGAIN_S))[:SWEPT_ROWS]
        for row in (*unsent, *(row for row in old if room.take(kind.queue(row)))):
            hint(row)
            counts[kind.name] = counts.get(kind.name, 0) + 1
    with contextlib.suppress(Exception):  # the cache may be away; nothing depends on it
        health.note_sweep()
    return counts


class _Room:
    """How many messages may be sent again, lest a long queue fill with copies of what already waits in it."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def take(self, queue: str) -> bool:
        """Use one of the places of a queue; False when there is none left."""
        if queue not in self._left:
            self._left[queue] = SHORT_QUEUE - _messages_in(queue)
        self._left[queue] -= 1
        return self._left[queue] >= 0


def _messages_in(queue: str) -> int:
    """Ask the broker how many messages wait in a queue; 0 when it does not know the queue, or does not answer."""
    try:
        with current_app.connection_or_acquire() as broker, broker.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # Redis knows no empty queues
        return 0
    except Exception:  # whatever the broker's driver raises
        logger.warning("could not ask the broker for the length of %s", queue, exc_info=True)
        return 0


def _abandon(kind: kinds.WorkKind, row: WorkRow) -> int:
    """A worker died or froze with this row: queue it again, or give up after the last try."""
    now = timezone.now()
    # The new attempt number, not the old one's end, is what shuts out the frozen worker. One that was only slow may
    # have renewed its lease since this row was read.
    mine = kind.model._default_manager.filter(
        pk=row.pk, attempt=row.attempt, state=WorkState.RUNNING, lease_expires_at__lt=now
    )
    if row.cancel_requested or row.tries_left <= 1:
        state = WorkState.CANCELLED if row.cancel_requested else WorkState.FAILED
        with transaction.atomic():
            changed = mine.update(
                state=state,
                attempt=F("attempt") + 1,
                tries_left=0,
                finished_at=now,
                lease_expires_at=None,
                error_code="worker_died" if state == WorkState.FAILED else "cancelled",
                error=_("The worker died each time it tried this. It may be too much for this machine.")
                if state == WorkState.FAILED
                else _("Cancelled."),
                updated_at=now,
            )
            if changed:
                kind.after(kind.model._default_manager.get(pk=row.pk))
        return changed
    changed = mine.update(
        state=WorkState.QUEUED,
        attempt=F("attempt") + 1,
        tries_left=F("tries_left") - 1,
        due_at=None,
        lease_expires_at=None,
        hinted_at=now,
        updated_at=now,
    )
    if changed:
        hint(row)
    return changed
