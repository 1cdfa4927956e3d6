"""Questions and consents on the public form and on a registrant's own pages."""

import functools
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.models import Webinar
from registration import answers, consents, services
from registration.links import token_for
from registration.models import Answer, ChoiceSeats, Consent, QuestionKind, QuestionnairePurpose, Registration, Response
from tests.factories.events import WebinarFactory
from tests.factories.questions import ask, make_questionnaire
from tests.factories.registration import RegistrationFactory

ENTERED = {
    "name": "Anna Example",
    "email": "anna@example.org",
    "language": "en",
    "time_zone": "Europe/Berlin",
    "privacy": "on",
}


@pytest.fixture
def webinar(db: None) -> Webinar:
    return WebinarFactory()


def register(client: Client, webinar: Webinar, **entered: Any) -> Any:
    return client.post(reverse("registration:register", args=[webinar.slug]), {**ENTERED, **entered})


def page(registration: Registration, purpose: str = "registration") -> str:
    return reverse("registration:answer", args=[token_for(registration), purpose])


def over(webinar: Webinar) -> Webinar:
    now = timezone.now()
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))
    webinar.refresh_from_db()
    return webinar


# --- Registering ---------------------------------------------------------------------------------------------------
def test_form_asks_the_organisers_questions_in_the_readers_language(client: Client, webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    first = ask(questionnaire, QuestionKind.CHOICE, label={"en": "Colour?", "fr": "Couleur ?"}, seats={"c2": 0})
    ask(questionnaire, label="Why?", shown_if=first, shown_if_choices=("c1",))

    shown = client.get(
        reverse("registration:register", args=[webinar.slug]), headers={"accept-language": "fr"}
    ).content.decode()

    assert "Couleur ?" in shown
    assert "Rouge" in shown
    assert f'data-shown-if="q_{first.pk.hex}"' in shown
    assert shown.count("disabled") == 1


def test_answers_are_stored_with_the_registration(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, seats={"c1": 1})
    file = ask(make_questionnaire(webinar), QuestionKind.FILE)

    answer = register(
        client, webinar, **{f"q_{item.pk.hex}": "c1", f"q_{file.pk.hex}": SimpleUploadedFile("a.pdf", b"%PDF-1")}
    )

    assert answer.status_code == 302
    stored = {one.item: one.value for one in Answer.objects.filter(response__registration=Registration.objects.get())}
    assert stored == {item: ["c1"], file: {"name": "a.pdf", "size": 6, "content_type": "application/pdf"}}
    assert ChoiceSeats.objects.get().taken == 1


def test_missing_answer_is_marked_and_what_was_entered_stays(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), is_required=True)
    text = ask(make_questionnaire(webinar), QuestionKind.LONG_TEXT)

    answer = register(client, webinar, **{f"q_{text.pk.hex}": "A long story"})

    assert answer.status_code == 422
    assert answer.context["form"].errors == {f"q_{item.pk.hex}": ["Please answer this question."]}
    assert "A long story" in answer.content.decode()
    assert not Registration.objects.exists()


def test_nobody_is_registered_without_the_seat_they_chose(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, seats={"c1": 0})
    assert register(client, webinar, **{f"q_{item.pk.hex}": "c1"}).status_code == 422
    assert not Registration.objects.exists()


def test_registering_again_changes_nobodys_answers(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar))
    register(client, webinar, **{f"q_{item.pk.hex}": "mine"})
    assert register(client, webinar, **{f"q_{item.pk.hex}": "another's"}).status_code == 302
    assert Answer.objects.get().value == "mine"


def test_cancelling_frees_the_seat(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, seats={"c1": 1})
    register(client, webinar, **{f"q_{item.pk.hex}": "c1"})
    services.cancel_registration(registration=Registration.objects.get())
    assert ChoiceSeats.objects.get().taken == 0
    assert register(client, webinar, email="b@example.org", **{f"q_{item.pk.hex}": "c1"}).status_code == 302


def test_consents_are_given_on_the_form(client: Client, webinar: Webinar) -> None:
    write = functools.partial(consents.write_text, organisation=webinar.organisation)
    privacy = write(kind="privacy", text="Our own notice")
    recording = write(kind="recording", text="We record <b>all</b>.", is_required=True)
    contact = write(kind="contact", text="We write to you.")
    shown = client.get(reverse("registration:register", args=[webinar.slug])).content.decode()
    assert "Our own notice" in shown
    assert "We record &lt;b&gt;all&lt;/b&gt;." in shown
    own = {"consent_privacy": str(privacy.pk)}

    refused = register(client, webinar, **own, consent_contact=str(contact.pk))
    assert list(refused.context["form"].errors) == ["consent_recording"]
    assert register(client, webinar, **own, consent_recording=str(recording.pk)).status_code == 302

    assert {one.text for one in Consent.objects.all()} == {privacy, recording}
    assert not consents.has_consent(Registration.objects.get(), "contact")


