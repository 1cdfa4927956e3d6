"""Search in what is said: in any language, in what is published only, and the hit leads to the second."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from events.models import Visibility
from library import selectors
from library.models import Recording, RecordingState
from tests.factories.library import RecordingFactory, give_package, give_track
from transcripts import services
from transcripts.cues import Cue
from transcripts.models import TextTrack, TrackState, TrackText
from transcripts.searching import index_track
from transcripts.tokens import MOST_TOKENS, folded, tokens_of

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
        ("en", "Two children were vaccinated.", "vaccination child"),  # by stem, and by beginning
        ("fr", "Des hôpitaux nationaux", "hopital nationale"),
        ("ar", "والرعاية الصحية", "رعاية"),
        ("fa", "سلامت كودكان", "کودکان"),  # a letter that keyboards write in two ways
        ("de", "Die Gesundheitsversorgung", "versorgung"),
        ("uk", "Медсестринський догляд", "сестрин"),
        ("so", "Caafimaadka dadweynaha", "maadka"),
        ("th", "สุขภาพของผู้ย้ายถิ่น", "ย้ายถิ่น"),
        ("zh", "移民的健康很重要", "很"),
        ("ja", "WHOの健康プログラム", "who 健康"),
        ("hi", "प्रवासियों का स्वास्थ्य", "स्वास्थ्य"),
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


def test_pieces_of_a_word_are_not_the_word() -> None:
    spoken("so", ["caafi, afima, imaad"])
    assert hits("caafimaad") == []


def test_a_word_inside_another_is_no_moment() -> None:
    spoken("en", ["It was scary.", "Take care."])
    assert hits("care") == [("en", ["Take care."])]


def test_a_withdrawn_track_is_not_found_until_it_is_published_again() -> None:
    track = spoken("en", ["Good morning."])
    track = services.unpublish_track(track=track)
    assert hits("morning") == []
    assert not hasattr(TextTrack.objects.get(pk=track.pk), "search_text")
    services.publish_track(track=track)
    assert hits("morning") == [("en", ["Good morning."])]


def test_drafts_are_not_indexed_at_every_key() -> None:
    track = spoken("en", ["Good morning."], state=TrackState.DRAFT)
    services.save_cues(track=track, base_revision=1, cues=[Cue("0", 0, 1900, "Good evening.")], user=None)
    assert TrackText.objects.count() == 0


def test_a_deleted_track_leaves_the_index() -> None:
    track = spoken("en", ["Good morning."])
    services.delete_track(track=track)
    assert TrackText.objects.count() == 0
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM transcripts_trackindex WHERE transcripts_trackindex MATCH 'morning'")
            assert cursor.fetchone() == (0,)


def test_the_index_is_used() -> None:
    spoken("en", ["Good morning."])
    plan = selectors.found_tracks("morning").explain()
    if connection.vendor == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plan
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "transcripts_tracktext_tokens" in selectors.found_tracks("morning").explain()


def test_a_track_with_more_words_than_an_index_holds_is_found_by_its_first() -> None:
    words = " ".join(f"{number:x}word{number}" for number in range(60_000))
    assert 30_000 < len(tokens_of(words, language="so")) <= MOST_TOKENS
    track = spoken("so", [f"first {words}"])
    assert [hit[0] for hit in hits("first")] == [track.language]


def test_a_hit_leads_to_the_second(client: Client) -> None:
    track = spoken("fr", ["Bonjour.", "La santé."])
    html = client.get("/search/", {"q": "sante"}).content.decode()
    slug = track.asset.recording.webinar.slug
    assert f"/webinars/{slug}/watch/?transcript=fr&amp;subtitles=fr#t=2" in html


def test_a_hit_in_an_older_recording_of_a_webinar_leads_to_that_one(client: Client) -> None:
    now = timezone.now()
    track = spoken("fr", ["La santé."], published_at=now - timedelta(days=1))
    older = track.asset.recording
    spoken("fr", ["Bonjour."], webinar=older.webinar, published_at=now)
    html = client.get("/search/", {"q": "sante"}).content.decode()
    link = f"/webinars/{older.webinar.slug}/watch/?recording={older.pk}&amp;transcript=fr&amp;subtitles=fr#t=0"
    assert link in html
    assert "La santé." in client.get(link.replace("&amp;", "&").partition("#")[0]).content.decode()


@pytest.mark.parametrize("query", ["%", "_", "\\", "'\"", "a" * 5000, "\u202e", "<script>", "x" + " y" * 50])
def test_odd_queries_are_no_error(client: Client, query: str) -> None:
    spoken("en", ["Hello."])
    assert client.get("/search/", {"q": query, "said": "x"}).status_code == 200


def test_folding_takes_capitals_marks_and_spaces() -> None:
    assert folded("  ÉCOLE\n Straße  مُحَمَّـد ") == "ecole strasse محمد"
