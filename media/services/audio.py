"""Sound: one normalised rendition shared by all rungs, and the file that speech recognition reads."""

import math
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
from django.db import transaction
from django.utils.translation import gettext as _

from media.errors import MediaError
from media.ffmpeg.runner import SOURCE, Progress, ShouldStop, never, own_input, run_ffmpeg, silent, source_input
from media.models import Derivative, DerivativeKind, Package, Rendition
from media.services import stored
from media.services.inspection import workable_source
from media.services.packages import show_first
from media.services.stored import Fenced
from media.services.video import AUDIO_FRAGMENT_US, FRAGMENTS, NO_METADATA, on_timeline, read_track, save_rendition
from media.source import AudioFacts
from work.errors import Skip

if TYPE_CHECKING:
    import numpy as np

# EBU R128 with the target that players of speech expect, and room for the AAC encoder's overshoot.
TARGET = {"I": -16, "TP": -1.5, "LRA": 11}
BITRATE = "96k"
SPEECH_RATE = 16_000  # Hz
SPEECH_NAME = "speech"
FLOAT_BYTES = 4
SILENCE_LUFS = -69.0  # what the meter says when nothing passed its gate
METER = {
    "integrated": re.compile(r"\bI:\s+(\S+) LUFS"),
    "range": re.compile(r"\bLRA:\s+(\S+) LU\b"),
    "peak": re.compile(r"\bPeak:\s+(\S+) dBFS"),
}


