import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import ApiToken, Membership, Organisation, Role, User
from accounts.services import create_api_token
from events.models import Series, Speaker, Visibility, Webinar, WebinarState
from tests.factories.accounts import MembershipFactory, UserFactory
from tests.factories.events import MaterialFactory, SeriesFactory, SpeakerFactory, WebinarFactory

pytestmark = pytest.mark.django_db

WEBINARS = "/api/v1/webinars/"
NEW = {
    "title": {"en": "Mental health", "ar": "الصحة النفسية"},
    "starts_at": "2027-05-04T14:00:00",
    "ends_at": "2027-05-04T15:00:00",
    "time_zone": "Europe/Brussels",
    "capacity": 100,
    "subtitle_languages": ["fr", "ar"],
}


@pytest.fixture
def organiser() -> Membership:
    return MembershipFactory()


@pytest.fixture
def organisation(organiser: Membership) -> Organisation:
    return organiser.organisation


@pytest.fixture
def api(organiser: Membership) -> APIClient:
    return client_of(organiser.user)


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def client_with(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def titles(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [next(iter(row["title"].values())) for row in response.json()["results"]]


# --- Reading ---


def test_strangers_list_what_is_announced_and_nothing_else() -> None:
    WebinarFactory(title="Announced")
    WebinarFactory(title="Called off", state=WebinarState.CANCELLED)
    WebinarFactory(title="Draft", state=WebinarState.DRAFT)
    for visibility in (Visibility.UNLISTED, Visibility.REGISTERED, Visibility.ORGANISATION):
        WebinarFactory(title=visibility, visibility=visibility)
    assert titles(APIClient().get(WEBINARS)) == ["Called off", "Announced"]


def test_strangers_do_not_see_the_join_link_or_the_number_of_places() -> None:
    webinar = WebinarFactory(capacity=5)
    seen = APIClient().get(f"{WEBINARS}{webinar.pk}/").json()
    assert seen["title"] == {"en": str(webinar.title)}
    assert not {"join_url", "capacity", "calendar_sequence", "updated_at"} & seen.keys()


def test_members_see_all_of_their_own_webinars_with_every_field(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation, state=WebinarState.DRAFT, capacity=5)
    seen = api.get(f"{WEBINARS}{webinar.pk}/").json()
    assert (seen["join_url"], seen["capacity"]) == (webinar.join_url, 5)


def test_speakers_addresses_are_not_shown_with_the_webinar() -> None:
    speaker = SpeakerFactory()
    response = APIClient().get(f"{WEBINARS}{speaker.webinar.pk}/")
    assert response.json()["speakers"] == [{"name": speaker.name, "affiliation": "", "biography": ""}]
    assert speaker.email not in response.content.decode()


@pytest.mark.parametrize("state", [WebinarState.DRAFT, WebinarState.PUBLISHED])
def test_hidden_webinars_of_others_do_not_exist(api: APIClient, state: WebinarState) -> None:
    webinar = WebinarFactory(state=state, visibility=Visibility.ORGANISATION)
    assert api.get(f"{WEBINARS}{webinar.pk}/").status_code == 404
    assert APIClient().get(f"{WEBINARS}{webinar.pk}/").status_code == 404


def test_times_are_answered_in_utc_whatever_the_zone_of_the_caller() -> None:
    user = UserFactory(time_zone="Asia/Kathmandu")
    webinar = WebinarFactory(
        starts_at=datetime(2027, 5, 4, 12, tzinfo=UTC), ends_at=datetime(2027, 5, 4, 13, tzinfo=UTC)
    )
    assert client_of(user).get(f"{WEBINARS}{webinar.pk}/").json()["starts_at"] == "2027-05-04T12:00:00Z"


def test_list_costs_the_same_for_one_and_for_many(
    api: APIClient, organisation: Organisation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    SpeakerFactory(webinar__organisation=organisation)
    api.get(WEBINARS)
    with django_assert_num_queries(5):
        api.get(WEBINARS)
    for _number in range(4):
        SpeakerFactory(webinar__organisation=organisation)
    with django_assert_num_queries(5):
        assert len(titles(api.get(WEBINARS))) == 5


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    made = [str(WebinarFactory().pk) for _number in range(5)]
    seen: list[str] = []
    url = f"{WEBINARS}?page_size=2"
    while url:
        page = APIClient().get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title=santé", ["Santé mentale"]),
        ("title=SOINS", ["Accès aux soins"]),
        ("state=cancelled", ["Accès aux soins"]),
        ("starts_after=2031-01-01T00:00:00Z", ["Santé mentale"]),
        ("starts_before=2031-01-01T00:00:00Z", ["Accès aux soins"]),
    ],
)
def test_lists_can_be_narrowed(query: str, expected: list[str]) -> None:
    WebinarFactory(title={"fr": "Accès aux soins"}, state=WebinarState.CANCELLED)
    late = timezone.make_aware(datetime(2032, 1, 1), UTC)
    WebinarFactory(title={"fr": "Santé mentale"}, starts_at=late, ends_at=late + timedelta(hours=1))
    assert titles(APIClient().get(f"{WEBINARS}?{query}")) == expected


# --- Writing webinars ---


def test_organiser_creates_a_draft_in_local_time(api: APIClient, organisation: Organisation) -> None:
    response = api.post(WEBINARS, NEW, format="json")
    assert response.status_code == 201, response.content
    webinar = Webinar.objects.get()
    assert (webinar.organisation, webinar.state) == (organisation, WebinarState.DRAFT)
    assert response.json() | {"starts_at": "2027-05-04T12:00:00Z", "slug": "mental-health"} == response.json()


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"ends_at": "2027-05-04T13:00:00"}, "ends_at", "ends_before_start"),
        ({"starts_at": "2027-03-28T02:30:00"}, "starts_at", "impossible_local_time"),
        ({"ends_at": "2027-10-31T02:30:00"}, "ends_at", "doubled_local_time"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "unknown_time_zone"),
        ({"spoken_language": "klingon"}, "spoken_language", "unknown_language"),
        ({"title": ""}, "title", "required"),
        ({"title": {"en": 5}}, "title", "invalid"),
        ({"starts_at": "tomorrow"}, "starts_at", "invalid"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at", "invalid"),
        ({"capacity": 10**30}, "capacity", "invalid"),
        ({"topic": "nul\0"}, "topic", "invalid"),
        ({"topic": "\ud800"}, "topic", "invalid"),
        ({"subtitle_languages": "fr"}, "subtitle_languages", "invalid"),
        ({"subtitle_languages": [["fr"]]}, "subtitle_languages", "invalid"),
    ],
)
def test_wrong_value_is_explained_at_its_field(api: APIClient, changes: dict[str, Any], field: str, code: str) -> None:
    response = api.post(WEBINARS, json.dumps(NEW | changes), content_type="application/json")
    body = response.json()
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert list(body["errors"]) == [field]
    assert body["code"] == code
    assert not Webinar.objects.exists()


