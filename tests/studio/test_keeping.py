"""The page and the API of an organisation's keeping times."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import keeping
from accounts.models import AuditEntry, Membership, Role
from events.models import Webinar
from registration.models import Registration
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Membership:
    """Of an organisation with one registration, at a session fifty days ago."""
    member: Membership = MembershipFactory.create(role=Role.OWNER)
    webinar: Webinar = WebinarFactory.create(organisation=member.organisation)
    past = timezone.now() - timedelta(days=50)
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=past - timedelta(hours=1), ends_at=past)
    RegistrationFactory.create(webinar=webinar)
    return member


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def due(member: Membership) -> dict[str, int]:
    return {time.name: time.due for time in keeping.times_of(member.organisation) if time.due}


def test_owner_sees_what_new_times_would_delete_before_they_are_saved(owner: Membership) -> None:
    client, url = signed_in(owner), reverse("studio:keeping_times", args=[owner.organisation_id])
    seen = client.post(url, {"registrations": "30"})
    assert {time.name: time.due for time in seen.context["times"]}["registrations"] == 1
    owner.organisation.refresh_from_db()
    assert owner.organisation.keeping_days == {}
    assert client.post(url, {"registrations": "30", "confirm": "1"}).status_code == 302
    owner.organisation.refresh_from_db()
    assert (owner.organisation.keeping_days, due(owner)) == ({"registrations": 30}, {"registrations": 1})
    entry = AuditEntry.objects.get(action="organisation.keeping_days")
    assert entry.detail == {"before": {}, "after": {"registrations": 30}}
    assert keeping.purge()["registrations"] == 1
    assert Registration.objects.get().name == ""


@pytest.mark.parametrize("days", ["-1", "99999", "soon", "1.5", "\u0000"])
def test_times_that_cannot_be_meant_are_refused(owner: Membership, days: str) -> None:
    url = reverse("studio:keeping_times", args=[owner.organisation_id])
    assert signed_in(owner).post(url, {"registrations": days, "confirm": "1"}).status_code == 422
    owner.organisation.refresh_from_db()
    assert owner.organisation.keeping_days == {}


def test_nothing_is_due_of_what_is_kept_for_ever(owner: Membership) -> None:
    keeping.set_keeping_days(organisation=owner.organisation, days={"registrations": 0, "lists": None}, user=owner.user)
    assert owner.organisation.keeping_days == {"registrations": 0}
    assert due(owner) == {}


def test_program_looks_first_and_then_sets_the_times(owner: Membership) -> None:
    client, url = signed_in(owner), f"/api/v1/keeping-times/{owner.organisation_id}/"
    for dry_run, stored in ((True, {}), (False, {"registrations": 30})):
        body = {"days": {"registrations": 30, "mails": None}, "dry_run": dry_run}
        answer = client.put(url, body, content_type="application/json")
        assert {one["name"]: one["due"] for one in answer.json()["times"]}["registrations"] == 1
        owner.organisation.refresh_from_db()
        assert owner.organisation.keeping_days == stored
    for wrong in ({"access": 3}, {"lists": -1}, {"lists": "x"}):
        assert client.put(url, {"days": wrong}, content_type="application/json").status_code == 400
