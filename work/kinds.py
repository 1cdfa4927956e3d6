"""The kinds of work there are. Each app registers its own in `AppConfig.ready`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from work.leases import Lease
from work.models import WorkRow


def _nothing(_row: Any) -> None:
    """Most kinds have nothing that follows."""


@dataclass(frozen=True)
class WorkKind:
    """How one model's rows are worked on.

    Attributes:
        name: stable name in queue messages, such as "notifications.message".
        model: the rows.
        handle: does the work under a lease; may run twice. Returning means done.
        queue: the Celery queue of a row: default, mail, bulk, media or speech.
        after: called with the fresh row, in the same transaction, after each outcome (done, skipped, failed, cancelled)
            and when the row was parked.
        order: the fields by which the sweeper takes up rows that wait, those first which people wait for.
    """

    name: str
    model: type[WorkRow]
    handle: Callable[[Lease[Any]], None]
    queue: Callable[[Any], str]
    after: Callable[[Any], None] = _nothing
    order: tuple[str, ...] = ("created_at",)


_kinds: dict[str, WorkKind] = {}


def register(kind: WorkKind) -> None:
    _kinds[kind.name] = kind


def get(name: str) -> WorkKind:
    """Return the kind of that name.

    Raises:
        KeyError: no app registered it.
    """
    return _kinds[name]


def of(row: WorkRow) -> WorkKind:
    """Return the kind that a row belongs to.

    Raises:
        KeyError: its model was not registered.
    """
    for kind in _kinds.values():
        if isinstance(row, kind.model):
            return kind
    raise KeyError(type(row).__name__)


_chores: list[Callable[[], object]] = []


def register_chore(chore: Callable[[], object]) -> None:
    """Have a function called at every sweep; it must be cheap when there is nothing to do, and may run twice."""
    _chores.append(chore)


def chores() -> Iterator[Callable[[], object]]:
    yield from _chores


def every() -> Iterator[WorkKind]:
    yield from _kinds.values()
