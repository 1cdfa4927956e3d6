"""Sound: one normalised rendition shared by all rungs, and the file that speech recognition reads."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
from django.db import transaction
from django.utils.translation import gettext as _

from media.errors import EncodingFailed, MediaError
from media.ffmpeg.runner import SOURCE, Progress, ShouldStop, never, own_input, run_ffmpeg, silent, source_input
from media.languages import iso639_2
from media.models import MAIN_SOUND, Derivative, DerivativeKind, Package, Rendition
from media.services import stored
from media.services.inspection import workable_source
from media.services.packages import note_warning, show_first
from media.services.stored import Fenced
from media.services.video import AUDIO_FRAGMENT_US, FRAGMENTS, NO_METADATA, read_track, save_rendition
from media.sound import (
    MOST_GAIN_DB,
    RATE,
    SPEECH_RATE,
    TARGET_LUFS,
    first_level,
    fitted,
    levelled,
    metered,
    next_level,
    parse_loudness,
    primed,
    stereo,
)
from media.source import AudioFacts
from work.errors import Skip

if TYPE_CHECKING:
    import numpy as np

BITRATE = "96k"
SPEECH_NAME = "speech"
FLOAT_BYTES = 4
CORRECTIONS = 2  # after measuring the result
DOUBLED_MS = 250

Shape = Callable[[Any], Any]


def make_audio(
    *,
    package: Package,
    workdir: Path,
    language: str = "",
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Rendition:
    """Encode the sound once at one loudness, and once as 16 kHz mono FLAC for speech recognition.

    Two passes: the first measures (EBU R128) and makes the FLAC, the second applies one constant gain; where single
    peaks would go too high, a limiter holds them. The result is measured, and corrected if the codec or the limiter
    changed it. Silence stays silence. Replaces the first look's sound.

    Args:
        language: what is spoken, as a BCP 47 tag; shown to viewers who can choose between sounds.

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
        existing = package.renditions.filter(name=MAIN_SOUND).first()
        if existing is not None and package.loudness and speech_of(package) is not None:
            return existing
        with measured(path, facts.audio, folder, progress=_within(progress, 0, 40), should_stop=should_stop) as (
            source,
            audio,
            loudness,
        ):
            result = encode_sound(
                source,
                audio,
                folder,
                shape=lambda sound: fitted(sound, duration_ms=facts.duration_ms),
                loudness=loudness,
                duration_ms=facts.duration_ms,
                language=language,
                progress=_within(progress, 40, 95),
                should_stop=should_stop,
            )
        progress(96, _("Storing sound"))
        track = read_track(folder / "audio.mp4")
        audio_key = stored.new_key(package, MAIN_SOUND, ".mp4")
        speech_key = stored.new_key(package, SPEECH_NAME, ".flac")
        audio_size = stored.put(folder / "audio.mp4", audio_key)
        speech_size = stored.put(folder / "speech.flac", speech_key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [audio_key, speech_key]
        row = save_rendition(
            package, name=MAIN_SOUND, key=audio_key, size=audio_size, track=track, rung=None, rate=None
        )
        row.language = language
        row.facts = {"loudness": result}
        row.save(update_fields=["language", "facts", "updated_at"])
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
        if not loudness:
            note_warning(package.asset, {"code": "silent"})
        elif loudness["integrated"] < TARGET_LUFS - MOST_GAIN_DB:
            note_warning(package.asset, {"code": "very_quiet", "lufs": round(loudness["integrated"])})
        show_first(package)
    return row


@contextlib.contextmanager
def measured(
    path: Path,
    audio: AudioFacts,
    folder: Path,
    *,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> Iterator[tuple[Path, AudioFacts, dict[str, float]]]:
    """Measure a source's sound as it will be encoded (parse_loudness), and make `speech.flac` in the folder.

    Yields the file to read from now on, its sound stream, and the figures. The file is another one where the number
    of channels changes in the middle: ffmpeg begins its filters anew there, and all that came before would be doubled.
    """
    loudness = _measure_source(path, audio, folder, progress, should_stop)
    if _flac_ms(folder / "speech.flac") <= audio.end_ms + DOUBLED_MS:
        yield path, audio, loudness
        return
    with tempfile.TemporaryDirectory(dir=folder) as name:
        # Each stretch is converted on its own here; its packets keep their times.
        options = {"c:a": "flac", "sample_fmt": "s16", "ac": 2, "ar": RATE, "f": "matroska", **NO_METADATA}
        run_ffmpeg(
            source_input()[str(audio.index)].output("file:out/evened.mkv", **options),
            inputs={SOURCE: path},
            output_dir=Path(name),
            duration_ms=audio.end_ms,
            activity=_("Mending the sound"),
            progress=progress,
            should_stop=should_stop,
        )
        evened = AudioFacts(**{**vars(audio), "index": 0, "channels": 2, "sample_rate": RATE, "codec": "flac"})
        yield (
            Path(name) / "evened.mkv",
            evened,
            _measure_source(Path(name) / "evened.mkv", evened, folder, progress, should_stop),
        )


def encode_sound(
    path: Path,
    audio: AudioFacts,
    folder: Path,
    *,
    shape: Shape,
    loudness: dict[str, Any],
    duration_ms: int,
    language: str = "",
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, float]:
    """Encode a source's sound into `audio.mp4` in the folder, and return the result's own loudness.

    `shape` cuts and moves what it is given to the stretch wanted. Encodes again, at most CORRECTIONS times, where the
    result is too loud or too quiet.
    """
    level = first_level(loudness)
    for correction in range(CORRECTIONS + 1):
        run_ffmpeg(
            primed(levelled(shape(stereo(source_input()[str(audio.index)], audio)), level)).output(
                "file:out/audio.mp4", **_aac(language)
            ),
            inputs={SOURCE: path},
            output_dir=folder,
            duration_ms=duration_ms,
            progress=_within(progress, 0, 85),
            activity=_("Encoding sound"),
            should_stop=should_stop,
        )
        heard = run_ffmpeg(
            metered(own_input("sound")["a"]).output("file:out/nothing", f="null"),
            inputs={"sound": folder / "audio.mp4"},
            output_dir=folder,
            duration_ms=duration_ms,
            progress=_within(progress, 85, 100),
            activity=_("Checking loudness"),
            log_level="info",
            should_stop=should_stop,
        )
        result = parse_loudness(heard.stderr_tail)
        better = next_level(level, result)
        if better is None or correction == CORRECTIONS:
            break
        level = better
    return result


def read_speech_audio(
    *, package: Package, start_ms: int, end_ms: int, workdir: Path | None = None
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return sound from `start_ms` to `end_ms` as mono samples of 16 kHz between -1 and 1.

    Memory is bounded by the range: four bytes per sample. Past the end there is nothing, so the answer may be shorter.

    Raises:
        MediaError: `make_audio` was not done for this package.
    """
    import numpy as np  # slow to import, and the web processes never need it

    derivative = speech_of(package)
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


def speech_of(package: Package) -> Derivative | None:
    """What speech recognition reads: the recording's own sound."""
    return package.derivatives.filter(kind=DerivativeKind.SPEECH_AUDIO, name="").first()


def _measure_source(
    path: Path, audio: AudioFacts, folder: Path, progress: Progress, should_stop: ShouldStop
) -> dict[str, float]:
    copies = stereo(source_input()[str(audio.index)], audio).filter_multi_output("asplit", 2)
    flac = {"ac": 1, "ar": SPEECH_RATE, "c:a": "flac", **NO_METADATA}
    result = run_ffmpeg(
        ffmpeg.merge_outputs(
            metered(copies.stream(0)).output("file:out/nothing", f="null"),
            copies.stream(1).output("file:out/speech.flac", **flac),
        ),
        inputs={SOURCE: path},
        output_dir=folder,
        duration_ms=audio.end_ms,
        progress=progress,
        activity=_("Measuring loudness"),
        log_level="info",
        should_stop=should_stop,
    )
    return parse_loudness(result.stderr_tail)


def _flac_ms(path: Path) -> int:
    """Length of a FLAC file of ours, from its first block (RFC 9639, section 8.2)."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[:4] != b"fLaC":
        raise EncodingFailed(_("Nothing could be decoded from this recording. Its file may be damaged."))
    samples = int.from_bytes(head[21:26], "big") & 0xFFFFFFFFF
    return samples * 1000 // SPEECH_RATE


def _within(progress: Progress, begin: float, end: float) -> Progress:
    """Progress of a stage that goes from `begin` to `end` percent of the whole."""
    return lambda percent, activity: progress(begin + (end - begin) * percent / 100, activity)


def _aac(language: str) -> dict[str, Any]:
    options = {
        "c:a": "aac",
        "b:a": BITRATE,
        "ac": 2,
        "ar": RATE,
        "movflags": FRAGMENTS,
        "frag_duration": AUDIO_FRAGMENT_US,
        "use_editlist": 0,
        "avoid_negative_ts": "make_zero",
        **NO_METADATA,
    }
    if language:
        options["metadata:s:a:0"] = f"language={iso639_2(language)}"
    return options
