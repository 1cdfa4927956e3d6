"""Unusual but playable recordings, from inspection to package: what a viewer gets of each.

The clips carry a white flash and a beep at every odd second, so that picture and sound can be held against each other.
"""

import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from media import services
from media.errors import MediaRejected
from media.findings import describe
from media.models import Package, RenditionKind
from media.source import SourceFacts
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg, frame_times, make_clip
from tests.media.measure import beginnings, brightness, loudness, probe, stored_path
from tests.media.production import produce
from tests.media.recipes import use_recipe

pytestmark = pytest.mark.django_db

SECONDS = 4
OFFSET_S = 0.04
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50")
AAC = ("-c:a", "aac")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme")


def flashes(
    *,
    rate: int = 25,
    size: str = "320:180",
    seconds: float = SECONDS,
    filters: str = "",
    audio: str = "aresample=48000",
) -> list[str]:
    """ffmpeg inputs and filters of a black picture that flashes, and a sound that beeps, at 1, 3, 5 ... seconds."""
    length_s = 0.2 if rate >= 10 else 0.4
    flash = f"drawbox=color=white:t=fill:enable='lt(mod(t+1\\,2)\\,{length_s})'"
    beep = f"volume=0:enable='gte(mod(t+1\\,2)\\,{length_s})':eval=frame"
    extra = f",{filters}" if filters else ""
    return [
        *("-f", "lavfi", "-i", f"color=black:size=64x36:rate={rate}:duration={seconds},{flash},scale={size}{extra}"),
        *("-f", "lavfi", "-i", f"sine=880:sample_rate=48000:duration={seconds}:samples_per_frame=480,{beep},{audio}"),
    ]


LOSING_FRAMES = "select='not(mod(n\\,5)*between(t\\,1.5\\,2.5))'"


@dataclass(frozen=True)
class Expected:
    """What a viewer must get, and what the organiser must be told."""

    codes: frozenset[str] = frozenset()
    size: tuple[int, int] = (320, 180)
    rate: float = 25
    flashes_s: Sequence[float] = (1, 3)
    beeps_s: Sequence[float] | None = None  # with the flashes, unless said otherwise
    seconds: float = SECONDS
    picture_s: float | None = None  # a copied picture ends with its last one


def plain(folder: Path) -> Path:
    ffmpeg(*flashes(), *X264, *AAC, folder / "plain.mp4")
    return folder / "plain.mp4"


def make(name: str, *args: str) -> Callable[[Path], Path]:
    def maker(folder: Path) -> Path:
        ffmpeg(*args, folder / name)
        return folder / name

    return maker


def from_plain(name: str, *args: str, before: Sequence[str] = ()) -> Callable[[Path], Path]:
    def maker(folder: Path) -> Path:
        ffmpeg(*before, "-i", plain(folder), *args, folder / name)
        return folder / name

    return maker


def shifted(name: str, *, video_s: float, audio_s: float) -> Callable[[Path], Path]:
    def maker(folder: Path) -> Path:
        source = plain(folder)
        ffmpeg("-itsoffset", str(video_s), "-i", source, "-itsoffset", str(audio_s), "-i", source, "-map", "0:v",
               "-map", "1:a", "-c", "copy", folder / name)  # fmt: skip
        return folder / name

    return maker


def from_a_browser(folder: Path) -> Path:
    """What MediaRecorder writes: no duration, no index."""
    command = ["ffmpeg", "-v", "error", *flashes(size="320:180"), "-c:v", "libvpx", "-b:v", "300k", "-deadline",
               "realtime", "-c:a", "libopus", "-f", "webm", "-live", "1", "-"]  # fmt: skip
    (folder / "browser.webm").write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return folder / "browser.webm"


