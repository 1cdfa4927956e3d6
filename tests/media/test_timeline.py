"""The source's time and the version's."""

from hypothesis import given
from hypothesis import strategies as st

from media.timeline import WHOLE, Window

moments = st.integers(min_value=0, max_value=100_000)


@given(moments, moments)
def test_without_a_cut_nothing_moves(one: int, other: int) -> None:
    start_ms, end_ms = sorted((one, other + 1))
    assert start_ms >= end_ms or WHOLE.span(start_ms, end_ms) == (start_ms, end_ms)


@given(moments, moments, moments, moments)
def test_what_is_shown_lies_within_the_version(one: int, other: int, start_ms: int, length_ms: int) -> None:
    first, last = sorted((one, other))
    window = Window(first, last + 1)
    span = window.span(start_ms, start_ms + length_ms)
    if span is not None:
        assert 0 <= span[0] < span[1] <= window.duration_ms(10**9)
        assert window.source_ms(span[0]) >= start_ms


def test_a_moment_at_the_end_is_not_shown() -> None:
    window = Window(1_000, 2_000)
    assert [window.moment(at) for at in (999, 1_000, 1_999, 2_000)] == [None, 0, 999, None]


def test_the_chapter_under_way_at_the_start_begins_there() -> None:
    window = Window(2_000, 9_000)
    marks = [(0, "Welcome"), (1_500, "Care"), (5_000, "Cases"), (9_000, "Questions")]
    assert window.beginnings(marks) == [(0, "Care"), (3_000, "Cases")]


def test_a_recording_without_chapters_has_none() -> None:
    assert Window(2_000).beginnings([]) == []
