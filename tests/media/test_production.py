"""From source to package: everything that viewers get, made by the real tools."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from pytest_django import Settings

from media import services
from media.errors import MediaError, NoSpace, PackageIncomplete
from media.models import Asset, DerivativeKind, Package, PackageState, Rendition, ReplacedFile
from media.services import pictures
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg, frame_times, make_clip
from tests.media.measure import beginnings, brightness, integrated_loudness, loudness, probe, stored_path
from tests.media.production import encode, make_everything, produce
from tests.media.recipes import use_recipe
from work.errors import LeaseLost, Skip, TemporaryFailure

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).parents[2] / "demo" / "recording.mp4"


@pytest.fixture(scope="module")
def flashes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 s in which a white flash and a beep come together at every odd second. Large enough for two rungs."""
    path = tmp_path_factory.mktemp("flashes") / "flashes.mp4"
    flash = "drawbox=color=white:t=fill:enable='lt(mod(t+1\\,2)\\,0.2)'"
    beep = "volume=0:enable='gte(mod(t+1\\,2)\\,0.2)':eval=frame"
    picture = f"color=black:size=64x36:rate=25:duration=14,{flash},scale=1008:568"
    sound = f"sine=frequency=880:sample_rate=48000:duration=14:samples_per_frame=480,{beep}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast",
           "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", path)  # fmt: skip
    return path


def start(path: Path, workdir: Path) -> Package:
    asset = make_asset(path)
    services.inspect_source(asset=asset, workdir=workdir)
    return services.start_package(asset=asset)


def rendition(package: Package, name: str) -> Rendition:
    return package.renditions.get(name=name)


def stored_files(package: Package) -> set[str]:
    return {f"{package.prefix}/{name}" for name in default_storage.listdir(package.prefix)[1]}


def files_of_rows(package: Package) -> set[str]:
    return {*package.renditions.values_list("key", flat=True), *package.derivatives.values_list("key", flat=True)}


# --- First look ----------------------------------------------------------------------------------------------------


def test_first_look_of_the_demo_is_a_copy_in_a_moment(tmp_path: Path) -> None:
    package = start(DEMO, tmp_path)
    began = time.monotonic()
    services.make_first_look(package=package, workdir=tmp_path)
    assert time.monotonic() - began < 2
    video, audio = rendition(package, "720p"), rendition(package, "audio")
    assert (video.codecs, video.width, video.height, video.duration_ms) == ("avc1.64001f", 1280, 720, 77_160)
    assert (audio.codecs, audio.duration_ms) == ("mp4a.40.2", 77_160)
    assert max(duration for _offset, _size, duration in video.index["segments"]) <= 10_000
    package.asset.refresh_from_db()
    assert package.asset.current_package == package
    assert package.state == PackageState.BUILDING


def test_first_look_keeps_no_messages_beside_the_picture(tmp_path: Path) -> None:
    """A camera writes its place and time there; x264 its settings."""
    clip = make_clip(tmp_path / "clip.mp4", seconds=4)
    assert b"x264 - core" in clip.read_bytes()
    package = start(clip, tmp_path)
    picture, _sound = services.make_first_look(package=package, workdir=tmp_path)
    with default_storage.open(picture.key) as file:
        assert b"x264 - core" not in file.read()


