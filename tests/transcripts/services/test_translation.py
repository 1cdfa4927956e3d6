import pytest
from pytest_django import Settings

from tests.factories.media import AssetFactory
from tests.factories.transcripts import CUES, TrackFactory
from tests.transcripts.speech import phrases, word_errors
from transcripts import languages, selectors, services
from transcripts.cues import Cue
from transcripts.errors import EngineUnknown, LanguageNotSupported, LanguageUnknown, ModelMissing
from transcripts.models import TextTrack, TrackKind, TrackOrigin, TrackState
from work.errors import Skip, TemporaryFailure

pytestmark = pytest.mark.django_db


def said(track: TextTrack) -> str:
    return " ".join(cue.plain_text for cue in selectors.cues_of(track))


@pytest.mark.parametrize("language", ["fr", "es", "uk", "ar"])
def test_captions_are_translated_over_their_own_times(language: str) -> None:
    source = TrackFactory()
    track = services.translate_track(asset=source.asset, source_track=source, language=language)
    truth = phrases(language)
    assert word_errors(f"{truth['thanks']} {truth['promotion_food']}", said(track)) <= 0.10
    assert languages.is_written_in(languages.get(language), said(track))
    made = selectors.cues_of(track)
    assert {name for cue in made for name in cue.source_ids} == {"c1", "c2"}
    assert next(cue.start_ms for cue in made if "c1" in cue.source_ids) == CUES[0].start_ms
    assert (track.kind, track.source_track, track.state) == (TrackKind.SUBTITLES, source, TrackState.DRAFT)
    assert track.current_revision is not None
    assert (track.current_revision.origin, track.current_revision.engine) == (TrackOrigin.TRANSLATED, "ctranslate2")


def test_a_sentence_over_two_cues_is_translated_whole() -> None:
    source = TrackFactory(
        cues=[
            Cue("a", 0, 2_000, "Welcome to this webinar"),
            Cue("b", 2_080, 4_000, "on the health of migrants."),
        ]
    )
    track = services.translate_track(asset=source.asset, language="fr")
    assert said(track).replace("\n", " ") == phrases("fr")["welcome"]
    assert {name for cue in selectors.cues_of(track) for name in cue.source_ids} == {"a", "b"}


def test_translating_twice_stores_it_once() -> None:
    source = TrackFactory()
    for _time in range(2):
        track = services.translate_track(asset=source.asset, source_language="en", language="fr")
    assert track.revisions.count() == 1


def test_a_persons_subtitles_stay() -> None:
    source = TrackFactory()
    track = services.translate_track(asset=source.asset, language="fr")
    services.save_cues(track=track, base_revision=1, cues=[Cue("x", 0, 900, "À la main.")], user=None)
    source.current_revision.cues[0]["text"] = "Welcome to this webinar on the health of migrants."
    source.current_revision.save()
    track = services.translate_track(asset=source.asset, language="fr")
    assert said(track) == "À la main."
    assert selectors.unused_machine_revision(track) is not None


@pytest.mark.parametrize(("language", "code"), [("en", "same_language"), ("fr", "no_captions")])
def test_nothing_to_do_is_skipped(language: str, code: str) -> None:
    source = TrackFactory(cues=[] if code == "no_captions" else None)
    with pytest.raises(Skip) as caught:
        services.translate_track(asset=source.asset, language=language)
    assert caught.value.code == code


def test_asset_without_captions_is_skipped() -> None:
    with pytest.raises(Skip):
        services.translate_track(asset=AssetFactory(), language="fr")


def test_unknown_and_unsupported_languages_are_refused() -> None:
    source = TrackFactory()
    with pytest.raises(LanguageUnknown):
        services.translate_track(asset=source.asset, language="xx")
    with pytest.raises(LanguageNotSupported, match="bamanankan"):
        services.translate_track(asset=source.asset, language="bm")


def test_missing_or_switched_off_translator_says_so(settings: Settings) -> None:
    source = TrackFactory()
    settings.TRANSLATION_MODEL = "/nowhere"
    with pytest.raises(ModelMissing, match="TRANSLATION_MODEL"):
        services.translate_track(asset=source.asset, language="fr")
    settings.TRANSLATION_ENGINE = "none"
    with pytest.raises(EngineUnknown):
        services.translate_track(asset=source.asset, language="fr")


def test_stopping_stores_nothing_and_costs_no_try() -> None:
    source = TrackFactory()
    with pytest.raises(TemporaryFailure) as caught:
        services.translate_track(asset=source.asset, language="fr", should_stop=lambda: True)
    assert not caught.value.costs_try
    assert TextTrack.objects.count() == 1


def test_captions_in_the_asked_language_are_chosen_then_the_most_reviewed() -> None:
    asset = AssetFactory()
    TrackFactory(asset=asset, language="en")
    published = TrackFactory(asset=asset, language="fr", state=TrackState.PUBLISHED)
    british = TrackFactory(asset=asset, language="en-GB")
    assert selectors.captions_of(asset=asset, language="en-GB") == british
    assert selectors.captions_of(asset=asset, language="de") == published