SOURCES: dict[str, tuple[Callable[[Path], Path], Expected]] = {
    "plain": (plain, Expected()),
    "varying rate": (
        make("v.mp4", *flashes(filters=LOSING_FRAMES), "-fps_mode", "vfr", *X264, *AAC),
        Expected(frozenset({"variable_rate"}), rate=20),
    ),
    "screen share of 5 pictures a second": (make("s.mp4", *flashes(rate=5), *X264, *AAC), Expected(rate=5)),
    "120 pictures a second": (
        make("s.mp4", *flashes(rate=120), *X264, *AAC),
        Expected(frozenset({"rate_reduced"}), rate=60),
    ),
    "cut without encoding, so with an edit list": (
        from_plain("cut.mp4", "-c", "copy", before=("-ss", "0.6")),
        Expected(flashes_s=(0.4, 2.4), seconds=3.4),
    ),
    "sound late": (
        shifted("l.mkv", video_s=0, audio_s=0.5),
        Expected(frozenset({"late_audio"}), beeps_s=(1.5, 3.5), seconds=4.5, picture_s=4),
    ),
    "picture late": (
        shifted("l.mp4", video_s=0.5, audio_s=0),
        Expected(flashes_s=(1.5, 3.5), beeps_s=(1, 3), seconds=4.5),
    ),
    "one channel, in AVI": (
        make("m.avi", *flashes(audio="aresample=22050"), "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame", "-ac", "1"),
        Expected(),
    ),
    "six channels": (
        make("six.mkv", *flashes(audio="pan=5.1|FC=c0|FL=c0|FR=c0"), *X264, "-c:a", "ac3"),
        Expected(frozenset({"downmixed"})),
    ),
    "HEVC of 10 bits": (
        make("h.mp4", *flashes(), "-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le", *AAC),
        Expected(),
    ),
    "ProRes 4:2:2 with PCM": (
        make("p.mov", *flashes(), "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le"),
        Expected(),
    ),
    "H.264 4:4:4": (
        make("f.mkv", *flashes(), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", *AAC),
        Expected(),
    ),
    "AV1 with Opus": (
        make("a.mp4", *flashes(), "-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"),
        Expected(),
    ),
    "interlaced television": (
        make("i.ts", *flashes(rate=50, filters="interlace"), *MPEG2, "-c:a", "mp2"),
        Expected(frozenset({"interlaced"})),
    ),
    "odd size": (
        make("o.webm", *flashes(size="321:181"), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
        Expected(size=(320, 180)),
    ),
    "recorded by a browser": (from_a_browser, Expected()),
    "pixels that are not square": (
        make("a.mp4", *flashes(size="180:180,setsar=16/9"), *X264, *AAC),
        Expected(size=(320, 180)),
    ),
    "upright": (
        from_plain("r.mp4", "-c", "copy", "-metadata:s:v", "rotate=90"),
        Expected(frozenset({"rotated"}), size=(180, 320)),
    ),
    "Windows Media": (
        make("w.wmv", *flashes(), "-c:v", "msmpeg4", "-b:v", "500k", "-c:a", "wmav2"),
        Expected(),
    ),
    "Flash": (make("f.flv", *flashes(audio="aresample=44100"), "-c:v", "flv", "-c:a", "libmp3lame"), Expected()),
    "less than a second": (
        make("s.mp4", *flashes(seconds=0.6), *X264, *AAC),
        Expected(frozenset({"silent"}), flashes_s=(), seconds=0.6),
    ),
}  # fmt: skip


def codes_of(package: Package) -> set[str]:
    return {warning["code"] for warning in package.asset.warnings}


def pictures_of(package: Package) -> list[Path]:
    return [stored_path(row) for row in package.renditions.filter(kind=RenditionKind.VIDEO)]


@pytest.mark.parametrize("name", SOURCES)
def test_a_viewer_gets_a_plain_picture_in_step_with_its_sound(name: str, tmp_path: Path) -> None:
    maker, expected = SOURCES[name]
    package = produce(make_asset(maker(tmp_path)), tmp_path)
    assert codes_of(package) == expected.codes
    assert all(" " in describe(warning) for warning in package.asset.warnings)
    heard = beep_times(stored_path(package.renditions.get(name="audio")))
    beeps_s = expected.flashes_s if expected.beeps_s is None else expected.beeps_s
    # Containers shift both by what encoders put before their first sample or picture.
    assert heard == pytest.approx(list(beeps_s), abs=0.09)
    for row in package.renditions.filter(kind=RenditionKind.VIDEO):
        path = stored_path(row)
        video = probe(path)["video"]
        assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
        assert (video["width"], video["height"]) == pytest.approx(expected.size, abs=2)
        assert row.frame_rate == pytest.approx(expected.rate, rel=0.02)
        length_s = expected.picture_s or expected.seconds
        assert row.duration_ms == pytest.approx(1000 * length_s, abs=1000 / expected.rate + 60)
        seen = flash_times(path)
        assert seen == pytest.approx(list(expected.flashes_s), abs=max(1 / expected.rate, 0.08) + 0.01)
        if expected.beeps_s is None:
            assert heard == pytest.approx(seen, abs=max(OFFSET_S, 0.6 / expected.rate))


def beep_times(path: Path) -> list[float]:
    """Return the times at which beeps begin, by the file's own clock, which ffmpeg would move to zero."""
    starts_s = float(probe(path)["audio"]["start_time"])
    return [second + min(0.0, starts_s) for second in beginnings(loudness(path), 0.05, 1000)]


def flash_times(path: Path) -> list[float]:
    """Return the times of the pictures with which a flash begins."""
    light = brightness(path) > 120
    first = np.flatnonzero(light & ~np.concatenate([[False], light[:-1]]))
    times = frame_times(path)
    return [times[number] for number in first]


# --- Turned pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_picture_is_shown_upright(degrees: int, tmp_path: Path) -> None:
    """Top left is white, top right light grey, bottom left dark grey, bottom right black: as it was seen."""
    upright = "geq=lum='if(lt(X\\,W/2)\\,if(lt(Y\\,H/2)\\,235\\,80)\\,if(lt(Y\\,H/2)\\,160\\,16))':cb=128:cr=128"
    turns = {0: "null", 90: "transpose=cclock", 180: "hflip,vflip", 270: "transpose=clock"}
    size = "320x180" if degrees % 180 == 0 else "180x320"
    picture = f"color=black:size={size}:rate=10:duration=1,{upright},{turns[degrees]}"
    ffmpeg("-f", "lavfi", "-i", picture, *X264, tmp_path / "clip.mp4")
    turn_for_display(tmp_path / "clip.mp4", degrees)
    package = produce(make_asset(tmp_path / "clip.mp4"), tmp_path)
    assert f"{package.asset.width}x{package.asset.height}" == size
    for path in pictures_of(package):
        assert corners(path) == pytest.approx([235, 160, 80, 16], abs=8)


def turn_for_display(path: Path, degrees: int) -> None:
    """Say in the track header that the picture is to be turned clockwise (ISO/IEC 14496-12, 8.3.2), as phones do."""
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def corners(path: Path) -> list[int]:
    """Return the brightness of top left, top right, bottom left and bottom right."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-vf", "scale=2:2:flags=area,format=yuv420p"]
    out = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return list(out[:4])


# --- Colours -------------------------------------------------------------------------------------------------------

BARS = "smptebars=size=320x180:rate=5:duration=1"
POINTS = ((22, 60), (68, 60), (114, 60), (160, 60), (205, 60), (250, 60), (296, 60))  # seven bars, grey first
TAG_709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"


def colours(path: Path) -> list[tuple[int, int, int]]:
    """Return luma and both chromas of the bars, in limited range, as a player reads them."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-vf", "scale=out_range=tv,format=yuv444p"]
    out = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    planes = np.frombuffer(out, np.uint8).reshape(3, 180, 320)
    return [(int(planes[0, y, x]), int(planes[1, y, x]), int(planes[2, y, x])) for x, y in POINTS]


def bars(folder: Path, *args: str, filters: str = "null") -> Path:
    ffmpeg("-f", "lavfi", "-i", f"{BARS},format=yuv444p,{TAG_709},{filters}", *args, folder / "bars.mkv")
    return folder / "bars.mkv"


@pytest.fixture(scope="module")
def true_colours(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, int, int]]:
    return colours(bars(tmp_path_factory.mktemp("bars"), "-c:v", "ffv1"))


