"""What is read from a file's own tables is what ffprobe finds packet by packet, or nothing."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import sample_tables
from media.ffmpeg import probe
from media.ffmpeg.probe import PacketSummary
from media.sample_tables import Tables
from tests.media.clips import ffmpeg, make_clip


def from_tables(path: Path, folder: Path) -> Tables | None:
    streams = probe.probe_header(path, output_dir=folder)["streams"]
    return sample_tables.read_tables(path, streams=len(streams))


def rounded(summaries: dict[int, PacketSummary]) -> dict[int, dict[str, object]]:
    """ffprobe writes six digits, and passes them on to longer sums."""
    return {
        index: {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in dataclasses.asdict(summary).items()
            if not name.startswith("_")
        }
        for index, summary in summaries.items()
    }


@pytest.mark.parametrize(
    "name",
    [
        "ok_reference.mp4",
        "vfr_90khz.mp4",
        "rotated_90.mp4",
        "audio_5_1.mp4",
        "audio_almost_empty.mp4",
        "fake_duration_huge.mp4",
        "audio_only.m4a",
        "corrupt_middle.mp4",
    ],
)
def test_plain_recordings_are_read_as_ffprobe_reads_them(corpus: Path, tmp_path: Path, name: str) -> None:
    path = corpus / "media" / name
    found = from_tables(path, tmp_path)
    assert found is not None
    assert rounded(found.summaries) == rounded(probe.scan_packets(path, output_dir=tmp_path)[0])


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["-c:v", "libx264", "-bf", "3", "-g", "50", "-c:a", "aac"], id="pictures out of order"),
        pytest.param(["-c:v", "libx264", "-g", "20", "-c:a", "aac", "-movflags", "+faststart"], id="tables first"),
        pytest.param(["-c:v", "libx264", "-movflags", "+negative_cts_offsets", "-c:a", "aac"], id="negative offsets"),
        pytest.param(["-c:v", "libx264", "-r", "30000/1001", "-c:a", "aac", "-ar", "44100"], id="odd clocks"),
        pytest.param(["-c:v", "libx264", "-c:a", "aac", "-output_ts_offset", "1.5"], id="a late beginning"),
        pytest.param(["-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "libopus"], id="other codecs"),
    ],
)
def test_other_writers_files_are_read_as_ffprobe_reads_them(tmp_path: Path, flags: list[str]) -> None:
    path = tmp_path / "clip.mp4"
    ffmpeg("-i", make_clip(tmp_path / "source.mp4", seconds=4), *flags, path)
    found = from_tables(path, tmp_path)
    assert found is not None
    assert rounded(found.summaries) == rounded(probe.scan_packets(path, output_dir=tmp_path)[0])


@pytest.mark.parametrize(
    "name",
    [
        "truncated_half_data.mp4",
        "edit_list_hides_start.mov",
        "sample_table_bomb.mp4",
        "audio_with_cover.m4a",
        "data_stream_timecode.mov",
        "fake_duration_zero.mp4",
        "matroska_named.mp4",
    ],
)
def test_what_is_not_plain_is_left_to_ffprobe(corpus: Path, tmp_path: Path, name: str) -> None:
    assert from_tables(corpus / "media" / name, tmp_path) is None


def test_no_damage_of_the_tables_makes_an_error(corpus: Path, tmp_path: Path) -> None:
    whole = (corpus / "media" / "ok_reference.mp4").read_bytes()
    moov = whole.index(b"moov")
    path = tmp_path / "damaged.mp4"

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(moov - 4, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=8))
    def damaged(changes: list[tuple[int, int]]) -> None:
        data = bytearray(whole)
        for at, value in changes:
            data[at] = value
        path.write_bytes(data)
        try:
            found = sample_tables.read_tables(path, streams=2)
        except probe.TooManyPackets:
            return
        json.dumps(found and rounded(found.summaries), allow_nan=False)
        for frames in found.key_frames.values() if found else ():
            sample_tables.read_parameter_sets(path, frames)

    damaged()


def test_absurd_numbers_of_samples_are_refused_before_they_take_memory(tmp_path: Path, corpus: Path) -> None:
    data = bytearray((corpus / "media" / "ok_reference.mp4").read_bytes())
    at = data.index(b"stts") + 12  # how often the first length is repeated
    data[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "absurd.mp4").write_bytes(data)
    assert sample_tables.read_tables(tmp_path / "absurd.mp4", streams=2) is None


def test_recordings_that_change_their_picture_are_told_by_their_key_frames(tmp_path: Path) -> None:
    sizes = {"one": "320x180", "two": "160x90"}
    for name, size in sizes.items():
        make_clip(tmp_path / f"{name}.mp4", size=size, sound=False)
        raw = ("-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "mpegts")
        ffmpeg("-i", tmp_path / f"{name}.mp4", *raw, tmp_path / f"{name}.ts")
    both = tmp_path / "both.mp4"
    ffmpeg("-i", f"concat:{tmp_path / 'one.ts'}|{tmp_path / 'two.ts'}", "-c", "copy", both)

    def has_one_shape(path: Path) -> bool:
        found = from_tables(path, tmp_path)
        assert found is not None
        sets = sample_tables.read_parameter_sets(path, found.key_frames[0])
        assert sets
        assert probe.is_one_shape(sets) == probe.has_one_shape(path, 0, output_dir=tmp_path)
        return probe.is_one_shape(sets)

    assert has_one_shape(tmp_path / "one.mp4")
    assert not has_one_shape(both)
