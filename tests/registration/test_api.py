"""Registrations over the API: for organisers of the organisation, nobody else."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from accounts.services import create_api_token
from registration.models import Registration, RegistrationState
from tests.factories.accounts import MembershipFactory, UserFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import mails, register

pytestmark = pytest.mark.django_db
URL = "/api/v1/registrations/"


@pytest.fixture
def registration() -> Registration:
    return register(WebinarFactory(capacity=1), country="DE")


def member(registration: Registration, role: Role = Role.ORGANISER) -> APIClient:
    user: User = MembershipFactory(organisation=registration.webinar.organisation, role=role).user
    client = APIClient()
    client.force_login(user)
    return client


def stranger() -> APIClient:
    client = APIClient()
    client.force_login(UserFactory())
    return client


def body(registration: Registration, **values: Any) -> dict[str, Any]:
    return {
        "webinar": registration.webinar.slug,
        "email": "new@example.org",
        "name": "New Person",
        "privacy": True,
        **values,
    }


def test_organisers_see_registrations(registration: Registration) -> None:
    client = member(registration)
    (found,) = client.get(URL, {"webinar": registration.webinar.slug, "state": "confirmed"}).json()["results"]
    assert (found["id"], found["email"], found["country"]) == (str(registration.pk), "anna@example.org", "DE")
    assert client.get(f"{URL}{registration.pk}/").json() == found


def test_nobody_else_sees_them(registration: Registration) -> None:
    assert APIClient().get(URL).status_code == 401
    for client in (member(registration, Role.REVIEWER), stranger()):
        assert client.get(URL).json()["results"] == []
        assert client.get(f"{URL}{registration.pk}/").status_code == 404
        assert client.post(f"{URL}{registration.pk}/cancel/").status_code == 404


def test_reading_token_reads_and_changes_nothing(registration: Registration) -> None:
    organisation = registration.webinar.organisation
    user = MembershipFactory(organisation=organisation).user
    _row, token = create_api_token(organisation=organisation, created_by=user, name="report")
    client = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert len(client.get(URL).json()["results"]) == 1
    assert client.post(f"{URL}{registration.pk}/cancel/").status_code == 403
    assert client.post(URL, body(registration), format="json").status_code == 403


def test_organisers_register_people_who_get_their_mail(registration: Registration) -> None:
    response = member(registration).post(URL, body(registration), format="json")
    assert response.status_code == 201
    made = Registration.objects.get(email="new@example.org")
    assert response.json()["state"] == made.state == RegistrationState.WAITLISTED
    assert mails(made) == ["waitlisted"]


def test_same_address_answers_with_the_registration_there_is(registration: Registration) -> None:
    response = member(registration).post(URL, body(registration, email="ANNA@example.org"), format="json")
    assert (response.status_code, response.json()["id"]) == (201, str(registration.pk))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "a@localhost"}, "email"),
        ({"name": "see https://evil.example"}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"privacy": False}, "privacy"),
        ({"webinar": "unknown"}, "webinar"),
    ],
)
def test_bad_values_are_problems_at_their_field(registration: Registration, values: dict[str, Any], field: str) -> None:
    response = member(registration).post(URL, body(registration, **values), format="json")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert list(response.json()["errors"]) == [field]


def test_cancelling_promotes_the_next(registration: Registration) -> None:
    waiting = register(registration.webinar, "waiting@example.org")
    client = member(registration)
    for _twice in range(2):
        response = client.post(f"{URL}{registration.pk}/cancel/")
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    waiting.refresh_from_db()
    assert waiting.state == RegistrationState.CONFIRMED


def test_organisers_decide_one_and_many() -> None:
    webinar = WebinarFactory(needs_approval=True)
    rows = [register(webinar, f"p{n}@example.org") for n in range(4)]
    client = member(rows[0])
    assert client.post(f"{URL}{rows[0].pk}/approve/").json()["state"] == "confirmed"
    assert client.post(f"{URL}{rows[1].pk}/decline/").json()["state"] == "declined"
    assert client.post(f"{URL}{rows[0].pk}/approve/").status_code == 409
    given = {"webinar": webinar.slug, "ids": [str(row.pk) for row in rows], "decision": "approve"}
    assert client.post(f"{URL}decide/", given, format="json").json() == {"done": 3, "passed_over": 1}
    assert client.get(URL, {"q": "p3", "source": "form"}).json()["results"][0]["state"] == "confirmed"


def test_organisers_invite_and_revoke(registration: Registration) -> None:
    client, slug = member(registration), registration.webinar.slug
    personal = client.post("/api/v1/invitations/", {"webinar": slug, "email": "Eva@example.org", "name": "Eva"}).json()
    assert (personal["email"], personal["max_uses"], personal["link"]) == ("eva@example.org", 1, None)
    shared = client.post("/api/v1/invitations/", {"webinar": slug, "name": "Ministry", "max_uses": 5}).json()
    assert "/invitations/" in shared["link"]
    assert client.post(f"/api/v1/invitations/{shared['id']}/revoke/").json()["revoked_at"] is not None
    refused = client.post(
        "/api/v1/invitations/", {"webinar": slug, "email": "a@example.org", "name": "www.evil.example/"}
    )
    assert refused.status_code == 400
