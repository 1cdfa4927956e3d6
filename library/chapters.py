"""Chapters of a recording: made from its slides, edited by people, and written for players."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from library.errors import LibraryError
from library.models import Chapter, Recording
from library.slides import StaleTimeline, version_of
from media.timeline import Window

PER_HOUR = 14
SHORTEST_MS = 60_000
SHORTEST_PART = 0.08  # of a short recording
MAX_CHAPTERS = 200
TITLE_CHARS = 100  # of a title that was found
WRAPPED_CHARS = 24  # a shorter line of a slide ends where its author ended it
MAX_TITLE_CHARS = 200


class ChaptersInvalid(LibraryError):
    """A chapter has no title, or its time cannot be. `row` in the facts is its number in the list, from 0."""

    code = "invalid_chapters"


@dataclass(frozen=True)
class Mark:
    """A chapter's beginning, in the source's time."""

    start_ms: int
    title: str


# --- From slides (no database) --------------------------------------------------------------------------------------


def title_of(text: str, *, ignored: frozenset[str] = frozenset()) -> str:
    """Return the first line of a page's words that may be its title, "" if there is none.

    What was wrapped is one line again: a line that is long, with the ones below it that go on in small letters.

    >>> title_of("12\\nhttps://example.org\\nAccess to care\\nfor everybody")
    'Access to care'
    >>> title_of("Mental health of families who wait\\nfor their papers\\nAsk first")
    'Mental health of families who wait for their papers'
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for number, line in enumerate(lines):
        letters = sum(character.isalpha() for character in line)
        if letters < 3 or letters < len(line) / 3 or _likeness(line) in ignored or re.match(r"\w+://|www\.", line):
            continue
        words = [line]
        for below in lines[number + 1 :]:
            if len(words[-1]) < WRAPPED_CHARS or not below[:1].islower():
                break
            words.append(below)
        title = " ".join(words)
        return title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"
    return ""


def _likeness(line: str) -> str:
    return re.sub(r"\d+", "#", " ".join(line.split()).casefold())


def headers_of(texts: Sequence[str]) -> frozenset[str]:
    """Return lines that stand on most pages, apart from their numbers: the house's name, "Slide 3 of 20"."""
    if len(texts) < 6:  # of a few pages many may well have one title
        return frozenset()
    pages = [{_likeness(line) for line in text.splitlines()} for text in texts]
    counts = Counter(line for lines in pages for line in lines)
    return frozenset(line for line, count in counts.items() if line and count > 0.6 * len(texts))


def marks_from_slides(intervals: Sequence[tuple[int, int, str]], *, duration_ms: int) -> list[Mark]:
    """Return chapters from slides that were shown.

    Pages of one title are one chapter. Then the shortest join their neighbours until all have a sensible length and
    there are not too many; a stretch without a title belongs to the chapter before.

    Args:
        intervals: start, end and title of each, in order.
    """
    marks: list[Mark] = []
    for start_ms, _end_ms, title in intervals:
        if title and (not marks or marks[-1].title != title):
            marks.append(Mark(start_ms, title))
    shortest_ms = min(SHORTEST_MS, round(duration_ms * SHORTEST_PART))
    most = max(3, round(PER_HOUR * duration_ms / 3_600_000))
    while len(marks) > 1:
        ends = [*(mark.start_ms for mark in marks[1:]), duration_ms]
        lengths = [end - mark.start_ms for mark, end in zip(marks, ends, strict=True)]
        shortest = min(range(len(marks)), key=lengths.__getitem__)
        if lengths[shortest] >= shortest_ms and len(marks) <= most:
            break
        if shortest == 0:
            # Its title is the first that was shown: it stays, and the next one's goes.
            marks.pop(1)
        else:
            marks.pop(shortest)
        marks = [mark for number, mark in enumerate(marks) if not number or mark.title != marks[number - 1].title]
    if len(marks) < 2:
        return []
    if marks[0].start_ms < max(shortest_ms, 30_000):
        marks[0] = Mark(0, marks[0].title)
    return marks


def chapters_vtt(marks: Sequence[tuple[int, str]], *, duration_ms: int) -> str:
    """Return chapters as WebVTT (W3C WebVTT, section 2.2: a chapter title is a cue's text), each up to the next.

    >>> print(chapters_vtt([(0, "A & B")], duration_ms=1500))
    WEBVTT
    <BLANKLINE>
    00:00:00.000 --> 00:00:01.500
    A &amp; B
    <BLANKLINE>
    """
    ends = [*(start_ms for start_ms, _title in marks), duration_ms][1:]
    blocks = ["WEBVTT"]
    for (start_ms, title), end_ms in zip(marks, ends, strict=True):
        text = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_time(start_ms)} --> {_time(max(end_ms, start_ms + 1))}\n{text}")
    return "\n\n".join(blocks) + "\n"


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


