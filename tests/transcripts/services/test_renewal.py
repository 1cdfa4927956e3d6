"""Stale translations: seen, renewed, and never at the cost of a person's words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import work.services
from tests.factories.accounts import UserFactory
from tests.factories.transcripts import TrackFactory
from transcripts import selectors, services, translators
from transcripts.cues import Cue
from transcripts.models import Renewal, TextTrack, TrackOrigin
from transcripts.services.renewal import NothingStale
from transcripts.translators.base import Translator
from work.models import WorkState

pytestmark = pytest.mark.django_db
SAID = [Cue("a", 0, 3000, "Good morning."), Cue("b", 4000, 7000, "Here we"), Cue("c", 7100, 9000, "go. Bye.")]


class Shouting(Translator):
    name = "shouting"

    def translate(self, sentences: Sequence[str], **_known: Any) -> list[str]:
        return [sentence.upper() for sentence in sentences]


@pytest.fixture(autouse=True)
def _translator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translators, "get", lambda: Shouting("loud"))
    monkeypatch.setattr(translators, "can_translate", lambda source, target, **_options: source != target)


@pytest.fixture
def source() -> TextTrack:
    track: TextTrack = TrackFactory(cues=SAID)
    return track


def change(track: TextTrack, cue_id: str, text: str) -> None:
    track.refresh_from_db()
    edited = [replace(cue, text=text) if cue.id == cue_id else cue for cue in selectors.cues_of(track)]
    current = track.current_revision
    assert current is not None
    services.save_cues(track=track, base_revision=current.number, cues=edited, user=None)


def texts(track: TextTrack) -> list[str]:
    track.refresh_from_db()
    return [cue.plain_text for cue in selectors.cues_of(track)]


def test_only_the_sentences_of_a_changed_cue_are_renewed(source: TextTrack) -> None:
    track = services.translate_track(asset=source.asset, language="fr")
    before = selectors.cues_of(track)
    assert texts(track) == ["GOOD MORNING.", "HERE WE GO. BYE."]
    assert selectors.stale_cues_of(track) == []
    change(source, "a", "Good evening.")
    track.refresh_from_db()
    assert [cue.plain_text for cue in selectors.stale_cues_of(track)] == ["GOOD MORNING."]
    assert services.renew_cues(track=track).renewed == 1
    assert texts(track) == ["GOOD EVENING.", "HERE WE GO. BYE."]
    assert selectors.stale_cues_of(track) == []
    assert selectors.cues_of(track)[1] == before[1]
    assert track.current_revision is not None
    assert track.current_revision.origin == TrackOrigin.TRANSLATED


def test_a_persons_correction_is_never_overwritten(source: TextTrack) -> None:
    track = services.translate_track(asset=source.asset, language="fr")
    first, second = selectors.cues_of(track)
    change(track, first.id, "Bonjour.")
    change(source, "a", "Good evening.")
    change(source, "b", "There we")
    track.refresh_from_db()
    done = services.renew_cues(track=track)
    assert (done.renewed, done.kept) == (1, (first.id,))
    assert texts(track) == ["Bonjour.", "THERE WE GO. BYE."]
    assert [cue.id for cue in selectors.stale_cues_of(track)] == [first.id]
    assert track.current_revision is not None
    assert track.current_revision.origin == TrackOrigin.PERSON
    assert second.id not in done.kept


def test_a_divided_source_cue_is_translated_whole(source: TextTrack) -> None:
    track = services.translate_track(asset=source.asset, language="fr")
    source.refresh_from_db()
    divided = [replace(SAID[0], end_ms=1400, text="Good"), Cue("", 1500, 3000, "morning, all."), *SAID[1:]]
    services.save_cues(track=source, base_revision=1, cues=divided, user=None)
    services.renew_cues(track=track)
    assert texts(track)[0].replace("\n", " ") == "GOOD MORNING, ALL."


def test_one_click_has_a_worker_renew(source: TextTrack) -> None:
    track = services.translate_track(asset=source.asset, language="fr")
    with pytest.raises(NothingStale):
        services.request_renewal(track=track, user=None)
    change(source, "a", "Good evening.")
    track.refresh_from_db()
    stale = selectors.stale_cues_of(track)[0].id
    renewal = services.request_renewal(track=track, cue_ids=[stale], user=UserFactory())
    work.services.execute("transcripts.renewal", renewal.pk)
    renewal = Renewal.objects.get()
    assert (renewal.state, renewal.result) == (WorkState.DONE, {"renewed": 1, "kept": []})
    assert texts(track)[0] == "GOOD EVENING."


def test_doubts_are_settled_by_the_person_who_rewrites_a_cue() -> None:
    doubtful = [replace(cue, doubts=("credits",), confidence=0.3) for cue in SAID]
    track = TrackFactory(cues=doubtful)
    change(track, "a", "Good day.")
    track.refresh_from_db()
    found = [(cue.is_corrected, cue.doubts, cue.confidence) for cue in selectors.cues_of(track)]
    assert found[:2] == [(True, (), None), (False, ("credits",), 0.3)]
