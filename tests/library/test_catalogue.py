import json
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from events.models import Visibility, WebinarState
from library.models import RecordingState
from registration.models import Places
from tests.factories.accounts import MembershipFactory
from tests.factories.events import (
    PDF,
    MaterialFactory,
    MaterialPageFactory,
    SeriesFactory,
    SpeakerFactory,
    WebinarFactory,
)
from tests.factories.library import watchable_recording

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def titles(html: str) -> list[str]:
    """The titles of the cards on a page, in order."""
    return re.findall(r'class="stretched-link"[^>]*>([^<]+)<', html)


def past() -> dict[str, datetime]:
    starts_at = timezone.now() - timedelta(days=10)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}


def test_the_catalogue_lists_what_comes_next_first_and_what_can_be_watched(client: Client) -> None:
    WebinarFactory.create(title="Later", starts_at=timezone.now() + timedelta(days=9))
    WebinarFactory.create(title="Sooner")
    WebinarFactory.create(title="Past without recording", **past())
    watchable_recording(webinar=WebinarFactory.create(title="Watchable", **past()))
    assert titles(page(client, "/")) == ["Sooner", "Later", "Watchable"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": WebinarState.DRAFT},
        {"state": WebinarState.CANCELLED},
        {"visibility": Visibility.UNLISTED},
        {"visibility": Visibility.REGISTERED},
        {"visibility": Visibility.ORGANISATION},
    ],
)
def test_the_catalogue_does_not_list_webinars_that_are_not_for_everyone(client: Client, fields: dict[str, Any]) -> None:
    webinar = WebinarFactory.create(title="Hidden", **fields)
    client.force_login(MembershipFactory.create(organisation=webinar.organisation).user)
    assert titles(page(client, "/")) == []
    assert titles(page(client, "/search/?q=Hidden")) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"state": RecordingState.DRAFT},
        {"state": RecordingState.WITHDRAWN},
        {"visibility": Visibility.UNLISTED},
        {"visibility": Visibility.REGISTERED},
        {"webinar__visibility": Visibility.ORGANISATION},
        {"webinar__state": WebinarState.DRAFT},
    ],
)
def test_the_catalogue_does_not_list_recordings_that_are_not_for_everyone(
    client: Client, fields: dict[str, Any]
) -> None:
    watchable_recording(**{f"webinar__{name}": value for name, value in past().items()}, **fields)
    assert titles(page(client, "/")) == []


def test_topic_and_language_narrow_the_catalogue(client: Client) -> None:
    WebinarFactory.create(title="One", topic="Vaccination", spoken_language="en")
    WebinarFactory.create(title="Two", topic="Vaccination", spoken_language="fr")
    WebinarFactory.create(title="Three", topic="Nutrition", spoken_language="fr")
    assert sorted(titles(page(client, "/?topic=Vaccination"))) == ["One", "Two"]
    assert sorted(titles(page(client, "/?language=fr"))) == ["Three", "Two"]
    assert titles(page(client, "/?topic=Vaccination&language=fr")) == ["Two"]


def test_a_long_list_is_paged(client: Client) -> None:
    for _number in range(13):
        WebinarFactory.create()
    assert len(titles(page(client, "/"))) == 6
    assert len(titles(page(client, "/?show=upcoming"))) == 12
    assert len(titles(page(client, "/?show=upcoming&page=2"))) == 1
    assert len(titles(page(client, "/?show=upcoming&page=nonsense"))) == 12


def test_the_catalogue_asks_the_database_equally_often_for_one_and_for_three(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def add() -> None:
        SpeakerFactory.create()
        watchable_recording(**{f"webinar__{name}": value for name, value in past().items()})

    add()
    page(client, "/")
    with django_assert_num_queries(10):
        page(client, "/")
    add()
    add()
    with django_assert_num_queries(10):
        page(client, "/")


def test_a_draft_is_found_by_members_alone(client: Client) -> None:
    webinar = WebinarFactory.create(state=WebinarState.DRAFT)
    address = f"/webinars/{webinar.slug}/"
    assert client.get(address).status_code == 404
    client.force_login(MembershipFactory.create(organisation=webinar.organisation, role=Role.REVIEWER).user)
    assert "Preview" in page(client, address)


def test_the_page_shows_the_time_in_the_webinars_zone(client: Client) -> None:
    starts_at = datetime(2030, 1, 15, 14, 0, tzinfo=ZoneInfo("Asia/Amman"))
    webinar = WebinarFactory.create(
        starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90), time_zone="Asia/Amman"
    )
    html = page(client, f"/webinars/{webinar.slug}/")
    assert '<time datetime="2030-01-15T14:00:00+03:00">15 January 2030, 14:00</time>' in html
    assert '<time datetime="2030-01-15T15:30:00+03:00">15:30</time>' in html
    assert "(Asia/Amman)" in html


def test_places_left_are_counted_from_the_guarded_number(client: Client) -> None:
    webinar = WebinarFactory.create(capacity=10)
    Places.objects.update_or_create(webinar=webinar, defaults={"capacity": 10, "confirmed": 7})
    assert "3 places left" in page(client, f"/webinars/{webinar.slug}/")