def assert_same_colours(path: Path, wanted: list[tuple[int, int, int]], off_by: int) -> None:
    for found, true in zip(colours(path), wanted, strict=True):
        assert found == pytest.approx(true, abs=off_by)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("says", ["everything", "the transfer alone"])
def test_high_dynamic_range_looks_as_it_did(
    transfer: str, says: str, true_colours: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    """White paper at 203 cd/m2 in PQ or HLG: neither washed out nor inverted nor tinted."""
    to_hdr = (
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,"
        f"zscale=t={transfer}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
    )
    if says != "everything":
        to_hdr += ",setparams=colorspace=unknown:color_primaries=unknown"
    tags = ["-color_trc", transfer]
    tags += ["-color_primaries", "bt2020", "-colorspace", "bt2020nc"] if says == "everything" else []
    clip = bars(tmp_path, "-c:v", "libx265", "-x265-params", "log-level=none", *tags, filters=to_hdr)
    package = produce(make_asset(clip), tmp_path)
    assert "hdr" in codes_of(package)
    for path in pictures_of(package):
        assert_same_colours(path, true_colours, 16)
        video = probe(path)["video"]
        assert (video["color_space"], video["color_transfer"], video["color_primaries"]) == ("bt709", "bt709", "bt709")


def test_rgb_keeps_its_colours(true_colours: list[tuple[int, int, int]], tmp_path: Path) -> None:
    clip = bars(tmp_path, "-c:v", "libx264rgb", "-qp", "0", filters="zscale=m=gbr:r=pc,format=gbrp")
    package = produce(make_asset(clip), tmp_path)
    for path in pictures_of(package):
        assert_same_colours(path, true_colours, 8)
        assert probe(path)["video"]["color_space"] == "bt709"


def test_full_range_keeps_its_colours(true_colours: list[tuple[int, int, int]], tmp_path: Path) -> None:
    clip = bars(tmp_path, "-c:v", "libx264", "-profile:v", "high422", "-color_range", "pc",
                filters="scale=out_range=pc,format=yuvj422p")  # fmt: skip
    package = produce(make_asset(clip), tmp_path)
    for path in pictures_of(package):
        assert_same_colours(path, true_colours, 8)
        assert probe(path)["video"].get("color_range", "tv") == "tv"


@pytest.mark.parametrize(("size", "matrix"), [("320x180", "smpte170m"), ("1280x720", "bt709")])
def test_unnamed_colours_are_named_as_players_guess_them(size: str, matrix: str, tmp_path: Path) -> None:
    """Else a 480p rung of a 720p recording would be shown in other colours than its 720p rung."""
    clip = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=5:duration=1", "-c:v", "libx264", "-preset", "ultrafast",
           "-pix_fmt", "yuv422p", clip)  # fmt: skip
    package = produce(make_asset(clip), tmp_path)
    assert {probe(path)["video"]["color_space"] for path in pictures_of(package)} == {matrix}


