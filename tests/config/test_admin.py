"""The administrators' site: every page opens, machine-written rows stay as they are, changes are recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Membership, Organisation, Role, User
from accounts.services import record_action
from notifications.models import Suppression
from tests.factories.accounts import MembershipFactory, OrganisationFactory, UserFactory
from tests.factories.events import MaterialPageFactory, SeriesFactory, SpeakerFactory, WebinarFactory

pytestmark = pytest.mark.django_db

OUR_APPS = ["accounts", "events", "media", "notifications", "transcripts", "registration", "library", "studio"]
# Shown inside the page of the row that they belong to, or of no interest by themselves.
INLINE_ONLY = {
    "media.UploadPart",
    "media.Rendition",
    "media.Derivative",
    "media.ReplacedFile",
    "studio.StepPart",
    "registration.QuestionnaireItem",
    "registration.Answer",
}
OURS = [model for model in admin.site._registry if model._meta.app_label in OUR_APPS]


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_model_of_ours_is_in_the_site() -> None:
    missing = {m._meta.label for m in apps.get_models() if m._meta.app_label in OUR_APPS} - {
        m._meta.label for m in OURS
    }
    assert missing <= INLINE_ONLY, missing - INLINE_ONLY


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_list_opens_and_can_be_searched(admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(page(model, "changelist")).status_code == 200
    assert admin_client.get(page(model, "changelist"), {"q": "x"}).status_code == 200


@pytest.mark.parametrize(
    "make",
    [MaterialPageFactory, SeriesFactory, SpeakerFactory, WebinarFactory, MembershipFactory, UserFactory],
)
def test_pages_of_rows_open(admin_client: Client, make: Callable[[], Model]) -> None:
    row = make()
    assert admin_client.get(page(type(row), "change", row.pk)).status_code == 200
    assert admin_client.get(page(type(row), "changelist")).status_code == 200


def test_log_of_who_did_what_cannot_be_changed_or_deleted(admin_client: Client) -> None:
    entry = record_action(action="test", target=OrganisationFactory(), organisation=None)
    assert admin_client.post(page(AuditEntry, "change", entry.pk), {"action": "other"}).status_code == 403
    assert admin_client.post(page(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert admin_client.get(page(AuditEntry, "add")).status_code == 403
    entry.refresh_from_db()
    assert entry.action == "test"


def test_links_of_people_are_not_shown(admin_client: Client) -> None:
    speaker = SpeakerFactory()
    assert speaker.link_nonce not in admin_client.get(page(type(speaker), "change", speaker.pk)).content.decode()


def test_administrator_makes_an_account_and_the_log_knows(admin_client: Client, admin_user: User) -> None:
    body = {"email": "new@example.org", "name": "New", "usable_password": "false"}
    response = admin_client.post(page(User, "add"), body)
    assert response.status_code == 302, response.content.decode()
    made = User.objects.get(email="new@example.org")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id, entry.user) == ("user.added", str(made.pk), admin_user)


def test_roles_given_beside_an_organisation_are_recorded(admin_client: Client) -> None:
    membership = MembershipFactory(role=Role.OWNER)
    organisation = membership.organisation
    body = {
        "name": organisation.name,
        "slug": organisation.slug,
        "language": "en",
        "time_zone": "UTC",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(membership.pk),
        "memberships-0-organisation": str(organisation.pk),
        "memberships-0-user": str(membership.user_id),
        "memberships-0-role": Role.REVIEWER,
    }
    assert admin_client.post(page(Organisation, "change", organisation.pk), body).status_code == 302
    assert Membership.objects.get().role == Role.REVIEWER
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"organisation.changed", "membership.changed"}


def test_suppressed_address_is_removed_and_the_log_knows(admin_client: Client) -> None:
    row = Suppression.objects.create(email="a@example.org", reason="bounced")
    admin_client.post(page(Suppression, "delete", row.pk), {"post": "yes"})
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.get().action == "suppression.deleted"


def test_members_without_staff_rights_do_not_get_in(client: Client) -> None:
    client.force_login(MembershipFactory(role=Role.OWNER).user)
    for model in OURS:
        assert client.get(page(model, "changelist")).status_code in (302, 403)
