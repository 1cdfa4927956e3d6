"""How far behind the queues are: the oldest waiting row, rows without heartbeats, the last sweep.

Read by `/health/details`, by `manage.py doctor`, and by the supervisor, which restarts workers that stopped consuming.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from work import kinds
from work.models import WorkState

logger = logging.getLogger(__name__)

QUEUES = ("default", "mail", "bulk", "media", "speech")
LOOKED_AT = 200  # rows per kind; the queue of a row is known to its kind alone, not to the database
SWEPT_AT = "work:swept-at"


@dataclass(frozen=True)
class QueueHealth:
    """One queue.

    Attributes:
        waiting: rows that a worker could claim now (at most `LOOKED_AT` of each kind are counted).
        oldest_s: how long the oldest of them has been claimable.
        running: rows that a worker holds.
        stalled: those of them whose heartbeat was missed twice.
    """

    name: str
    waiting: int
    oldest_s: float
    running: int
    stalled: int


def queues() -> list[QueueHealth]:
    """Look at every kind of work, and add up by queue."""
    now = timezone.now()
    waiting: dict[str, list[datetime]] = {name: [] for name in QUEUES}
    running: dict[str, list[bool]] = {name: [] for name in QUEUES}
    for kind in kinds.every():
        manager = kind.model._default_manager
        # A row that had to wait for its time is late only from then on.
        since = Greatest(F("updated_at"), Coalesce(F("due_at"), F("updated_at")))
        due = Q(due_at__isnull=True) | Q(due_at__lte=now)
        for row in manager.filter(due, state=WorkState.QUEUED).annotate(since=since).order_by("since")[:LOOKED_AT]:
            waiting.setdefault(kind.queue(row), []).append(_since(row))
        for held in manager.filter(state=WorkState.RUNNING)[:LOOKED_AT]:
            running.setdefault(kind.queue(held), []).append(held.is_stalled)
    return [
        QueueHealth(
            name=name,
            waiting=len(waiting[name]),
            oldest_s=max(0.0, (now - min(waiting[name], default=now)).total_seconds()),
            running=len(running.get(name, [])),
            stalled=sum(running.get(name, [])),
        )
        for name in waiting
    ]


def stuck_queues(*, longer_than_s: float) -> list[str]:
    """Name the queues in which something waits that long though nobody is at work: their workers stopped consuming."""
    return [
        queue.name
        for queue in queues()
        if queue.waiting and queue.oldest_s > longer_than_s and queue.running == queue.stalled
    ]


def note_sweep() -> None:
    """Remember that a sweep was done just now."""
    cache.set(SWEPT_AT, time.time(), timeout=None)


def seconds_since_sweep() -> float | None:
    """Return how long ago the last sweep was; None when nobody remembers one, or the cache is away."""
    try:
        swept_at: float | None = cache.get(SWEPT_AT)
    except Exception as error:  # whatever the cache's driver raises
        logger.warning("could not ask when the last sweep was: %s", error)
        return None
    return None if swept_at is None else max(0.0, time.time() - swept_at)


def _since(row: Any) -> datetime:
    moment: datetime = row.since
    return moment
