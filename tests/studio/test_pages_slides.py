"""The pages with a recording's slides, chapters and poster."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from events.models import Webinar
from library import chapters, slides
from library.models import Recording, RecordingUpdate, UpdateTask
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import RecordingFactory, give_package
from tests.studio.conftest import Person


@pytest.fixture
def recording(webinar: Webinar) -> Recording:
    found: Recording = RecordingFactory.create(webinar=webinar, asset__duration_ms=600_000, asset__has_video=True)
    give_package(found.asset)
    material = MaterialFactory.create(webinar=webinar)
    for number, certainty in ((1, 0.95), (2, 0.5)):
        page = MaterialPageFactory.create(material=material, number=number, text=f"Topic {number} of two")
        found.slide_intervals.create(
            page=page, start_ms=(number - 1) * 300_000, end_ms=number * 300_000, certainty=certainty
        )
    return found


def address(name: str, recording: Recording, *more: Any) -> str:
    return reverse(f"studio:{name}", args=[recording.pk, *more])


def chapter_rows(recording: Recording, *rows: tuple[str, str], **more: str) -> dict[str, str]:
    data = {
        "base": chapters.chapters_version(recording),
        "chapters-TOTAL_FORMS": str(len(rows)),
        "chapters-INITIAL_FORMS": "0",
        **more,
    }
    for number, (start, title) in enumerate(rows):
        data |= {f"chapters-{number}-start": start, f"chapters-{number}-title": title}
    return data


def titles(recording: Recording) -> list[tuple[int, str]]:
    return [(chapter.start_ms, chapter.title) for chapter in recording.chapters.all()]


def test_uncertain_slides_are_marked(organiser: Person, recording: Recording) -> None:
    page = organiser.client.get(address("slides", recording)).content.decode()
    assert page.count('class="is-weak"') == 1
    assert page.count("Page 1") == page.count("Page 2") == 1


def test_reviewers_see_but_cannot_change(reviewer: Person, recording: Recording) -> None:
    page = reviewer.client.get(address("slides", recording)).content.decode()
    assert "Page 1" in page
    assert "formaction" not in page
    assert reviewer.client.post(address("chapters", recording), chapter_rows(recording)).status_code == 403


def test_a_slide_is_corrected(organiser: Person, recording: Recording) -> None:
    first = recording.slide_intervals.get(start_ms=0)
    answer = organiser.client.post(
        address("slides", recording),
        {
            "interval": first.pk,
            "base": slides.slides_version(recording),
            "start": "0:00",
            "end": "4:00",
            "page": "2",
        },
    )
    assert answer.status_code == 302
    found = [(row.start_ms, row.end_ms, row.is_by_person) for row in recording.slide_intervals.all()]
    assert found == [(0, 240_000, True), (300_000, 600_000, False)]


@pytest.mark.parametrize(
    "change", [{"page": "9"}, {"end": "0:00"}, {"end": "99:00"}, {"start": "soon"}, {"page": ""}, {"start": ""}]
)
def test_a_correction_that_cannot_be_is_explained(
    organiser: Person, recording: Recording, change: dict[str, str]
) -> None:
    data = {"base": slides.slides_version(recording), "start": "0:00", "end": "1:00", "page": "1", **change}
    answer = organiser.client.post(address("slides", recording), data)
    assert answer.status_code in ((302,) if change == {"page": ""} else (400,))


def test_a_correction_of_what_has_changed_meanwhile_is_refused(organiser: Person, recording: Recording) -> None:
    data = {"base": slides.slides_version(recording), "start": "0:00", "end": "1:00", "page": "1"}
    assert organiser.client.post(address("slides", recording), data).status_code == 302
    assert organiser.client.post(address("slides", recording), data).status_code == 409


def test_there_is_no_slide_here(organiser: Person, recording: Recording) -> None:
    second = recording.slide_intervals.get(start_ms=300_000)
    base = {"base": slides.slides_version(recording)}
    organiser.client.post(address("slide_remove", recording, second.pk), base)
    assert recording.slide_intervals.get(start_ms=300_000).page is None


def test_slides_are_looked_for_again_on_demand(organiser: Person, recording: Recording) -> None:
    organiser.client.post(address("slides_find", recording))
    assert RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.SLIDES).exists()


def test_chapters_are_added_renamed_moved_and_deleted_in_one_go(organiser: Person, recording: Recording) -> None:
    rows = chapter_rows(recording, ("0:00", "Welcome"), ("5:00", "Access"), ("", ""))
    assert organiser.client.post(address("chapters", recording), rows).status_code == 302
    assert titles(recording) == [(0, "Welcome"), (300_000, "Access")]
    rows = chapter_rows(
        recording, ("0:00", "Welcome"), ("4:30", "Access to care"), ("7:00", "End"), **{"chapters-0-DELETE": "on"}
    )
    organiser.client.post(address("chapters", recording), rows)
    assert titles(recording) == [(270_000, "Access to care"), (420_000, "End")]


@pytest.mark.parametrize("row", [("soon", "Title"), ("", "Title"), ("99:00", "Late"), ("0:00", "x" * 201)])
def test_a_chapter_that_cannot_be_keeps_what_was_typed(
    organiser: Person, recording: Recording, row: tuple[str, str]
) -> None:
    answer = organiser.client.post(address("chapters", recording), chapter_rows(recording, ("0:05", "Kept"), row))
    assert answer.status_code == 400
    assert "Kept" in answer.content.decode()
    assert titles(recording) == []


def test_of_two_editors_both_texts_survive(organiser: Person, recording: Recording) -> None:
    mine = chapter_rows(recording, ("0:00", "Mine"))
    theirs = chapter_rows(recording, ("0:00", "Theirs"))
    organiser.client.post(address("chapters", recording), theirs)
    answer = organiser.client.post(address("chapters", recording), mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Theirs" in page
    assert 'value="Mine"' in page
    assert titles(recording) == [(0, "Theirs")]


def test_a_poster_is_taken_from_a_moment(organiser: Person, recording: Recording) -> None:
    assert organiser.client.post(address("poster", recording), {"moment": "2:30"}).status_code == 302
    recording.asset.refresh_from_db()
    assert recording.asset.poster_at_ms == 150_000
    assert RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.POSTER).exists()


def test_a_poster_that_is_no_picture_is_refused_with_a_reason(organiser: Person, recording: Recording) -> None:
    answer = organiser.client.post(
        address("poster", recording), {"picture": SimpleUploadedFile("a.png", b"<svg/>", "image/png")}
    )
    assert answer.status_code == 400 or answer.status_code == 422
    assert "whatever its name says" in answer.content.decode()
