"""Cuts at the level of files: every picture and every sample that was asked for, and no other."""

import io
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from media import trimming
from media.mp4 import read_track
from tests.media.clips import FRAGMENTED, ffmpeg, frame_times
from tests.media.counted import DISTINCT, clicks_in, make_counted_clip, numbers

SECONDS = 11
RATE = Fraction(25)
PROFILES = {66: "baseline", 77: "main", 100: "high"}
# What a conference system may have recorded: other groups of pictures, other parameter sets, other clocks.
SOURCES = {
    "no b-frames": ("-bf", "0"),
    "b-frames": ("-bf", "3", "-preset", "medium"),
    "open groups": ("-bf", "3", "-preset", "medium", "-x264-params", "open-gop=1"),
    "baseline": ("-profile:v", "baseline", "-bf", "0"),
    "another clock": ("-bf", "2", "-g", "30", "-sc_threshold", "0", "-video_track_timescale", "90000"),
}


def stream_of(path: Path, kind: str, folder: Path) -> trimming.Stream:
    """One stream of a clip as a fragmented file, as the first look makes it."""
    target = folder / f"{kind}.mp4"
    ffmpeg("-i", path, "-map", f"0:{kind}", "-c", "copy", *FRAGMENTED, "-frag_duration", "3000000", target)
    return trimming.open_stream(io.BytesIO(target.read_bytes()))


def encoded_edge(stream: trimming.Stream, edge: trimming.Edge, folder: Path, name: str) -> io.BytesIO:
    source, target = folder / f"{name}-source.mp4", folder / f"{name}.mp4"
    with source.open("wb") as out:
        shown_at = trimming.write_fragments(stream, edge.first, edge.last, out)
    before = edge.start - stream.starts_at(stream.fragments[edge.first]) + shown_at
    chain = f"setpts=PTS-{before}/{stream.timescale}/TB,fps=25:start_time=0,tpad=stop_mode=clone:stop=-1"
    ffmpeg(
        *("-i", source, "-vf", f"{chain},trim=end_frame={edge.frames},setpts=N", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-profile:v", PROFILES[trimming.profile_of(stream.moov)], "-x264-params", "sps-id=1"),
        *("-video_track_timescale", "10000", *FRAGMENTED, target),
    )
    return io.BytesIO(target.read_bytes())


def cut_video(stream: trimming.Stream, folder: Path, first: int, last: int) -> Path:
    """Cut from frame to frame."""
    start, end = (frame * stream.timescale // 25 for frame in (first, last))
    plan = trimming.plan_video(stream, start=start, end=end, rate=RATE)
    edges = {
        name: encoded_edge(stream, edge, folder, name)
        for name, edge in (("head", plan.head), ("tail", plan.tail))
        if edge is not None
    }
    target = folder / "cut.mp4"
    with target.open("wb") as out:
        trimming.write_video(stream, plan, start=start, head=edges.get("head"), tail=edges.get("tail"), target=out)
    return target


@pytest.mark.parametrize("video", SOURCES.values(), ids=SOURCES.keys())
def test_a_cut_shows_exactly_the_pictures_asked_for_on_their_grid(tmp_path: Path, video: tuple[str, ...]) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180", video=video)
    target = cut_video(stream_of(clip, "v", tmp_path), tmp_path, 25, 236)
    assert numbers(target) == [number % DISTINCT for number in range(25, 236)]
    assert frame_times(target) == pytest.approx([number / 25 for number in range(211)], abs=0.0005)


@pytest.mark.parametrize(("first", "last"), [(0, 200), (75, 150), (30, 60), (75, 275), (74, 76), (0, 275)])
def test_a_cut_may_begin_and_end_anywhere(tmp_path: Path, first: int, last: int) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180", video=("-bf", "2"))
    target = cut_video(stream_of(clip, "v", tmp_path), tmp_path, first, last)
    assert numbers(target) == [number % DISTINCT for number in range(first, last)]


def test_whole_groups_of_pictures_are_copied_byte_for_byte(tmp_path: Path) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180", video=("-bf", "0"))
    stream = stream_of(clip, "v", tmp_path)
    cut = trimming.open_stream(io.BytesIO(cut_video(stream, tmp_path, 25, 275).read_bytes()))
    assert [cut.data(one) for one in cut.fragments[1:]] == [stream.data(one) for one in stream.fragments[1:]]


def test_one_header_holds_the_parameters_of_old_and_new_pictures(tmp_path: Path) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180", video=("-bf", "0"))
    target = cut_video(stream_of(clip, "v", tmp_path), tmp_path, 25, 236)
    with target.open("rb") as file:
        assert trimming.parameter_set_ids(trimming.open_stream(file).moov) == {0, 1}


def test_new_pictures_under_a_taken_identifier_are_refused(tmp_path: Path) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=4, size="320x180", video=("-x264-params", "sps-id=1"))
    with pytest.raises(trimming.CannotJoin):
        cut_video(stream_of(clip, "v", tmp_path), tmp_path, 25, 90)


@pytest.mark.parametrize("start_ms", [0, 40, 1000, 2987, 3020, 5555])
def test_sound_begins_at_the_very_sample(tmp_path: Path, start_ms: int) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180")
    stream = stream_of(clip, "a", tmp_path)
    target = tmp_path / "cut.mp4"
    with target.open("wb") as out:
        trimming.write_audio(stream, start=start_ms * 48, end=9_500 * 48, target=out)
    first = -(-start_ms // 1000)
    clicks = [second - start_ms / 1000 for second in range(first, 10)]
    assert clicks_in(target) == pytest.approx(clicks, abs=0.0025)
    with target.open("rb") as file:
        assert 9_500 - start_ms <= read_track(file).duration_ms <= 9_500 - start_ms + 22


def test_sound_between_the_ends_is_copied(tmp_path: Path) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180")
    stream = stream_of(clip, "a", tmp_path)
    target = io.BytesIO()
    trimming.write_audio(stream, start=48_000, end=stream.end, target=target)
    cut = trimming.open_stream(target)
    assert [cut.data(one) for one in cut.fragments[1:]] == [stream.data(one) for one in stream.fragments[1:]]


def test_picture_and_sound_stay_together(tmp_path: Path) -> None:
    clip = make_counted_clip(tmp_path / "clip.mp4", seconds=SECONDS, size="320x180")
    picture = cut_video(stream_of(clip, "v", tmp_path), tmp_path, 35, 230)
    sound, both = tmp_path / "sound.mp4", tmp_path / "both.mp4"
    with sound.open("wb") as out:
        trimming.write_audio(stream_of(clip, "a", tmp_path), start=1_400 * 48, end=9_200 * 48, target=out)
    subprocess.run(["ffmpeg", "-v", "error", "-i", picture, "-i", sound, "-c", "copy", "-copyts", both], check=True)
    seconds = [n for n, number in enumerate(numbers(both)) if (35 + n) % 25 == 0]
    assert clicks_in(both) == pytest.approx([n / 25 for n in seconds], abs=0.0025)
