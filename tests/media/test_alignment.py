"""Finding an interpreter's channel in the main recording, with real speech in two languages."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media.alignment import RATE, SURE, align

SPEECH = Path(__file__).parents[1] / "data" / "speech"
Sound = Any


@cache
def speech(name: str) -> Sound:
    command = ["ffmpeg", "-v", "error", "-i", str(SPEECH / f"{name}_75s.flac"), "-ac", "1", "-ar", str(RATE)]
    data = subprocess.run([*command, "-f", "s16le", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(data, np.int16).astype(np.float32) / 32768


def heard_from(sound: Sound, start_s: float, seconds: float, *, ppm: float = 0) -> Sound:
    """What a recorder hears that is switched on `start_s` after the sound began and whose clock is fast by `ppm`."""
    at = (start_s + np.arange(round(seconds * RATE)) / RATE * (1 + ppm / 1e6)) * RATE
    return np.interp(at, np.arange(len(sound)), sound, left=0, right=0).astype(np.float32)


def interpreted(start_s: float, *, floor_db: float, ppm: float = 0, seconds: float = 55) -> Sound:
    """An interpreter's French over the floor's Arabic, which is quieter by so much, and a little noise."""
    noise = np.random.default_rng(7).normal(0, 1e-4, round(seconds * RATE)).astype(np.float32)
    floor = heard_from(speech("ar"), start_s, seconds, ppm=ppm) * 10 ** (floor_db / 20)
    return floor + 0.8 * speech("fr")[: round(seconds * RATE)] + noise


@pytest.mark.parametrize("start_s", [0.0, 7.25, 22.001, -9.5])
@pytest.mark.parametrize("floor_db", [-10, -25])
def test_floor_beneath_the_interpreter_gives_the_offset(start_s: float, floor_db: float) -> None:
    found = align(speech("ar"), interpreted(start_s, floor_db=floor_db))
    assert found.offset_ms == pytest.approx(1000 * start_s, abs=2)
    assert found.is_sure


def test_sixteen_bit_samples_from_a_file_are_read_piece_by_piece(tmp_path: Path) -> None:
    for name, sound in (("main", speech("ar")), ("channel", interpreted(4, floor_db=-20))):
        (np.clip(sound, -1, 1) * 32767).astype(np.int16).tofile(tmp_path / name)
    main, channel = (np.memmap(tmp_path / name, np.int16, "r") for name in ("main", "channel"))
    assert align(main, channel).offset_ms == pytest.approx(4000, abs=2)


def test_silence_at_the_ends_of_a_short_channel_does_not_matter() -> None:
    channel = np.concatenate([np.zeros(5 * RATE, np.float32), interpreted(10, floor_db=-15, seconds=20)])
    found = align(speech("ar"), channel)
    assert found.offset_ms == pytest.approx(5000, abs=2)
    assert found.is_sure


def test_channel_that_was_recorded_far_from_its_own_time_is_found_everywhere() -> None:
    before = np.random.default_rng(3).normal(0, 0.02, 60 * RATE).astype(np.float32)
    found = align(np.concatenate([before, speech("ar")]), interpreted(3, floor_db=-15))
    assert found.offset_ms == pytest.approx(63_000, abs=2)
    assert found.is_sure


def test_clock_that_runs_differently_is_noticed() -> None:
    # Minutes are needed to tell 100 millionths: other pieces of the speech, each at another place.
    order = np.random.default_rng(5).permutation(24)
    floor = np.concatenate([speech("ar" if n % 2 else "fr")[n * 2 * RATE :][: 9 * RATE] for n in order])
    voice = np.concatenate([speech("fr")[n * 2 * RATE :][: 9 * RATE] for n in reversed(order)])
    channel = 0.3 * heard_from(floor, 2.5, 200, ppm=120) + 0.5 * voice[: 200 * RATE]
    found = align(floor, channel)
    assert found.drift_ppm == pytest.approx(120, abs=6)
    assert found.offset_ms == pytest.approx(2500, abs=3)
    assert found.is_sure


@pytest.mark.parametrize("kind", ["other speech", "noise", "silence", "hum", "almost nothing"])
def test_nothing_in_common_is_said_to_be_unsure(kind: str) -> None:
    main = speech("ar")
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(60 * RATE) / RATE).astype(np.float32)
    channel = {
        "other speech": speech("fr")[: 60 * RATE],
        "noise": np.random.default_rng(1).normal(0, 0.1, 60 * RATE).astype(np.float32),
        "silence": np.zeros(60 * RATE, np.float32),
        "hum": hum + speech("fr")[: 60 * RATE],
        "almost nothing": np.ones(100, np.float32),
    }[kind]
    if kind == "hum":
        main = main[: 60 * RATE] + hum
    assert align(main, channel).match < 0.35 < SURE


def test_tone_that_fits_everywhere_is_unsure() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(40 * RATE) / RATE).astype(np.float32)
    assert not align(tone, tone[: 30 * RATE]).is_sure


def test_recorder_that_was_paused_is_not_trusted_though_its_beginning_fits() -> None:
    whole = interpreted(3, floor_db=-12, seconds=70)
    paused = np.concatenate([whole[: 30 * RATE], whole[36 * RATE :]])
    found = align(speech("ar"), paused)
    assert not found.is_sure


def test_progress_never_falls_and_can_end_the_search() -> None:
    seen: list[float] = []

    def report(share: float) -> None:
        seen.append(share)
        if len(seen) > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align(speech("ar"), speech("fr"), report=report)
    assert seen == sorted(seen)
