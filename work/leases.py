"""A worker's temporary right to one row: heartbeat, fencing, cancelling."""

import contextlib
import contextvars
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from work.errors import Cancelled, HandedBack, LeaseLost
from work.models import WorkRow, WorkState

Row = TypeVar("Row", bound=WorkRow)
logger = logging.getLogger(__name__)

# Set when this worker is asked to stop (work.tasks); running work then hands its rows back. Shared by the worker's
# main process, which hears the signal, and its pool children, which inherit it by fork.
stopping = multiprocessing.get_context("fork").Event()

POLL_S = 2.0  # how soon a cancelled or lost row is noticed; J9 promises 10 s to the end of the tool
REPORT_S = 1.0  # at most one progress write per this time

_current: "contextvars.ContextVar[Lease[Any] | None]" = contextvars.ContextVar("lease", default=None)


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)


@contextlib.contextmanager
def listening() -> Iterator[Callable[[], None]]:
    """While a tool works for this thread's lease: heartbeats go on only as long as the tool is heard.

    Yields what is to be called at every sign of life. A frozen tool then looks like a frozen worker (promise J13): the
    row is shown as stalled, and after its lease another worker takes over. Without a lease nothing happens.
    """
    lease = _current.get()
    if lease is None:
        yield lambda: None
        return
    lease.hear()
    try:
        yield lease.hear
    finally:
        lease.stop_listening()


class Lease(Generic[Row]):
    """The right to work on `row` until it is lost, handed back or finished.

    Every write repeats the attempt number, so a worker that was frozen past its lease cannot change anything.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.attempt = row.attempt
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._reported_at = 0.0
        self._heard_at: float | None = None  # None: no tool is at work, so nothing need be heard
        self._percent = row.progress

    def write(self, **fields: Any) -> None:
        """Save fields of the row, only if the lease still holds.

        Raises:
            LeaseLost: another attempt has begun; nothing was written.
        """
        model = type(self.row)
        held = model._default_manager.filter(pk=self.row.pk, attempt=self.attempt, state=WorkState.RUNNING)
        if held.update(updated_at=timezone.now(), **fields) != 1:
            self._lost.set()
            raise LeaseLost(_("Another worker has taken over."))
        for name, value in fields.items():
            setattr(self.row, name, value)

    @contextlib.contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction in which results may be stored: it fails, and stores nothing, once the lease is lost.

        The row is locked first (by an UPDATE, which SQLite respects too), so no other worker can claim it between
        the check and the commit. The lock keeps heartbeats waiting as well, so the lease is renewed here: what took
        longer than it would otherwise be taken away at its commit.

        Raises:
            LeaseLost: see `write`.
        """
        with transaction.atomic():
            self.write(lease_expires_at=_lease_end())
            yield
            self.write(lease_expires_at=_lease_end())

    def report(self, percent: float, activity: str = "") -> None:
        """Show progress: it never goes back within an attempt, and is written at most once a second.

        Raises:
            LeaseLost, Cancelled, HandedBack: see `check`.
        """
        self.check()
        self._percent = max(self._percent, min(99, int(percent)))
        now = time.monotonic()
        if now - self._reported_at < REPORT_S:
            return
        self._reported_at = now
        self.write(progress=self._percent, activity=activity[:200])

    def check(self) -> None:
        """Raise if this work should stop now.

        Raises:
            LeaseLost: another worker may hold the row.
            Cancelled: a person cancelled it.
            HandedBack: this process was asked to stop.
        """
        if self._lost.is_set():
            raise LeaseLost(_("Another worker has taken over."))
        if self._cancelled.is_set():
            raise Cancelled(_("Cancelled."))
        if stopping.is_set():
            raise HandedBack(_("The worker is stopping."))

    @property
    def should_stop(self) -> bool:
        """For loops and outside tools that poll; `check` then says why."""
        return self._lost.is_set() or self._cancelled.is_set() or stopping.is_set()

    def hear(self) -> None:
        """Note that the tool at work for this row is alive."""
        self._heard_at = time.monotonic()

    def stop_listening(self) -> None:
        self._heard_at = None

    @property
    def _is_silent(self) -> bool:
        heard_at = self._heard_at
        return heard_at is not None and time.monotonic() - heard_at > settings.WORK_HEARTBEAT_S

    @contextlib.contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Send heartbeats from a thread while the body runs."""
        thread = threading.Thread(target=self._beat, name=f"lease-{self.row.pk}", daemon=True)
        thread.start()
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            self._done.set()
            thread.join(timeout=10)

    def _beat(self) -> None:
        model = type(self.row)
        held = model._default_manager.filter(pk=self.row.pk, attempt=self.attempt, state=WorkState.RUNNING)
        beat_at = time.monotonic() + settings.WORK_HEARTBEAT_S
        poll_s = min(POLL_S, settings.WORK_HEARTBEAT_S)
        try:
            while not self._done.wait(poll_s):
                try:
                    if time.monotonic() >= beat_at and not self._is_silent:
                        beat_at = time.monotonic() + settings.WORK_HEARTBEAT_S
                        if held.update(lease_expires_at=_lease_end()) != 1 and not self._done.is_set():
                            self._lost.set()
                    wanted = held.values_list("cancel_requested", flat=True).first()
                except DatabaseError:
                    # The database may be away for a moment; the lease itself decides what that costs.
                    logger.warning("heartbeat of %s %s failed", model.__name__, self.row.pk, exc_info=True)
                    connection.close()
                    continue
                if wanted is None and not self._done.is_set():
                    self._lost.set()
                elif wanted:
                    self._cancelled.set()
        finally:
            connection.close()
