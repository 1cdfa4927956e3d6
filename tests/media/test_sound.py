"""Loudness, peaks, channels and time of the sound that viewers hear, measured in the finished file."""

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media import services
from media.findings import describe
from media.models import Package
from media.sound import Level, first_level, next_level
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg
from tests.media.measure import beginnings, integrated_loudness, loudness, probe, stored_path

SPEECH = Path(__file__).parents[1] / "data" / "speech" / "fr_75s.flac"
SPOKEN = ("-ss", "3", "-t", "12", "-i", SPEECH)


def sounding(path: Path, workdir: Path) -> Package:
    """A package with the sound of a file."""
    asset = make_asset(path)
    services.inspect_source(asset=asset, workdir=workdir)
    package = services.start_package(asset=asset)
    services.make_audio(package=package, workdir=workdir, language="fr")
    return package


def heard(package: Package) -> Path:
    return stored_path(package.renditions.get(name="audio"))


def true_peak(path: Path) -> float:
    """Return dBTP as ffmpeg's own meter says (ITU-R BS.1770)."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = re.search(r"\bPeak:\s+(\S+) dBFS", said[said.rfind("Summary:") :])
    assert found
    return float(found[1])


def samples(path: Path, rate: int = 48000) -> "np.ndarray[Any, Any]":
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "a:0", "-ar", str(rate), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32).reshape(-1, 2)


def strength(path: Path, frequency: int) -> float:
    """Amplitude of a tone on the left."""
    left = samples(path)[48000:96000, 0]
    return float(np.abs(np.fft.rfft(left))[frequency] / 24000)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "codec"),
    [
        ("volume=-24dB", "flac"),
        ("volume=12dB", "pcm_f32le"),
        ("volume=-20dB,volume=12:enable='lt(mod(t,3),0.004)'", "pcm_s16le"),
        ("volume=-3dB,acrusher=bits=6:mode=log,volume=8dB,alimiter=limit=0.99:level=disabled", "pcm_s16le"),
        ("aformat=channel_layouts=stereo,volume=-10dB", "aac"),
    ],
    ids=["quiet", "loud", "single peaks", "dense", "stereo"],
)
def test_result_has_the_loudness_and_keeps_below_the_peak(change: str, codec: str, tmp_path: Path) -> None:
    ffmpeg(*SPOKEN, "-af", f"aresample=44100,{change}", "-c:a", codec, tmp_path / "clip.mkv")
    path = heard(sounding(tmp_path / "clip.mkv", tmp_path))
    assert integrated_loudness(path) == pytest.approx(-16, abs=0.6)
    assert true_peak(path) <= -1.5


@pytest.mark.django_db
def test_gain_is_constant_though_single_peaks_are_held(tmp_path: Path) -> None:
    """What a following of the loudness ("pumping") would even out stays as different as it was."""
    steps = "volume='if(lt(mod(t,6),3),0.1,0.02)':eval=frame,volume=8:enable='lt(mod(t+1,3),0.004)'"
    ffmpeg(*SPOKEN, "-af", steps, "-c:a", "pcm_s16le", tmp_path / "clip.wav")
    package = sounding(tmp_path / "clip.wav", tmp_path)
    before, after = samples_mono(tmp_path / "clip.wav"), samples_mono(heard(package))
    gains = []
    for second in range(12):
        piece = slice(second * 48000, second * 48000 + 24000)
        power = float(np.mean(before[piece] ** 2))
        if power > 1e-7:
            gains.append(10 * np.log10(float(np.mean(after[piece] ** 2)) / power))
    assert len(gains) >= 6
    assert max(gains) - min(gains) < 1.5


def samples_mono(path: Path) -> "np.ndarray[Any, Any]":
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


@pytest.mark.django_db
def test_silence_stays_silence_and_is_told(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "2", tmp_path / "clip.wav")
    package = sounding(tmp_path / "clip.wav", tmp_path)
    assert float(np.abs(samples(heard(package))).max()) == 0
    assert package.loudness == {"integrated": None}
    assert "silent" in [warning["code"] for warning in package.asset.warnings]


@pytest.mark.django_db
def test_noise_of_an_empty_room_is_not_made_as_loud_as_speech(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.003:d=3:color=pink", "-c:a", "pcm_s24le", tmp_path / "clip.wav")
    package = sounding(tmp_path / "clip.wav", tmp_path)
    assert integrated_loudness(heard(package)) < -25
    warning = next(warning for warning in package.asset.warnings if warning["code"] == "very_quiet")
    assert f"({warning['lufs']} LUFS)" in describe(warning)


@pytest.mark.django_db
def test_down_mix_of_six_channels_keeps_what_is_said_in_the_centre(tmp_path: Path) -> None:
    """Dialogue at 1 kHz in the centre, music at 3 kHz all around, the same level each."""
    graph = (
        "sine=1000:d=4:r=48000[c];sine=3000:d=4:r=48000,asplit=5[a][b][d][e][f];"
        "[a][b][c][d][e][f]join=inputs=6:channel_layout=5.1:map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR"
    )
    ffmpeg("-f", "lavfi", "-i", graph, "-c:a", "ac3", "-b:a", "448k", tmp_path / "clip.mkv")
    package = sounding(tmp_path / "clip.mkv", tmp_path)
    path = heard(package)
    assert probe(path)["audio"]["channels"] == 2
    # 1 : 0.707 + 0.5, as the surround is in phase with the front here.
    assert strength(path, 1000) / strength(path, 3000) == pytest.approx(1 / 1.207, rel=0.1)
    assert "downmixed" in [warning["code"] for warning in package.asset.warnings]


@pytest.mark.django_db
@pytest.mark.parametrize("channels", [1, 3, 8, 12])
def test_any_number_of_channels_is_heard(channels: int, tmp_path: Path) -> None:
    sounds = "".join(f"sine={300 + 100 * number}:d=3:r=48000[s{number}];" for number in range(channels))
    joined = "".join(f"[s{number}]" for number in range(channels)) + f"amerge=inputs={channels}"
    graph = sounds + joined if channels > 1 else "sine=300:d=3:r=48000"
    ffmpeg("-f", "lavfi", "-i", graph, "-c:a", "pcm_s16le", tmp_path / "clip.wav")
    path = heard(sounding(tmp_path / "clip.wav", tmp_path))
    assert integrated_loudness(path) == pytest.approx(-16, abs=0.6)


# --- Time ----------------------------------------------------------------------------------------------------------


def beeps(*extra: str, rate: int = 48000, seconds: int = 12) -> tuple[str, ...]:
    """A beep at every odd second."""
    beep = "volume=0:enable='gte(mod(t+1\\,2)\\,0.2)':eval=frame"
    source = f"sine=frequency=880:sample_rate={rate}:duration={seconds}:samples_per_frame={rate // 100},{beep}"
    return ("-f", "lavfi", "-i", ",".join([source, *extra]))


def beep_times(package: Package) -> list[float]:
    return beginnings(loudness(heard(package)), 0.05, 1000)


@pytest.mark.django_db
@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000])
def test_odd_sample_rates_keep_time(rate: int, tmp_path: Path) -> None:
    ffmpeg(*beeps(rate=rate), "-c:a", "pcm_s16le", tmp_path / "clip.wav")
    assert beep_times(sounding(tmp_path / "clip.wav", tmp_path)) == pytest.approx([1, 3, 5, 7, 9, 11], abs=0.01)


@pytest.mark.django_db
def test_many_small_gaps_do_not_add_up(tmp_path: Path) -> None:
    """A conference system loses 60 ms in every second; its clock says so."""
    ffmpeg(*beeps("aselect='gte(mod(t\\,1)\\,0.06)'", "asetpts=PTS"), "-c:a", "pcm_s16le", tmp_path / "clip.mkv")
    # The first 60 ms of every beep are lost, and so are those of the file, which begins there.
    found = beep_times(sounding(tmp_path / "clip.mkv", tmp_path))
    assert found == pytest.approx([1, 3, 5, 7, 9, 11], abs=0.04)


@pytest.mark.django_db
def test_sound_whose_clock_runs_slow_follows_the_files_clock(tmp_path: Path) -> None:
    ffmpeg(*beeps("asetpts=PTS*1.0015", seconds=40), "-c:a", "pcm_s16le", tmp_path / "clip.mkv")
    found = beep_times(sounding(tmp_path / "clip.mkv", tmp_path))
    assert found == pytest.approx([1.0015 * second for second in range(1, 40, 2)], abs=0.04)


@pytest.mark.django_db
def test_late_and_short_sound_lasts_as_long_as_the_picture(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=12", "-itsoffset", "2.3", *beeps(seconds=6),
           "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", tmp_path / "clip.mp4")  # fmt: skip
    package = sounding(tmp_path / "clip.mp4", tmp_path)
    assert beep_times(package) == pytest.approx([3.3, 5.3, 7.3], abs=0.04)
    assert package.renditions.get(name="audio").duration_ms == 12_000
    assert integrated_loudness(heard(package)) == pytest.approx(-16, abs=0.6)


@pytest.mark.django_db
def test_change_from_mono_to_stereo_keeps_time(tmp_path: Path) -> None:
    """The filters begin anew where the number of channels changes, and must not begin the silence before it anew."""
    for name, channels in (("one", "1"), ("two", "2")):
        ffmpeg(*beeps(seconds=4), "-ac", channels, "-c:a", "aac", "-f", "adts", tmp_path / name)
    (tmp_path / "both.aac").write_bytes((tmp_path / "one").read_bytes() + (tmp_path / "two").read_bytes())
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=8", "-i", tmp_path / "both.aac",
           "-map", "0:v", "-map", "1:a", "-c:v", "mpeg2video", "-c:a", "copy", tmp_path / "clip.ts")  # fmt: skip
    package = sounding(tmp_path / "clip.ts", tmp_path)
    assert beep_times(package) == pytest.approx([1, 3, 5.02, 7.02], abs=0.1)
    speech = package.derivatives.get(kind="speech_audio")
    assert float(probe(stored_path(speech))["format"]["duration"]) == pytest.approx(8, abs=0.2)


# --- What is in the file -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sound_says_its_language(tmp_path: Path) -> None:
    ffmpeg(*SPOKEN, tmp_path / "clip.wav")
    package = sounding(tmp_path / "clip.wav", tmp_path)
    row = package.renditions.get(name="audio")
    assert row.language == "fr"
    assert probe(stored_path(row))["audio"]["tags"]["language"] == "fra"
    assert row.facts["loudness"]["integrated"] == pytest.approx(-16, abs=0.6)


def test_a_result_that_is_right_is_left_alone() -> None:
    assert next_level(Level(5.0), {"integrated": -16.2, "peak": -3.0}) is None


def test_a_peak_that_the_codec_raised_is_held_lower() -> None:
    assert next_level(Level(5.0, -2.3), {"integrated": -16.0, "peak": -1.1}) == Level(5.0, -2.8)


def test_loudness_that_the_limiter_took_away_is_given_back() -> None:
    assert next_level(Level(20.0, -2.3), {"integrated": -17.0, "peak": -1.6}) == Level(21.0, -2.3)


def test_gain_for_hardly_anything_is_limited() -> None:
    assert first_level({"integrated": -62.0, "peak": -50.0}) == Level(36.0)
