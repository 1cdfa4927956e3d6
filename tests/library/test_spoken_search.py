"""Search in what is said: in any language, in what is published only, and the hit leads to the second."""

import pytest
from django.test import Client

from events.models import Visibility
from library import selectors
from library.models import Recording, RecordingState
from tests.factories.library import RecordingFactory, give_package, give_track
from transcripts import services
from transcripts.cues import Cue
from transcripts.models import TextTrack, TrackState
from transcripts.searching import folded, index_track

pytestmark = pytest.mark.django_db


def spoken(language: str, texts: list[str], *, state: str = TrackState.PUBLISHED, **fields: object) -> TextTrack:
    recording: Recording = RecordingFactory.create(state=RecordingState.PUBLISHED, asset__duration_ms=60_000, **fields)
    give_package(recording.asset)
    track = give_track(recording.asset, language, texts, state=state)
    index_track(track)
    return track


def hits(query: str) -> list[tuple[str, list[str]]]:
    found = selectors.spoken_hits(query, selectors.found_tracks(query))
    return [(hit.track.language, [cue.text for cue in hit.cues]) for hit in found]


@pytest.mark.parametrize(
    ("language", "said", "query"),
    [
        ("fr", "La santé publique pour tous", "SANTE publique"),
        ("ar", "الوُصُول إلى الرِّعاية", "الرعاية الوصول"),
        ("uk", "Здоров'я мігрантів", "МІГРАНТІВ"),
        ("zh", "移民的健康很重要", "健康"),
        ("tr", "İstanbul'da sağlık", "istanbul saglik"),
        ("en", "Access to\ncare", "access care"),
        ("en", "&amp; <i>mental</i> health", "mental & health"),
    ],
)
def test_words_are_found_in_any_language(language: str, said: str, query: str) -> None:
    spoken(language, ["…", said])
    assert hits(query) == [(language, [said])]


def test_every_word_must_be_said_but_not_in_one_cue() -> None:
    spoken("en", ["Access to care.", "Nothing here.", "Mental health."])
    assert hits("access mental") == [("en", ["Access to care.", "Mental health."])]
    assert hits("access elephant") == []
    assert hits("  ") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"visibility": Visibility.REGISTERED},
        {"webinar__visibility": Visibility.ORGANISATION},
        {"state": TrackState.DRAFT},
    ],
)
def test_what_not_everybody_may_see_is_not_found(fields: dict[str, str]) -> None:
    spoken("en", ["A secret word."], **fields)
    assert hits("secret") == []


def test_a_correction_is_found_and_the_mistake_no_more() -> None:
    track = spoken("en", ["Good moaning."])
    services.save_cues(track=track, base_revision=1, cues=[Cue("0", 0, 1900, "Good morning.")], user=None)
    assert hits("moaning") == []
    assert hits("morning") == [("en", ["Good morning."])]


def test_a_hit_leads_to_the_second(client: Client) -> None:
    track = spoken("fr", ["Bonjour.", "La santé."])
    html = client.get("/search/", {"q": "sante"}).content.decode()
    slug = track.asset.recording.webinar.slug
    assert f"/webinars/{slug}/watch/?transcript=fr&amp;subtitles=fr#t=2" in html


@pytest.mark.parametrize("query", ["%", "_", "\\", "'\"", "a" * 5000, "\u202e", "<script>", "x" + " y" * 50])
def test_odd_queries_are_no_error(client: Client, query: str) -> None:
    spoken("en", ["Hello."])
    assert client.get("/search/", {"q": query, "said": "x"}).status_code == 200


def test_folding_takes_capitals_marks_and_spaces() -> None:
    assert folded("  ÉCOLE\n Straße  مُحَمَّـد ") == "ecole strasse محمد"
