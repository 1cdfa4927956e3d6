"""Pictures at exact times: the grid, room for reordering, and what is refused."""

import io
from pathlib import Path

import pytest

from media import mp4, placing, trimming
from tests.media.clips import FRAGMENTED, ffmpeg, frame_times

TICK = 400
RATE = 25


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s at 25 frames a second of which most are missing, with B-frames and a key frame each second."""
    path = tmp_path_factory.mktemp("placing") / "gappy.mp4"
    keep = "select='not(mod(n\\,25))+lt(mod(n\\,25)\\,8)*gte(n\\,50)'"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size=320x180:rate={RATE}:duration=4,{keep}", "-c:v", "libx264", "-pix_fmt",
           "yuv420p", "-bf", "3", "-force_key_frames", "expr:gte(t,n_forced)", "-fps_mode", "passthrough",
           "-video_track_timescale", str(TICK * RATE), *FRAGMENTED, path)  # fmt: skip
    return path


def placed(path: Path, *, start: int = 0, length: int = 100, delay: int = 2) -> io.BytesIO:
    target = io.BytesIO()
    with path.open("rb") as file:
        placing.place(file, target, start=start * TICK, length=length * TICK, step=TICK, delay=delay * TICK)
    return target


EXPECTED = [0, 1, *(2 + n / RATE for n in range(8)), *(3 + n / RATE for n in range(8))]


def test_pictures_keep_their_times_however_many_are_missing(gappy: Path, tmp_path: Path) -> None:
    path = tmp_path / "placed.mp4"
    path.write_bytes(placed(gappy).getvalue())
    assert frame_times(path) == pytest.approx(EXPECTED, abs=1e-6)


def test_segments_begin_on_their_key_frames_and_last_to_the_next(gappy: Path) -> None:
    track = mp4.read_track(placed(gappy))
    assert track.lengths == (25 * TICK,) * 4
    assert (track.ticks, track.samples, track.duration_ms) == (100 * TICK, 18, 4000)


def test_the_last_picture_lasts_to_the_end_of_the_part(gappy: Path) -> None:
    assert mp4.read_track(placed(gappy, length=110)).lengths == (*(25 * TICK,) * 3, 35 * TICK)


def test_nothing_is_shown_before_it_is_decoded(gappy: Path) -> None:
    stream = trimming.open_stream(placed(gappy))
    samples = [sample for fragment in stream.fragments for sample in fragment.samples]
    assert stream.delay == 2 * TICK
    assert min(sample.shift for sample in samples) >= 0
    assert min(sample.duration for sample in samples) > 0
    assert {sample.shift > stream.delay for sample in samples} == {True, False}  # B-frames are really there


def test_placed_parts_join_and_the_same_part_twice_does_not(gappy: Path, tmp_path: Path) -> None:
    joined = tmp_path / "joined.mp4"
    with joined.open("wb") as target:
        mp4.join([placed(gappy), placed(gappy, start=100)], target)
    assert frame_times(joined) == pytest.approx([*EXPECTED, *(4 + time for time in EXPECTED)], abs=1e-6)
    with pytest.raises(mp4.Mp4Error, match="does not begin where"):
        mp4.join([placed(gappy), placed(gappy)], io.BytesIO())


def test_joined_bytes_are_those_of_the_parts(gappy: Path) -> None:
    first, second, joined = placed(gappy), placed(gappy, start=100), io.BytesIO()
    mp4.join([first, second], joined)
    head = mp4.read_track(second).init_size
    assert joined.getvalue() == first.getvalue() + second.getvalue()[head:]


def test_key_sizes_hold_the_first_picture(gappy: Path, tmp_path: Path) -> None:
    data = placed(gappy).getvalue()
    track = mp4.read_track(io.BytesIO(data))
    for number, segment in enumerate(track.segments):
        alone = tmp_path / f"{number}.mp4"
        alone.write_bytes(data[: track.init_size] + data[segment.offset : segment.offset + segment.key_size])
        ffmpeg("-i", alone, "-frames:v", "1", tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 1000
        assert segment.key_size < segment.size or number < 2


def test_pictures_off_the_grid_or_past_the_end_are_refused(gappy: Path) -> None:
    with pytest.raises(mp4.Mp4Error, match="off their grid"):
        placed(gappy, length=70)
    with gappy.open("rb") as file, pytest.raises(mp4.Mp4Error, match="off their grid"):
        placing.place(file, io.BytesIO(), start=0, length=100 * TICK, step=TICK + 7, delay=2 * TICK)


def test_without_room_pictures_are_decoded_just_before_they_are_needed(gappy: Path, tmp_path: Path) -> None:
    path = tmp_path / "placed.mp4"
    path.write_bytes(placed(gappy, delay=0).getvalue())
    assert frame_times(path) == pytest.approx(EXPECTED, abs=1e-6)


def test_too_little_room_for_reordering_is_refused() -> None:
    with pytest.raises(mp4.Mp4Error, match="reordered"):
        placing.decode_times([0, 3, 1, 2], delay=0)


def test_a_plain_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mp4.Mp4Error):
        placing.place(io.BytesIO(b"\0\0\0\x08free"), io.BytesIO(), start=0, length=1, step=1, delay=0)
