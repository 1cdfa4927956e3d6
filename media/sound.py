"""What is done to sound, as pieces of ffmpeg graphs and as figures. Knows neither files nor rows."""

import math
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from media.errors import MediaError
from media.source import AudioFacts

# EBU R128 with the loudness that players of speech expect. The peak is BS.1770's true peak, in the finished file.
TARGET_LUFS = -16.0
TARGET_PEAK_DB = -1.5
# What AAC may add to a peak. Where it adds more, that is measured and corrected.
CODEC_HEADROOM_DB = 0.8
MOST_GAIN_DB = 36.0  # more would only make a room's noise heard
LOUDNESS_TOLERANCE_LU = 0.5
SILENCE_LUFS = -69.0  # what the meter says when nothing passed its gate
RATE = 48_000  # Hz
SPEECH_RATE = 16_000  # Hz
PRIMING = 1024  # samples of ffmpeg's AAC encoder

# Small differences between the count of samples and the file's clock are stretched away (at most 2 ms per second, which
# nobody hears), larger ones filled with silence or cut: sound is never more than 30 ms from its place.
# The resampler runs from the start ("res"): one that begins when it is first needed would begin the clock anew.
_CLOCK = {"async": 96, "min_comp": 0.005, "min_hard_comp": 0.03, "flags": "res"}
# ITU-R BS.775 with the centre, where dialogue is, raised by 3 dB and the surround lowered by as much. Channels that a
# layout lacks count as silent. "<" keeps the sum below full scale; the loudness is set afterwards.
_DOWNMIX = "stereo|" + "|".join(
    f"F{side}<FC+0.707*F{side}+0.707*F{side}C+0.5*B{side}+0.5*S{side}+0.35*BC" for side in "LR"
)
_METER = {
    "integrated": re.compile(r"\bI:\s+(\S+) LUFS"),
    "range": re.compile(r"\bLRA:\s+(\S+) LU\b"),
    "peak": re.compile(r"\bPeak:\s+(\S+) dBFS"),
}


@dataclass(frozen=True)
class Level:
    """One constant gain, and the ceiling above which a limiter holds single peaks (none if no peak gets there)."""

    gain_db: float = 0.0
    ceiling_db: float | None = None


def stereo(sound: Any, audio: AudioFacts) -> Any:
    """Bring a source's sound to two channels of 48 kHz on the file's clock: late starts and gaps are silent."""
    # Floating point, so that nothing is cut off before the loudness is set.
    sound = sound.filter("aformat", sample_fmts="fltp")
    if audio.channels > 8:  # no layout of ours has names for them
        halves = ["+".join(f"c{number}" for number in range(side, audio.channels, 2)) for side in (0, 1)]
        sound = sound.filter("pan", f"stereo|c0<{halves[0]}|c1<{halves[1]}")
    elif audio.channels > 2:
        sound = sound.filter("pan", _DOWNMIX)
    return sound.filter("aresample", str(RATE), **_CLOCK, first_pts=0).filter("aformat", channel_layouts="stereo")


def fitted(sound: Any, *, start_ms: int = 0, duration_ms: int) -> Any:
    """Take the stretch from `start_ms` (negative: begin with silence), filled up with silence to exactly that long."""
    if start_ms > 0:
        sound = sound.filter("atrim", start=start_ms / 1000).filter("asetpts", "PTS-STARTPTS")
    elif start_ms < 0:
        sound = sound.filter("adelay", delays=-start_ms, all=1)
    return sound.filter("apad").filter("atrim", end=duration_ms / 1000)


def stretched(sound: Any, drift_ppm: float) -> Any:
    """Let sound last longer by so many millionths: its clock is corrected, and the sound follows the clock."""
    if not drift_ppm:
        return sound
    sound = sound.filter("asetpts", f"PTS*{1 + drift_ppm / 1e6:.9f}")
    return sound.filter("aresample", str(RATE), **{**_CLOCK, "min_comp": 0.0005})


def primed(sound: Any) -> Any:
    """Leave out what the AAC encoder puts before the sound, so that file and sound begin together.

    The usual way, an edit list that hides the first frame, is not heeded by every player: they would be late.
    """
    return sound.filter("atrim", start_sample=PRIMING).filter("asetpts", "PTS-STARTPTS")


def metered(sound: Any) -> Any:
    """Measure loudness and true peak on the way; `parse_loudness` reads what is said at the end."""
    return sound.filter("ebur128", peak="true", framelog="verbose")


def parse_loudness(messages: str) -> dict[str, float]:
    """Return the figures of the EBU R128 meter's summary, in LUFS, LU and dB; empty for silence.

    Raises:
        MediaError: there is no summary.
    """
    summary = messages[messages.rfind("Summary:") :]
    found = {name: pattern.search(summary) for name, pattern in _METER.items()}
    if not all(found.values()):
        raise MediaError(_("The loudness of this recording could not be measured."), code="no_loudness")
    figures = {name: float(match[1]) for name, match in found.items() if match}
    if not math.isfinite(figures["peak"]) or figures["integrated"] < SILENCE_LUFS:
        return {}
    return figures


def first_level(loudness: dict[str, Any]) -> Level:
    """Choose the gain from what was measured of a source; silence stays as it is.

    >>> first_level({"integrated": -26.0, "peak": -14.0})
    Level(gain_db=10.0, ceiling_db=None)
    >>> first_level({"integrated": -26.0, "peak": -5.0})
    Level(gain_db=10.0, ceiling_db=-2.3)
    """
    if loudness.get("integrated") is None:
        return Level()
    gain_db = min(TARGET_LUFS - loudness["integrated"], MOST_GAIN_DB)
    ceiling_db = TARGET_PEAK_DB - CODEC_HEADROOM_DB
    return Level(round(gain_db, 2), ceiling_db if loudness["peak"] + gain_db > ceiling_db else None)


def next_level(level: Level, result: dict[str, Any]) -> Level | None:
    """Return a better level after a result was measured, or None where it is right.

    The codec may have raised a peak too far, or the limiter have taken away so much that loudness is missing.
    """
    if result.get("integrated") is None:
        return None
    missing = TARGET_LUFS - result["integrated"]
    excess = result["peak"] - TARGET_PEAK_DB
    gain_db, ceiling_db = level.gain_db, level.ceiling_db
    if abs(missing) > LOUDNESS_TOLERANCE_LU and gain_db < MOST_GAIN_DB:
        gain_db = min(gain_db + missing, MOST_GAIN_DB)
        ceiling_db = TARGET_PEAK_DB - CODEC_HEADROOM_DB if ceiling_db is None else ceiling_db
    if excess > 0:
        ceiling_db = (TARGET_PEAK_DB - CODEC_HEADROOM_DB if ceiling_db is None else ceiling_db) - excess - 0.1
    better = Level(round(gain_db, 2), ceiling_db if ceiling_db is None else round(ceiling_db, 2))
    return better if better != level else None


def levelled(sound: Any, level: Level) -> Any:
    """Apply a gain; and hold what goes above the ceiling for some milliseconds, without touching anything else."""
    if level.gain_db:
        sound = sound.filter("volume", f"{level.gain_db:.2f}dB", precision="float")
    if level.ceiling_db is None:
        return sound
    # Between two samples of 48 kHz the wave may be higher than both: four times as many show it.
    sound = sound.filter("aresample", str(4 * RATE))
    limit = 10 ** (level.ceiling_db / 20)
    sound = sound.filter("alimiter", limit=f"{limit:.5f}", attack=5, release=50, level="disabled", latency=1)
    return sound.filter("aresample", str(RATE))
