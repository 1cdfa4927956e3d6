"""Viewing statistics: what players tell while they play, kept in one row per opening, and what is read from them.

No cookie, no address, no third party. A viewer is known only by a registration, and only where the page was opened
with that registration's personal link, which the player says. Nothing of an anonymous viewing is personal data, so
everybody is counted; after VIEWING_KEEP_DAYS single viewings become sums per day.
"""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from library.errors import BeatError, GrantError
from library.models import Recording, Viewing, ViewingDay
from library.playback import Playback, shown_duration_ms
from registration.models import Registration

SLOT_MS = 10_000  # one character of `Viewing.seen`
FASTEST = 2.0  # the highest speed of the player
SLACK_MS = 15_000  # a beat may arrive this much before the server's clock allows what it says
COMPLETED = 0.9  # of the slots
SMALL = 5  # numbers of viewers below this are not told apart: persons could be guessed
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,3}")
_MAX_RANGES = 500


@dataclass(frozen=True)
class Beat:
    """What a player says of one opening since its beginning; every beat holds the whole, so a lost one is no loss.

    `seen` are ranges of slots, first and last included.
    """

    viewing: uuid.UUID
    watched_ms: int
    seen: Sequence[tuple[int, int]] = ()
    startup_ms: int | None = None
    stalls: int = 0
    caption_language: str = ""
    audio_language: str = ""


