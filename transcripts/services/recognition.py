"""From sound to captions."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

import media.services
from media.models import Asset, Package
from transcripts import cues as arithmetic
from transcripts import engines, languages
from transcripts.cues import SpeechSegment
from transcripts.engines.base import SAMPLE_RATE, Audio, Stopped, prompt_from
from transcripts.errors import LanguageNotSupported, LanguageUnknown
from transcripts.formats import Note
from transcripts.formats.base import gettext_noop
from transcripts.models import TextTrack, TrackKind, TrackOrigin
from transcripts.services.revisions import add_revision, find_or_create_track
from work.errors import Skip, TemporaryFailure

Progress = Callable[[float, str], None]
ShouldStop = Callable[[], bool]

PART_MS = 5 * 60_000  # what one worker hears at a time: 10 MB of samples
LONGEST_PART_MS = 8 * 60_000  # a remainder up to here joins the last part
SEARCH_MS = 15_000  # how far from its place a cut may move to find silence
QUIET_MS = 400


def plan_transcription(*, asset: Asset, package: Package) -> list[dict[str, Any]]:
    """Divide the sound into parts of some minutes, cut where nobody speaks. [] if there is no sound."""
    if not asset.has_audio or not asset.duration_ms:
        return []
    edges = [0]
    while asset.duration_ms - edges[-1] > LONGEST_PART_MS:
        edges.append(_quiet_moment(package, edges[-1] + PART_MS))
    edges.append(asset.duration_ms)
    return [{"start_ms": edges[at], "end_ms": edges[at + 1]} for at in range(len(edges) - 1)]


def _quiet_moment(package: Package, wanted_ms: int) -> int:
    """The middle of the quietest 0.4 s near a moment."""
    first = wanted_ms - SEARCH_MS
    audio: Audio = media.services.read_speech_audio(package=package, start_ms=first, end_ms=wanted_ms + SEARCH_MS)
    return first + quietest_ms(audio) if len(audio) else wanted_ms


def quietest_ms(audio: Audio) -> int:
    """Where, in milliseconds from its start, the quietest 0.4 s of a sound has its middle."""
    frame = SAMPLE_RATE // 100
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    energy = np.square(frames, dtype=np.float64).mean(axis=1)
    width = QUIET_MS // 10
    if len(energy) <= width:
        return len(audio) * 500 // SAMPLE_RATE
    running = np.convolve(energy, np.ones(width), mode="valid")
    return int(running.argmin()) * 10 + QUIET_MS // 2


def transcribe_part(
    *,
    package: Package,
    part: dict[str, Any],
    language: str | None,
    hints: Sequence[str] = (),
    progress: Progress = lambda _percent, _activity: None,
    should_stop: ShouldStop = lambda: False,
) -> dict[str, Any]:
    """Recognise one part of `plan_transcription`; the result is JSON for `write_captions`.

    Args:
        language: what is spoken; None detects it for this part.
        hints: names and terms that may occur. Not given to the demo's model, which never learned to use them.

    Raises:
        ModelMissing, ModelUnusable, EngineUnknown: see transcripts.engines.get.
        LanguageUnknown, LanguageNotSupported: no engine here can write this language.
        TemporaryFailure: `should_stop` said so; at no cost.
    """
    if language is not None:
        _check_language(language)
    progress(0, _("Loading the speech model"))
    engine = engines.get()
    audio = media.services.read_speech_audio(package=package, start_ms=part["start_ms"], end_ms=part["end_ms"])
    progress(1, _("Listening"))
    try:
        heard = engine.transcribe(
            audio,
            language=language,
            prompt="" if engines.is_demo(engine.model) else prompt_from(hints),
            progress=lambda percent: progress(percent, _("Listening")),
            should_stop=should_stop,
        )
    except Stopped as error:
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error
    return {
        "start_ms": part["start_ms"],
        "end_ms": part["end_ms"],
        "engine": engine.name,
        "model": engine.model,
        "segments": arithmetic.segments_to_rows(_moved(heard, part)),
    }


def _check_language(language: str) -> None:
    if not languages.is_known(language):
        raise LanguageUnknown(language)
    if not engines.can_transcribe(language):
        name = languages.get(language).autonym
        raise LanguageNotSupported(
            _("The speech model “%(model)s” does not know %(language)s. Upload subtitles instead.")
            % {"model": settings.WHISPER_MODEL.rpartition("/")[2], "language": name}
        )


def _moved(heard: Sequence[SpeechSegment], part: dict[str, Any]) -> list[SpeechSegment]:
    """Segments at their time in the whole recording, kept inside the part."""
    start, end = part["start_ms"], part["end_ms"]
    moved = []
    for segment in heard:
        first = min(start + segment.start_ms, end - 1)
        moved.append(
            SpeechSegment(
                first,
                max(first + 1, min(start + segment.end_ms, end)),
                segment.text,
                tuple(
                    arithmetic.Word(start + word.start_ms, start + word.end_ms, word.text, word.confidence)
                    for word in segment.words
                ),
                segment.language,
                segment.confidence,
            )
        )
    return moved


def write_captions(*, asset: Asset, results: Sequence[dict[str, Any]], language: str | None) -> TextTrack:
    """Make cues of all parts' results and store them as a revision of the captions in that language.

    Running it twice stores nothing twice. A person's captions stay what viewers see.

    Args:
        language: what is spoken; None takes the language that was heard for most of the time.

    Raises:
        Skip: nothing was said.
        LanguageUnknown: the tag is not of a known language.
    """
    ordered = sorted(results, key=lambda result: result["start_ms"])
    segments = [one for result in ordered for one in arithmetic.segments_from_rows(result["segments"])]
    if not segments:
        raise Skip(_("No speech was heard in the recording, so there are no subtitles to write."), code="no_speech")
    spoken = language or _language_heard(segments)
    track = find_or_create_track(asset=asset, language=spoken, kind=TrackKind.CAPTIONS)
    add_revision(
        track=track,
        cues=arithmetic.cues_from_segments(segments, language=track.language),
        origin=TrackOrigin.MACHINE,
        engine=ordered[0]["engine"],
        model=_shown_model(ordered[0]["model"]),
        notes=_script_notes(segments, track.language),
    )
    return track


def _language_heard(segments: Sequence[SpeechSegment]) -> str:
    heard: Counter[str] = Counter()
    for segment in segments:
        heard[segment.language] += segment.end_ms - segment.start_ms
    return heard.most_common(1)[0][0]


def _script_notes(segments: Sequence[SpeechSegment], language: str) -> list[Note]:
    """A sign that another language is spoken than was said: text in letters that the language does not use."""
    if languages.is_written_in(languages.get(language), " ".join(segment.text for segment in segments)):
        return []
    return [
        Note(
            "language_mismatch",
            gettext_noop("The text is not in the letters of this language. Is the spoken language right?"),
        )
    ]


def _shown_model(model: str) -> str:
    """A model's name; of a path only its end, since where things lie on a server is nobody's business."""
    return model.rstrip("/").rpartition("/")[2]