def test_interlaced_lines_are_not_seen(tmp_path: Path) -> None:
    """A bar that moves fast: in a picture of two fields, every other line of it is elsewhere."""
    clip = tmp_path / "clip.ts"
    moving = (
        "color=black:size=320x180:rate=50:duration=1,geq=lum='235*between(X-mod(N*8\\,280)\\,0\\,19)':cb=128:cr=128"
    )
    ffmpeg("-f", "lavfi", "-i", f"{moving},interlace=lowpass=off", "-c:v", "mpeg2video", "-q:v", "2", "-flags",
           "+ildct+ilme", clip)  # fmt: skip
    package = produce(make_asset(clip), tmp_path)
    assert "interlaced" in codes_of(package)
    assert combing(clip) > 10
    assert max(combing(path) for path in pictures_of(package)) < combing(clip) / 4


def combing(path: Path) -> float:
    """Return how much each line differs from both of its neighbours, though these agree."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", "format=gray", "-f", "rawvideo", "-"]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    lines = np.frombuffer(out, np.uint8).reshape(-1, 180, 320).astype(int)
    above, here, below = lines[:, :-2], lines[:, 1:-1], lines[:, 2:]
    return float(np.maximum(0, np.minimum(abs(here - above), abs(here - below)) - abs(above - below)).mean())


# --- Several of a kind ---------------------------------------------------------------------------------------------


def sounds(folder: Path, *extra: str, frequencies: Sequence[int] = (300, 600, 1200)) -> Path:
    """A picture and one tone per stream, told apart by their pitch."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=2"]
    for frequency in frequencies:
        inputs += ["-f", "lavfi", "-i", f"sine={frequency}:duration=2"]
    maps = [word for number in range(len(frequencies) + 1) for word in ("-map", str(number))]
    ffmpeg(*inputs, *maps, *X264, *AAC, *extra, folder / "sounds.mkv")
    return folder / "sounds.mkv"


