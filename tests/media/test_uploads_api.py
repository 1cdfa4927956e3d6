"""The uploads API: who may do what, and what programs are told."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Organisation, Role, User
from accounts.services import create_api_token
from media import uploads
from media.models import Upload
from tests.factories.accounts import MembershipFactory, OrganisationFactory, UserFactory
from tests.support.uploads import join, made_bytes, part_of, send_parts

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/uploads/"


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings, own_store: Path) -> None:
    settings.UPLOAD_PART_BYTES = 1000


@pytest.fixture
def organisation() -> Organisation:
    made: Organisation = OrganisationFactory.create()
    return made


def signed_in(organisation: Organisation, role: Role = Role.ORGANISER) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(organisation=organisation, role=role).user)
    return client


@pytest.fixture
def organiser(organisation: Organisation) -> Client:
    return signed_in(organisation)


def announce(client: Client, size: int = 2500, **fields: object) -> dict[str, Any]:
    body = {"file_name": "talk.mp4", "size": size, **fields}
    response = client.post(URL, body, content_type="application/json")
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_the_whole_way_over_http(organiser: Client) -> None:
    data = made_bytes(2500)
    made = announce(organiser)
    assert (made["part_size"], made["part_count"], made["received"], made["state"]) == (1000, 3, [], "waiting")
    upload = Upload.objects.get(pk=made["id"])
    for number in (1, 2, 3):
        address = organiser.get(f"{URL}{made['id']}/parts/{number}/").json()
        assert address["method"] == "PUT"
        stranger = Client()  # the address alone is enough
        sent = stranger.put(address["url"], part_of(data, upload, number), content_type="video/mp4")
        assert sent.status_code == 200
        assert sent["ETag"]
    assert organiser.get(f"{URL}{made['id']}/").json()["received"] == [1, 2, 3]

    completed = organiser.post(f"{URL}{made['id']}/complete/")
    assert (completed.status_code, completed.json()["state"]) == (202, "queued")
    join(upload)
    done = organiser.get(f"{URL}{made['id']}/").json()
    assert (done["state"], done["progress"], done["asset"]) == ("done", 100, str(upload.asset_id))


def test_part_address_names_this_host(organiser: Client) -> None:
    made = announce(organiser)
    assert organiser.get(f"{URL}{made['id']}/parts/1/").json()["url"].startswith("http://testserver/parts/")


def test_addresses_of_several_parts_in_one_answer(organiser: Client) -> None:
    made = announce(organiser)
    found = organiser.get(f"{URL}{made['id']}/parts/", {"numbers": "3,1"}).json()
    assert [(part["number"], part["size"], part["method"]) for part in found] == [(3, 500, "PUT"), (1, 1000, "PUT")]
    assert Client().put(found[0]["url"], bytes(500), content_type="video/mp4").status_code == 200


@pytest.mark.parametrize("numbers", ["", "1,", "a", "1-3", ",".join(["1"] * 101)])
def test_parts_are_named_by_their_numbers(organiser: Client, numbers: str) -> None:
    made = announce(organiser)
    refused = organiser.get(f"{URL}{made['id']}/parts/", {"numbers": numbers})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["numbers"])


def test_hash_may_be_said_at_the_end(organiser: Client) -> None:
    data = made_bytes(2500)
    made = announce(organiser)
    upload = Upload.objects.get(pk=made["id"])
    send_parts(upload, data)
    body = {"sha256": "0" * 64}
    assert organiser.post(f"{URL}{made['id']}/complete/", body, content_type="application/json").status_code == 202
    join(upload)
    assert organiser.get(f"{URL}{made['id']}/").json()["error_code"] == "hash_mismatch"


def test_announcement_repeated_after_a_lost_answer_is_one_upload(organiser: Client) -> None:
    body = {"file_name": "talk.mp4", "size": 10}
    answers = [
        organiser.post(URL, body, content_type="application/json", headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Upload.objects.count() == 1


def test_unfinished_uploads_are_those_that_can_be_gone_on_with(organiser: Client) -> None:
    states = {"waiting": True, "queued": True, "failed": True, "done": False, "cancelled": False}
    rows = {state: announce(organiser, fingerprint="f1") for state in states}
    for state, row in rows.items():
        upload = Upload.objects.get(pk=row["id"])
        send_parts(upload, made_bytes(2500), [1])
        Upload.objects.filter(pk=upload.pk).update(state=state)
    gone = Upload.objects.get(pk=announce(organiser, fingerprint="f1")["id"])
    Upload.objects.filter(pk=gone.pk).update(state="failed")  # and no part is left
    found = organiser.get(URL, {"unfinished": "1", "mine": "1", "fingerprint": "f1"}).json()["results"]
    assert {row["state"] for row in found} == {state for state, is_wanted in states.items() if is_wanted}
    assert len(found) == 3


def test_open_uploads_are_found_again(organiser: Client, organisation: Organisation) -> None:
    wanted = announce(organiser, purpose="talk one")
    announce(organiser, purpose="talk two")
    closed = announce(organiser, purpose="talk one")
    organiser.delete(f"{URL}{closed['id']}/")
    colleague = signed_in(organisation)
    theirs = announce(colleague, purpose="talk one")

    found = organiser.get(URL, {"open": "1", "purpose": "talk one"}).json()["results"]
    assert {row["id"] for row in found} == {wanted["id"], theirs["id"]}
    mine = organiser.get(URL, {"open": "1", "purpose": "talk one", "mine": "1"}).json()["results"]
    assert [row["id"] for row in mine] == [wanted["id"]]


def test_missing_parts_are_a_problem_with_a_code(organiser: Client) -> None:
    made = announce(organiser)
    response = organiser.post(f"{URL}{made['id']}/complete/")
    assert (response.status_code, response.json()["code"]) == (409, "parts_missing")
    assert response["Content-Type"] == "application/problem+json"


def test_giving_up(organiser: Client) -> None:
    made = announce(organiser)
    assert organiser.delete(f"{URL}{made['id']}/").status_code == 204
    assert organiser.get(f"{URL}{made['id']}/").json()["state"] == "cancelled"
    closed = organiser.get(f"{URL}{made['id']}/parts/1/")
    assert (closed.status_code, closed.json()["code"]) == (409, "upload_closed")


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"size": 0}, 400, "size"),
        ({"size": -1}, 400, "size"),
        ({"size": 10**30}, 400, "size"),
        ({"size": "many"}, 400, "size"),
        ({"size": 10**15}, 413, "size"),
        ({"sha256": "abc"}, 400, "sha256"),
        ({"file_name": None}, 400, "file_name"),
        ({"file_name": "nul\0byte"}, 400, "file_name"),
        ({"organisation": str(uuid.uuid4())}, 400, "organisation"),
    ],
)
def test_wrong_announcements_name_the_field(
    organiser: Client, fields: dict[str, object], status: int, named: str
) -> None:
    body = {"file_name": "talk.mp4", "size": 10, **fields}
    response = organiser.post(URL, body, content_type="application/json")
    assert response.status_code == status
    assert list(response.json()["errors"]) == [named]


@pytest.mark.parametrize("number", ["0", "4", "999999"])
def test_part_that_does_not_exist(organiser: Client, number: str) -> None:
    made = announce(organiser)
    assert organiser.get(f"{URL}{made['id']}/parts/{number}/").json()["code"] == "no_such_part"


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_to_sign_in() -> None:
    assert Client().get(URL).status_code == 401
    assert Client().post(URL, {}, content_type="application/json").status_code == 401


def test_reviewers_may_look_but_not_send(organiser: Client, organisation: Organisation) -> None:
    made = announce(organiser)
    reviewer = signed_in(organisation, Role.REVIEWER)
    assert reviewer.get(f"{URL}{made['id']}/").status_code == 200
    assert reviewer.get(f"{URL}{made['id']}/parts/1/").status_code == 403
    assert reviewer.post(f"{URL}{made['id']}/complete/").status_code == 403
    assert reviewer.delete(f"{URL}{made['id']}/").status_code == 403
    refused = reviewer.post(URL, {"file_name": "x", "size": 1}, content_type="application/json")
    assert refused.status_code == 403


def test_other_organisations_do_not_see_it(organiser: Client) -> None:
    made = announce(organiser)
    other = signed_in(OrganisationFactory.create())
    assert other.get(URL).json()["results"] == []
    for answer in (
        other.get(f"{URL}{made['id']}/"),
        other.get(f"{URL}{made['id']}/parts/1/"),
        other.post(f"{URL}{made['id']}/complete/"),
        other.delete(f"{URL}{made['id']}/"),
    ):
        assert answer.status_code == 404


def test_organiser_of_two_says_for_which(organisation: Organisation) -> None:
    user: User = UserFactory.create()
    other = OrganisationFactory.create()
    for one in (organisation, other):
        MembershipFactory.create(user=user, organisation=one)
    client = Client()
    client.force_login(user)
    unsaid = client.post(URL, {"file_name": "x", "size": 1}, content_type="application/json")
    assert list(unsaid.json()["errors"]) == ["organisation"]
    assert announce(client, organisation=str(other.pk))["organisation"] == str(other.pk)


def test_token_reaches_as_far_as_it_says(organisation: Organisation) -> None:
    user = MembershipFactory.create(organisation=organisation).user
    _row, reading = create_api_token(organisation=organisation, created_by=user, name="r")
    _row, writing = create_api_token(organisation=organisation, created_by=user, name="w", can_write=True)
    made = announce(Client(headers={"Authorization": f"Bearer {writing}"}))
    reader = Client(headers={"Authorization": f"Bearer {reading}"})
    assert reader.get(f"{URL}{made['id']}/").status_code == 200
    assert reader.get(f"{URL}{made['id']}/parts/1/").status_code == 403


def test_changing_with_a_session_needs_the_csrf_token(organisation: Organisation) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(MembershipFactory.create(organisation=organisation).user)
    assert client.post(URL, {"file_name": "x", "size": 1}, content_type="application/json").status_code == 403


def test_list_costs_the_same_queries_for_one_and_for_many(organiser: Client, organisation: Organisation) -> None:
    counts = []
    for _round in range(2):
        announce(organiser)
        with CaptureQueriesContext(connection) as queries:
            organiser.get(URL)
        counts.append(len(queries))
        uploads.start_upload(organisation=organisation, user=None, file_name="x", size=1, purpose="")
    assert counts[0] == counts[1]
