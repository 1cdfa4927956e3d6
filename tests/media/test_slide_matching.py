"""Which page is on screen when: measured on recordings of which that is known."""

import numpy as np
import pytest

from media.slide_matching import Match, SlideMatcher, frame_size
from tests.support import slides
from tests.support.slides import Page, Scene, Shown

SIZE = (384, 216)
INTERVAL_MS = 500


def timeline(script: list[Shown], deck: list[Page], *, page_size: tuple[int, int] = (1600, 900)) -> list[Match]:
    pictures = [slides.draw(page, page_size) for page in deck]
    frames = list(slides.frames(script, pictures, SIZE, interval_ms=INTERVAL_MS))
    matcher = SlideMatcher([slides.gray(picture) for picture in pictures], frame=SIZE)
    matcher.learn(frames[::8])
    return matcher.timeline(frames, interval_ms=INTERVAL_MS)


def share_right(found: list[Match], script: list[Shown], deck: list[Page]) -> float:
    """The share of the time in which the right page, or rightly none, was found. Two equal pages are one."""
    truth = slides.truth_of(script)
    right = moments = 0
    for page, start, end in truth:
        for at in range(start, end, 100):
            match = next((m.page for m in found if m.start_ms <= at < m.end_ms), None)
            moments += 1
            right += (match is None) == (page is None) and (match is None or deck[match] == deck[page or 0])
    return right / moments


SCENES = {
    "whole picture": Scene(),
    "speaker over the slide": Scene(inset=(0.74, 0.7, 0.24, 0.28)),
    "beside the speaker": Scene(place=(0.04, 0.15, 0.6), background=40, inset=(0.68, 0.3, 0.3, 0.4)),
    "in a browser": Scene(place=(0.1, 0.17, 0.75), background=225, frame_lines=True),
    "small, over a moving picture": Scene(place=(0.03, 0.3, 0.42), background=-1),
    "pale": Scene(gamma=0.6, contrast=0.7),
    "dark": Scene(gamma=1.8, contrast=0.6),
}


@pytest.mark.parametrize("name", SCENES)
def test_pages_are_found_wherever_and_however_they_are_shown(name: str) -> None:
    deck = slides.deck(9)
    script = slides.talk(9, scene=SCENES[name], longest=8)
    found = timeline(script, deck)
    assert share_right(found, script, deck) > 0.95
    assert min(match.certainty for match in found) > 0.6


def test_pages_of_another_shape_than_the_picture_are_found_between_bars() -> None:
    deck = slides.deck(6)
    script = slides.talk(6, scene=Scene(place=(0.125, 0, 0.75)), longest=6)
    assert share_right(timeline(script, deck, page_size=(1200, 900)), script, deck) > 0.95


def test_changes_are_found_within_half_a_second() -> None:
    deck = slides.deck(8)
    script = [Shown(page, 5.3 + page / 7) for page in (0, 1, 4, 7, 1, 6)]
    found = timeline(script, deck)
    truth = slides.truth_of(script)
    assert [match.page for match in found] == [page for page, _start, _end in truth]
    assert max(abs(match.start_ms - start) for match, (_p, start, _e) in zip(found, truth, strict=True)) <= 500


def test_the_layout_may_change_within_a_recording() -> None:
    deck = slides.deck(8)
    window = Scene(place=(0.3, 0.2, 0.65), background=30, inset=(0.02, 0.4, 0.25, 0.3))
    script = [Shown(number, 5, window if number % 3 else Scene()) for number in (0, 1, 2, 4, 5, 6)]
    assert share_right(timeline(script, deck), script, deck) > 0.95


def test_a_line_that_appears_is_the_next_page() -> None:
    first = Page("Access to care", ("Who pays for the first visit",))
    deck = [first, Page(first.title, (*first.lines, "What an interpreter costs")), Page("Questions", ("Ask now",))]
    inset = Scene(inset=(0.74, 0.7, 0.24, 0.28))
    script = [Shown(0, 6, inset), Shown(1, 6, inset), Shown(2, 4, inset)]
    assert [match.page for match in timeline(script, deck)] == [0, 1, 2]


def test_of_two_equal_pages_the_nearer_one_is_taken() -> None:
    deck = slides.deck(6)
    deck = [*deck, deck[1], slides.deck(9, seed=5)[8]]
    script = [Shown(page, 5) for page in (0, 1, 2, 4, 5, 6, 7)]
    found = timeline(script, deck)
    assert [match.page for match in found] == [0, 1, 2, 4, 5, 6, 7]
    assert found[1].certainty < found[0].certainty


def test_a_page_that_was_left_for_a_camera_comes_back_as_itself() -> None:
    deck = slides.deck(6)
    script = [Shown(1, 6), Shown(None, 8), Shown(1, 6), Shown(2, 5)]
    assert [match.page for match in timeline(script, deck)] == [1, 1, 2]


def test_without_slides_in_the_picture_nothing_is_found() -> None:
    script = [Shown(None, 60)]
    assert timeline(script, slides.deck(9)) == []


def test_other_slides_than_those_uploaded_are_not_taken_for_them() -> None:
    shown, uploaded = slides.deck(8, seed=11), slides.deck(8, seed=12)
    pictures = [slides.draw(page) for page in shown]
    script = [Shown(page, 5) for page in range(8)]
    frames = list(slides.frames(script, pictures, SIZE, interval_ms=INTERVAL_MS))
    matcher = SlideMatcher([slides.gray(slides.draw(page)) for page in uploaded], frame=SIZE)
    matcher.learn(frames[::4])
    assert sum(m.end_ms - m.start_ms for m in matcher.timeline(frames, interval_ms=INTERVAL_MS)) < 4000


def test_leafing_through_is_not_showing() -> None:
    deck = slides.deck(8)
    script = [Shown(0, 5), Shown(1, 0.5), Shown(2, 0.5), Shown(4, 6)]
    assert [match.page for match in timeline(script, deck)] == [0, 4]


def test_empty_pages_are_never_found() -> None:
    white = np.full((216, 384), 255, dtype=np.uint8)
    matcher = SlideMatcher([white], frame=SIZE)
    matcher.learn([white] * 4)
    assert matcher.timeline([white] * 20, interval_ms=INTERVAL_MS) == []


def test_without_pages_or_frames_there_is_nothing_to_find() -> None:
    assert SlideMatcher([], frame=SIZE).timeline([], interval_ms=INTERVAL_MS) == []


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (608, 1080), (160, 90), (3840, 200)])
def test_frames_are_compared_at_an_even_modest_size_of_their_own_shape(size: tuple[int, int]) -> None:
    width, height = frame_size(*size)
    assert width % 2 == height % 2 == 0
    assert width * height <= 1.1 * 384 * 216