def facts_of(path: Path, workdir: Path, language: str = "") -> tuple[SourceFacts, dict[str, dict[str, object]]]:
    asset = make_asset(path)
    services.inspect_source(asset=asset, workdir=workdir, language=language)
    return SourceFacts.from_json(asset.probe), {warning["code"]: warning for warning in asset.warnings}


LANGUAGES = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fre", "-metadata:s:a:2", "language=ara")


@pytest.mark.parametrize(
    ("spoken", "extra", "number"),
    [
        ("", (), 1),
        ("fr", LANGUAGES, 2),
        ("ar-EG", LANGUAGES, 3),
        ("uk", LANGUAGES, 1),
        ("", ("-disposition:a:0", "0", "-disposition:a:2", "default"), 3),
        ("en", ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng"), 1),
        ("", ("-disposition:a:0", "comment", "-disposition:a:1", "0"), 2),
    ],
)
def test_of_several_sounds_the_sensible_one_is_taken_and_said(
    spoken: str, extra: tuple[str, ...], number: int, tmp_path: Path
) -> None:
    facts, warnings = facts_of(sounds(tmp_path, *extra), tmp_path, spoken)
    assert facts.audio is not None
    assert facts.audio.index == number
    assert warnings["several_sounds"]["number"] == number
    assert str(number) in describe(warnings["several_sounds"])


def test_the_sound_chosen_is_the_one_heard(tmp_path: Path) -> None:
    asset = make_asset(sounds(tmp_path, *LANGUAGES))
    services.inspect_source(asset=asset, workdir=tmp_path, language="ar")
    package = services.start_package(asset=asset)
    services.make_audio(package=package, workdir=tmp_path)
    samples = services.read_speech_audio(package=package, start_ms=500, end_ms=1500)
    assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(1200, abs=2)


def test_several_sounds_are_told_with_their_languages(tmp_path: Path) -> None:
    facts, warnings = facts_of(sounds(tmp_path, *LANGUAGES), tmp_path, "fr")
    assert describe(warnings["several_sounds"]) == (
        "The file holds 3 sound tracks (English, French, Arabic); number 2, French, is used."
    )
    assert [(sound["index"], sound["language"]) for sound in facts.sounds] == [(1, "en"), (2, "fr"), (3, "ar")]


def test_a_fragment_of_sound_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=300:duration=0.3", "-f", "lavfi", "-i", "sine=600:duration=3", "-map", "0",
           "-map", "1", *AAC, tmp_path / "clip.mkv")  # fmt: skip
    facts, _warnings = facts_of(tmp_path / "clip.mkv", tmp_path)
    assert facts.audio is not None
    assert facts.audio.index == 1


def test_sounds_of_a_transport_stream_keep_their_languages(tmp_path: Path) -> None:
    ffmpeg("-i", sounds(tmp_path), "-map", "0", "-c:v", "mpeg2video", "-c:a", "mp2", *LANGUAGES, tmp_path / "clip.ts")
    facts, warnings = facts_of(tmp_path / "clip.ts", tmp_path, "fr")
    assert facts.audio is not None
    assert (facts.audio.language, warnings["several_sounds"]["number"]) == ("fr", 2)