def test_organiser_changes_one_field(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation)
    response = api.patch(f"{WEBINARS}{webinar.pk}/", {"capacity": 7}, format="json")
    assert (response.status_code, response.json()["capacity"]) == (200, 7)


def test_second_editor_gets_409_and_overwrites_nothing(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation)
    url = f"{WEBINARS}{webinar.pk}/"
    seen = api.get(url).json()["updated_at"]
    first = api.patch(url, {"topic": "First", "expected_updated_at": seen}, format="json")
    second = api.patch(url, {"topic": "Second", "expected_updated_at": seen}, format="json")
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 409, "edit_conflict")
    assert Webinar.objects.get().topic == "First"


def test_webinar_cannot_be_moved_to_another_organisation(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation)
    other = MembershipFactory(user=Membership.objects.get().user).organisation
    response = api.patch(f"{WEBINARS}{webinar.pk}/", {"organisation": str(other.pk)}, format="json")
    assert (response.status_code, list(response.json()["errors"])) == (400, ["organisation"])


def test_webinar_is_published_and_cancelled_once(api: APIClient, organisation: Organisation) -> None:
    url = f"{WEBINARS}{WebinarFactory(organisation=organisation, state=WebinarState.DRAFT).pk}/"
    answers = [api.post(f"{url}{action}/").status_code for action in ("publish", "publish", "cancel", "cancel")]
    assert answers == [200, 409, 200, 409]


