"""From captions to subtitles in another language, sentence by sentence."""

import contextlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from media.models import Asset, Package
from transcripts import cues as arithmetic
from transcripts import glossary, languages, selectors, translators
from transcripts.cues import Cue, Sentence
from transcripts.errors import LanguageNotSupported, LanguageUnknown
from transcripts.models import TextTrack, TrackKind, TrackOrigin
from transcripts.services import recognition
from transcripts.services.revisions import add_revision, find_or_create_track
from transcripts.translators.base import Stopped
from work.errors import Skip, TemporaryFailure

Progress = Callable[[float, str], None]
ShouldStop = Callable[[], bool]


def translate_track(
    *,
    asset: Asset,
    language: str,
    source_track: TextTrack | None = None,
    source_language: str = "",
    package: Package | None = None,
    progress: Progress = lambda _percent, _activity: None,
    should_stop: ShouldStop = lambda: False,
    fenced: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> TextTrack:
    """Translate captions into a language and store them as a revision of its subtitles.

    Every cue names the source cues that it was made from. Running it twice stores nothing twice. A person's subtitles
    stay what viewers see.

    Args:
        source_track: what to translate; else the captions in `source_language`, else the asset's captions.
        package: where the sound is, for Whisper's own translation where no translator is configured.
        fenced: the transaction in which the result is stored.

    Raises:
        Skip: there is nothing to translate, or it is in that language already.
        LanguageUnknown, LanguageNotSupported: the translator cannot do it.
        ModelMissing, ModelUnusable, EngineUnknown, TranslationFailed: see transcripts.translators.
        TemporaryFailure: `should_stop` said so; at no cost.
    """
    if not languages.is_known(language):
        raise LanguageUnknown(language)
    source = source_track or selectors.captions_of(asset=asset, language=source_language)
    cues = selectors.cues_of(source) if source is not None else []
    if source is None or not cues:
        raise Skip(_("There are no captions to translate."), code="no_captions")
    if source.language == languages.get(language).tag:
        raise Skip(_("The captions are in this language already."), code="same_language")
    if package is not None and selectors.whisper_must_translate(source.language, language):
        made, engine, model = _english_of(source, cues, package, language, progress, should_stop)
    else:
        made = translated_cues(source=source, cues=cues, language=language, progress=progress, should_stop=should_stop)
        translator = translators.get()
        engine, model = translator.name, translator.model
    with fenced():
        track = find_or_create_track(asset=asset, language=language, kind=TrackKind.SUBTITLES)
        add_revision(
            track=track,
            cues=made,
            origin=TrackOrigin.TRANSLATED,
            engine=engine,
            model=recognition.shown_model(model),
        )
        if track.source_track_id != source.pk:
            track.source_track = source
            track.save(update_fields=["source_track", "updated_at"])
    return track


def translated_cues(
    *,
    source: TextTrack,
    cues: Sequence[Cue],
    language: str,
    only: Collection[str] | None = None,
    progress: Progress = lambda _percent, _activity: None,
    should_stop: ShouldStop = lambda: False,
) -> list[Cue]:
    """Cues in another language, made of a track's; terms as the glossary wants them.

    Args:
        only: translate only the sentences that these source cues have a part in.

    Raises:
        See `translate_track`.
    """
    progress(0, _("Loading the translation model"))
    translator = translators.get()
    if not translators.can_translate(source.language, language, otherwise=True):  # a server that is gone says so itself
        raise LanguageNotSupported(
            _("The translator cannot translate from %(source)s into %(target)s. Upload subtitles instead.")
            % {"source": selectors.autonym(source.language), "target": selectors.autonym(language)}
        )
    terms = selectors.glossary_of(source.asset)
    said = [
        sentence
        for sentence in arithmetic.sentences(cues, language=source.language)
        if only is None or any(slot.cue_id in only for slot in sentence.slots)
    ]
    texts: dict[int, glossary.Rendered] = {}
    try:
        for spoken, numbers in _by_language(said, source.language).items():
            if not translators.can_translate(spoken, language, otherwise=True):
                # Said in the target language already, or in one that the translator does not know: it stays.
                texts |= {number: glossary.Rendered(said[number].text) for number in numbers}
                continue

            def ask(sentences: Sequence[str], spoken: str = spoken) -> list[str]:
                return translator.translate(
                    sentences,
                    source=spoken,
                    target=language,
                    progress=lambda percent: progress(percent, _("Translating")),
                    should_stop=should_stop,
                )

            rendered = glossary.translate([said[number].text for number in numbers], terms, target=language, ask=ask)
            texts |= dict(zip(numbers, rendered, strict=True))
    except Stopped as error:
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error
    made = arithmetic.lay_back(
        ((sentence, texts[number].text) for number, sentence in enumerate(said)),
        language=language,
        source=cues,
        rules=selectors.reading_rules(language),
        terms=[term.rendering(language) or "" for term in terms],
    )
    lost = {slot.cue_id for number, one in texts.items() if one.lost for slot in said[number].slots}
    return [replace(cue, doubts=("term_lost",)) if lost.intersection(cue.source_ids) else cue for cue in made]


def _by_language(said: Sequence[Sentence], language: str) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = {}
    for number, sentence in enumerate(said):
        numbers.setdefault(sentence.language or language, []).append(number)
    return numbers


def _english_of(
    source: TextTrack,
    cues: Sequence[Cue],
    package: Package,
    language: str,
    progress: Progress,
    should_stop: ShouldStop,
) -> tuple[list[Cue], str, str]:
    """What Whisper writes in English of the sound itself; each cue names the captions that share its time."""
    parts = recognition.plan_transcription(asset=source.asset, package=package)
    if not parts:
        raise Skip(_("There is no sound to translate from, and no translator is configured."), code="no_sound")
    results: list[dict[str, Any]] = []
    for number, part in enumerate(parts):
        results.append(
            recognition.transcribe_part(
                package=package,
                part=part,
                language=source.language,
                to_english=True,
                progress=lambda percent, activity, at=number: progress(  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
                    (at * 100 + percent) / len(parts), activity
                ),
                should_stop=should_stop,
            )
        )
    segments = recognition.joined_segments(results)
    made = arithmetic.cues_from_segments(segments, language=language, rules=selectors.reading_rules(language))
    return [_sourced(cue, cues) for cue in made], results[0]["engine"], results[0]["model"]


def _sourced(cue: Cue, source: Sequence[Cue]) -> Cue:
    middle = (cue.start_ms + cue.end_ms) / 2
    shared = [one for one in source if one.start_ms < cue.end_ms and cue.start_ms < one.end_ms]
    shared = shared or [min(source, key=lambda one: abs((one.start_ms + one.end_ms) / 2 - middle))]
    return replace(cue, source_ids=tuple(one.id for one in shared), source_hash=arithmetic.content_hash(shared))
