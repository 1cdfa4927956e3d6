"""Which page of a webinar's slides is on screen when: found by machines, corrected by people.

A person's correction stays, whatever is found later. Intervals never overlap.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils.translation import gettext as _

import media.services
from accounts.models import User
from accounts.services import record_action
from events.models import MaterialKind, MaterialPage
from library.errors import LibraryError
from library.models import Recording, SlideInterval
from media.ffmpeg.runner import Progress, ShouldStop, never, silent
from media.models import Package
from media.services.slides import PAGE_WIDTH
from media.services.stored import Fenced
from work.errors import Skip
from work.models import WorkState

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from media.slide_matching import Match

MAX_PAGES = 1000  # of all slides together; more would take too much memory
WEAK = 0.65  # certainty below which a person is asked to look


class StaleTimeline(LibraryError):
    """Somebody else has changed the same list meanwhile; nothing was overwritten."""

    code = "edit_conflict"
    status = 409


class SlideInvalid(LibraryError):
    """These times or this page cannot be."""

    code = "invalid_slide"


def pages_of(recording: Recording) -> QuerySet[MaterialPage]:
    """Pages of the webinar's slides, file after file."""
    return (
        MaterialPage.objects.filter(
            material__webinar=recording.webinar_id, material__kind=MaterialKind.SLIDES, material__state=WorkState.DONE
        )
        .select_related("material")
        .order_by("material__created_at", "material_id", "number")
    )


def no_such_page() -> str:
    return _("There is no such page. Look at the numbers below the pictures.")


