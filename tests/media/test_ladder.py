from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import ladder


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3840, 2160), [(1920, 1080), (1280, 720), (854, 480)]),
        ((1280, 720), [(1280, 720), (854, 480)]),
        ((1000, 600), [(1000, 600), (800, 480)]),
        ((853, 481), [(852, 480)]),
        ((320, 180), [(320, 180)]),
        ((180, 320), [(180, 320)]),
        ((720, 1280), [(720, 1280), (480, 854)]),
    ],
)
def test_rungs_follow_the_source(size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    rungs = ladder.choose_rungs(width=size[0], height=size[1], frame_rate=Fraction(25))
    assert [(rung.width, rung.height) for rung in rungs] == expected


@pytest.mark.parametrize(("copied", "expected"), [(1080, ["720p", "480p"]), (720, ["480p"]), (480, []), (500, [])])
def test_a_copied_top_rung_leaves_the_smaller_ones(copied: int, expected: list[str]) -> None:
    width = copied * 16 // 9
    rungs = ladder.choose_rungs(width=width, height=copied, frame_rate=Fraction(25), copied_side=copied)
    assert [rung.name for rung in rungs] == expected


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_rungs_are_even_and_never_larger_than_the_source(width: int, height: int) -> None:
    rungs = ladder.choose_rungs(width=width, height=height, frame_rate=Fraction(25))
    assert rungs
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.width <= width + 1
        assert rung.height <= height + 1


@pytest.mark.parametrize(
    ("real", "average", "expected"),
    [
        ("25", "25", "25"),
        ("30000/1001", "30000/1001", "30000/1001"),
        ("240", "240", "60"),
        ("50", "49.8", "50"),
        ("90000", "11.3", "12"),
        ("90000", "28.9", "30000/1001"),
        ("1000", "100", "60"),
        ("25", "0", "25"),
        ("120", "30", "30"),
    ],
)
def test_output_rate(real: str, average: str, expected: str) -> None:
    assert ladder.output_frame_rate(real=Fraction(real), average=Fraction(average)) == Fraction(expected)


@given(st.fractions(min_value=1, max_value=60, max_denominator=1001))
def test_a_frame_lasts_whole_ticks(rate: Fraction) -> None:
    assert (ladder.timescale_for(rate) / rate).denominator == 1


@given(st.integers(1, 400_000), st.sampled_from(ladder.STANDARD_RATES), st.integers(1, 600))
def test_parts_cover_everything_at_key_frames(total: int, rate: Fraction, part_s: int) -> None:
    parts = ladder.plan_parts(total_frames=total, rate=rate, part_s=part_s)
    assert ladder.can_join(parts, total)
    segment = ladder.segment_frames(rate)
    assert all(start % segment == 0 for start, _end in parts)
    assert all(end - start >= segment for start, end in parts) or len(parts) == 1


def test_parts_with_a_gap_or_a_missing_end_cannot_be_joined() -> None:
    assert not ladder.can_join([(0, 10), (11, 20)], 20)
    assert not ladder.can_join([(0, 10)], 20)
    assert not ladder.can_join([], 20)
