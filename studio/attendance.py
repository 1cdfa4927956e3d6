"""What registrants watched of the recordings, which is counted apart from the live session."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from events.models import Webinar
from library.models import Viewing
from library.viewings import share, union


@dataclass(frozen=True)
class Watched:
    """How much of a recording somebody has seen, and for how long they watched, repeats included."""

    ms: int
    share: float

    @property
    def percent(self) -> int:
        return round(100 * self.share)


def watched_by_each(webinar: Webinar, registrations: Iterable[UUID]) -> dict[UUID, Watched]:
    """What the holders of these registrations watched through their personal links. One query, however many.

    With several recordings the one seen most counts, as in `library.viewings.watched_by`.
    """
    rows = Viewing.objects.filter(registration__in=list(registrations), recording__webinar=webinar)
    found: dict[tuple[UUID, UUID], list[tuple[int, str]]] = {}
    for registration, recording, watched_ms, seen in rows.values_list(
        "registration", "recording", "watched_ms", "seen"
    ):
        if registration is not None:
            found.setdefault((registration, recording), []).append((watched_ms, seen))
    best: dict[UUID, Watched] = {}
    for (registration, _recording), viewings in found.items():
        watched = Watched(sum(ms for ms, _seen in viewings), share(union(seen for _ms, seen in viewings)))
        if registration not in best or watched.share > best[registration].share:
            best[registration] = watched
    return best
