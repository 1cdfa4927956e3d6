"""Chapters: made from slides, edited by people, written for players."""

import pytest

from accounts.models import AuditEntry
from library import chapters
from library.chapters import ChaptersInvalid, Mark
from library.models import Recording
from library.slides import StaleTimeline
from media.timeline import Window
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import RecordingFactory

MINUTE = 60_000


def shown(*titles: str, minutes: float = 3) -> list[tuple[int, int, str]]:
    length = round(minutes * MINUTE)
    return [(number * length, (number + 1) * length, title) for number, title in enumerate(titles)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Access to care\nWho pays", "Access to care"),
        ("3\n12/05/2027\nhttps://example.org/a\nAccess   to care", "Access to care"),
        ("اللاجئون والصحة\nالوصول", "اللاجئون والصحة"),
        ("12", ""),
        ("", ""),
        ("word " * 60, " ".join(["word"] * 19) + "…"),
    ],
)
def test_a_page_is_called_by_its_first_line_of_words(text: str, title: str) -> None:
    assert chapters.title_of(text) == title


def test_a_line_on_most_pages_is_no_title() -> None:
    topics = ["Access", "Trust", "Cost", "Language", "Distance", "Stigma", "Time", "Law"]
    pages = [f"Ministry of Health\nSlide {number} of 8\n{topic} first" for number, topic in enumerate(topics)]
    ignored = chapters.headers_of(pages)
    assert [chapters.title_of(page, ignored=ignored) for page in pages] == [f"{topic} first" for topic in topics]


def test_each_title_begins_a_chapter_and_the_same_title_goes_on() -> None:
    marks = chapters.marks_from_slides(shown("Welcome", "Access", "Access", "", "Trust"), duration_ms=15 * MINUTE)
    assert marks == [Mark(0, "Welcome"), Mark(3 * MINUTE, "Access"), Mark(12 * MINUTE, "Trust")]


def test_short_chapters_join_their_neighbours() -> None:
    intervals = [(0, 120_000, "Welcome"), (120_000, 130_000, "Flash"), (130_000, 600_000, "Access")]
    marks = chapters.marks_from_slides(intervals, duration_ms=600_000)
    assert [mark.title for mark in marks] == ["Welcome", "Access"]


def test_an_hour_has_no_more_than_about_fifteen_chapters() -> None:
    marks = chapters.marks_from_slides(
        shown(*(f"Topic {number}" for number in range(60)), minutes=1), duration_ms=60 * MINUTE
    )
    assert 5 <= len(marks) <= 15


def test_one_title_alone_makes_no_chapters() -> None:
    assert chapters.marks_from_slides(shown("Welcome", "", "Welcome"), duration_ms=9 * MINUTE) == []


def test_slides_that_begin_late_leave_the_beginning_without_a_chapter() -> None:
    intervals = [(5 * MINUTE, 9 * MINUTE, "Access"), (9 * MINUTE, 15 * MINUTE, "Trust")]
    assert chapters.marks_from_slides(intervals, duration_ms=15 * MINUTE)[0] == Mark(5 * MINUTE, "Access")


def test_chapters_are_written_as_webvtt_without_markup() -> None:
    text = chapters.chapters_vtt([(0, "A <b>& B"), (3_723_004, "End")], duration_ms=3_800_000)
    assert text == (
        "WEBVTT\n\n00:00:00.000 --> 01:02:03.004\nA &lt;b&gt;&amp; B\n\n01:02:03.004 --> 01:03:20.000\nEnd\n"
    )


@pytest.fixture
def recording(db: None) -> Recording:
    found: Recording = RecordingFactory.create(asset__duration_ms=15 * MINUTE)
    material = MaterialFactory.create(webinar=found.webinar)
    for number, title in enumerate(["Welcome", "Access", "Trust"]):
        page = MaterialPageFactory.create(material=material, number=number + 1, text=f"{title}\nWords")
        found.slide_intervals.create(
            page=page, start_ms=number * 5 * MINUTE, end_ms=(number + 1) * 5 * MINUTE, certainty=0.9
        )
    return found


def save(recording: Recording, *marks: tuple[int, str], base: str | None = None) -> None:
    chapters.save_chapters(
        recording=recording,
        base=chapters.chapters_version(recording) if base is None else base,
        marks=[Mark(*mark) for mark in marks],
        user=None,
    )


def rows(recording: Recording) -> list[tuple[int, str]]:
    return [(chapter.start_ms, chapter.title) for chapter in recording.chapters.all()]


def test_chapters_are_made_from_the_slides_that_were_found(recording: Recording) -> None:
    assert chapters.make_chapters(recording=recording) == 3
    assert rows(recording) == [(0, "Welcome"), (5 * MINUTE, "Access"), (10 * MINUTE, "Trust")]


def test_chapters_that_a_person_edited_are_not_made_again(recording: Recording) -> None:
    chapters.make_chapters(recording=recording)
    save(recording, (0, "Good morning"), (60_000, "Access"))
    chapters.make_chapters(recording=recording)
    assert rows(recording) == [(0, "Good morning"), (60_000, "Access")]


def test_saving_what_is_there_is_no_edit(recording: Recording) -> None:
    chapters.make_chapters(recording=recording)
    save(recording, *rows(recording))
    recording.refresh_from_db()
    assert not recording.are_chapters_edited


def test_the_second_of_two_editors_is_refused_and_overwrites_nothing(recording: Recording) -> None:
    base = chapters.chapters_version(recording)
    save(recording, (0, "Mine"), base=base)
    with pytest.raises(StaleTimeline) as refused:
        save(recording, (0, "Theirs"), base=base)
    assert refused.value.status == 409
    assert rows(recording) == [(0, "Mine")]


def test_what_an_edit_replaced_is_kept_in_the_log(recording: Recording) -> None:
    save(recording, (0, "First"))
    save(recording, (0, "Second"))
    entry = AuditEntry.objects.filter(action="chapters_edited").order_by("at").last()
    assert entry is not None
    assert entry.detail["before"] == [[0, "First"]]


@pytest.mark.parametrize(
    "marks",
    [[(0, " ")], [(0, "A"), (0, "B")], [(15 * MINUTE, "Late")], [(0, "x" * 201)], [(n, "x") for n in range(201)]],
)
def test_chapters_that_cannot_be_are_refused(recording: Recording, marks: list[tuple[int, str]]) -> None:
    with pytest.raises(ChaptersInvalid):
        save(recording, *marks)


def test_edits_can_be_given_up_for_what_the_slides_say(recording: Recording) -> None:
    save(recording, (0, "Mine"))
    chapters.forget_edits(recording=recording, base=chapters.chapters_version(recording), user=None)
    assert [title for _start, title in rows(recording)] == ["Welcome", "Access", "Trust"]


def test_chapters_follow_a_cut(recording: Recording) -> None:
    chapters.make_chapters(recording=recording)
    window = Window(6 * MINUTE, 12 * MINUTE)
    assert chapters.shown_chapters(recording, window) == [(0, "Access"), (4 * MINUTE, "Trust")]