def test_text_that_changed_meanwhile_is_shown_unticked(client: Client, webinar: Webinar) -> None:
    old = consents.write_text(organisation=webinar.organisation, kind="recording", text="Old")
    new = consents.write_text(organisation=webinar.organisation, kind="recording", text="New")
    answer = register(client, webinar, consent_recording=str(old.pk))
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert f'value="{new.pk}"' in shown
    assert f'value="{new.pk}" checked' not in shown


# --- Own pages -----------------------------------------------------------------------------------------------------
def test_answers_are_changed_on_the_own_page(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, seats={"c1": 1})
    registration = RegistrationFactory.create(webinar=webinar)
    own = client.get(reverse("registration:own", args=[token_for(registration)])).content.decode()
    assert "/answers/registration/" in own

    assert client.post(page(registration), {f"q_{item.pk.hex}": "c1"}).status_code == 302
    assert ChoiceSeats.objects.get().taken == 1
    assert client.post(page(registration), {f"q_{item.pk.hex}": "c2"}).status_code == 302
    assert ChoiceSeats.objects.get().taken == 0


def test_survey_opens_after_the_session_for_those_with_a_place(client: Client, webinar: Webinar) -> None:
    ask(make_questionnaire(webinar, QuestionnairePurpose.SURVEY), QuestionKind.SCALE)
    registration = RegistrationFactory.create(webinar=webinar)
    waiting = RegistrationFactory.create(webinar=webinar, state="waitlisted")
    assert client.get(page(registration, "survey")).status_code == 409
    over(webinar)
    assert client.get(page(registration, "survey")).status_code == 200
    assert client.get(page(waiting, "survey")).status_code == 409
    Webinar.objects.update(starts_at=timezone.now() - timedelta(days=99), ends_at=timezone.now() - timedelta(days=98))
    assert client.get(page(registration, "survey")).status_code == 409


def test_survey_can_be_corrected(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(over(webinar), QuestionnairePurpose.SURVEY), QuestionKind.SCALE, is_required=True)
    registration = RegistrationFactory.create(webinar=webinar)
    assert client.post(page(registration, "survey"), {}).status_code == 422
    for value in ("2", "5"):
        assert client.post(page(registration, "survey"), {f"q_{item.pk.hex}": value}).status_code == 302
    assert Answer.objects.get().value == 5


def test_quiz_is_taken_once_and_tells_its_result(client: Client, webinar: Webinar) -> None:
    choices = [{"label": "Right one", "is_right": True}, {"label": "Wrong one"}]
    quiz = make_questionnaire(over(webinar), QuestionnairePurpose.QUIZ_AFTER)
    item = ask(quiz, QuestionKind.CHOICE, choices=choices)
    registration = RegistrationFactory.create(webinar=webinar)
    address = page(registration, "quiz_after")

    result = client.post(address, {f"q_{item.pk.hex}": "c2"}, follow=True).content.decode()

    assert "0 of 1 answer is right." in result
    assert "Right one" in result
    assert "0 of 1" in client.post(address, {f"q_{item.pk.hex}": "c1"}).content.decode()
    assert Response.objects.get().score == 0


def test_quiz_before_does_not_give_the_answers_away(client: Client, webinar: Webinar) -> None:
    choices = [{"label": "Right one", "is_right": True}, {"label": "Wrong one"}]
    item = ask(make_questionnaire(webinar, QuestionnairePurpose.QUIZ_BEFORE), QuestionKind.CHOICE, choices=choices)
    registration = RegistrationFactory.create(webinar=webinar)
    result = client.post(page(registration, "quiz_before"), {f"q_{item.pk.hex}": "c2"}, follow=True).content.decode()
    assert "0 of 1" in result
    assert "Right one" not in result


@pytest.mark.parametrize("purpose", ["survey", "nonsense"])
def test_nothing_to_answer_is_a_clear_page(client: Client, webinar: Webinar, purpose: str) -> None:
    registration = RegistrationFactory.create(webinar=webinar)
    answer = client.get(page(registration, purpose))
    assert answer.status_code == 404
    assert "There is nothing to answer here." in answer.content.decode()


def test_consent_is_taken_back_on_the_own_page(client: Client, webinar: Webinar) -> None:
    text = consents.write_text(organisation=webinar.organisation, kind="contact", text="We write to you.")
    registration = RegistrationFactory.create(webinar=webinar)
    consents.give(registration=registration, texts=[text])
    address = reverse("registration:consents", args=[token_for(registration)])
    assert "We write to you." in client.get(address).content.decode()

    client.post(address, {"kind": "contact", "agree": "no"})

    assert not consents.has_consent(registration, "contact")
    assert client.post(address, {"kind": "privacy", "agree": "no"}).status_code == 302
    assert client.post(address, {"kind": "\x00", "agree": "yes"}).status_code in (302, 400)


def test_unknown_item_is_ignored(webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    ask(questionnaire)
    assert answers.clean_answers(questionnaire=questionnaire, given={"nonsense": "x"}).values == {}