def test_first_look_twice_makes_nothing_new(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    first = services.make_first_look(package=package, workdir=tmp_path)
    second = services.make_first_look(package=package, workdir=tmp_path)
    assert {row.key for row in first} == {row.key for row in second} == stored_files(package)


def test_first_look_does_not_replace_the_normalised_sound(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    normalised = services.make_audio(package=package, workdir=tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    assert rendition(package, "audio").key == normalised.key


def test_a_lost_lease_stores_nothing(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)

    @contextmanager
    def lost() -> Iterator[None]:
        with transaction.atomic():
            yield
            raise LeaseLost("Another worker has taken over.")

    with pytest.raises(LeaseLost):
        services.make_first_look(package=package, workdir=tmp_path, fenced=lost)
    assert not package.renditions.exists()
    assert stored_files(package) == set()


# --- Parts ---------------------------------------------------------------------------------------------------------


def test_joined_parts_have_every_frame_and_stay_in_step_with_the_sound(
    flashes: Path, tmp_path: Path, settings: Settings
) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    package = produce(make_asset(flashes), tmp_path)
    assert len(services.plan_encode_parts(package=package)) == 2
    video, audio = rendition(package, "480p"), rendition(package, "audio")
    changes = [*range(14), *(second + 0.2 for second in range(1, 14, 2))]  # and one picture in each second
    assert frame_times(stored_path(video)) == pytest.approx(sorted(changes), abs=0.041)
    assert [duration for _offset, _size, duration in video.index["segments"]] == [6000, 6000, 2000]
    seen = beginnings(brightness(stored_path(video), 25), 120, 25)
    heard = beginnings(loudness(stored_path(audio)), 0.05, 1000)
    assert seen == [1, 3, 5, 7, 9, 11, 13]
    assert heard == pytest.approx(seen, abs=0.04)


def test_parts_of_a_transport_stream_are_joined_exactly(flashes: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    ffmpeg("-i", flashes, "-c:v", "mpeg2video", "-q:v", "5", "-c:a", "mp2", "-output_ts_offset", "3",
           tmp_path / "flashes.ts")  # fmt: skip
    package = start(tmp_path / "flashes.ts", tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    encode(package, tmp_path)
    services.make_audio(package=package, workdir=tmp_path)
    video, audio = rendition(package, "568p"), rendition(package, "audio")
    seen = beginnings(brightness(stored_path(video), 25), 120, 25)
    heard = beginnings(loudness(stored_path(audio)), 0.05, 1000)
    assert len(seen) == 7
    assert heard == pytest.approx(seen, abs=0.04)


def test_still_pictures_keep_their_times_across_parts(tmp_path: Path, settings: Settings) -> None:
    """A screen share may send one picture in ten seconds; the next part begins in the middle of it."""
    use_recipe(settings, tmp_path, "part_s = 6")
    clip = tmp_path / "share.mkv"
    steps = "geq=lum='16+40*(gte(T\\,1)+gte(T\\,2.04)+gte(T\\,16.2)+gte(T\\,17))':cb=128:cr=128"
    keep = "select='eq(n\\,0)+eq(n\\,25)+eq(n\\,51)+eq(n\\,405)+eq(n\\,425)+eq(n\\,449)'"
    ffmpeg("-f", "lavfi", "-i", f"color=black:size=16x16:rate=25:duration=18,{steps},{keep},scale=640:640",
           "-fps_mode", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", clip)  # fmt: skip
    package = start(clip, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    assert len(services.plan_encode_parts(package=package)) == 3
    encode(package, tmp_path)
    video = rendition(package, "640p")
    rate = video.frame_rate
    assert rate is not None
    light = brightness(stored_path(video), rate)
    changes = np.flatnonzero(np.diff(light) > 12) + 1
    assert changes / rate == pytest.approx([1, 2.04, 16.2, 17], abs=1 / rate)
    assert video.duration_ms == 18_000


def test_encoding_again_replaces_nothing_that_was_joined(flashes: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 60")
    package = start(flashes, tmp_path)
    encode(package, tmp_path)
    before = rendition(package, "480p").key
    encode(package, tmp_path)
    assert rendition(package, "480p").key == before


def test_joining_with_a_part_missing_is_refused(flashes: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    package = start(flashes, tmp_path)
    part = services.plan_encode_parts(package=package)[0]
    result = services.encode_part(package=package, part=part, workdir=tmp_path)
    with pytest.raises(PackageIncomplete):
        services.join_parts(package=package, results=[result], workdir=tmp_path)
    assert not package.renditions.exists()


def test_stopping_ends_the_encoder_and_removes_its_files(flashes: Path, tmp_path: Path) -> None:
    package = start(flashes, tmp_path)
    part = services.plan_encode_parts(package=package)[0]
    with pytest.raises(TemporaryFailure):
        services.encode_part(package=package, part=part, workdir=tmp_path, should_stop=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(flashes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = start(flashes, tmp_path)
    part = services.plan_encode_parts(package=package)[0]
    monkeypatch.setattr("media.services.video.OUTPUT_BYTES", 1000)
    with pytest.raises(NoSpace):
        services.encode_part(package=package, part=part, workdir=tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- Whole packages of odd sources ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "rate"),
    [
        ("rotated_90.mp4", (180, 320), 25),
        ("dims_odd_853x481.webm", (852, 480), 25),
        ("vfr_90khz.mp4", (160, 90), 30000 / 1001),
        ("anamorphic_sar.mp4", (256, 144), 25),
        ("fps_240.mp4", (160, 90), 60),
        ("hdr_10bit.mp4", (160, 90), 10),
        ("chroma_444.mp4", (160, 90), 10),
        ("interlaced.mpg", (160, 96), 25),
        ("single_frame.mp4", (64, 64), 25),
        ("variable_resolution.ts", (320, 180), 25),
        ("start_24_days.flv", (320, 180), 25),
        ("video_no_audio.mp4", (320, 180), 25),
        ("data_stream_timecode.mov", (320, 180), 25),
        ("metadata_html_crlf.mp4", (320, 180), 25),
    ],
)
def test_odd_sources_give_plain_results(
    name: str, size: tuple[int, int], rate: float, corpus: Path, tmp_path: Path
) -> None:
    package = produce(make_asset(corpus / "media" / name), tmp_path)
    for row in package.renditions.filter(kind="video"):
        found = probe(stored_path(row))
        video = found["video"]
        assert len(found["streams"]) == 1
        assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
        assert (video["width"], video["height"]) == size == (row.width, row.height)
        assert video.get("sample_aspect_ratio", "1:1") == "1:1"
        assert video.get("side_data_list") is None
        assert row.frame_rate == pytest.approx(rate, abs=0.01)
    for download in package.derivatives.filter(kind=DerivativeKind.MP4):
        found = probe(stored_path(download))
        assert {stream["codec_name"] for stream in found["streams"]} <= {"h264", "aac"}
        assert found["chapters"] == []
        assert set(found["format"]["tags"]) <= {"major_brand", "minor_version", "compatible_brands", "encoder"}
    assert list(tmp_path.iterdir()) == []


def test_hidden_beginning_is_not_published(corpus: Path, tmp_path: Path) -> None:
    package = produce(make_asset(corpus / "media/edit_list_hides_start.mov"), tmp_path)
    assert package.asset.duration_ms == 500
    assert all(row.duration_ms <= 520 for row in package.renditions.all())


def test_late_sound_stays_late(corpus: Path, tmp_path: Path) -> None:
    package = produce(make_asset(corpus / "media/audio_starts_late.mkv"), tmp_path)
    heard = beginnings(loudness(stored_path(rendition(package, "audio"))), 0.02, 1000)
    assert heard[0] == pytest.approx(0.8, abs=0.05)
    speech = services.read_speech_audio(package=package, start_ms=0, end_ms=3000)
    assert np.flatnonzero(np.abs(speech) > 0.02)[0] / 16_000 == pytest.approx(0.8, abs=0.05)


def test_sound_alone_is_a_whole_package(corpus: Path, tmp_path: Path) -> None:
    package = produce(make_asset(corpus / "media/audio_with_cover.m4a"), tmp_path)
    assert [row.name for row in package.renditions.all()] == ["audio"]
    download = package.derivatives.get(kind=DerivativeKind.MP4)
    assert (download.name, download.content_type) == ("audio", "audio/mp4")
    assert [stream["codec_name"] for stream in probe(stored_path(download))["streams"]] == ["aac"]
    with pytest.raises(Skip):
        services.make_pictures(package=package, workdir=tmp_path)


def test_damage_is_noted(corpus: Path, tmp_path: Path) -> None:
    package = start(corpus / "media/corrupt_middle.mp4", tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    package.asset.refresh_from_db()
    assert "read_errors" in {warning["code"] for warning in package.asset.warnings}
    make_everything(package, tmp_path)
    package.asset.refresh_from_db()
    assert "damaged" in {warning["code"] for warning in package.asset.warnings}


# --- Sound ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("volume_db", [-30, -10, 12])
def test_sound_is_brought_to_one_loudness(volume_db: int, tmp_path: Path) -> None:
    clip = tmp_path / "clip.m4a"
    ffmpeg("-f", "lavfi", "-i", f"sine=frequency=700:sample_rate=48000:duration=5,volume={volume_db}dB",
           "-c:a", "aac", clip)  # fmt: skip
    package = start(clip, tmp_path)
    row = services.make_audio(package=package, workdir=tmp_path)
    assert integrated_loudness(stored_path(row)) == pytest.approx(-16, abs=1)


def test_silence_stays_silence(corpus: Path, tmp_path: Path) -> None:
    package = start(corpus / "media/silence_6s.mp4", tmp_path)
    row = services.make_audio(package=package, workdir=tmp_path)
    assert loudness(stored_path(row)).max() < 0.001
    assert row.duration_ms == pytest.approx(6000, abs=25)


def test_no_sound_is_skipped(corpus: Path, tmp_path: Path) -> None:
    package = start(corpus / "media/video_no_audio.mp4", tmp_path)
    with pytest.raises(Skip):
        services.make_audio(package=package, workdir=tmp_path)


def test_making_sound_twice_keeps_the_first(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    first = services.make_audio(package=package, workdir=tmp_path)
    assert services.make_audio(package=package, workdir=tmp_path).key == first.key


def test_replaced_sound_stays_for_those_who_listen(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    before = rendition(package, "audio").key
    services.make_audio(package=package, workdir=tmp_path)
    assert default_storage.exists(before)
    assert services.delete_replaced() == 0
    assert services.delete_replaced(now=ReplacedFile.objects.get().delete_after) == 1
    assert not default_storage.exists(before)


def test_speech_audio_is_read_in_ranges(tmp_path: Path) -> None:
    clip = tmp_path / "clip.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=500:sample_rate=48000:duration=6,volume=0:enable='lt(t\\,3)'", clip)
    package = start(clip, tmp_path)
    services.make_audio(package=package, workdir=tmp_path)
    samples = services.read_speech_audio(package=package, start_ms=2000, end_ms=4000)
    assert samples.dtype == np.float32
    assert samples.shape == (32_000,)
    assert np.flatnonzero(np.abs(samples) > 0.02)[0] / 16_000 == pytest.approx(1, abs=0.01)
    assert len(services.read_speech_audio(package=package, start_ms=5500, end_ms=60_000)) == pytest.approx(
        8000, abs=400
    )
    assert len(services.read_speech_audio(package=package, start_ms=100, end_ms=100)) == 0


def test_speech_audio_before_it_is_made_says_so(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    with pytest.raises(MediaError, match="not ready"):
        services.read_speech_audio(package=package, start_ms=0, end_ms=1000)


# --- Pictures and downloads ----------------------------------------------------------------------------------------


def test_storyboard_shows_each_moment(flashes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "TILE_INTERVAL_MS", 5000)
    package = start(flashes, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    services.make_pictures(package=package, workdir=tmp_path)
    storyboard = package.derivatives.get(kind=DerivativeKind.STORYBOARD)
    assert storyboard.facts == {
        "tile_width": 144, "tile_height": 80, "columns": 3, "rows": 1, "count": 3, "interval_ms": 5000,
        "duration_ms": 14_000,
    }  # fmt: skip
    picture = probe(stored_path(storyboard))["video"]
    assert (picture["codec_name"], picture["width"], picture["height"]) == ("mjpeg", 432, 80)
    sprite = tmp_path / "tiles.gray"
    ffmpeg("-i", stored_path(storyboard), "-vf", "scale=3:1:flags=area,format=gray", "-f", "rawvideo", sprite)
    assert [value > 120 for value in sprite.read_bytes()] == [False, True, False]  # the flash at 5 s


def test_poster_is_a_picture_of_the_best_rung(flashes: Path, tmp_path: Path) -> None:
    package = start(flashes, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    services.make_pictures(package=package, workdir=tmp_path)
    poster = probe(stored_path(package.derivatives.get(kind=DerivativeKind.POSTER, name="")))["video"]
    assert (poster["width"], poster["height"]) == (1008, 568)


def test_subtitled_download_carries_every_language(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    cue = "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n{}\n"
    tracks = [("en", cue.format("Hello")), ("ar", cue.format("مرحبا")), ("fuf", cue.format("On jaaraama"))]
    row = services.make_subtitled_mp4(package=package, tracks=tracks, workdir=tmp_path)
    found = [stream for stream in probe(stored_path(row))["streams"] if stream["codec_type"] == "subtitle"]
    assert [(stream["codec_name"], stream["tags"]["language"]) for stream in found] == [
        ("mov_text", "eng"),
        ("mov_text", "ara"),
        ("mov_text", "fuf"),
    ]
    ffmpeg("-i", stored_path(row), "-map", "0:s:1", tmp_path / "back.srt")
    assert "مرحبا" in (tmp_path / "back.srt").read_text()


def test_downloads_begin_with_their_index_and_are_not_made_twice(tmp_path: Path) -> None:
    package = produce(make_asset(make_clip(tmp_path / "clip.mp4")), tmp_path)
    before = {row.key for row in package.derivatives.all()}
    download = stored_path(package.derivatives.get(kind=DerivativeKind.MP4)).read_bytes()
    assert download.index(b"moov") < download.index(b"mdat")
    services.make_downloads(package=package, workdir=tmp_path)
    assert {row.key for row in package.derivatives.all()} == before


# --- Checking, completing, deleting --------------------------------------------------------------------------------


def test_everything_twice_changes_nothing_that_viewers_see(tmp_path: Path) -> None:
    package = produce(make_asset(make_clip(tmp_path / "clip.mp4")), tmp_path)
    renditions = {row.name: row.key for row in package.renditions.all()}
    make_everything(package, tmp_path)
    assert {row.name: row.key for row in package.renditions.all()} == renditions
    package.asset.refresh_from_db()
    assert package.asset.current_package == package


def test_a_newer_package_becomes_current_only_when_complete(tmp_path: Path) -> None:
    first = produce(make_asset(make_clip(tmp_path / "clip.mp4")), tmp_path)
    second = services.start_package(asset=first.asset)
    services.make_first_look(package=second, workdir=tmp_path)
    first.asset.refresh_from_db()
    assert first.asset.current_package == first
    make_everything(second, tmp_path)
    first.asset.refresh_from_db()
    assert first.asset.current_package == second
    assert second.state == PackageState.COMPLETE


@pytest.mark.parametrize("damage", ["truncated", "gone", "shortened row"])
def test_a_damaged_result_is_refused(damage: str, tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4", extra=("-g", "25")), tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    row = rendition(package, "180p")
    path = stored_path(row)
    if damage == "gone":
        path.unlink()
    elif damage == "truncated":
        path.chmod(0o640)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    else:
        row.index["segments"].pop()
        row.save()
    with pytest.raises(PackageIncomplete):
        services.check_package(package=package, workdir=tmp_path)


def test_half_a_recording_is_refused(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4", extra=("-g", "25")), tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    row = rendition(package, "180p")
    data = stored_path(row).read_bytes()
    last = row.index["segments"][-1]
    stored_path(row).write_bytes(data[: last[0]])
    row.size = last[0]
    row.index["segments"].pop()
    row.save()
    with pytest.raises(PackageIncomplete, match="lasts"):
        services.check_package(package=package, workdir=tmp_path)


def test_a_missing_quality_is_refused(flashes: Path, tmp_path: Path) -> None:
    package = start(flashes, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    with pytest.raises(PackageIncomplete, match="480p"):
        services.check_package(package=package, workdir=tmp_path)


def test_a_complete_package_has_a_row_for_every_file(flashes: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    settings.MEDIA_LINK_LIFE_S = settings.PLAYBACK_GRANT_LIFE_S = 0
    package = produce(make_asset(flashes), tmp_path)
    services.delete_replaced()
    # Parts go on commit, which a test's transaction never reaches.
    parts = {key for key in stored_files(package) if "-part" in key}
    assert stored_files(package) - parts == files_of_rows(package)


@pytest.mark.django_db(transaction=True)
def test_parts_are_deleted_once_joined(flashes: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    package = start(flashes, tmp_path)
    encode(package, tmp_path)
    assert stored_files(package) == {rendition(package, "480p").key}


@pytest.mark.django_db(transaction=True)
def test_deleting_an_asset_removes_all_its_files(tmp_path: Path) -> None:
    package = produce(make_asset(make_clip(tmp_path / "clip.mp4")), tmp_path)
    asset, key, folder = package.asset, package.asset.source_key, Path(default_storage.path(package.prefix))
    assert default_storage.exists(key)
    services.delete_asset(asset=asset)
    assert not default_storage.exists(key)
    assert not folder.exists()
    assert not Asset.objects.exists()


def test_a_source_that_vanished_is_said(tmp_path: Path) -> None:
    package = start(make_clip(tmp_path / "clip.mp4"), tmp_path)
    default_storage.delete(package.asset.source_key)
    with pytest.raises(MediaError, match="missing from the store"):
        services.make_first_look(package=package, workdir=tmp_path)


def test_a_package_of_an_uninspected_asset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="not inspected"):
        services.start_package(asset=make_asset(make_clip(tmp_path / "clip.mp4")))


def test_progress_goes_forward(flashes: Path, tmp_path: Path) -> None:
    package = start(flashes, tmp_path)
    seen: list[float] = []
    part = services.plan_encode_parts(package=package)[0]
    services.encode_part(
        package=package, part=part, workdir=tmp_path, progress=lambda percent, activity: seen.append(percent)
    )
    assert seen == sorted(seen)
    assert seen[-1] > 50


def test_ffmpeg_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.confinement.TOOL_PATH", str(tmp_path))
    asset = make_asset(make_clip(tmp_path / "clip.mp4"))
    with pytest.raises(MediaError, match="not installed"):
        services.inspect_source(asset=asset, workdir=tmp_path)
    assert shutil.which("ffmpeg")
