"""What parts are made of, how a rung grows while it is watched, and the AV1 rungs."""

import json
import subprocess
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from media import growing, hls, ladder, mp4, services
from media.errors import PackageIncomplete
from media.models import Package, Rendition, ReplacedFile
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg, frame_times, make_clip
from tests.media.measure import beginnings, brightness, loudness, stored_path
from tests.media.production import encode, produce
from tests.media.recipes import use_recipe

pytestmark = pytest.mark.django_db

SHORT = "segment_s = 2\npart_s = 4\n[first_look]\nopening_s = 2\n"


def start(path: Path, workdir: Path) -> Package:
    asset = make_asset(path)
    services.inspect_source(asset=asset, workdir=workdir)
    return services.start_package(asset=asset)


def rendition(package: Package, name: str) -> Rendition:
    return package.renditions.get(name=name)


def encode_one(package: Package, number: int, workdir: Path) -> dict[str, object]:
    part = services.plan_encode_parts(package=package)[number]
    return json.loads(json.dumps(services.encode_part(package=package, part=part, workdir=workdir)))  # type: ignore[no-any-return]  # JSON


@pytest.fixture(scope="module")
def webm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """11 s that cannot be copied: a still picture with a flash and a beep at 1, 3, 5 ... seconds."""
    path = tmp_path_factory.mktemp("parts") / "flashes.webm"
    flash = "drawbox=color=white:t=fill:enable='lt(mod(t+1\\,2)\\,0.2)'"
    beep = "volume=0:enable='gte(mod(t+1\\,2)\\,0.2)':eval=frame"
    ffmpeg("-f", "lavfi", "-i", f"color=black:size=32x18:rate=25:duration=11,{flash},scale=320:180", "-f", "lavfi",
           "-i", f"sine=frequency=880:sample_rate=48000:duration=11:samples_per_frame=480,{beep}", "-c:v", "libvpx",
           "-deadline", "realtime", "-g", "60", "-c:a", "libopus", path)  # fmt: skip
    return path


# --- Growing -------------------------------------------------------------------------------------------------------