# --- Services ------------------------------------------------------------------------------------------------------


def shown_chapters(recording: Recording, window: Window) -> list[tuple[int, str]]:
    """Return start and title of each chapter as a version of the recording shows it."""
    return window.beginnings((chapter.start_ms, chapter.title) for chapter in recording.chapters.all())


def chapters_version(recording: Recording) -> str:
    return version_of(recording.chapters.all())


def make_chapters(*, recording: Recording) -> int:
    """Make chapters from the slides that were found, unless a person has edited them. Returns how many there are."""
    with transaction.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).select_related("asset").get(pk=recording.pk)
        if recording.are_chapters_edited:
            return recording.chapters.count()
        intervals = list(
            recording.slide_intervals.filter(page__isnull=False).select_related("page").order_by("start_ms")
        )
        texts = {interval.page_id: interval.page.text for interval in intervals if interval.page is not None}
        ignored = headers_of(list(texts.values()))
        marks = marks_from_slides(
            [
                (interval.start_ms, interval.end_ms, title_of(texts[interval.page_id], ignored=ignored))
                for interval in intervals
            ],
            duration_ms=recording.asset.duration_ms or 0,
        )
        _write(recording, marks)
    return len(marks)


def save_chapters(*, recording: Recording, base: str, marks: Sequence[Mark], user: User | None) -> list[Chapter]:
    """Store a person's chapters in place of those that are there; from now on machines leave them alone.

    What was there before is kept in the audit log.

    Args:
        base: the `chapters_version` that the person saw.

    Raises:
        ChaptersInvalid: see there.
        StaleTimeline: somebody has changed them since; nothing was overwritten.
    """
    wanted = _checked(marks, recording.asset.duration_ms or 0)
    with transaction.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).select_related("webinar").get(pk=recording.pk)
        if chapters_version(recording) != base:
            raise StaleTimeline(
                _("Somebody else has changed the chapters meanwhile. Nothing of theirs was overwritten.")
            )
        before = [[chapter.start_ms, chapter.title] for chapter in recording.chapters.all()]
        if before != [[mark.start_ms, mark.title] for mark in wanted]:
            _write(recording, wanted)
            recording.are_chapters_edited = True
            recording.save(update_fields=["are_chapters_edited", "updated_at"])
            record_action(
                action="chapters_edited",
                target=recording,
                organisation=recording.webinar.organisation,
                user=user,
                count=len(wanted),
                before=before,
            )
        return list(recording.chapters.all())


def forget_edits(*, recording: Recording, base: str, user: User | None) -> int:
    """Give the chapters back to the machine, which makes them from the slides at once.

    Raises:
        StaleTimeline: somebody has changed them since.
    """
    with transaction.atomic():
        save_chapters(recording=recording, base=base, marks=[], user=user)
        Recording.objects.filter(pk=recording.pk).update(are_chapters_edited=False)
        return make_chapters(recording=recording)


def _checked(marks: Sequence[Mark], duration_ms: int) -> list[Mark]:
    if len(marks) > MAX_CHAPTERS:
        raise ChaptersInvalid(_("There are more than %(count)s chapters.") % {"count": MAX_CHAPTERS})
    checked: list[Mark] = []
    for row, mark in enumerate(marks):
        title = " ".join(mark.title.split())
        if not title:
            raise ChaptersInvalid(_("Chapter %(number)s has no title.") % {"number": row + 1}, field="title", row=row)
        if len(title) > MAX_TITLE_CHARS:
            raise ChaptersInvalid(
                _("The title of chapter %(number)s is longer than %(count)s characters.")
                % {"number": row + 1, "count": MAX_TITLE_CHARS},
                field="title",
                row=row,
            )
        if not 0 <= mark.start_ms < max(1, duration_ms):
            raise ChaptersInvalid(
                _("Chapter %(number)s begins after the recording's end.") % {"number": row + 1}, field="start", row=row
            )
        if any(other.start_ms == mark.start_ms for other in checked):
            raise ChaptersInvalid(
                _("Two chapters begin at the same time: move or delete chapter %(number)s.") % {"number": row + 1},
                field="start",
                row=row,
            )
        checked.append(Mark(mark.start_ms, title))
    return sorted(checked, key=lambda mark: mark.start_ms)


def _write(recording: Recording, marks: Iterable[Mark]) -> None:
    recording.chapters.all().delete()
    Chapter.objects.bulk_create(
        Chapter(recording=recording, start_ms=mark.start_ms, title=mark.title) for mark in marks
    )
