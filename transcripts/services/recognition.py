"""From sound to captions."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

import media.services
from media.models import Asset, Package
from transcripts import cues as arithmetic
from transcripts import engines, guards, languages, quality, selectors
from transcripts.cues import Cue, SpeechSegment
from transcripts.engines import voice
from transcripts.engines.base import SAMPLE_RATE, Audio, Stopped, Transcriber, prompt_from
from transcripts.errors import LanguageNotSupported, LanguageUnknown, RecognitionFailed
from transcripts.formats import Note
from transcripts.formats.base import gettext_noop
from transcripts.models import SpeechMap, TextTrack, TrackKind, TrackOrigin
from transcripts.quality import Interval
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


OVERLAP_MS = 1500  # heard beyond both ends of a part, so that no word is cut in two
MOST_RETRIES = 10  # gaps in a part that are listened to again
RETRY_PAD_MS = 300
SURE = 0.8  # how probable another language must be before anybody is told
TURN_MS = 1200  # a shorter utterance says too little about its language
DETECT_WINDOWS = 3


@dataclass(frozen=True)
class _Listener:
    """One recognition of a part: the engine, and what it is told each time."""

    engine: Transcriber
    language: str | None
    prompt: str
    to_english: bool
    should_stop: ShouldStop
    speech: Sequence[Interval] = ()

    def hear(
        self, audio: Audio, start_ms: int, end_ms: int, language: str | None, progress: Callable[[float], None]
    ) -> list[SpeechSegment]:
        """What is said in a range of the audio, at times of the whole."""
        heard = self.engine.transcribe(
            audio[start_ms * SAMPLE_RATE // 1000 : end_ms * SAMPLE_RATE // 1000],
            language=language,
            prompt=self.prompt,
            to_english=self.to_english,
            # The demo's model never learned where its words are: asked for them it also shifts its sentences.
            with_words=not engines.is_demo(self.engine.model),
            speech=[
                (max(0, on - start_ms), min(off, end_ms) - start_ms)
                for on, off in self.speech
                if on < end_ms and off > start_ms
            ],
            progress=progress,
            should_stop=self.should_stop,
        )
        said_in = "en" if self.to_english else language
        return [_moved(one, start_ms, said_in or engines.tag_of(one.language)) for one in heard]


def transcribe_part(
    *,
    package: Package,
    part: dict[str, Any],
    language: str | None,
    other_languages: Sequence[str] = (),
    hints: Sequence[str] = (),
    to_english: bool = False,
    progress: Progress = lambda _percent, _activity: None,
    should_stop: ShouldStop = lambda: False,
) -> dict[str, Any]:
    """Recognise one part of `plan_transcription`; the result is JSON for `write_captions`.

    What the guards doubt is marked; speech that no text covers is listened to once more. The part is heard with a
    little of its neighbours, and what was said in these is left to them.

    Args:
        language: what is spoken; None detects it for this part.
        other_languages: spoken too: each utterance is then written in the one that it sounds like.
        hints: names and terms that may occur. Not given to the demo's model, which never learned to use them.
        to_english: write in English what is said; Whisper's own translation.

    Raises:
        ModelMissing, ModelUnusable, EngineUnknown: see transcripts.engines.get.
        LanguageUnknown, LanguageNotSupported: no engine here can write this language.
        TemporaryFailure: `should_stop` said so; at no cost.
    """

    def read(start_ms: int, end_ms: int) -> Audio:
        return media.services.read_speech_audio(package=package, start_ms=start_ms, end_ms=end_ms)

    return recognise(
        read,
        part,
        language=language,
        other_languages=other_languages,
        hints=hints,
        to_english=to_english,
        progress=progress,
        should_stop=should_stop,
    )


def recognise(
    read: Callable[[int, int], Audio],
    part: dict[str, Any],
    *,
    language: str | None,
    other_languages: Sequence[str] = (),
    hints: Sequence[str] = (),
    to_english: bool = False,
    progress: Progress = lambda _percent, _activity: None,
    should_stop: ShouldStop = lambda: False,
) -> dict[str, Any]:
    """`transcribe_part` for a sound from anywhere: `read` returns what lies between two moments."""
    for tag in filter(None, [language, *other_languages]):
        _check_language(tag)
    progress(0, _("Loading the speech model"))
    engine = engines.get()
    first = max(0, part["start_ms"] - OVERLAP_MS)
    audio = read(first, part["end_ms"] + OVERLAP_MS)
    progress(1, _("Listening"))
    speech, detector = voice.speech_in(audio)
    prompt = "" if engines.is_demo(engine.model) else prompt_from(hints)
    listener = _Listener(engine, language, prompt, to_english, should_stop, speech)
    try:
        sounds_like = _sounds_like(engine, audio, speech, 1 if language else DETECT_WINDOWS)
        turns = _turns(engine, audio, speech, language, other_languages, sounds_like)
        heard = _heard(listener, audio, turns, lambda percent: progress(percent * 0.9, _("Listening")))
        heard, left_out = guards.examine(heard, language=language or "", speech=speech)
        missed = quality.gaps(_as_cues([*heard, *left_out]), speech)[:MOST_RETRIES]
        for number, gap in enumerate(missed):
            progress(90 + 9 * number / len(missed), _("Listening again where nothing was understood"))
            again = _heard_again(listener, audio, gap, turns)
            heard += [
                one for one in guards.examine(again, language=language or "", speech=speech).kept if not one.doubts
            ]
    except Stopped as error:
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error
    except (RuntimeError, ValueError, MemoryError) as error:  # what PyTorch and CTranslate2 raise when they break down
        raise RecognitionFailed(
            _("The speech recognition broke down (%(reason)s). Try again, or set another WHISPER_ENGINE or model.")
            % {"reason": str(error).partition("\n")[0][:200] or type(error).__name__}
        ) from error
    start, end = part["start_ms"] - first, part["end_ms"] - first
    ordered = sorted(guards.begun_with_speech(heard, speech), key=lambda one: (one.start_ms, one.end_ms))
    inside = [_moved(one, first, one.language) for one in guards.kept_between(ordered, start, end)]
    return {
        "start_ms": part["start_ms"],
        "end_ms": part["end_ms"],
        "engine": engine.name,
        "model": engine.model,
        "segments": arithmetic.segments_to_rows(inside),
        "detector": detector,
        "speech": [[first + max(on, start), first + min(off, end)] for on, off in speech if off > start and on < end],
        "sounds_like": sounds_like,
        "left_out": [
            {"start_ms": first + one.start_ms, "text": one.text} for one in guards.kept_between(left_out, start, end)
        ],
        "listened_again": len(missed),
    }


def _as_cues(segments: Sequence[SpeechSegment]) -> list[Cue]:
    return [Cue("", one.start_ms, one.end_ms, one.text) for one in segments]


Turn = tuple[int, int, str | None]


def _heard(
    listener: _Listener, audio: Audio, turns: Sequence[Turn], progress: Callable[[float], None]
) -> list[SpeechSegment]:
    heard: list[SpeechSegment] = []
    for number, (start, end, language) in enumerate(turns):
        share = 100 / len(turns)
        heard += listener.hear(
            audio,
            start,
            end,
            language,
            lambda percent, at=number * share, share=share: progress(at + percent * share / 100),  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        )
    return heard


def _heard_again(listener: _Listener, audio: Audio, gap: Interval, turns: Sequence[Turn]) -> list[SpeechSegment]:
    """Listen once more, to nothing but the gap: what came before it may have led the engine astray."""
    middle = (gap[0] + gap[1]) // 2
    language = next((tag for start, end, tag in turns if start <= middle < end), listener.language)
    start = max(0, gap[0] - RETRY_PAD_MS)
    fresh = replace(listener, prompt="")
    again = fresh.hear(audio, start, gap[1] + RETRY_PAD_MS, language, lambda _percent: None)
    return guards.kept_between(again, *gap)


def _sounds_like(engine: Transcriber, audio: Audio, speech: Sequence[Interval], windows: int) -> dict[str, float]:
    """Which languages some half minutes of speech sound like, by tag, with their mean probabilities."""
    if not speech:
        return {}
    total: Counter[str] = Counter()
    starts = dict.fromkeys(speech[len(speech) * number // windows][0] for number in range(windows))
    for start in starts:
        for name, share in engine.detect_language(audio[start * SAMPLE_RATE // 1000 :]).items():
            total[engines.tag_of(name)] += share / len(starts)  # type: ignore[assignment]  # Counter holds floats too
    return {tag: round(share, 3) for tag, share in total.most_common(3)}


def _turns(
    engine: Transcriber,
    audio: Audio,
    speech: Sequence[Interval],
    language: str | None,
    others: Sequence[str],
    sounds_like: dict[str, float],
) -> list[Turn]:
    """What to hear in which language: all at once, or utterance by utterance where several are spoken."""
    end = len(audio) * 1000 // SAMPLE_RATE
    # Without a language said before, a second one that is heard for a good part of the time is taken for spoken.
    guessed = [tag for tag, share in sounds_like.items() if share >= 0.25] if language is None else []
    spoken = list(dict.fromkeys([*filter(None, [language]), *others, *guessed]))
    if len(spoken) < 2 or not speech:
        return [(0, end, spoken[0] if spoken else None)]
    names = {tag: engines.whisper_language(tag) or tag for tag in spoken}
    turns: list[Turn] = []
    latest = spoken[0]
    for on, off in speech:
        if off - on >= TURN_MS or not turns:
            shares = engine.detect_language(audio[on * SAMPLE_RATE // 1000 : off * SAMPLE_RATE // 1000])
            latest = max(spoken, key=lambda tag: shares.get(names[tag], 0.0)) if shares else latest
        if turns and turns[-1][2] == latest:
            turns[-1] = (turns[-1][0], off, latest)
        else:
            turns.append((on, off, latest))
    # Each turn begins in the middle of the silence before it.
    edges = [0, *((before[1] + after[0]) // 2 for before, after in itertools.pairwise(turns)), end]
    return [(edges[at], edges[at + 1], turn[2]) for at, turn in enumerate(turns)]


def _check_language(language: str) -> None:
    if not languages.is_known(language):
        raise LanguageUnknown(language)
    if not engines.can_transcribe(language):
        name = languages.get(language).autonym
        raise LanguageNotSupported(
            _("The speech model “%(model)s” does not know %(language)s. Upload subtitles instead.")
            % {"model": settings.WHISPER_MODEL.rpartition("/")[2], "language": name}
        )


def _moved(segment: SpeechSegment, by_ms: int, language: str) -> SpeechSegment:
    """A segment at its time in a longer stretch of sound, in the language that was asked for."""
    words = tuple(replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) for word in segment.words)
    return replace(
        segment,
        start_ms=segment.start_ms + by_ms,
        end_ms=segment.end_ms + by_ms,
        words=words,
        language=language,
    )


def write_captions(
    *, asset: Asset, results: Sequence[dict[str, Any]], language: str | None, terms: Sequence[str] = ()
) -> TextTrack:
    """Make cues of all parts' results and store them as a revision of the captions in that language.

    Running it twice stores nothing twice. A person's captions stay what viewers see. The revision's notes say what was
    left out, where speech has no subtitles, and whether another language seems to be spoken.

    Args:
        language: what is spoken; None takes the language that was heard for most of the time.
        terms: names and terms whose words stay on one line.

    Raises:
        Skip: nothing was said.
        LanguageUnknown: the tag is not of a known language.
    """
    ordered = sorted(results, key=lambda result: result["start_ms"])
    segments = joined_segments(ordered)
    if not segments:
        raise Skip(_("No speech was heard in the recording, so there are no subtitles to write."), code="no_speech")
    spoken = language or _language_heard(segments)
    track = find_or_create_track(asset=asset, language=spoken, kind=TrackKind.CAPTIONS)
    _keep_speech(asset, ordered)
    rules = selectors.reading_rules(track.language)
    cues = arithmetic.cues_from_segments(segments, language=track.language, rules=rules, terms=terms)
    add_revision(
        track=track,
        cues=cues,
        origin=TrackOrigin.MACHINE,
        engine=ordered[0]["engine"],
        model=shown_model(ordered[0]["model"]),
        notes=[
            *_script_notes(segments, track.language),
            *_language_notes(ordered, track.language),
            *_left_out_notes(ordered),
            *_gap_notes(cues, ordered),
        ],
    )
    return track


def joined_segments(results: Sequence[dict[str, Any]]) -> list[SpeechSegment]:
    """What was heard in all parts, in order; words that two parts heard at their border only once."""
    segments: list[SpeechSegment] = []
    for result in sorted(results, key=lambda result: result["start_ms"]):
        segments += guards.without_doubles(segments, arithmetic.segments_from_rows(result["segments"]))
    return segments


def _keep_speech(asset: Asset, results: Sequence[dict[str, Any]]) -> None:
    if any("speech" not in result for result in results):
        return  # results of a version that did not listen for it
    intervals = quality.merged((on, off) for result in results for on, off in result["speech"])
    SpeechMap.objects.update_or_create(
        asset=asset, defaults={"intervals": intervals, "detector": results[0]["detector"]}
    )


def _language_notes(results: Sequence[dict[str, Any]], language: str) -> list[Note]:
    """Where the speech sounds like another language than was said: shown, and decided by a person."""
    own = engines.whisper_language(language)
    notes = []
    for result in results:
        heard, share = next(iter(result.get("sounds_like", {}).items()), ("", 0.0))
        if share >= SURE and engines.whisper_language(heard) != own:
            facts = {
                "heard": selectors.autonym(heard),
                "said": selectors.autonym(language),
                "start": shown_time(result["start_ms"]),
                "end": shown_time(result["end_ms"]),
            }
            template = gettext_noop(
                "From %(start)s to %(end)s the speech sounds like %(heard)s, but %(said)s was said to be spoken."
            )
            notes.append(Note("sounds_like", template, facts=facts))
    return notes


MOST_NOTES = 20


def _left_out_notes(results: Sequence[dict[str, Any]]) -> list[Note]:
    left_out = [one for result in results for one in result.get("left_out", [])]
    template = gettext_noop("Left out at %(time)s, where nobody seems to speak: “%(text)s”.")
    return [
        Note("left_out", template, facts={"time": shown_time(one["start_ms"]), "text": one["text"][:100]})
        for one in left_out[:MOST_NOTES]
    ]


def _gap_notes(cues: Sequence[Cue], results: Sequence[dict[str, Any]]) -> list[Note]:
    speech = [(on, off) for result in results for on, off in result.get("speech", [])]
    template = gettext_noop("Somebody speaks from %(start)s to %(end)s, but nothing could be understood.")
    return [
        Note("gap", template, facts={"start": shown_time(start), "end": shown_time(end)})
        for start, end in quality.gaps(cues, speech)[:MOST_NOTES]
    ]


def shown_time(milliseconds: int) -> str:
    """1:02:03, as players show it."""
    seconds = milliseconds // 1000
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


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


def shown_model(model: str) -> str:
    """A model's name; of a path only its end, since where things lie on a server is nobody's business."""
    return model.rstrip("/").rpartition("/")[2]
