"""Deciding, inviting, importing and exporting on the organiser's pages (promise W6)."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEntry, Organisation
from events.models import Webinar
from notifications.models import Message
from registration import services
from registration.models import Places, Registration, RegistrationState
from studio.forms import InviteForm
from tests.factories.events import WebinarFactory
from tests.registration.helpers import register
from tests.studio.conftest import Person
from work.services import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(organisation: Organisation) -> Webinar:
    return WebinarFactory(organisation=organisation, needs_approval=True, capacity=1)


def url(name: str, pk: Any) -> str:
    return reverse(f"studio:{name}", args=[pk])


# --- Deciding ------------------------------------------------------------------------------------------------------
def test_bulk_decision_asks_with_the_number_before_it_is_done(webinar: Webinar, organiser: Person) -> None:
    rows = [register(webinar, f"p{n}@example.org") for n in range(3)]
    address, chosen = url("registrants_decide", webinar.pk), [str(row.pk) for row in rows[:2]]
    asked = organiser.client.post(address, {"decision": "approve", "pk": chosen})
    assert "Approve 2 registrations?" in asked.content.decode()
    assert webinar.registrations.filter(state=RegistrationState.PENDING).count() == 3
    organiser.client.post(address, {"decision": "approve", "pk": chosen, "confirm": "1"})
    states = [Registration.objects.get(pk=row.pk).state for row in rows]
    assert states == [RegistrationState.CONFIRMED, RegistrationState.WAITLISTED, RegistrationState.PENDING]


def test_all_that_fit_a_search_can_be_declined(webinar: Webinar, organiser: Person) -> None:
    for name in ("anna", "eva", "evita"):
        register(webinar, f"{name}@example.org")
    address = url("registrants_decide", webinar.pk) + "?q=ev"
    asked = organiser.client.post(address, {"decision": "decline", "all": "1"})
    assert "Decline 2 registrations?" in asked.content.decode()
    pks = [str(row.pk) for row in asked.context["pks"] and Registration.objects.filter(pk__in=asked.context["pks"])]
    organiser.client.post(address, {"decision": "decline", "pk": pks, "confirm": "1"})
    assert webinar.registrations.filter(state=RegistrationState.DECLINED).count() == 2


@pytest.mark.parametrize("pk", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_deciding_nobody_is_no_error(webinar: Webinar, organiser: Person, pk: str) -> None:
    answer = organiser.client.post(url("registrants_decide", webinar.pk), {"pk": pk, "confirm": "1"}, follow=True)
    assert "None of those chosen waits for approval" in answer.content.decode()


def test_one_registration_can_be_approved_resent_and_cancelled(webinar: Webinar, organiser: Person) -> None:
    registration = register(webinar)
    for action, state in (("approve", "confirmed"), ("resend", "confirmed"), ("cancel", "cancelled")):
        assert organiser.client.post(url(f"registrant_{action}", registration.pk)).status_code == 302
        registration.refresh_from_db()
        assert registration.state == state
    page = organiser.client.get(url("registrant", registration.pk)).content.decode()
    assert "registration.approved" in page
    assert "anna@example.org" in page


def test_more_places_go_to_the_waiting_list_in_its_order(webinar: Webinar, organiser: Person) -> None:
    Webinar.objects.update(needs_approval=False)
    webinar.refresh_from_db()
    for name in "abc":
        register(webinar, f"{name}@example.org")
    page = organiser.client.get(url("registrants", webinar.pk) + "?state=waitlisted").content.decode()
    assert page.index("b@example.org") < page.index("c@example.org")
    organiser.client.post(url("capacity", webinar.pk), {"capacity": "2"})
    assert Places.objects.get(pk=webinar.pk).confirmed == 2
    answer = organiser.client.post(url("capacity", webinar.pk), {"capacity": "many"}, follow=True)
    assert "Give a number of places" in answer.content.decode()


# --- Conditions ----------------------------------------------------------------------------------------------------
def test_form_sets_and_shows_the_conditions(webinar: Webinar, organiser: Person) -> None:
    address = url("webinar_edit", webinar.pk)
    form = organiser.client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    data |= {
        "email_domains": "WHO.int, ec.europa.eu",
        "needs_invitation": "on",
        "registration_opens_at": "2026-01-02T09:00",
    }
    answer = organiser.client.post(address, data)
    assert answer.status_code == 302, answer.context["form"].errors
    webinar.refresh_from_db()
    assert (webinar.email_domains, webinar.needs_invitation) == (["who.int", "ec.europa.eu"], True)
    assert webinar.registration_opens_at is not None
    assert webinar.registration_opens_at.isoformat() == "2026-01-02T08:00:00+00:00"
    shown = organiser.client.get(address).content.decode()
    assert 'value="2026-01-02T09:00"' in shown
    wrong = organiser.client.post(address, {**data, "email_domains": "no domain!", "registration_opens_at": "x"})
    assert "email_domains" in wrong.context["form"].errors or "registration_opens_at" in wrong.context["form"].errors


# --- Invitations ---------------------------------------------------------------------------------------------------
def test_pasted_people_are_invited_and_bad_lines_named(webinar: Webinar, organiser: Person) -> None:
    people = "Anna Example <anna@example.org>\n\neva@example.org\nnonsense"
    answer = organiser.client.post(url("invitations", webinar.pk), {"people": people, "language": "fr"})
    assert answer.status_code == 422
    assert "Line 3" in answer.content.decode()
    assert set(webinar.invitations.values_list("email", "name", "language")) == {
        ("anna@example.org", "Anna Example", "fr"),
        ("eva@example.org", "", "fr"),
    }
    assert Message.objects.filter(purpose="registration.invitation").count() == 2


def test_names_and_addresses_are_found_however_they_were_pasted() -> None:
    lines = 'Anna <a@x.org>\n"Müller, Eva" <e@x.org>\nb@x.org; Bea\nc@x.org'
    form = InviteForm({"people": lines, "language": "en"})
    assert form.is_valid()
    assert [address for address, _name in form.lines()] == ["a@x.org", "e@x.org", "b@x.org", "c@x.org"]


def test_shared_link_is_made_shown_and_withdrawn(webinar: Webinar, organiser: Person, reviewer: Person) -> None:
    organiser.client.post(url("shared_invitation", webinar.pk), {"name": "Ministry", "max_uses": "3"})
    invitation = webinar.invitations.get()
    page = url("invitations", webinar.pk)
    assert "/invitations/" + invitation.pk.hex in organiser.client.get(page).content.decode()
    assert "/invitations/" + invitation.pk.hex not in reviewer.client.get(page).content.decode()
    organiser.client.post(url("invitation_revoke", invitation.pk))
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert organiser.client.post(url("shared_invitation", webinar.pk), {"max_uses": "0"}).status_code == 422


# --- Lists ---------------------------------------------------------------------------------------------------------
def test_import_shows_outcomes_wants_a_promise_and_reports(webinar: Webinar, organiser: Person) -> None:
    file = SimpleUploadedFile("people.csv", b"Name,Email\nAnna,anna@example.org\n=cmd,nonsense\n")
    address = organiser.client.post(url("registrants_import", webinar.pk), {"file": file})["Location"]
    assert "will be registered" in organiser.client.get(address).content.decode()
    organiser.client.post(address)
    assert webinar.imports.get().state == "waiting"
    organiser.client.post(address, {"privacy": "1"})
    execute("registration.import", webinar.imports.get().pk)
    assert webinar.registrations.get().state == RegistrationState.CONFIRMED
    report = organiser.client.get(url("import_report", webinar.imports.get().pk))
    text = b"".join(report).decode()
    assert '"\'=cmd"' in text
    bad = SimpleUploadedFile("people.csv", b"Name\nAnna\n")
    assert organiser.client.post(url("registrants_import", webinar.pk), {"file": bad}).status_code == 422


# --- Tables --------------------------------------------------------------------------------------------------------
def test_workbook_holds_those_that_fit_and_no_formula(webinar: Webinar, organiser: Person) -> None:
    register(webinar, "anna@example.org", name="Anna", affiliation="=HYPERLINK(1)")
    register(webinar, "eva@example.org", name="Eva")
    answer = organiser.client.post(url("registrants_xlsx", webinar.pk) + "?q=anna")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["Name", "Anna"]
    assert "'=HYPERLINK(1)" in rows[1]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert AuditEntry.objects.get(action="registrations.export").detail == {"filters": ""}


def test_teams_are_listed_with_their_members(webinar: Webinar, organiser: Person) -> None:
    group = services.start_group(
        webinar=webinar,
        name="Ward 4",
        coordinator_name="Carla",
        coordinator_email="carla@example.org",
        language="en",
        has_agreed=True,
    )
    services.add_member(group=group, name="A", email="a@example.org")
    register(webinar, "b@example.org")
    assert "Ward 4" in organiser.client.get(url("groups", webinar.pk)).content.decode()
    listed = organiser.client.get(url("registrants", webinar.pk) + f"?group={group.pk}").content.decode()
    assert "a@example.org" in listed
    assert "b@example.org" not in listed
