"""Questions, questionnaires, results and consent texts over the API."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from events.models import Webinar
from registration import answers
from registration.models import Answer, QuestionKind, QuestionnairePurpose
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.factories.questions import ask, make_questionnaire
from tests.factories.registration import RegistrationFactory


@pytest.fixture
def webinar(db: None) -> Webinar:
    return WebinarFactory()


@pytest.fixture
def organiser(webinar: Webinar) -> Client:
    member = MembershipFactory.create(organisation=webinar.organisation, role=Role.ORGANISER)
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client: Client, address: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = client.post(f"/api/v1/{address}", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_questionnaire_is_made_by_a_program(webinar: Webinar, organiser: Client) -> None:
    organisation = str(webinar.organisation_id)
    choices = [{"label": {"en": "Yes", "fr": "Oui"}}, {"label": "No"}]
    body = {"organisation": organisation, "kind": "choice", "label": {"en": "Coming?"}, "choices": choices}
    first = post(organiser, "questions/", body)
    second = post(organiser, "questions/", {"organisation": organisation, "kind": "text", "label": "Why?"})
    made = post(organiser, "questionnaires/", {"webinar": webinar.slug, "purpose": "registration"})
    items = f"questionnaires/{made['id']}/items/"
    one = post(organiser, items, {"question": first["id"], "is_required": True, "seats": {"c1": 3}})
    body = {"question": second["id"], "shown_if": one["id"], "shown_if_choices": ["c1"]}
    two = post(organiser, items, body)
    assert (one["seats"], two["shown_if_choices"]) == ({"c1": {"capacity": 3, "taken": 0}}, ["c1"])
    post(organiser, items, {"question": first["id"], "seats": {"c9": 3}}, status=400)
    shown = organiser.get(f"/api/v1/questionnaires/?webinar={webinar.slug}").json()["results"]
    assert [item["question"] for item in shown[0]["items"]] == [first["id"], second["id"]]


def test_results_are_told_from_five_people_on(webinar: Webinar, organiser: Client) -> None:
    survey = make_questionnaire(webinar, QuestionnairePurpose.SURVEY)
    item = ask(survey, QuestionKind.SCALE)
    address = f"/api/v1/questionnaires/{survey.pk}/results/"
    for number in range(5):
        if number == 4:
            assert organiser.get(address).json()["questions"] == []
        cleaned = answers.clean_answers(questionnaire=survey, given={item.pk.hex: 4})
        answers.save_answers(registration=RegistrationFactory.create(webinar=webinar, country="BE"), cleaned=cleaned)
    found = organiser.get(address).json()
    assert found["questions"][0]["average"] == 4
    assert found["groups"] == [{"name": "BE", "responses": 5, "averages": {str(item.question_id): 4}}]


def test_consent_text_is_a_new_version(webinar: Webinar, organiser: Client) -> None:
    body = {"organisation": str(webinar.organisation_id), "kind": "recording"}
    assert post(organiser, "consent-texts/", {**body, "text": "One"})["version"] == 1
    assert post(organiser, "consent-texts/", {**body, "text": {"fr": "Deux"}})["version"] == 2


def test_answers_are_sent_with_a_registration(webinar: Webinar, organiser: Client) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, is_required=True, seats={"c1": 1})
    person = {"webinar": webinar.slug, "email": "a@example.org", "name": "Anna", "privacy": True}
    post(organiser, "registrations/", {**person, "answers": {str(item.pk): "c9"}}, status=400)
    made = post(organiser, "registrations/", {**person, "answers": {str(item.pk): ["c1"]}})
    assert Answer.objects.get(response__registration=made["id"]).value == ["c1"]
    second = {**person, "email": "b@example.org"}
    post(organiser, "registrations/", {**second, "answers": {str(item.pk): "c1"}}, status=400)
    post(organiser, "registrations/", second)