def find_slides(
    *,
    recording: Recording,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> int:
    """Find out which page is on screen when, in place of what was found before. Returns how many intervals there are.

    Raises:
        Skip: there is no picture, or no slides were uploaded.
    """
    pages = list(pages_of(recording)[:MAX_PAGES])
    if not pages:
        raise Skip(_("No slides were uploaded for this webinar."))
    pictures = []
    for number, page in enumerate(pages):
        pictures.append(_gray(page))
        if should_stop():
            progress(0, "")
        progress(5 * number / len(pages), _("Reading the slides"))
    found = media.services.match_slides(
        package=package,
        pages=pictures,
        workdir=workdir,
        progress=lambda percent, activity: progress(5 + percent * 0.9, activity),
        should_stop=should_stop,
    )
    with fenced():
        _lock(recording)
        known = set(MaterialPage.objects.filter(pk__in=[page.pk for page in pages]).values_list("pk", flat=True))
        _store(recording, [(pages[match.page].pk, match) for match in found if pages[match.page].pk in known])
    return len(found)


def _store(recording: Recording, found: "Iterable[tuple[UUID, Match]]") -> None:
    recording.slide_intervals.filter(is_by_person=False).delete()
    fixed = list(recording.slide_intervals.values_list("start_ms", "end_ms"))
    SlideInterval.objects.bulk_create(
        SlideInterval(recording=recording, page_id=page, start_ms=start, end_ms=end, certainty=match.certainty)
        for page, match in found
        for start, end in _outside(match.start_ms, match.end_ms, fixed)
    )


def _outside(start_ms: int, end_ms: int, fixed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of a stretch beside others.

    >>> _outside(0, 10_000, [(2_000, 3_000), (9_000, 12_000)])
    [(0, 2000), (3000, 9000)]
    """
    left = [(start_ms, end_ms)]
    for first, last in fixed:
        left = [
            (begin, end)
            for start, stop in left
            for begin, end in ((start, min(stop, first)), (max(start, last), stop))
            if begin < end
        ]
    return left


# --- Corrections ---------------------------------------------------------------------------------------------------


def version_of(rows: "Iterable[Model]") -> str:
    """Return a short text that changes with the rows: editors send it back, so that none overwrites the other's work.

    The rows must have an `updated_at`.
    """
    facts = sorted(f"{row.pk} {getattr(row, 'updated_at').isoformat()}" for row in rows)  # noqa: B009  (any Record)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def slides_version(recording: Recording) -> str:
    return version_of(recording.slide_intervals.all())


def set_slide(
    *,
    recording: Recording,
    base: str,
    start_ms: int,
    end_ms: int,
    page: MaterialPage | None,
    interval_id: UUID | None = None,
    user: User | None,
) -> SlideInterval:
    """Say which page is shown from when to when; neighbours make room. `page` of None: no slide is.

    Args:
        base: the `slides_version` that the person saw.
        interval_id: the interval that is corrected; None adds one.

    Raises:
        StaleTimeline: somebody has changed the slides since.
        SlideInvalid: the times or the page cannot be.
    """
    duration_ms = recording.asset.duration_ms or 0
    if not 0 <= start_ms < end_ms:
        raise SlideInvalid(_("The end must be after the start."), field="end")
    if end_ms > duration_ms:
        raise SlideInvalid(_("The recording is not that long."), field="end")
    if page is not None and page.material.webinar_id != recording.webinar_id:
        raise SlideInvalid(_("This page belongs to another webinar."), field="page")
    with transaction.atomic():
        _lock(recording)
        _refuse_stale(recording, base)
        if interval_id is not None and not recording.slide_intervals.filter(pk=interval_id).delete()[0]:
            raise StaleTimeline(_("This entry is not there any more."))
        _make_room(recording, start_ms, end_ms)
        interval = SlideInterval.objects.create(
            recording=recording, page=page, start_ms=start_ms, end_ms=end_ms, certainty=1.0, is_by_person=True
        )
        _record("slides_corrected", recording, user, start_ms=start_ms, end_ms=end_ms, page=str(page or ""))
    return interval


def remove_slide(*, recording: Recording, base: str, interval_id: UUID, user: User | None) -> None:
    """Take an entry away: a found one is replaced by "no slide", so that it is not found again; a person's one goes.

    Raises:
        StaleTimeline: somebody has changed the slides since.
    """
    with transaction.atomic():
        _lock(recording)
        _refuse_stale(recording, base)
        interval = recording.slide_intervals.filter(pk=interval_id).first()
        if interval is None:
            raise StaleTimeline(_("This entry is not there any more."))
        if interval.is_by_person:
            interval.delete()
        else:
            interval.page = None
            interval.is_by_person = True
            interval.certainty = 1.0
            interval.save()
        _record("slides_removed", recording, user, start_ms=interval.start_ms, end_ms=interval.end_ms)


def _make_room(recording: Recording, start_ms: int, end_ms: int) -> None:
    for other in recording.slide_intervals.filter(start_ms__lt=end_ms, end_ms__gt=start_ms):
        left = _outside(other.start_ms, other.end_ms, [(start_ms, end_ms)])
        other.delete()
        for begin, end in left:
            SlideInterval.objects.create(
                recording=recording,
                page_id=other.page_id,
                start_ms=begin,
                end_ms=end,
                certainty=other.certainty,
                is_by_person=other.is_by_person,
            )


def _refuse_stale(recording: Recording, base: str) -> None:
    if slides_version(recording) != base:
        raise StaleTimeline(_("Somebody else has changed the slides meanwhile. Look at them, then correct again."))


def _lock(recording: Recording) -> None:
    # An UPDATE locks the row on every database, and changes nothing.
    Recording.objects.filter(pk=recording.pk).update(state=F("state"))


def _record(action: str, recording: Recording, user: User | None, **detail: Any) -> None:
    record_action(action=action, target=recording, organisation=recording.webinar.organisation, user=user, **detail)


def _gray(page: MaterialPage) -> "npt.NDArray[np.uint8]":
    """Read a page that we drew ourselves (events/slides.py), small and without colour."""
    import numpy as np  # slow to import, and the web processes never need it
    from PIL import Image

    with page.image.open("rb") as file, Image.open(file, formats=("JPEG", "PNG")) as image:
        image.draft("L", (2 * PAGE_WIDTH, 2 * PAGE_WIDTH))
        height = max(8, round(PAGE_WIDTH * image.height / image.width))
        return np.asarray(image.convert("L").resize((PAGE_WIDTH, height), Image.Resampling.BOX), dtype=np.uint8)