def test_only_a_draft_is_deleted(api: APIClient, organisation: Organisation) -> None:
    draft, published = (
        WebinarFactory(organisation=organisation, state=state) for state in (WebinarState.DRAFT, WebinarState.PUBLISHED)
    )
    assert api.delete(f"{WEBINARS}{draft.pk}/").status_code == 204
    assert api.delete(f"{WEBINARS}{published.pk}/").status_code == 409
    assert [w.pk for w in Webinar.objects.all()] == [published.pk]


def test_member_of_several_organisations_says_for_which(api: APIClient, organisation: Organisation) -> None:
    MembershipFactory(user=Membership.objects.get().user)
    unsaid = api.post(WEBINARS, NEW, format="json")
    said = api.post(WEBINARS, NEW | {"organisation": str(organisation.pk)}, format="json")
    assert (unsaid.status_code, list(unsaid.json()["errors"]), said.status_code) == (400, ["organisation"], 201)


# --- Who may ---


def test_reviewer_reads_but_changes_nothing(organisation: Organisation) -> None:
    reviewer = client_of(MembershipFactory(organisation=organisation, role=Role.REVIEWER).user)
    webinar = WebinarFactory(organisation=organisation, state=WebinarState.DRAFT)
    url = f"{WEBINARS}{webinar.pk}/"
    assert reviewer.get(url).status_code == 200
    answers = [
        reviewer.post(WEBINARS, NEW, format="json"),
        reviewer.patch(url, {"topic": "x"}, format="json"),
        reviewer.post(f"{url}publish/"),
        reviewer.delete(url),
        reviewer.post("/api/v1/speakers/", {"webinar": str(webinar.pk), "name": "Ada"}, format="json"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5


def test_rows_of_another_organisation_do_not_exist(api: APIClient) -> None:
    webinar = WebinarFactory()
    paths = [
        f"webinars/{webinar.pk}",
        f"series/{SeriesFactory().pk}",
        f"speakers/{SpeakerFactory(webinar=webinar).pk}",
        f"materials/{MaterialFactory(webinar=webinar).pk}",
    ]
    answers = [api.delete(f"/api/v1/{path}/").status_code for path in paths]
    answers += [api.patch(f"/api/v1/{path}/", {}, format="json").status_code for path in paths[:3]]
    answers += [api.get(f"/api/v1/{path}/").status_code for path in paths[1:]]
    answers += [api.post(f"/api/v1/webinars/{webinar.pk}/{name}/").status_code for name in ("publish", "cancel")]
    assert answers == [404] * len(answers)


def test_rows_of_another_organisation_cannot_be_referred_to(api: APIClient) -> None:
    webinar = WebinarFactory()
    for path, body in (
        ("speakers", {"webinar": str(webinar.pk), "name": "Ada"}),
        ("webinars", NEW | {"series": str(SeriesFactory().pk)}),
        ("webinars", NEW | {"organisation": str(webinar.organisation_id)}),
    ):
        response = api.post(f"/api/v1/{path}/", body, format="json")
        assert response.status_code == 400, response.content
    assert not Speaker.objects.exists()


def test_person_without_an_organisation_creates_nothing() -> None:
    assert client_of(UserFactory()).post(WEBINARS, NEW, format="json").status_code == 403


@pytest.mark.parametrize(("can_write", "expected"), [(False, 403), (True, 201)])
def test_token_reaches_as_far_as_it_says(organiser: Membership, can_write: bool, expected: int) -> None:
    _row, token = create_api_token(
        organisation=organiser.organisation, created_by=organiser.user, name="t", can_write=can_write
    )
    assert client_with(token).post(WEBINARS, NEW, format="json").status_code == expected


def test_token_does_not_reach_its_makers_other_organisation(organiser: Membership) -> None:
    other = MembershipFactory(user=organiser.user).organisation
    hidden = WebinarFactory(organisation=other, state=WebinarState.DRAFT)
    _row, token = create_api_token(
        organisation=organiser.organisation, created_by=organiser.user, name="t", can_write=True
    )
    client = client_with(token)
    assert client.get(f"{WEBINARS}{hidden.pk}/").status_code == 404
    assert client.post(f"{WEBINARS}{hidden.pk}/publish/").status_code == 404
    assert client.post(WEBINARS, NEW | {"organisation": str(other.pk)}, format="json").status_code == 400


def test_dead_tokens_open_nothing(organiser: Membership) -> None:
    given: dict[str, Any] = {"organisation": organiser.organisation, "created_by": organiser.user, "name": "t"}
    row, revoked = create_api_token(**given)
    ApiToken.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    _row, expired = create_api_token(**given, life=timedelta(seconds=-1))
    for token in (revoked, expired, "rst_made-up", ""):
        assert client_with(token).get("/api/v1/series/").status_code == 401


# --- Series, speakers, materials ---


def test_series_lives_through_the_api(api: APIClient) -> None:
    made = api.post("/api/v1/series/", {"title": "Migrant health"}, format="json").json()
    url = f"/api/v1/series/{made['id']}/"
    assert api.patch(url, {"is_public": True}, format="json").json()["is_public"] is True
    assert api.delete(url).status_code == 204
    assert not Series.objects.exists()


def test_speaker_is_added_invited_and_removed(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation)
    body = {"webinar": str(webinar.pk), "name": "Ada", "email": "ada@example.org"}
    made = api.post("/api/v1/speakers/", body, format="json").json()
    url = f"/api/v1/speakers/{made['id']}/"
    assert api.post(f"{url}invite/").json()["invited_at"] is not None
    assert api.delete(url).status_code == 204


def test_speakers_link_is_not_in_the_api(api: APIClient, organisation: Organisation) -> None:
    speaker = SpeakerFactory(webinar__organisation=organisation)
    assert speaker.link_nonce not in api.get(f"/api/v1/speakers/{speaker.pk}/").content.decode()


def test_material_that_is_none_is_refused_at_the_file(api: APIClient, organisation: Organisation) -> None:
    webinar = WebinarFactory(organisation=organisation)
    body = {"webinar": str(webinar.pk), "file": SimpleUploadedFile("slides.pdf", b"hello")}
    response = api.post("/api/v1/materials/", body, format="multipart")
    assert response.status_code in (400, 413, 415, 422), response.content
    assert not webinar.materials.exists()


def test_material_is_listed_with_an_address_to_download_it(api: APIClient, organisation: Organisation) -> None:
    material = MaterialFactory(webinar__organisation=organisation)
    (row,) = api.get(f"/api/v1/materials/?webinar={material.webinar_id}").json()["results"]
    assert (row["file_name"], row["sha256"]) == ("slides.pdf", material.sha256)
    assert row["url"].startswith("http://testserver/")


# --- Repeated calls ---


def test_repeated_call_with_a_key_creates_once_and_answers_alike(api: APIClient) -> None:
    answers = [api.post(WEBINARS, NEW, format="json", headers={"Idempotency-Key": "k1"}) for _try in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert Webinar.objects.count() == 1


def test_key_used_for_another_request_is_refused(api: APIClient) -> None:
    api.post(WEBINARS, NEW, format="json", headers={"Idempotency-Key": "k1"})
    other = api.post(WEBINARS, NEW | {"topic": "x"}, format="json", headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_refused_call_leaves_its_key_free(api: APIClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    refused = api.post(WEBINARS, NEW | {"time_zone": "?"}, format="json", headers=headers)
    assert (refused.status_code, api.post(WEBINARS, NEW, format="json", headers=headers).status_code) == (400, 201)


def test_keys_of_two_people_do_not_meet(api: APIClient, organisation: Organisation) -> None:
    colleague = client_of(MembershipFactory(organisation=organisation).user)
    for client in (api, colleague):
        client.post(WEBINARS, NEW, format="json", headers={"Idempotency-Key": "k1"})
    assert Webinar.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_time_with_one_key_create_once() -> None:
    organiser = MembershipFactory()
    _row, token = create_api_token(
        organisation=organiser.organisation, created_by=organiser.user, name="t", can_write=True
    )
    start, statuses = threading.Barrier(6), []

    def call() -> None:
        start.wait()
        response = client_with(token).post(WEBINARS, NEW, format="json", headers={"Idempotency-Key": "k"})
        statuses.append(response.status_code)
        connection.close()

    threads = [threading.Thread(target=call) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Webinar.objects.count() == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


# --- How often ---


def test_strangers_are_limited_by_address_and_a_forged_header_does_not_help(settings: Any) -> None:
    settings.API_PER_MINUTE = 50
    answers = [
        APIClient().get(WEBINARS, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code for number in range(12)
    ]
    # The window may turn once while this runs.
    assert answers.count(200) <= 10
    assert answers.count(429) >= 2


def test_accounts_are_limited_each_on_its_own(settings: Any) -> None:
    settings.API_PER_MINUTE = 3
    first, second = client_of(UserFactory()), client_of(UserFactory())
    answers = [first.get(WEBINARS).status_code for _number in range(8)]
    assert 429 in answers
    assert second.get(WEBINARS).status_code == 200


# --- Odd input ---


@pytest.mark.parametrize("path", ["webinars", "series", "speakers", "materials"])
def test_odd_ids_cursors_and_filters_are_answered_without_a_server_error(api: APIClient, path: str) -> None:
    urls = [f"/api/v1/{path}/{part}/" for part in ("x", "0", "%F0%9F%8E%A5", "..")]
    queries = (
        "cursor=x",
        "cursor=cD0lMDA=",
        "cursor=cD1nYXJiYWdl",
        "page_size=9" + "9" * 30,
        "webinar=x",
        "series=%FF",
    )
    urls += [f"/api/v1/{path}/?{query}" for query in queries]
    urls += [f"/api/v1/{path}/?title=%00", f"/api/v1/{path}/?starts_after=" + "9" * 50]
    for url in urls:
        assert api.get(url).status_code < 500, url


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"5", b"\xff\xfe", b'{"title": ' + b"[" * 5000])
def test_bodies_that_are_no_webinar_are_refused(api: APIClient, body: bytes) -> None:
    response = api.post(WEBINARS, body, content_type="application/json")
    assert response.status_code == 400, response.content


def test_every_text_field_takes_the_corpus_or_says_why_not(api: APIClient, organisation: Organisation) -> None:
    texts = [
        "=SUM(A1)",
        "<script>alert(1)</script>",
        "\u202ereversed",
        "\u0000",
        "{{settings.SECRET_KEY}}",
        "\ud83c\udfa5",
    ]
    fields = ["title", "summary", "topic", "audience", "join_url", "slug", "time_zone", "visibility", "spoken_language"]
    webinar = WebinarFactory(organisation=organisation, state=WebinarState.DRAFT)
    for field, text in itertools.product(fields, texts):
        body = json.dumps({field: text})  # the client's own renderer cannot write a lone surrogate
        response = api.patch(f"{WEBINARS}{webinar.pk}/", body, content_type="application/json")
        assert response.status_code in (200, 400), (field, text, response.content)
    assert api.get(f"{WEBINARS}{webinar.pk}/").status_code == 200
