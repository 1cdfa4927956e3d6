import io
import subprocess
from pathlib import Path

import pytest

from media import mp4, placing
from tests.media.clips import FRAGMENTED, ffmpeg, frame_times, make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("mp4") / "clip.mp4", seconds=4, extra=("-g", "25", "-bf", "2"))


@pytest.fixture(scope="module")
def video(clip: Path) -> Path:
    ffmpeg("-i", clip, "-map", "0:v", "-c", "copy", *FRAGMENTED, clip.with_name("video.mp4"))
    return clip.with_name("video.mp4")


def test_video_track_is_read(video: Path) -> None:
    with video.open("rb") as file:
        track = mp4.read_track(file)
    assert (track.codecs[:5], track.samples, track.duration_ms) == ("avc1.", 100, 4000)
    assert [segment.duration_ms for segment in track.segments] == [1000] * 4
    assert track.segments[0].offset == track.init_size
    assert track.peak_bandwidth >= track.average_bandwidth > 0


def test_segments_are_contiguous_ranges_that_decode_behind_the_header(video: Path, tmp_path: Path) -> None:
    data = video.read_bytes()
    track = mp4.read_track(io.BytesIO(data))
    for before, after in zip(track.segments, track.segments[1:], strict=False):
        assert before.offset + before.size == after.offset
    last = track.segments[-1]
    alone = tmp_path / "segment.mp4"
    alone.write_bytes(data[: track.init_size] + data[last.offset : last.offset + last.size])
    assert len(frame_times(alone)) == 25


def test_audio_track_is_read(clip: Path) -> None:
    path = clip.with_name("audio.mp4")
    ffmpeg("-i", clip, "-map", "0:a", "-c", "copy", "-frag_duration", "2000000",
           "-movflags", "+empty_moov+default_base_moof+delay_moov", path)  # fmt: skip
    with path.open("rb") as file:
        track = mp4.read_track(file)
    assert track.codecs == "mp4a.40.2"
    assert track.duration_ms == pytest.approx(4000, abs=22)


def test_joined_parts_keep_every_frame_on_the_grid(clip: Path, tmp_path: Path) -> None:
    parts = []
    tick = 512
    for number, (start, end) in enumerate([(0, 50), (50, 75), (75, 100)]):
        part = tmp_path / f"{number}.mp4"
        cut = f"trim=start_frame={start}:end_frame={end},setpts=PTS-STARTPTS"
        ffmpeg("-i", clip, "-an", "-vf", cut, "-g", "25", "-c:v", "libx264", "-sc_threshold", "0",
               "-video_track_timescale", "12800", *FRAGMENTED, part)  # fmt: skip
        parts.append(io.BytesIO())
        with part.open("rb") as file:
            placing.place(file, parts[-1], start=start * tick, length=(end - start) * tick, step=tick, delay=2 * tick)
    joined = tmp_path / "joined.mp4"
    with joined.open("wb") as target:
        mp4.join(parts, target)
    assert frame_times(joined) == pytest.approx([number / 25 for number in range(100)], abs=1e-5)
    with joined.open("rb") as file:
        assert mp4.read_track(file).samples == 100


def test_parts_of_different_encoding_are_not_joined(clip: Path, tmp_path: Path) -> None:
    parts = [tmp_path / "180.mp4", tmp_path / "90.mp4"]
    for part in parts:
        ffmpeg("-i", clip, "-an", "-vf", f"scale=-2:{part.stem}", "-c:v", "libx264", *FRAGMENTED, part)
    with pytest.raises(mp4.Mp4Error, match="differently"):
        mp4.join([io.BytesIO(part.read_bytes()) for part in parts], io.BytesIO())


@pytest.mark.parametrize("content", [b"", b"plain text, long enough to look like a box", b"\0\0\0\x08free"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(mp4.Mp4Error):
        mp4.read_track(io.BytesIO(content))


def test_every_truncation_is_noticed_or_ends_at_a_fragment(video: Path) -> None:
    data = video.read_bytes()
    whole = mp4.read_track(io.BytesIO(data))
    ends = {segment.offset + segment.size for segment in whole.segments}
    for length in range(0, len(data), 997):
        if length not in ends:
            with pytest.raises(mp4.Mp4Error):
                mp4.read_track(io.BytesIO(data[:length]))


def test_a_table_that_promises_more_pictures_than_it_lists_is_noticed(video: Path) -> None:
    content = bytearray(video.read_bytes())
    count = content.index(b"trun") + 8  # behind the version and flags
    content[count : count + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(mp4.Mp4Error, match="more samples than it lists"):
        mp4.read_track(io.BytesIO(content))


def test_plain_mp4_is_refused(clip: Path) -> None:
    with clip.open("rb") as file, pytest.raises(mp4.Mp4Error):
        mp4.read_track(file)


def test_messages_beside_the_pictures_are_blanked_and_no_picture_changes(video: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.mp4"
    message = "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+50.8503N4.3517E"
    ffmpeg("-i", video, "-c", "copy", "-bsf:v", message, *FRAGMENTED, told)
    assert told.read_bytes().count(b"50.8503N4.3517E") == 4  # at each key frame
    before = pictures(told)

    mp4.blank_messages(told)

    assert b"50.8503N4.3517E" not in told.read_bytes()
    assert b"x264 - core" not in told.read_bytes()
    assert pictures(told) == before
    assert len(before.splitlines()) > 100


def test_messages_before_every_slice_of_every_picture_are_blanked(clip: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.mp4"
    # Fragments of 75 and of 25 pictures, in three slices each, behind delimiters and with the times of its buffer.
    shape = "aud=1:slices=3:nal-hrd=vbr:vbv-maxrate=800:vbv-bufsize=800"
    ffmpeg("-i", clip, "-an", "-c:v", "libx264", "-g", "75", "-sc_threshold", "0", "-x264-params", shape, *FRAGMENTED,
           told)  # fmt: skip
    before = pictures(told)
    assert len(messages(told)) > 100 * 4

    mp4.blank_messages(told)

    assert messages(told) == b""
    assert pictures(told) == before


@pytest.mark.parametrize("together", [1, 1000])
def test_a_unit_longer_than_its_picture_ends_only_that_picture(
    together: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mp4, "TOGETHER", together)
    told = tmp_path / "told.mp4"
    ffmpeg(
        "-i", video, "-c", "copy", "-bsf:v", "h264_metadata=sei_user_data=" + 16 * "ab" + "+secret", *FRAGMENTED, told
    )
    with told.open("rb") as file:
        first = mp4.read_track(file).segments[0]
    content = bytearray(told.read_bytes())
    at = content.index(b"mdat", first.offset) + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    told.write_bytes(content)

    mp4.blank_messages(told)

    assert told.read_bytes().count(b"secret") == 1  # behind the damage, where no player gets


def test_messages_can_only_be_blanked_in_h264(clip: Path, tmp_path: Path) -> None:
    ffmpeg("-i", clip, "-map", "0:a", "-c", "copy", *FRAGMENTED, tmp_path / "sound.mp4")
    with pytest.raises(mp4.Mp4Error):
        mp4.blank_messages(tmp_path / "sound.mp4")


def pictures(path: Path) -> str:
    """The checksum of every decoded picture."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "framemd5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def messages(path: Path) -> bytes:
    """Only the messages (SEI) of an H.264 file."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-c",
        "copy",
        "-bsf:v",
        "filter_units=pass_types=6",
        "-f",
        "h264",
    ]
    return subprocess.run([*command, "-"], check=True, capture_output=True).stdout
