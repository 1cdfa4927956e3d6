"""From captions to subtitles in another language, sentence by sentence."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from django.utils.translation import gettext as _

from media.models import Asset
from transcripts import cues as arithmetic
from transcripts import languages, selectors, translators
from transcripts.errors import LanguageNotSupported, LanguageUnknown
from transcripts.models import TextTrack, TrackKind, TrackOrigin
from transcripts.services.revisions import add_revision, find_or_create_track
from transcripts.translators.base import Stopped
from work.errors import Skip, TemporaryFailure


def translate_track(
    *,
    asset: Asset,
    language: str,
    source_track: TextTrack | None = None,
    source_language: str = "",
    progress: Callable[[float, str], None] = lambda _percent, _activity: None,
    should_stop: Callable[[], bool] = lambda: False,
    fenced: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> TextTrack:
    """Translate captions into a language and store them as a revision of its subtitles.

    Every cue names the source cues that it was made from. Running it twice stores nothing twice. A person's subtitles
    stay what viewers see.

    Args:
        source_track: what to translate; else the captions in `source_language`, else the asset's captions.
        fenced: the transaction in which the result is stored.

    Raises:
        Skip: there is nothing to translate, or it is in that language already.
        LanguageUnknown, LanguageNotSupported: the translator cannot do it.
        ModelMissing, ModelUnusable, EngineUnknown: see transcripts.translators.get.
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
    progress(0, _("Loading the translation model"))
    translator = translators.get()
    if not translators.can_translate(source.language, language):
        raise LanguageNotSupported(
            _("The translator cannot translate from %(source)s into %(target)s. Upload subtitles instead.")
            % {"source": selectors.autonym(source.language), "target": selectors.autonym(language)}
        )
    sentences = arithmetic.sentences(cues, language=source.language)
    try:
        texts = translator.translate(
            [sentence.text for sentence in sentences],
            source=source.language,
            target=language,
            progress=lambda percent: progress(percent, _("Translating")),
            should_stop=should_stop,
        )
    except Stopped as error:
        raise TemporaryFailure(_("Stopped."), costs_try=False, code="stopped") from error
    made = arithmetic.lay_back(zip(sentences, texts, strict=True), language=language)
    with fenced():
        track = find_or_create_track(asset=asset, language=language, kind=TrackKind.SUBTITLES)
        add_revision(
            track=track,
            cues=made,
            origin=TrackOrigin.TRANSLATED,
            engine=translator.name,
            model=translator.model.rstrip("/").rpartition("/")[2],
        )
        if track.source_track_id != source.pk:
            track.source_track = source
            track.save(update_fields=["source_track", "updated_at"])
    return track
