"""Messages to registrants, own words, lists and teams over the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, Role
from events.models import Webinar
from notifications.models import MailTemplate, Message
from registration.models import Group, RegistrationState
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.factories.questions import ask, make_questionnaire
from tests.registration.helpers import register
from work.services import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar() -> Webinar:
    return WebinarFactory(title="First aid")


@pytest.fixture
def organiser(webinar: Webinar) -> Client:
    member = MembershipFactory.create(organisation=webinar.organisation, role=Role.ORGANISER)
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client: Client, address: str, body: dict[str, Any], status: int) -> Any:
    answer = client.post(f"/api/v1/{address}", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def test_message_is_written_looked_at_and_sent_to_its_fixed_recipients(webinar: Webinar, organiser: Client) -> None:
    register(webinar)
    words = {"subject": {"en": "Before {title}", "fr": "Avant"}, "text": {"en": "Dear {name}", "fr": "Bonjour"}}
    made = post(organiser, "messages/", {"webinar": webinar.slug, "segment": "confirmed", **words}, 201)
    assert (made["recipients"], made["confirmed_at"], made["subject"]) == (1, None, words["subject"])
    register(webinar, "late@example.org")
    address = f"messages/{made['id']}/"
    people = organiser.get(f"/api/v1/{address}recipients/").json()["results"]
    assert [one["email"] for one in people] == ["anna@example.org"]
    shown = organiser.get(f"/api/v1/{address}preview/?language=en").json()
    assert shown["subject"] == "Before First aid"
    wrong = post(organiser, f"{address}send/", {"count": 2}, 400)
    assert "1 people" in json.dumps(wrong)
    assert post(organiser, f"{address}send/", {"count": 1}, 200)["confirmed_at"]
    post(organiser, f"{address}send/", {"count": 1}, 409)
    assert organiser.delete(f"/api/v1/{address}").status_code == 409


def test_own_words_replace_the_standard_ones_and_go_again(webinar: Webinar, organiser: Client) -> None:
    kinds = {one["template"]: one for one in organiser.get("/api/v1/mail-texts/kinds/").json()}
    assert "own_link" in kinds["waitlisted"]["required"]
    body = {"webinar": webinar.slug, "template": "waitlisted", "language": "en", "subject": "Wait", "text": "Wait."}
    assert "own_link" in json.dumps(post(organiser, "mail-texts/", body, 400))
    made = post(organiser, "mail-texts/", {**body, "text": "Wait: {own_link}"}, 201)
    assert post(organiser, "mail-texts/", {**body, "text": "Wait here: {own_link}"}, 201)["id"] == made["id"]
    asked = {name: body[name] for name in ("webinar", "template", "language")}
    shown = post(organiser, "mail-texts/preview/", asked, 200)
    assert (shown["subject"], "Wait here:" in shown["text"]) == ("Wait", True)
    assert organiser.delete(f"/api/v1/mail-texts/{made['id']}/").status_code == 204
    assert not MailTemplate.objects.exists()
    everywhere = {**body, "organisation": str(webinar.organisation_id), "text": "{own_link}"}
    del everywhere["webinar"]
    assert post(organiser, "mail-texts/", everywhere, 201)["scope"] == ""


def test_list_is_read_its_columns_said_and_its_people_registered(webinar: Webinar, organiser: Client) -> None:
    asked = ask(make_questionnaire(webinar), label="Ward", is_required=True)
    file = SimpleUploadedFile("people.csv", b"Wer;Wo;Station\nAnna;a@example.org;Four\nEva;b@example.org;\n")
    answer = organiser.post("/api/v1/registration-imports/", {"webinar": webinar.slug, "file": file})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["heading"], made["columns"]) == (["Wer", "Wo", "Station"], {"email": 1})
    address = f"registration-imports/{made['id']}/"
    columns = {"name": 0, "email": 1, str(asked.pk): 2}
    judged = post(organiser, f"{address}columns/", {"columns": columns}, 200)
    assert [(line["outcome"], line["open"]) for line in judged["lines"]] == [("new", ""), ("new", "Ward")]
    post(organiser, f"{address}confirm/", {"privacy": False}, 400)
    assert post(organiser, f"{address}confirm/", {"privacy": True}, 200)["state"] == "queued"
    execute("registration.import", made["id"])
    rows = organiser.get("/api/v1/registrations/").json()["results"]
    assert {row["email"]: row["still_open"] for row in rows} == {
        "a@example.org": ["privacy notice"],
        "b@example.org": ["Ward", "privacy notice"],
    }
    assert "lines" not in organiser.get("/api/v1/registration-imports/").json()["results"][0]


def test_team_is_begun_filled_and_left(webinar: Webinar, organiser: Client) -> None:
    body = {
        "webinar": webinar.slug,
        "name": "Ward 4",
        "coordinator_name": "Carla",
        "coordinator_email": "c@example.org",
    }
    post(organiser, "teams/", {**body, "privacy": False}, 400)
    made = post(organiser, "teams/", {**body, "privacy": True}, 201)
    assert Message.objects.filter(recipient_email="c@example.org").count() == 1
    team = post(organiser, f"teams/{made['id']}/members/", {"name": "Maria", "email": "m@example.org"}, 200)
    assert team["members"] == 1
    member = Group.objects.get().members.get()
    post(organiser, f"teams/{made['id']}/withdraw/", {"registration": str(member.pk)}, 200)
    member.refresh_from_db()
    assert (member.group, member.state) == (None, RegistrationState.CANCELLED)
    entries = AuditEntry.objects.filter(action__startswith="group.")
    assert {(entry.action, entry.user is None) for entry in entries} == {
        ("group.created", False),
        ("group.member_withdrawn", False),
    }


def test_hostile_texts_are_taken_or_refused_with_a_reason(webinar: Webinar, organiser: Client, corpus: Path) -> None:
    register(webinar)
    texts = [text for file in sorted((corpus / "strings").glob("*.json")) for text in json.loads(file.read_text())]
    asked = {"template": "declined", "language": "en"}
    for text in [text for text in texts if isinstance(text, str)][::4]:  # every text is tried on the services' pages
        bodies = (
            ("messages/", {"webinar": webinar.slug, "segment": "confirmed", "subject": text, "text": text}),
            ("mail-texts/", {"webinar": webinar.slug, **asked, "subject": text, "text": text}),
            ("teams/", {"webinar": webinar.slug, "name": text, "coordinator_name": "C", "coordinator_email": text}),
        )
        for address, body in bodies:
            answer = organiser.post(f"/api/v1/{address}", {**body, "privacy": True}, content_type="application/json")
            assert answer.status_code in (201, 400), (address, text, answer.content)