@pytest.mark.parametrize(
    ("dispositions", "size"),
    [
        (("-disposition:v:0", "0", "-disposition:v:1", "0"), (640, 360)),
        (("-disposition:v:0", "default", "-disposition:v:1", "0"), (320, 180)),
    ],
)
def test_of_several_pictures_the_files_own_choice_or_the_largest_is_taken(
    dispositions: tuple[str, ...], size: tuple[int, int], tmp_path: Path
) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=1", "-f", "lavfi", "-i",
           "testsrc2=size=640x360:rate=10:duration=1", "-map", "0", "-map", "1", *X264, *dispositions, "-default_mode",
           "passthrough", tmp_path / "clip.mkv")  # fmt: skip
    facts, warnings = facts_of(tmp_path / "clip.mkv", tmp_path)
    assert facts.video is not None
    assert (facts.video.width, facts.video.height) == size
    assert f"{size[0]} x {size[1]}" in describe(warnings["several_pictures"])


def test_subtitles_inside_are_told(tmp_path: Path) -> None:
    (tmp_path / "cues.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    ffmpeg("-i", make_clip(tmp_path / "clip.mp4"), "-i", tmp_path / "cues.srt", "-map", "0", "-map", "1", "-c", "copy",
           "-c:s", "srt", "-metadata:s:s", "language=ger", tmp_path / "clip.mkv")  # fmt: skip
    package = produce(make_asset(tmp_path / "clip.mkv"), tmp_path)
    (warning,) = package.asset.warnings
    assert describe(warning).startswith("The file carries subtitles (German), which are not used.")
    assert all(len(probe(path)["streams"]) == 1 for path in pictures_of(package))


@pytest.mark.parametrize(
    ("name", "codec"),
    [("talk.mp3", "libmp3lame"), ("talk.wav", "pcm_s24le"), ("talk.ogg", "libopus"), ("talk.flac", "flac")],
)
def test_sound_alone_is_a_recording(name: str, codec: str, tmp_path: Path) -> None:
    cover = tmp_path / "cover.jpg"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=300x300:rate=1:duration=1", "-frames:v", "1", cover)
    inputs = ["-f", "lavfi", "-i", "sine=440:duration=2"]
    if name.endswith((".mp3", ".flac")):  # these carry a cover, which is no picture
        inputs += ["-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"]
    ffmpeg(*inputs, "-c:a", codec, tmp_path / name)
    package = produce(make_asset(tmp_path / name), tmp_path)
    assert codes_of(package) == {"audio_only"}
    assert [row.name for row in package.renditions.all()] == ["audio"]
    assert package.renditions.get().duration_ms == pytest.approx(2000, abs=60)


# --- What may be copied --------------------------------------------------------------------------------------------


def copied(package: Package) -> bool:
    facts = SourceFacts.from_json(package.asset.probe)
    return facts.can_copy_video


