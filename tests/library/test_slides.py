"""The slides of a recording: found in its picture, corrected by people, looked for again."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from events.models import MaterialPage
from library import chapters, selectors, slides, updates
from library.models import Recording, RecordingUpdate, UpdateTask
from library.slides import SlideInvalid, StaleTimeline
from media.models import Package
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import RecordingFactory
from tests.support import slides as drawn
from tests.support.film import film
from tests.support.slides import Scene, Shown
from work.models import WorkState
from work.services import execute


@pytest.fixture
def recording(db: None) -> Recording:
    """A recording of a minute with three pages, each found for 20 seconds."""
    found: Recording = RecordingFactory.create(asset__duration_ms=60_000, asset__has_video=True)
    material = MaterialFactory.create(webinar=found.webinar)
    for number in range(3):
        page = MaterialPageFactory.create(material=material, number=number + 1, text=f"Topic number {number + 1}")
        found.slide_intervals.create(
            page=page, start_ms=number * 20_000, end_ms=(number + 1) * 20_000, certainty=0.5 + number / 10
        )
    return found


def rows(recording: Recording) -> list[tuple[int | None, int, int, bool]]:
    found = recording.slide_intervals.select_related("page").order_by("start_ms")
    return [(row.page.number if row.page else None, row.start_ms, row.end_ms, row.is_by_person) for row in found]


def page(recording: Recording, number: int) -> MaterialPage:
    return slides.pages_of(recording).get(number=number)


def test_what_a_person_sets_makes_the_neighbours_give_way(recording: Recording) -> None:
    slides.set_slide(
        recording=recording,
        base=slides.slides_version(recording),
        start_ms=15_000,
        end_ms=30_000,
        page=page(recording, 3),
        user=None,
    )
    assert rows(recording) == [
        (1, 0, 15_000, False),
        (3, 15_000, 30_000, True),
        (2, 30_000, 40_000, False),
        (3, 40_000, 60_000, False),
    ]


def test_a_boundary_is_moved_by_correcting_one_of_its_sides(recording: Recording) -> None:
    first = recording.slide_intervals.get(start_ms=0)
    slides.set_slide(
        recording=recording,
        base=slides.slides_version(recording),
        interval_id=first.pk,
        start_ms=0,
        end_ms=23_000,
        page=first.page,
        user=None,
    )
    assert rows(recording)[:2] == [(1, 0, 23_000, True), (2, 23_000, 40_000, False)]


def test_an_entry_found_by_machine_that_is_removed_is_not_found_again(recording: Recording) -> None:
    second = recording.slide_intervals.get(start_ms=20_000)
    slides.remove_slide(recording=recording, base=slides.slides_version(recording), interval_id=second.pk, user=None)
    assert rows(recording)[1] == (None, 20_000, 40_000, True)


def test_the_second_of_two_correctors_is_refused(recording: Recording) -> None:
    base = slides.slides_version(recording)
    change: dict[str, Any] = {"recording": recording, "base": base, "page": page(recording, 1), "user": None}
    slides.set_slide(start_ms=0, end_ms=1000, **change)
    before = rows(recording)
    with pytest.raises(StaleTimeline) as refused:
        slides.set_slide(start_ms=5000, end_ms=6000, **change)
    assert refused.value.status == 409
    assert rows(recording) == before


@pytest.mark.parametrize(("start_ms", "end_ms"), [(5000, 5000), (5000, 4000), (0, 60_001)])
def test_times_that_cannot_be_are_refused(recording: Recording, start_ms: int, end_ms: int) -> None:
    with pytest.raises(SlideInvalid):
        slides.set_slide(
            recording=recording,
            base=slides.slides_version(recording),
            start_ms=start_ms,
            end_ms=end_ms,
            page=page(recording, 1),
            user=None,
        )


def test_pages_of_another_webinar_are_refused(recording: Recording) -> None:
    with pytest.raises(SlideInvalid):
        slides.set_slide(
            recording=recording,
            base=slides.slides_version(recording),
            start_ms=0,
            end_ms=1000,
            page=MaterialPageFactory.create(),
            user=None,
        )


def test_slides_of_a_cut_recording_are_told_in_what_viewers_see(recording: Recording) -> None:
    package = Package.objects.create(asset=recording.asset, trim_start_ms=10_000, trim_end_ms=45_000)
    recording.asset.current_package = package
    assert [(slide.start_ms, slide.end_ms, slide.title) for slide in selectors.slides_at(recording)] == [
        (0, 10_000, "Topic number 1"),
        (10_000, 30_000, "Topic number 2"),
        (30_000, 35_000, "Topic number 3"),
    ]


# --- With a real recording -----------------------------------------------------------------------------------------

SCENE = Scene(place=(0.03, 0.2, 0.62), background=35, inset=(0.68, 0.3, 0.3, 0.4))  # beside a speaker


@pytest.fixture
def filmed(transactional_db: None, tmp_path: Path) -> Recording:
    """A recording whose picture shows three pages of uploaded slides, nothing found yet."""
    found: Recording = RecordingFactory.create(asset__has_video=True)
    material = MaterialFactory.create(webinar=found.webinar)
    deck = drawn.deck(8)
    pictures = [drawn.draw(deck[number]) for number in (0, 4, 6)]
    for number, picture in enumerate(pictures):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=86)
        MaterialPageFactory.create(
            material=material,
            number=number + 1,
            image=ContentFile(file.getvalue(), name="page.jpg"),
            text=deck[(0, 4, 6)[number]].title,
        )
    script = [Shown(0, 5, SCENE), Shown(1, 5, SCENE), Shown(None, 4, SCENE), Shown(2, 6, SCENE)]
    film(found.asset, script, pictures, tmp_path)
    return found


def find(recording: Recording) -> RecordingUpdate:
    row = updates.request_update(recording=recording, task=UpdateTask.SLIDES, wait_s=0)
    assert execute(updates.WORK_KIND, row.pk)
    row.refresh_from_db()
    return row


def test_slides_are_found_in_a_real_recording(filmed: Recording) -> None:
    row = find(filmed)
    assert (row.state, row.error) == (WorkState.DONE, "")
    found = rows(filmed)
    assert [number for number, *_rest in found] == [1, 2, 3]
    wanted = [(0, 5000), (5000, 10_000), (14_000, 20_000)]
    assert all(
        abs(start - wanted_start) <= 500 and abs(end - wanted_end) <= 500
        for (_n, start, end, _p), (wanted_start, wanted_end) in zip(found, wanted, strict=True)
    ), found
    assert [chapter.title for chapter in filmed.chapters.all()] == [
        row.page.text for row in filmed.slide_intervals.all() if row.page
    ]


def test_looking_again_keeps_what_a_person_set(filmed: Recording) -> None:
    find(filmed)
    slides.set_slide(
        recording=filmed,
        base=slides.slides_version(filmed),
        start_ms=8000,
        end_ms=16_000,
        page=page(filmed, 1),
        user=None,
    )
    find(filmed)
    assert [(number, is_by_person) for number, _s, _e, is_by_person in rows(filmed)] == [
        (1, False),
        (2, False),
        (1, True),
        (3, False),
    ]


def test_without_slides_the_search_is_skipped(filmed: Recording) -> None:
    MaterialPage.objects.all().delete()
    assert find(filmed).state == WorkState.SKIPPED


def test_new_slides_are_looked_for_by_themselves(recording: Recording) -> None:
    recording.asset.current_package = Package.objects.create(asset=recording.asset)
    recording.asset.save()
    updates.slides_changed(webinar_id=recording.webinar_id)
    updates.slides_changed(webinar_id=recording.webinar_id)
    assert RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.SLIDES).count() == 1


def test_chapters_come_with_the_slides_unless_they_were_edited(filmed: Recording) -> None:
    chapters.save_chapters(
        recording=filmed, base=chapters.chapters_version(filmed), marks=[chapters.Mark(0, "All of it")], user=None
    )
    find(filmed)
    assert [chapter.title for chapter in filmed.chapters.all()] == ["All of it"]
