"""From the source's time to what viewers see. Pure Python; times are milliseconds.

Cues, chapters and slide intervals keep the time of the source file, so that a cut can be changed or undone at any
time. Whoever shows them beside a version of the recording moves them with that version's `Window`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from media.models import Package

Mark = TypeVar("Mark")
FAR_MS = 1000 * 3600 * 1000  # past the end of any recording


@dataclass(frozen=True)
class Window:
    """The stretch of a source that a version shows; `end_ms` of None means up to the source's end."""

    start_ms: int = 0
    end_ms: int | None = None

    @classmethod
    def of(cls, package: "Package | None") -> "Window":
        return cls(package.trim_start_ms, package.trim_end_ms) if package is not None else WHOLE

    @property
    def is_whole(self) -> bool:
        return self.start_ms == 0 and self.end_ms is None

    def duration_ms(self, source_ms: int) -> int:
        """How long the version of a source of that length is.

        >>> Window(2_000, 9_000).duration_ms(60_000)
        7000
        """
        return max(0, min(source_ms, source_ms if self.end_ms is None else self.end_ms) - self.start_ms)

    def span(self, start_ms: int, end_ms: int) -> tuple[int, int] | None:
        """Move and clip a stretch of the source; None if nothing of it is shown.

        >>> Window(2_000, 9_000).span(1_000, 3_000)
        (0, 1000)
        """
        last_ms = end_ms if self.end_ms is None else min(end_ms, self.end_ms)
        first_ms = max(start_ms, self.start_ms)
        if first_ms >= last_ms:
            return None
        return first_ms - self.start_ms, last_ms - self.start_ms

    def moment(self, at_ms: int) -> int | None:
        """Move one moment of the source; None if it is not shown.

        >>> Window(2_000).moment(2_500)
        500
        """
        if at_ms < self.start_ms or (self.end_ms is not None and at_ms >= self.end_ms):
            return None
        return at_ms - self.start_ms

    def beginnings(self, marks: "Iterable[tuple[int, Mark]]") -> "list[tuple[int, Mark]]":
        """Move marks that each last up to the next one (chapters); the one under way at the start begins there.

        >>> Window(2_000, 9_000).beginnings([(0, "Welcome"), (5_000, "Care"), (9_500, "Questions")])
        [(0, 'Welcome'), (3000, 'Care')]
        """
        ordered = sorted(marks, key=lambda mark: mark[0])
        ends = [*(start_ms for start_ms, _mark in ordered), FAR_MS][1:]
        spans = [(self.span(start_ms, end_ms), mark) for (start_ms, mark), end_ms in zip(ordered, ends, strict=True)]
        return [(span[0], mark) for span, mark in spans if span is not None]

    def source_ms(self, shown_ms: int) -> int:
        """The moment of the source that is shown at a moment of the version."""
        return shown_ms + self.start_ms


WHOLE = Window()
