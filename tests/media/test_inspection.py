"""What inspection makes of real recordings, the hostile corpus first of all."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

import sandbox
from media import recipe, services
from media.errors import MediaRejected
from media.ffmpeg import probe
from media.findings import describe
from media.source import SourceFacts, plan_encoding
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg, make_clip

pytestmark = pytest.mark.django_db

REJECTED = {
    "zero_byte.mp4": "empty",
    "text_renamed.mp4": "not_media",
    "html_renamed.mp4": "not_media",
    "truncated_no_moov.mp4": "cut_short",
    "hls_http.mp4": "playlist",
    "hls_file.mp4": "playlist",
    "hls_http.m3u8": "playlist",
    "hls_file.m3u8": "playlist",
    "hls_sibling.mp4": "playlist",
    "hls_key_map.mp4": "playlist",
    "hls_concat_exfil.avi": "playlist",
    "ffconcat_relative.mp4": "playlist",
    "ffconcat_absolute.mp4": "playlist",
    "dash_http.mp4": "playlist",
    "sdp_rtp.mp4": "playlist",
    "dims_16000x16000.mkv": "codec",
    "dims_16384x16384.mkv": "codec",
    "dims_8192x8192_h264.mp4": "picture_too_large",
    "aspect_16384x16.mp4": "picture_too_large",
    "gap_25_hours.mkv": "too_long",
    "zero_frames.mp4": "no_content",
    "sample_table_bomb.mp4": "no_content",
    "codec_not_allowed_magicyuv.avi": "codec",
    "dims_1x1.mp4": "picture_too_small",
    "animated.gif": "not_media",
}
PLAYLISTS = [name for name, code in REJECTED.items() if code == "playlist"]
WARNED = {
    "truncated_half_data.mp4": {"duration_differs", "read_errors"},
    "corrupt_middle.mp4": set(),  # heard when it is copied (test_production.test_damage_is_noted)
    "fake_duration_huge.mp4": {"duration_differs"},
    "audio_60_streams.mkv": {"several_sounds"},
    "chapters_2000_html.mkv": {"chapters_dropped"},
    "single_frame.mp4": {"no_audio", "single_frame"},
    "start_24_days.flv": {"clock_offset"},
    "audio_almost_empty.mp4": {"short_audio"},
}
# Duration in ms, displayed size, and what the organiser is told.
PROCESSED: dict[str, tuple[int, tuple[int, int] | None, set[str]]] = {
    "ok_reference.mp4": (2000, (320, 180), set()),
    "fake_duration_zero.mp4": (2000, (320, 180), set()),
    "audio_only.m4a": (2000, None, {"audio_only"}),
    "audio_with_cover.m4a": (2000, None, {"audio_only"}),
    "video_no_audio.mp4": (2000, (320, 180), {"no_audio"}),
    "silence_6s.mp4": (6000, (160, 90), set()),
    "dims_odd_853x481.webm": (2000, (853, 481), {"no_audio"}),
    "rotated_90.mp4": (2000, (180, 320), {"rotated"}),
    "vfr_90khz.mp4": (2026, (160, 90), {"no_audio", "variable_rate"}),
    "negative_start.mkv": (2026, (320, 180), {"duration_differs"}),
    "edit_list_hides_start.mov": (500, (320, 180), set()),
    "audio_starts_late.mkv": (2805, (320, 180), {"late_audio"}),
    "audio_5_1.mp4": (2000, (160, 90), {"downmixed"}),
    "audio_8khz_mono.mp4": (2000, (160, 90), set()),
    "hdr_10bit.mp4": (1000, (160, 90), {"no_audio", "hdr"}),
    "chroma_444.mp4": (1000, (160, 90), {"no_audio"}),
    "interlaced.mpg": (1000, (160, 96), {"no_audio", "interlaced"}),
    "fps_240.mp4": (1000, (160, 90), {"no_audio", "rate_reduced"}),
    "anamorphic_sar.mp4": (1000, (256, 144), {"no_audio"}),
    "variable_resolution.ts": (4026, (320, 180), {"duration_differs"}),
    "ts_discontinuity.ts": (6053, (320, 180), {"duration_differs"}),
    "ts_clock_wrap.ts": (2026, (320, 180), set()),
    "mjpeg.avi": (1000, (160, 90), set()),
    "data_stream_timecode.mov": (2000, (320, 180), set()),
    "matroska_named.mp4": (2805, (320, 180), {"late_audio"}),
    "attachment_traversal.mkv": (2026, (320, 180), set()),
    "metadata_html_crlf.mp4": (2000, (320, 180), set()),
    "metadata_not_utf8.mp4": (2000, (320, 180), set()),
}


def inspected(path: Path, workdir: Path) -> SourceFacts:
    asset = make_asset(path)
    services.inspect_source(asset=asset, workdir=workdir)
    asset.refresh_from_db()
    return SourceFacts.from_json(asset.probe)


def test_lists_here_are_the_manifest(corpus: Path) -> None:
    items = json.loads((corpus / "manifest.json").read_text())["items"]
    expected: dict[str, set[str]] = {"reject": set(), "warn": set(), "process": set()}
    for item in items:
        if item["file"].startswith("media/"):
            expected[item["expect"]].add(item["file"].removeprefix("media/"))
    assert expected == {"reject": set(REJECTED), "warn": set(WARNED), "process": set(PROCESSED)}


@pytest.fixture
def listener(corpus: Path) -> Iterator[socket.socket]:
    """Listens where the corpus's playlists want to connect to."""
    port = json.loads((corpus / "manifest.json").read_text())["port"]
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("name", REJECTED)
def test_refused_with_its_reason(name: str, corpus: Path, tmp_path: Path, listener: socket.socket) -> None:
    asset = make_asset(corpus / "media" / name)
    with pytest.raises(MediaRejected) as caught:
        services.inspect_source(asset=asset, workdir=tmp_path)
    assert caught.value.code == REJECTED[name]
    assert "root:" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BlockingIOError):
        listener.accept()
    asset.refresh_from_db()
    assert (asset.probe, asset.has_video, asset.has_audio) == ({}, False, False)


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlists_are_refused_by_ffprobe_too(name: str, corpus: Path, tmp_path: Path, listener: socket.socket) -> None:
    with pytest.raises(sandbox.ToolFailed):
        probe.probe_header(corpus / "media" / name, output_dir=tmp_path)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("name", WARNED)
