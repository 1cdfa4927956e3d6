"""Addresses without mail, and who asked for no more, over the API."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Role
from notifications.models import OptOut, Suppression
from tests.factories.accounts import MembershipFactory, OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/suppressions/"


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]  # factories
    return client


def test_administrator_adds_imports_exports_and_removes() -> None:
    client = signed_in(UserFactory(is_superuser=True))
    made = client.post(ADDRESS, {"email": "Gone@example.org", "reason": "=1+1"}, content_type="application/json")
    assert (made.status_code, made.json()["email"]) == (201, "gone@example.org")
    assert client.post(ADDRESS, {"email": "nonsense"}, content_type="application/json").status_code == 400
    done = client.post(
        f"{ADDRESS}import/", {"table": "a@example.org,left\nno address\n"}, content_type="application/json"
    )
    assert done.json() == {"added": 1, "refused": ["no address"]}
    exported = client.post(f"{ADDRESS}export/").getvalue().decode()
    assert '"gone@example.org","\'=1+1"' in exported
    assert client.delete(f"{ADDRESS}{made.json()['id']}/").status_code == 204
    assert [row["email"] for row in client.get(f"{ADDRESS}?email=example").json()["results"]] == ["a@example.org"]
    assert list(AuditEntry.objects.order_by("at").values_list("action", flat=True)) == [
        "suppression.added",
        "suppression.added",
        "suppressions.export",
        "suppression.removed",
    ]
    assert Suppression.objects.count() == 1


def test_organiser_sees_who_asked_for_no_more_of_their_own_organisation() -> None:
    member = MembershipFactory.create(role=Role.ORGANISER)
    OptOut.objects.create(organisation=member.organisation, email="mine@example.org", scope="news")
    OptOut.objects.create(organisation=OrganisationFactory(), email="other@example.org", scope="news")
    rows = signed_in(member.user).get("/api/v1/opt-outs/").json()["results"]
    assert [(row["email"], row["scope"]) for row in rows] == [("mine@example.org", "news")]