def test_a_full_webinar_offers_its_waiting_list(client: Client) -> None:
    webinar = WebinarFactory.create(capacity=10)
    Places.objects.update_or_create(webinar=webinar, defaults={"capacity": 10, "confirmed": 10})
    assert "Join the waiting list" in page(client, f"/webinars/{webinar.slug}/")


def test_the_page_never_names_the_live_room(client: Client) -> None:
    webinar = WebinarFactory.create(join_url="https://room.example.org/secret-door")
    assert "secret-door" not in page(client, f"/webinars/{webinar.slug}/")


def structured(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_search_engines_are_told_the_facts(client: Client) -> None:
    speaker = SpeakerFactory.create(webinar__title="Care & <script>alert(1)</script>", affiliation="WHO")
    data = structured(page(client, f"/webinars/{speaker.webinar.slug}/"))
    assert data["@type"] == "EducationEvent"
    assert data["name"] == "Care & <script>alert(1)</script>"
    assert data["eventStatus"] == "https://schema.org/EventScheduled"
    assert data["performer"] == [
        {"@type": "Person", "name": speaker.name, "affiliation": {"@type": "Organization", "name": "WHO"}}
    ]
    assert datetime.fromisoformat(data["startDate"]) == speaker.webinar.starts_at


def test_a_recording_is_described_with_its_duration(client: Client) -> None:
    recording = watchable_recording()
    data = structured(page(client, f"/webinars/{recording.webinar.slug}/watch/"))
    assert (data["@type"], data["duration"]) == ("VideoObject", "PT1M0S")


def test_text_of_people_is_never_markup(client: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    webinar = WebinarFactory.create(title=evil, summary=evil, topic=evil, audience=evil)
    SpeakerFactory.create(webinar=webinar, name=evil, affiliation=evil, biography=evil)
    MaterialFactory.create(webinar=webinar, title=evil)
    for address in (f"/webinars/{webinar.slug}/", "/", "/search/?q=onerror"):
        html = page(client, address)
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html


def test_slides_are_shown_as_pictures_with_their_words(client: Client) -> None:
    material = MaterialFactory.create(title="Slides of the day")
    MaterialPageFactory.create(material=material, number=1, text="Words of page one")
    html = page(client, f"/webinars/{material.webinar.slug}/")
    assert re.findall(r'<img [^>]*alt="([^"]+)"', html) == ["Page 1: Words of page one"]


def test_materials_that_are_not_offered_stay_hidden(client: Client) -> None:
    material = MaterialFactory.create(title="Notes for ourselves", is_public=False)
    assert "Notes for ourselves" not in page(client, f"/webinars/{material.webinar.slug}/")
    address = f"/webinars/{material.webinar.slug}/downloads/slides/{material.pk}/"
    assert client.get(address).status_code == 404


def test_slides_can_be_downloaded_under_their_own_name(client: Client) -> None:
    material = MaterialFactory.create(file_name="Müller – slides.pdf")
    answer = client.get(f"/webinars/{material.webinar.slug}/downloads/slides/{material.pk}/")
    assert answer.status_code == 200
    assert "filename*=utf-8''M%C3%BCller" in answer["Content-Disposition"]
    assert answer.getvalue() == PDF


def test_a_series_shows_its_webinars_by_time(client: Client) -> None:
    series = SeriesFactory.create()
    WebinarFactory.create(series=series, title="Next")
    WebinarFactory.create(series=series, title="Before", **past())
    WebinarFactory.create(series=series, title="Draft", state=WebinarState.DRAFT)
    WebinarFactory.create(title="Another series")
    assert titles(page(client, f"/series/{series.slug}/")) == ["Next", "Before"]


def test_a_hidden_series_is_for_members(client: Client) -> None:
    series = SeriesFactory.create(is_public=False)
    assert client.get(f"/series/{series.slug}/").status_code == 404
    client.force_login(MembershipFactory.create(organisation=series.organisation, role=Role.REVIEWER).user)
    assert client.get(f"/series/{series.slug}/").status_code == 200


@pytest.mark.parametrize(
    "query", ["mental", "MENTAL health", "refugee", "Haddad", "WHO mental", "psychosocial", "الصحة"]
)
def test_search_finds_words_wherever_they_stand(client: Client, query: str) -> None:
    webinar = WebinarFactory.create(
        title={"en": "Mental health", "ar": "الصحة النفسية"}, summary="For refugee families", topic="Psychosocial care"
    )
    SpeakerFactory.create(webinar=webinar, name="Amina Haddad", affiliation="WHO")
    WebinarFactory.create(title="Something else")
    assert titles(page(client, f"/search/?q={query}")) == ["Mental health"]


@pytest.mark.parametrize("query", ["", "   ", "nothing-like-this", "%", "_", "\\", "'; drop table", "x" * 5000])
def test_search_without_a_hit_says_so(client: Client, query: str) -> None:
    WebinarFactory.create(title="Mental health")
    assert client.get("/search/", {"q": query}).status_code == 200
    assert titles(client.get("/search/", {"q": query}).content.decode()) == []


def test_pages_speak_arabic_from_right_to_left(client: Client) -> None:
    html = client.get("/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in html
    assert "bootstrap.rtl.min.css" in html


def test_the_language_switch_is_remembered(client: Client) -> None:
    client.post("/i18n/setlang/", {"language": "fr", "next": "/"})
    assert '<html lang="fr" dir="ltr">' in client.get("/").content.decode()
