"""What `manage.py doctor` asks of each app: is what the settings name there, does it work, what to do if not."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from work import health


@dataclass(frozen=True)
class Check:
    """One answer. `ok` is None for something that works but that an operator should know."""

    name: str
    ok: bool | None
    detail: str
    advice: str = ""


def checks() -> Iterator[Check]:
    """Say how far behind the workers are."""
    try:
        found = health.queues()
    except DatabaseError:
        return  # the database has a check of its own
    for queue in found:
        yield queue_check(queue)
    yield sweep_check(health.seconds_since_sweep())


def queue_check(queue: health.QueueHealth) -> Check:
    """Judge one queue: waiting behind other work is normal, waiting while nobody works is not."""
    name = f"queue {queue.name}"
    detail = f"{queue.waiting} waiting (the oldest for {queue.oldest_s:.0f} s), {queue.running} running"
    if queue.stalled:
        return Check(
            name,
            None,
            f"{detail}, {queue.stalled} without a heartbeat",
            f"Another worker takes over within {settings.WORK_LEASE_S + settings.WORK_SWEEP_S} s; look at the workers.",
        )
    if queue.waiting and not queue.running and queue.oldest_s > settings.WORK_STUCK_S:
        return Check(
            name,
            False,
            detail,
            f"No worker serves it. Start one with `celery -A config worker -Q {queue.name}`, or restart it.",
        )
    return Check(name, True, detail)


def sweep_check(seconds: float | None) -> Check:
    """Judge the last sweep, which brings back what was lost."""
    advice = "Start the scheduler: `celery -A config beat`, and a worker for the queue default."
    if seconds is None:
        return Check("sweeper", None, "has not run yet", advice)
    is_late = seconds > 3 * settings.WORK_SWEEP_S + 60
    return Check("sweeper", not is_late, f"ran {seconds:.0f} s ago", advice if is_late else "")