def test_the_opening_is_watchable_first_and_grows_by_each_part(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    row = rendition(package, "180p")
    assert growing.is_growing(row.index)
    assert row.duration_ms == 2000
    assert rendition(package, "audio").duration_ms == pytest.approx(11_000, abs=50)
    package.asset.refresh_from_db()
    assert package.asset.current_package == package

    encode_one(package, 1, tmp_path)  # the second part alone is kept until the first one is there
    assert rendition(package, "180p").duration_ms == 2000
    encode_one(package, 0, tmp_path)
    row = rendition(package, "180p")
    assert row.duration_ms == 8000
    assert [count for _key, count in row.index["files"]] == [2, 2]


def test_a_growing_playlist_plays_as_one(webm: Path, tmp_path: Path, settings: Settings) -> None:
    """Header and pieces of several files, put together as a player does, are frames without a gap."""
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    for number in (0, 1):
        encode_one(package, number, tmp_path)
    row = rendition(package, "180p")
    lines = hls.media_playlist(row.index, f"files/{row.key.rpartition('/')[2]}").splitlines()
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in lines
    assert "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES" in lines
    assert "#EXT-X-ENDLIST" not in lines

    def read(name: str, byte_range: str) -> bytes:
        size, offset = (int(number) for number in byte_range.split("@"))
        with default_storage.open(f"{package.prefix}/{name.removeprefix('files/')}") as file:
            file.seek(offset)
            return bytes(file.read(size))

    [header] = [line for line in lines if line.startswith("#EXT-X-MAP")]
    data = read(header.split('"')[1], header.split('"')[3])
    for at, line in enumerate(lines):
        if line.startswith("#EXT-X-BYTERANGE:"):
            data += read(lines[at + 1], line.partition(":")[2])
    path = tmp_path / "played.mp4"
    path.write_bytes(data)
    assert beginnings(brightness(path, 25), 120, 25) == [1, 3, 5, 7]


def test_the_joined_rung_takes_the_place_of_the_growing_one(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    opening = rendition(package, "180p").key
    encode(package, tmp_path)
    row = rendition(package, "180p")
    assert not growing.is_growing(row.index)
    assert row.duration_ms == 11_040
    # Who watches the pieces may go on: they are deleted later.
    replaced = set(ReplacedFile.objects.values_list("key", flat=True))
    assert opening in replaced
    assert len([key for key in replaced if "-part" in key]) == 3
    assert all(default_storage.exists(key) for key in replaced)


def test_a_growing_rung_is_not_taken_for_a_finished_one(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    with pytest.raises(PackageIncomplete, match="180p"):
        services.check_package(package=package, workdir=tmp_path)


def test_a_part_made_twice_counts_once(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    first = encode_one(package, 0, tmp_path)
    second = encode_one(package, 0, tmp_path)
    row = rendition(package, "180p")
    assert row.duration_ms == 4000
    assert second["files"]["180p"] in growing.keys(row.index)  # type: ignore[index]  # JSON
    assert ReplacedFile.objects.filter(key=first["files"]["180p"]).exists()  # type: ignore[index]  # JSON


def test_pictures_and_sound_agree_in_what_is_made_of_a_source_that_is_not_copied(
    webm: Path, tmp_path: Path, settings: Settings
) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = produce(make_asset(webm), tmp_path)
    seen = beginnings(brightness(stored_path(rendition(package, "180p")), 25), 120, 25)
    heard = beginnings(loudness(stored_path(rendition(package, "audio"))), 0.05, 1000)
    assert seen == [1, 3, 5, 7, 9]
    assert heard == pytest.approx(seen, abs=0.04)


# --- Repetitions ---------------------------------------------------------------------------------------------------


def test_still_pictures_are_left_out_and_said(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = produce(make_asset(webm), tmp_path)
    package.refresh_from_db()
    assert package.analysis["content"] == "still"
    assert package.analysis["kept"] < 0.15
    assert [part["start_ms"] for part in package.analysis["parts"]] == [0, 4000, 8000]
    assert "mostly stands still" in services.describe_content(package)
    assert len(frame_times(stored_path(rendition(package, "180p")))) < 40


def test_every_segment_has_its_key_frame_though_nothing_moves(tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT + "[still]\nrefresh_s = 2.0\n")
    ffmpeg("-f", "lavfi", "-i", "color=teal:size=320x180:rate=30000/1001:duration=9", "-c:v", "libvpx",
           tmp_path / "still.webm")  # fmt: skip
    package = start(tmp_path / "still.webm", tmp_path)
    encode(package, tmp_path)
    with stored_path(rendition(package, "180p")).open("rb") as file:
        track = mp4.read_track(file)
    assert track.samples == len(track.segments) == 5
    segment = 60 * 1001  # frames of 1001 ticks
    assert set(track.lengths[:-1]) == {segment}


def test_moving_pictures_are_all_kept(tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    clip = make_clip(tmp_path / "clip.webm", seconds=5, extra=("-c:v", "libvpx", "-c:a", "libopus"))
    package = produce(make_asset(clip), tmp_path)
    package.refresh_from_db()
    assert (package.analysis["content"], package.analysis["kept"]) == ("moving", 1.0)
    times = frame_times(stored_path(rendition(package, "180p")))
    assert times == pytest.approx([n / 25 for n in range(len(times))], abs=1e-4)
    assert len(times) in (125, 126)


def test_leaving_out_can_be_switched_off(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT + "[still]\nenabled = false\n")
    package = start(webm, tmp_path)
    encode(package, tmp_path)
    assert len(frame_times(stored_path(rendition(package, "180p")))) == 276


def test_a_package_keeps_the_table_it_was_begun_with(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT)
    package = start(webm, tmp_path)
    first = encode_one(package, 0, tmp_path)
    use_recipe(settings, tmp_path, "segment_s = 3\npart_s = 6\ncrf = 40")
    package.refresh_from_db()
    rest = [encode_one(package, number, tmp_path) for number in (1, 2)]
    services.join_parts(package=package, results=[first, *rest], workdir=tmp_path)
    assert rendition(package, "180p").duration_ms == 11_040


# --- Rates ---------------------------------------------------------------------------------------------------------


def test_a_lower_rung_is_never_larger_than_the_copy_above_it(tmp_path: Path, settings: Settings) -> None:
    """Noise, hard pressed by its encoder: at constant quality 480p would take more than the 720p it comes from."""
    clip = tmp_path / "noise.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=10:duration=8,noise=alls=30:allf=t", "-c:v", "libx264",
           "-preset", "ultrafast", "-crf", "44", "-g", "40", "-pix_fmt", "yuv420p", clip)  # fmt: skip
    package = start(clip, tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    encode(package, tmp_path)
    copied, encoded = rendition(package, "720p"), rendition(package, "480p")
    assert encoded.size < copied.size
    use_recipe(settings, tmp_path, "[copy]\nenabled = false\n")
    free = start(clip, tmp_path)
    encode(free, tmp_path)
    services.make_first_look(package=free, workdir=tmp_path)
    assert rendition(free, "480p").size > 1.1 * encoded.size  # so the cap was what did it


@pytest.mark.parametrize(
    ("copied", "expected"),
    [
        (None, [2_500_000, 1_300_000]),
        (10_000_000, [2_500_000, 1_300_000]),
        (1_000_000, [800_000, 640_000]),
        (50_000, [100_000, 100_000]),
    ],
)
def test_caps_follow_the_copied_rung(copied: int | None, expected: list[int]) -> None:
    rungs = [ladder.Rung("720p", 1280, 720, 2_500_000), ladder.Rung("480p", 854, 480, 1_300_000)]
    assert ladder.caps_below(rungs, copied) == expected
    assert ladder.caps_below(rungs, copied, seconds=10)[1] <= expected[1]


# --- Checking ------------------------------------------------------------------------------------------------------


def test_a_key_frame_that_does_not_decode_is_found_in_any_rung(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "sides = [180, 144]\n" + SHORT)
    ffmpeg("-i", webm, "-vf", "noise=alls=20", "-c:v", "mjpeg", "-c:a", "copy", tmp_path / "noisy.mkv")
    package = start(tmp_path / "noisy.mkv", tmp_path)
    services.make_first_look(package=package, workdir=tmp_path)
    encode(package, tmp_path)
    services.make_audio(package=package, workdir=tmp_path)
    services.check_package(package=package, workdir=tmp_path)
    row = rendition(package, "180p")
    offset, size, _duration = row.index["segments"][2]
    stored_path(row).chmod(0o640)
    with stored_path(row).open("r+b") as file:
        file.seek(offset + row.index["key_sizes"][2] // 2)
        file.write(b"\x55" * min(2000, size // 4))
    with pytest.raises(PackageIncomplete, match="180p"):
        services.check_package(package=package, workdir=tmp_path)


# --- AV1 -----------------------------------------------------------------------------------------------------------


def test_av1_rungs_join_the_others_late(webm: Path, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, SHORT + "[av1]\nenabled = true\nsides = [144]\npreset = 12\n")
    package = produce(make_asset(webm), tmp_path)
    parts = services.plan_encode_parts(package=package, codec="av1")
    results = [services.encode_part(package=package, part=part, workdir=tmp_path) for part in parts]
    [row] = services.join_parts(package=package, results=results, workdir=tmp_path)
    assert (row.name, row.width, row.height, row.duration_ms) == ("144p-av1", 256, 144, 11_040)
    assert row.codecs.startswith("av01.0.")
    assert [duration for _offset, _size, duration in row.index["segments"]] == [2000] * 5 + [1040]
    command = ["ffmpeg", "-v", "error", "-i", str(stored_path(row)), "-f", "null", "-"]
    assert subprocess.run(command, check=True, capture_output=True).stderr == b""
    assert beginnings(brightness(stored_path(row), 25), 120, 25) == [1, 3, 5, 7, 9]
    services.check_package(package=package, workdir=tmp_path)


def test_no_av1_is_planned_unless_wanted(webm: Path, tmp_path: Path) -> None:
    package = start(webm, tmp_path)
    assert services.plan_encode_parts(package=package, codec="av1") == []