def test_accepted_with_a_warning(name: str, corpus: Path, tmp_path: Path) -> None:
    asset = make_asset(corpus / "media" / name)
    services.inspect_source(asset=asset, workdir=tmp_path)
    asset.refresh_from_db()
    assert {warning["code"] for warning in asset.warnings} == WARNED[name]
    assert all(" " in describe(warning) for warning in asset.warnings)


@pytest.mark.parametrize("name", PROCESSED)
def test_found_as_it_is(name: str, corpus: Path, tmp_path: Path) -> None:
    duration_ms, size, codes = PROCESSED[name]
    asset = make_asset(corpus / "media" / name)
    services.inspect_source(asset=asset, workdir=tmp_path)
    asset.refresh_from_db()
    assert asset.duration_ms == pytest.approx(duration_ms, abs=60)
    assert (asset.width, asset.height) == (size or (None, None))
    assert {warning["code"] for warning in asset.warnings} == codes
    assert all(" " in describe(warning) for warning in asset.warnings)


def test_truncated_recording_names_both_durations(corpus: Path, tmp_path: Path) -> None:
    asset = make_asset(corpus / "media/truncated_half_data.mp4")
    services.inspect_source(asset=asset, workdir=tmp_path)
    assert describe(asset.warnings[0]) == ("The file says it lasts 2.0 seconds, but 1.0 seconds were found in it.")


def test_too_long_names_the_limit(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_MAX_DURATION_S = 1
    asset = make_asset(make_clip(tmp_path / "clip.mp4"))
    with pytest.raises(MediaRejected) as caught:
        services.inspect_source(asset=asset, workdir=tmp_path)
    assert caught.value.code == "too_long"


def test_original_is_not_changed(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    before = clip.read_bytes()
    asset = make_asset(clip)
    services.inspect_source(asset=asset, workdir=tmp_path)
    with services.source_on_disk(asset, tmp_path) as path:
        assert path.read_bytes() == before


def test_ordinary_recording_is_copied(corpus: Path, tmp_path: Path) -> None:
    facts = inspected(corpus / "media/ok_reference.mp4", tmp_path)
    assert facts.can_copy_video
    assert facts.can_copy_audio


@pytest.mark.parametrize(
    "name",
    ["rotated_90.mp4", "chroma_444.mp4", "hdr_10bit.mp4", "anamorphic_sar.mp4", "fps_240.mp4", "interlaced.mpg",
     "edit_list_hides_start.mov", "negative_start.mkv", "dims_odd_853x481.webm", "ts_discontinuity.ts"],
)  # fmt: skip
def test_what_browsers_would_not_play_is_not_copied(name: str, corpus: Path, tmp_path: Path) -> None:
    assert not inspected(corpus / "media" / name, tmp_path).can_copy_video


def test_seldom_key_frames_are_not_copied(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=160x90:rate=5:duration=12", "-c:v", "libx264", "-g", "600", clip)
    facts = inspected(clip, tmp_path)
    assert facts.video is not None
    assert facts.video.longest_gop_ms == 12_000
    assert not facts.can_copy_video


def test_many_lines_of_sound_give_the_default_one(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-f", "lavfi", "-i", "sine=duration=1", "-map", "0", "-map", "1",
           "-c:a", "aac", "-disposition:a:0", "0", "-disposition:a:1", "default", clip)  # fmt: skip
    facts = inspected(clip, tmp_path)
    assert facts.audio is not None
    assert facts.audio.index == 1


def test_facts_survive_storage(corpus: Path, tmp_path: Path) -> None:
    facts = inspected(corpus / "media/ok_reference.mp4", tmp_path)
    assert SourceFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    assert plan_encoding(facts, recipe.current()).copied is not None


def test_without_bubblewrap_the_allow_lists_still_hold(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox.level.cache_clear()
    try:
        assert sandbox.level() == "weak"
        assert inspected(corpus / "media/ok_reference.mp4", tmp_path).can_copy_video
        for name in PLAYLISTS:
            with pytest.raises(sandbox.ToolFailed):
                probe.probe_header(corpus / "media" / name, output_dir=tmp_path)
    finally:
        sandbox.level.cache_clear()
    with pytest.raises(BlockingIOError):
        listener.accept()