def test_a_picture_that_changes_in_the_middle_is_not_copied(tmp_path: Path) -> None:
    """Two recordings of one size, joined without encoding: the second one's description is inside its key frames."""
    for name, options in (("a", "ref=1:bframes=0"), ("b", "ref=4:bframes=0:cabac=0")):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=2", "-c:v", "libx264", "-pix_fmt",
               "yuv420p", "-x264-params", options, tmp_path / f"{name}.h264")  # fmt: skip
    both = (tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes()
    (tmp_path / "both.h264").write_bytes(both)
    ffmpeg("-r", "10", "-i", tmp_path / "both.h264", "-c", "copy", tmp_path / "clip.mp4")
    package = produce(make_asset(tmp_path / "clip.mp4"), tmp_path)
    assert not copied(package)
    assert "changing_picture" in codes_of(package)
    assert package.renditions.get(kind=RenditionKind.VIDEO).duration_ms == pytest.approx(4000, abs=250)


def test_several_picture_sets_from_the_beginning_may_be_copied(tmp_path: Path) -> None:
    package = produce(make_asset(plain(tmp_path)), tmp_path)
    assert copied(package)


def test_messages_beside_the_picture_are_not_copied(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    secret = "086f3693-b7b3-4f2c-9653-21492feee5b8+SECRET-PLACE-AND-TIME"
    ffmpeg("-i", plain(tmp_path), "-c", "copy", "-bsf:v", f"h264_metadata=sei_user_data={secret}", clip)
    assert b"SECRET-PLACE" in clip.read_bytes()
    package = produce(make_asset(clip), tmp_path)
    assert copied(package)
    for path in [*pictures_of(package), *(stored_path(row) for row in package.derivatives.all())]:
        assert b"SECRET-PLACE" not in path.read_bytes()
    assert flash_times(pictures_of(package)[0]) == [1, 3]


def test_an_index_less_recording_is_cut_into_parts_exactly(tmp_path: Path, settings: Settings) -> None:
    """A browser's recording has no index to seek by, and parts begin in its middle."""
    use_recipe(settings, tmp_path, "part_s = 6")
    command = ["ffmpeg", "-v", "error", *flashes(size="1008:568", seconds=14), "-c:v", "libvpx", "-deadline",
               "realtime", "-cpu-used", "8", "-c:a", "libopus", "-f", "webm", "-live", "1", "-"]  # fmt: skip
    clip = tmp_path / "browser.webm"
    clip.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    package = produce(make_asset(clip), tmp_path)
    assert len(services.plan_encode_parts(package=package)) == 2
    heard = beep_times(stored_path(package.renditions.get(name="audio")))
    for row in package.renditions.filter(kind=RenditionKind.VIDEO):
        assert flash_times(stored_path(row)) == pytest.approx(heard, abs=OFFSET_S)
        assert row.duration_ms == pytest.approx(14_000, abs=80)  # the sound may last a packet longer


# --- Limits before any decode --------------------------------------------------------------------------------------


def test_pictures_faster_than_any_camera_are_refused(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=black:size=64x64:rate=2000:duration=1", *X264, tmp_path / "clip.mp4")
    with pytest.raises(MediaRejected) as caught:
        facts_of(tmp_path / "clip.mp4", tmp_path)
    assert caught.value.code == "too_dense"


def test_packets_without_number_are_refused_early(tmp_path: Path) -> None:
    """100 000 pieces of sound in a second."""
    ffmpeg("-f", "lavfi", "-i", "sine=440:sample_rate=48000:duration=30:samples_per_frame=16", "-c:a", "pcm_s16le",
           "-af", "asetpts=N/SR/TB/100", "-f", "matroska", tmp_path / "clip.mkv")  # fmt: skip
    with pytest.raises(MediaRejected) as caught:
        facts_of(tmp_path / "clip.mkv", tmp_path)
    assert caught.value.code == "too_dense"


def test_too_many_streams_are_refused(tmp_path: Path) -> None:
    one = tmp_path / "one.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=440:duration=0.2", "-c:a", "libopus", one)
    ffmpeg("-i", one, *(["-map", "0"] * 130), "-c", "copy", tmp_path / "clip.mkv")
    with pytest.raises(MediaRejected) as caught:
        facts_of(tmp_path / "clip.mkv", tmp_path)
    assert caught.value.code == "too_many_streams"


def test_sound_beyond_any_microphone_is_refused(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=channel_layout=mono:sample_rate=705600:duration=0.2", "-c:a", "pcm_s16le",
           tmp_path / "clip.wav")  # fmt: skip
    with pytest.raises(MediaRejected) as caught:
        facts_of(tmp_path / "clip.wav", tmp_path)
    assert caught.value.code == "sound_too_large"


def test_a_long_thin_picture_is_refused(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=black:size=1600x64:rate=5:duration=1", *X264, tmp_path / "clip.mp4")
    with pytest.raises(MediaRejected) as caught:
        facts_of(tmp_path / "clip.mp4", tmp_path)
    assert caught.value.code == "picture_shape"
