"""Questionnaires in the studio: editing without scripts, preview, results, tables, files, consent texts."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEntry
from events.models import Webinar
from registration import answers, consents, questions, results
from registration.models import (
    Answer,
    ChoiceSeats,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
    Response,
)
from tests.factories.events import WebinarFactory
from tests.factories.questions import ask, make_question, make_questionnaire
from tests.factories.registration import RegistrationFactory
from tests.studio.conftest import Person

SURVEY = QuestionnairePurpose.SURVEY


def url(name: str, webinar: Webinar, *more: object, purpose: str = SURVEY) -> str:
    return reverse(f"studio:{name}", args=[webinar.pk, purpose, *more])


def answer(questionnaire: Questionnaire, given: dict[QuestionnaireItem, Any], **person: Any) -> Response:
    registration = RegistrationFactory.create(webinar=questionnaire.webinar, **person)
    cleaned = answers.clean_answers(
        questionnaire=questionnaire, given={item.pk.hex: value for item, value in given.items()}
    )
    return answers.save_answers(registration=registration, cleaned=cleaned)


# --- Editing -------------------------------------------------------------------------------------------------------
def test_new_question_is_written_and_asked(webinar: Webinar, organiser: Person) -> None:
    entered = {
        "kind": "choice",
        "label_en": "Which?",
        "label_fr": "Lequel ?",
        "choice0_en": "One",
        "choice0_right": "on",
        "choice1_en": "Two",
        "choice1_ar": "اثنان",
        "rows": "4",
    }
    done = organiser.client.post(url("questionnaire_item_new", webinar), entered)

    item = QuestionnaireItem.objects.get()
    assert done["Location"] == url("questionnaire_item", webinar, item.pk)
    assert item.question.label.data == {"en": "Which?", "fr": "Lequel ?"}
    assert item.question.choices == [
        {"id": "c1", "label": {"en": "One"}, "is_right": True},
        {"id": "c2", "label": {"en": "Two", "ar": "اثنان"}, "is_right": False},
    ]


def test_more_lines_keep_what_was_entered(webinar: Webinar, organiser: Person) -> None:
    entered = {"kind": "choice", "label_en": "Which?", "choice0_en": "One", "rows": "4", "more": "1"}
    page = organiser.client.post(url("questionnaire_item_new", webinar), entered)
    assert 'value="One"' in page.content.decode()
    assert page.context["form"].row_count == 8
    assert not Question.objects.exists()


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"kind": "choice", "label_en": "Q", "choice0_en": "One"}, "choice0_en"),
        ({"kind": "text", "label_en": ""}, "label_en"),
        ({"kind": "riddle", "label_en": "Q"}, "kind"),
        ({"kind": "number", "label_en": "Q", "minimum": "2", "maximum": "1"}, "maximum"),
        ({"kind": "number", "label_en": "Q", "minimum": "1e999"}, "minimum"),
    ],
)
def test_wrong_question_is_marked(webinar: Webinar, organiser: Person, entered: dict[str, str], field: str) -> None:
    page = organiser.client.post(url("questionnaire_item_new", webinar), entered)
    assert page.status_code == 422
    assert field in page.context["form"].errors


def test_question_takes_every_text_of_the_corpus(webinar: Webinar, organiser: Person, corpus: Path) -> None:
    for file in sorted((corpus / "strings").iterdir()):
        text = file.read_bytes()[:3000].decode("utf-8", "replace").replace("\0", "")
        entered = {"kind": "text", "label_en": text[:400], "help_text_fr": text, "rows": text[:5]}
        assert organiser.client.post(url("questionnaire_item_new", webinar), entered).status_code in (302, 422)


def test_question_of_the_library_is_added_moved_and_removed(webinar: Webinar, organiser: Person) -> None:
    first, second = (make_question(webinar.organisation, label=label) for label in "AB")
    for question in (first, second):
        organiser.client.post(url("questionnaire_item_add", webinar), {"question": question.pk})
    items = list(Questionnaire.objects.get().items.all())
    assert [item.question for item in items] == [first, second]

    organiser.client.post(url("questionnaire_item_move", webinar, items[1].pk), {"to": "up"})
    assert [item.question for item in Questionnaire.objects.get().items.all()] == [second, first]
    asked = organiser.client.get(url("questionnaire_item_remove", webinar, items[0].pk)).content.decode()
    assert "Remove “A”?" in asked
    organiser.client.post(url("questionnaire_item_remove", webinar, items[0].pk))
    assert Questionnaire.objects.get().items.get().question == second
    assert Question.objects.count() == 2


def test_condition_and_seats_are_set(webinar: Webinar, organiser: Person) -> None:
    questionnaire = make_questionnaire(webinar, SURVEY)
    first, second = ask(questionnaire, QuestionKind.CHOICE), ask(questionnaire, QuestionKind.CHOICE)
    entered = {"is_required": "on", "conditions": [f"{first.pk.hex}:c1", f"{first.pk.hex}:c3"], "seats_c2": "5"}

    assert organiser.client.post(url("questionnaire_item", webinar, second.pk), entered).status_code == 302

    second.refresh_from_db()
    assert (second.is_required, second.shown_if, second.shown_if_choices) == (True, first, ["c1", "c3"])
    assert list(ChoiceSeats.objects.values_list("item", "choice", "capacity")) == [(second.pk, "c2", 5)]


def test_questionnaire_is_copied_from_another_webinar(webinar: Webinar, organiser: Person) -> None:
    other = make_questionnaire(WebinarFactory.create(organisation=webinar.organisation), SURVEY)
    item = ask(other)
    page = organiser.client.get(url("questionnaire", webinar)).content.decode()
    assert str(other.pk) in page
    organiser.client.post(url("questionnaire_copy", webinar), {"source": other.pk})
    assert webinar.questionnaires.get().items.get().question == item.question


def test_preview_shows_the_questions(webinar: Webinar, organiser: Person) -> None:
    ask(make_questionnaire(webinar, SURVEY), QuestionKind.SCALE, label="How was <it>?")
    shown = organiser.client.get(url("questionnaire_preview", webinar)).content.decode()
    assert "How was &lt;it&gt;?" in shown


def test_looking_makes_no_questionnaire(webinar: Webinar, organiser: Person) -> None:
    assert organiser.client.get(url("questionnaire", webinar)).status_code == 200
    assert not Questionnaire.objects.exists()


# --- Results -------------------------------------------------------------------------------------------------------
def test_results_are_hidden_below_five_people(webinar: Webinar, organiser: Person) -> None:
    survey = make_questionnaire(webinar, SURVEY)
    item = ask(survey, label="Comment")
    for number in range(4):
        answer(survey, {item: f"secret {number}"})
    assert "secret" not in organiser.client.get(url("questionnaire_results", webinar)).content.decode()
    answer(survey, {item: "secret 5"})
    assert "secret 5" in organiser.client.get(url("questionnaire_results", webinar)).content.decode()


def test_small_groups_are_others_and_cannot_be_subtracted(webinar: Webinar) -> None:
    survey = make_questionnaire(webinar, SURVEY)
    item = ask(survey, QuestionKind.SCALE)
    for country, people, value in (("BE", 6, "5"), ("FR", 5, "4"), ("DE", 2, "1")):
        for _number in range(people):
            answer(survey, {item: value}, country=country)

    found = results.results_of(survey)

    # Two Germans alone would be 13 - 6 - 5: the French join them.
    assert [(group.name, group.responses) for group in found.groups] == [("BE", 6), ("", 7)]
    assert found.groups[0].averages == [5]
    assert [(bar.label, bar.count) for bar in found.questions[0].bars] == [
        ("1", 2),
        ("2", 0),
        ("3", 0),
        ("4", 5),
        ("5", 6),
    ]


def test_groups_by_profession(webinar: Webinar, organiser: Person) -> None:
    survey = make_questionnaire(webinar, SURVEY)
    item = ask(survey, QuestionKind.SCALE)
    for _number in range(5):
        answer(survey, {item: "3"}, profession="Nurse")
    page = organiser.client.get(url("questionnaire_results", webinar) + "?by=profession").content.decode()
    assert "Nurse" in page


def test_knowledge_gain_is_paired_by_person_and_question(webinar: Webinar, organiser: Person) -> None:
    choices = [{"label": "right", "is_right": True}, {"label": "wrong"}]
    before = make_questionnaire(webinar, QuestionnairePurpose.QUIZ_BEFORE)
    item = ask(before, QuestionKind.CHOICE, choices=choices)
    after = make_questionnaire(webinar, QuestionnairePurpose.QUIZ_AFTER)
    again = questions.add_item(questionnaire=after, question=item.question, user=None)
    for number in range(6):
        first = answer(before, {item: "c1" if number == 0 else "c2"})
        given = {again.pk.hex: "c1" if number < 4 else "c2"}
        cleaned = answers.clean_answers(questionnaire=after, given=given)
        answers.save_answers(registration=first.registration, cleaned=cleaned)
    answer(before, {item: "c1"})  # did not take the second one

    gains = results.knowledge_gain(webinar)

    assert gains is not None
    (gain,) = gains.questions
    assert (gain.people, gain.before_percent, gain.after_percent, gain.learned, gain.forgot) == (6, 17, 67, 3, 0)
    page = organiser.client.get(url("questionnaire_results", webinar, purpose="quiz_after")).content.decode()
    assert "+50" in page


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_table_runs_no_formula(webinar: Webinar, organiser: Person, corpus: Path, format: str) -> None:
    questionnaire = make_questionnaire(webinar)
    item = ask(questionnaire, label="=1+1")
    with open(corpus / "strings" / "formulas.csv", encoding="utf-8", newline="") as file:
        hostile = [row["name"] for row in csv.DictReader(file)]
    for name in hostile:
        answer(questionnaire, {item: name[:400] or "-"}, name=name[:150])

    table = organiser.client.post(url("questionnaire_table", webinar, format, purpose="registration")).getvalue()

    if format == "csv":
        cells = [cell for row in csv.reader(io.StringIO(table.decode("utf-8-sig"))) for cell in row]
    else:
        sheet = load_workbook(io.BytesIO(table)).active
        assert sheet is not None
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
        cells = [str(cell.value or "") for row in sheet.iter_rows() for cell in row]
    assert len(cells) > len(hostile)
    dangerous = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    assert [cell for cell in cells if cell.lstrip(' "').startswith(dangerous)] == []
    assert AuditEntry.objects.filter(action="answers.export", user=organiser.user).exists()


def test_table_of_a_survey_has_no_names(webinar: Webinar, organiser: Person) -> None:
    survey = make_questionnaire(webinar, SURVEY)
    item = ask(survey)
    for _number in range(5):
        answer(survey, {item: "good"}, name="Anna Secret")
    table = organiser.client.post(url("questionnaire_table", webinar, "csv")).getvalue().decode()
    assert table.count("good") == 5
    assert "Secret" not in table


def test_sent_file_is_an_attachment_for_organisers(
    webinar: Webinar, organiser: Person, reviewer: Person, stranger: Person
) -> None:
    questionnaire = make_questionnaire(webinar)
    item = ask(questionnaire, QuestionKind.FILE)
    answer(questionnaire, {item: SimpleUploadedFile("Lebenslauf äö.pdf", b"%PDF-1")})
    address = reverse("studio:answer_file", args=[Answer.objects.get().pk])

    sent = organiser.client.get(address)

    assert sent.content == b"%PDF-1"
    assert sent["Content-Disposition"] == "attachment; filename*=utf-8''Lebenslauf%20%C3%A4%C3%B6.pdf"
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in sent["Content-Security-Policy"]
    assert [person.client.get(address).status_code for person in (reviewer, stranger)] == [403, 404]


# --- Consent texts -------------------------------------------------------------------------------------------------
def test_consent_text_is_written_as_a_new_version(webinar: Webinar, organiser: Person) -> None:
    organisation = webinar.organisation
    address = reverse("studio:consent_text", args=[organisation.pk, "recording"])
    for words in ("First", "Second"):
        entered = {"text_en": words, "text_ar": "نص", "is_required": "on"}
        assert organiser.client.post(address, entered).status_code == 302

    text = consents.current_texts(organisation)["recording"]
    assert (text.version, text.is_required, text.text.data) == (2, True, {"en": "Second", "ar": "نص"})
    assert "First" in organiser.client.get(address).content.decode()
    assert organiser.client.get(reverse("studio:consents")).status_code == 200


# --- A person's data -----------------------------------------------------------------------------------------------
def test_organiser_hands_out_and_erases_a_persons_data(webinar: Webinar, organiser: Person) -> None:
    questionnaire = make_questionnaire(webinar)
    item = ask(questionnaire, QuestionKind.FILE)
    response = answer(questionnaire, {item: SimpleUploadedFile("cv.pdf", b"%PDF-1")}, name="Anna Secret")
    person = response.registration
    page = organiser.client.get(reverse("studio:registrant", args=[person.pk])).content.decode()
    export, erase = (reverse(f"studio:registrant_{name}", args=[webinar.pk, person.pk]) for name in ("export", "erase"))
    assert all(link in page for link in (export, erase, reverse("studio:answer_file", args=[Answer.objects.get().pk])))

    assert organiser.client.post(export).content.startswith(b"PK")
    assert "Anna Secret" in organiser.client.get(erase).content.decode()
    assert organiser.client.post(erase).status_code == 302

    person.refresh_from_db()
    assert person.name == ""
    assert organiser.client.get(erase).status_code == 404
    assert AuditEntry.objects.filter(action__in=["person.exported", "person.erased"], user=organiser.user).count() == 2