def read_beat(data: Any) -> Beat:
    """Check what a player sent.

    Raises:
        BeatError: it is no beat.
    """
    try:
        ranges = data.get("seen", [])
        if len(ranges) > _MAX_RANGES:
            raise ValueError
        startup = data.get("startup_ms")
        return Beat(
            viewing=uuid.UUID(data["viewing"]),
            watched_ms=_number(data["watched_ms"]),
            seen=[(_number(first), _number(last)) for first, last in ranges],
            startup_ms=None if startup is None else min(_number(startup), 10 * 60_000),
            stalls=min(_number(data.get("stalls", 0)), 10_000),
            caption_language=_language(data.get("captions", "")),
            audio_language=_language(data.get("audio", "")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BeatError(_("This is not what a player sends.")) from error


def note_beat(*, playback: Playback, beat: Beat) -> Viewing:
    """Write a beat into its viewing's row, and make the row with the first one.

    Nobody can add more than the clock allows: the time watched never exceeds the time since the first beat, and what
    was seen not twice that (the highest speed). Two queries, whatever the recording.

    Raises:
        BeatError: the viewing is another recording's.
        GrantError: the recording, or the registration, was deleted a moment ago.
    """
    try:
        with transaction.atomic():
            return _noted(playback, beat)
    except IntegrityError as error:  # told at the end of the transaction
        raise GrantError(
            _("This recording is not available any more. It may have been withdrawn, or your access has ended.")
        ) from error


def _noted(playback: Playback, beat: Beat) -> Viewing:
    now = timezone.now()
    slots = slot_count(shown_duration_ms(playback.package))
    viewing, is_new = Viewing.objects.select_for_update().get_or_create(
        pk=beat.viewing,
        defaults={
            "recording": playback.recording,
            "registration_id": playback.registration_id,
            "last_beat_at": now,
        },
    )
    if viewing.recording_id != playback.recording.pk:
        raise BeatError(_("This is not what a player sends."))
    passed_ms = SLACK_MS + (0 if is_new else (now - viewing.created_at) // timedelta(milliseconds=1))
    viewing.watched_ms = max(viewing.watched_ms, min(beat.watched_ms, passed_ms))
    most = int(passed_ms * FASTEST) // SLOT_MS + 1
    viewing.seen = merged(viewing.seen, beat.seen, slots=slots, most=most)
    if viewing.startup_ms is None:
        viewing.startup_ms = beat.startup_ms
    viewing.stalls = max(viewing.stalls, beat.stalls)
    viewing.caption_language = beat.caption_language or viewing.caption_language
    viewing.audio_language = beat.audio_language or viewing.audio_language
    viewing.last_beat_at = now
    viewing.save()
    return viewing


def merged(seen: str, ranges: Iterable[tuple[int, int]], *, slots: int, most: int) -> str:
    """Return `seen` with ranges of slots added, as long as no more than `most` are marked.

    >>> merged("1", [(2, 3)], slots=5, most=9)
    '10110'
    """
    marks = bytearray(seen[:slots].ljust(slots, "0"), "ascii")
    left = most - marks.count(b"1")
    for first, last in ranges:
        for slot in range(first, min(last, slots - 1) + 1):
            if left <= 0:
                return marks.decode()
            if marks[slot] != ord("1"):
                marks[slot] = ord("1")
                left -= 1
    return marks.decode()


def slot_count(duration_ms: int) -> int:
    return max(1, -(-duration_ms // SLOT_MS))


# --- What is read from them ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Watched:
    """How much somebody watched: time spent (repeats included), and the share of the recording seen, 0 to 1."""

    ms: int = 0
    share: float = 0.0


def watched_by(registration: Registration) -> Watched:
    """What the holder of a registration watched of its webinar's recordings through their personal link.

    With several recordings the one seen most counts.
    """
    rows = Viewing.objects.filter(registration=registration, recording__webinar=registration.webinar_id)
    per_recording: dict[uuid.UUID, list[tuple[int, str]]] = {}
    for recording_id, watched_ms, seen in rows.values_list("recording_id", "watched_ms", "seen"):
        per_recording.setdefault(recording_id, []).append((watched_ms, seen))
    found = [
        Watched(sum(ms for ms, _seen in one), share(union(seen for _ms, seen in one))) for one in per_recording.values()
    ]
    return max(found, key=lambda watched: watched.share, default=Watched())


def union(seen: Iterable[str]) -> str:
    """The slots marked in any of them.

    >>> union(["100", "0011"])
    '1011'
    """
    marks = 0
    length = 0
    for one in seen:
        length = max(length, len(one))
        marks |= int(one[::-1] or "0", 2)
    return bin(marks)[2:].zfill(length)[::-1] if length else ""


def share(seen: str) -> float:
    return seen.count("1") / len(seen) if seen else 0.0


@dataclass(frozen=True)
class Day:
    day: date
    openings: int
    watched_ms: int
    completed: int


@dataclass(frozen=True)
class LanguageCount:
    """How many viewings were in a language; `language` is empty for those too few to be told apart."""

    language: str
    count: int


@dataclass(frozen=True)
class Statistics:
    """How a recording was watched. `curve` holds the share of viewings (0 to 1) that played each of its parts.

    Where fewer than SMALL viewings stand behind a figure, it is None or empty.
    """

    openings: int = 0
    watched_ms: int = 0
    completed: int | None = None
    median_startup_ms: int | None = None
    stalled: int | None = None  # viewings that had to wait for the network at least once
    curve: list[float] = field(default_factory=list)
    curve_step_ms: int = SLOT_MS
    captions: list[LanguageCount] = field(default_factory=list)
    audio: list[LanguageCount] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)

    @property
    def completion(self) -> float | None:
        """The share of viewings that saw nearly all of it."""
        return None if self.completed is None or not self.openings else self.completed / self.openings


def statistics(recording: Recording, *, points: int = 60) -> Statistics:
    """Everything that the studio's page, its table and the API show, from one pass over the rows.

    Args:
        points: at most how many points the curve has.
    """
    rows = list(
        Viewing.objects.filter(recording=recording).values_list(
            "created_at", "watched_ms", "seen", "startup_ms", "stalls", "caption_language", "audio_language"
        )
    )
    days = _days(recording, [(created, ms, seen) for created, ms, seen, *_rest in rows])
    openings = sum(day.openings for day in days)
    has_enough = len(rows) >= SMALL
    step, curve = _curve([seen for _c, _w, seen, *_rest in rows], points) if has_enough else (1, [])
    startups = [startup for *_front, startup, _s, _c, _a in rows if startup is not None]
    return Statistics(
        openings=openings,
        watched_ms=sum(day.watched_ms for day in days),
        completed=sum(day.completed for day in days) if openings >= SMALL else None,
        median_startup_ms=round(median(startups)) if len(startups) >= SMALL else None,
        stalled=sum(stalls > 0 for *_front, stalls, _c, _a in rows) if has_enough else None,
        curve=curve,
        curve_step_ms=step * SLOT_MS,
        captions=_languages(row[5] for row in rows),
        audio=_languages(row[6] for row in rows),
        days=days,
    )


def _days(recording: Recording, rows: Iterable[tuple[datetime, int, str]]) -> list[Day]:
    """Sums per day (UTC) of the rows that are there and of those that became sums before."""
    sums: dict[date, list[int]] = {
        day.day: [day.openings, day.watched_ms, day.completed] for day in recording.viewing_days.all()
    }
    for created, watched_ms, seen in rows:
        found = sums.setdefault(created.date(), [0, 0, 0])
        found[0] += 1
        found[1] += watched_ms
        found[2] += share(seen) >= COMPLETED
    return [Day(day, *sums[day]) for day in sorted(sums)]


def _curve(seen: Sequence[str], points: int) -> tuple[int, list[float]]:
    """How many slots make one point, and the share of viewings that played any of them."""
    length = max((len(one) for one in seen), default=0)
    step = max(1, -(-length // points))
    counts = [0] * -(-length // step)
    for one in seen:
        for point in range(len(counts)):
            counts[point] += "1" in one[point * step : (point + 1) * step]
    return step, [count / len(seen) for count in counts]


def _languages(found: Iterable[str]) -> list[LanguageCount]:
    """Counts by language, the most frequent first; rare ones together, and left out if even together they are few."""
    counts = Counter(language for language in found if language)
    shown = [LanguageCount(language, count) for language, count in counts.most_common() if count >= SMALL]
    rest = counts.total() - sum(row.count for row in shown)
    return [*shown, LanguageCount("", rest)] if rest >= SMALL else shown


# --- Keeping only what is needed -----------------------------------------------------------------------------------
def forget_old_viewings(*, now: datetime | None = None) -> int:
    """Reduce viewings older than VIEWING_KEEP_DAYS to sums per day. Returns how many; a chore of the sweeper."""
    ends = (now or timezone.now()) - timedelta(days=settings.VIEWING_KEEP_DAYS)
    reduced = 0
    with transaction.atomic():
        old = list(
            Viewing.objects.select_for_update(skip_locked=True)
            .filter(created_at__lt=ends)
            .values_list("pk", "recording_id", "created_at", "watched_ms", "seen")[:1000]
        )
        sums: dict[tuple[uuid.UUID, date], list[int]] = {}
        for _pk, recording_id, created, watched_ms, seen in old:
            found = sums.setdefault((recording_id, created.date()), [0, 0, 0])
            found[0] += 1
            found[1] += watched_ms
            found[2] += share(seen) >= COMPLETED
        for (recording_id, day), (openings, watched_ms, completed) in sums.items():
            row, _is_new = ViewingDay.objects.get_or_create(recording_id=recording_id, day=day)
            ViewingDay.objects.filter(pk=row.pk).update(
                openings=F("openings") + openings,
                watched_ms=F("watched_ms") + watched_ms,
                completed=F("completed") + completed,
            )
        reduced += len(old)
        Viewing.objects.filter(pk__in=[row[0] for row in old]).delete()
    return reduced


def _number(value: Any) -> int:
    """A whole number that is not negative, from JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**31:
        raise ValueError
    return int(value)


def _language(value: Any) -> str:
    if value == "" or (isinstance(value, str) and len(value) <= 35 and _LANGUAGE.fullmatch(value)):
        return str(value)
    raise ValueError