def make_audio(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Rendition:
    """Encode the sound once at one loudness, and once as 16 kHz mono FLAC for speech recognition.

    Two passes: the first measures (EBU R128) and makes the FLAC, the second applies one constant gain where the peaks
    allow it. Silence stays silence. Replaces the first look's sound.

    Raises:
        Skip: the recording has no sound.
    """
    with (
        workable_source(package.asset, workdir, progress=progress, should_stop=should_stop) as (path, facts),
        tempfile.TemporaryDirectory(dir=workdir) as name,
    ):
        if facts.audio is None:
            raise Skip(_("The recording has no sound."))
        folder = Path(name)
        existing = package.renditions.filter(name="audio").first()
        if existing is not None and package.loudness and _speech(package) is not None:
            return existing
        common: dict[str, Any] = {
            "inputs": {SOURCE: path},
            "output_dir": folder,
            "duration_ms": facts.duration_ms,
            "should_stop": should_stop,
        }
        first = run_ffmpeg(
            ffmpeg.merge_outputs(*_first_pass(facts.audio)),
            progress=lambda percent, activity: progress(percent * 0.4, activity),
            activity=_("Measuring loudness"),
            log_level="info",
            **common,
        )
        loudness = parse_loudness(first.stderr_tail)
        run_ffmpeg(
            on_timeline(normalised(source_input()[str(facts.audio.index)], loudness), facts).output(
                "file:out/audio.mp4", **_aac()
            ),
            progress=lambda percent, activity: progress(40 + percent * 0.55, activity),
            activity=_("Encoding sound"),
            **common,
        )
        progress(96, _("Storing sound"))
        track = read_track(folder / "audio.mp4")
        audio_key = stored.new_key(package, "audio", ".mp4")
        speech_key = stored.new_key(package, SPEECH_NAME, ".flac")
        audio_size = stored.put(folder / "audio.mp4", audio_key)
        speech_size = stored.put(folder / "speech.flac", speech_key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [audio_key, speech_key]
        row = save_rendition(package, name="audio", key=audio_key, size=audio_size, track=track, rung=None, rate=None)
        save_derivative(
            package,
            DerivativeKind.SPEECH_AUDIO,
            key=speech_key,
            size=speech_size,
            content_type="audio/flac",
            facts={"sample_rate": SPEECH_RATE, "duration_ms": facts.duration_ms},
        )
        package.loudness = loudness or {"integrated": None}
        package.save(update_fields=["loudness", "updated_at"])
        show_first(package)
    return row


def read_speech_audio(
    *, package: Package, start_ms: int, end_ms: int, workdir: Path | None = None
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return sound from `start_ms` to `end_ms` as mono samples of 16 kHz between -1 and 1.

    Memory is bounded by the range: four bytes per sample. Past the end there is nothing, so the answer may be shorter.

    Raises:
        MediaError: `make_audio` was not done for this package.
    """
    import numpy as np  # slow to import, and the web processes never need it

    derivative = _speech(package)
    if derivative is None:
        raise MediaError(_("The sound for speech recognition is not ready yet."), code="no_speech_audio")
    samples = max(0, end_ms - start_ms) * SPEECH_RATE // 1000
    if not samples:
        return np.zeros(0, dtype=np.float32)
    with tempfile.TemporaryDirectory(dir=workdir) as name, stored.on_disk(derivative.key, Path(name)) as path:
        graph = own_input("speech", ss=f"{start_ms / 1000:.3f}").output(
            "pipe:1",
            **{"f": "f32le", "c:a": "pcm_f32le", "frames:a": "1000000000", "t": f"{samples / SPEECH_RATE:.6f}"},
        )
        result = run_ffmpeg(
            graph,
            inputs={"speech": path},
            output_dir=Path(name),
            duration_ms=end_ms - start_ms,
            stdout_bytes=samples * FLOAT_BYTES + 4096,
        )
    return np.frombuffer(result.stdout, dtype=np.float32)[:samples]


def parse_loudness(messages: str) -> dict[str, float]:
    """Return the figures of the EBU R128 meter's summary, in LUFS, LU and dB; empty for silence.

    Raises:
        MediaError: there is no summary.
    """
    summary = messages[messages.rfind("Summary:") :]
    found = {name: METER[name].search(summary) for name in METER}
    if not all(found.values()):
        raise MediaError(_("The loudness of this recording could not be measured."), code="no_loudness")
    figures = {name: float(match[1]) for name, match in found.items() if match}
    if not math.isfinite(figures["peak"]) or figures["integrated"] < SILENCE_LUFS:
        return {}
    return figures


def normalised(sound: Any, loudness: dict[str, float]) -> Any:
    """Bring sound to the target: by one constant gain where its peaks allow that, else by following its loudness.

    The first is what loudnorm's linear mode does, at a fraction of its cost.
    """
    if not loudness:
        return sound
    gain = TARGET["I"] - loudness["integrated"]
    if loudness["peak"] + gain <= TARGET["TP"]:
        return sound.filter("volume", f"{gain:.2f}dB")
    return sound.filter("loudnorm", **TARGET)


def save_derivative(
    package: Package,
    kind: str,
    *,
    key: str,
    size: int,
    content_type: str,
    name: str = "",
    facts: dict[str, Any] | None = None,
) -> Derivative:
    """Point the package's row of this kind and name at a stored file."""
    stored.replace_row(package.derivatives.filter(kind=kind, name=name).first(), key)
    row, _created = Derivative.objects.update_or_create(
        package=package,
        kind=kind,
        name=name,
        defaults={"key": key, "size": size, "content_type": content_type, "facts": facts or {}},
    )
    return row


def _speech(package: Package) -> Derivative | None:
    return package.derivatives.filter(kind=DerivativeKind.SPEECH_AUDIO).first()


def _first_pass(audio: AudioFacts) -> Iterable[Any]:
    sound = source_input()[str(audio.index)]
    yield sound.filter("ebur128", peak="true", framelog="verbose").output("file:out/nothing", f="null")
    speech = sound.filter("aresample", str(SPEECH_RATE), **{"async": 1, "first_pts": 0, "min_hard_comp": 0.1})
    yield speech.output("file:out/speech.flac", **{"ac": 1, "ar": SPEECH_RATE, "c:a": "flac", **NO_METADATA})


def _aac() -> dict[str, Any]:
    return {
        "c:a": "aac",
        "b:a": BITRATE,
        "ac": 2,
        "ar": 48000,
        "movflags": FRAGMENTS,
        "frag_duration": AUDIO_FRAGMENT_US,
        **NO_METADATA,
    }
