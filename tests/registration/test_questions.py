"""The organiser's own questions: what is taken as an answer, who is asked, and who gets a seat."""

import contextlib
import functools
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from events.models import Webinar
from registration import answers, questions
from registration.answer_files import read_file
from registration.errors import AnswersRefused, InvalidQuestion, NotRegistered, QuestionAnswered
from registration.models import (
    Answer,
    ChoiceSeats,
    QuestionKind,
    Questionnaire,
    QuestionnairePurpose,
    Registration,
    RegistrationState,
    Response,
)
from tests.factories.events import WebinarFactory
from tests.factories.questions import ask, make_question, make_questionnaire
from tests.factories.registration import RegistrationFactory
from tests.registration.helpers import at_once
from work.errors import DomainError


@pytest.fixture
def webinar(db: None) -> Webinar:
    return WebinarFactory()


@pytest.fixture
def questionnaire(webinar: Webinar) -> Questionnaire:
    return make_questionnaire(webinar)


def clean(questionnaire: Questionnaire, **kwargs: Any) -> dict[str, Any]:
    cleaned = answers.clean_answers(questionnaire=questionnaire, **kwargs)
    return {str(item.question.label): value for item, value in cleaned.values.items()}


def refused(questionnaire: Questionnaire, given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(AnswersRefused) as caught:
        answers.clean_answers(questionnaire=questionnaire, given=given)
    return caught.value.errors


def answer(registration: Registration, questionnaire: Questionnaire, given: dict[str, Any]) -> Response:
    response = Response.objects.filter(registration=registration, questionnaire=questionnaire).first()
    cleaned = answers.clean_answers(questionnaire=questionnaire, given=given, response=response)
    return answers.save_answers(registration=registration, cleaned=cleaned)


def taken(item: Any) -> dict[str, int]:
    return dict(ChoiceSeats.objects.filter(item=item).values_list("choice", "taken"))


# --- Answers -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        (QuestionKind.TEXT, " two\nlines ", "two lines"),
        (QuestionKind.LONG_TEXT, "two\r\nlines ", "two\nlines"),
        (QuestionKind.CHOICE, "c2", ["c2"]),
        (QuestionKind.MULTIPLE, ["c3", "c1", "c3"], ["c1", "c3"]),
        (QuestionKind.NUMBER, "1 234,5", 1234.5),
        (QuestionKind.NUMBER, "٤٢", 42),
        (QuestionKind.DATE, "2027-05-31", "2027-05-31"),
        (QuestionKind.SCALE, "5", 5),
    ],
)
def test_each_kind_of_answer_is_stored_as_what_it_means(
    questionnaire: Questionnaire, kind: str, given: Any, stored: Any
) -> None:
    item = ask(questionnaire, kind, label="Q")
    assert clean(questionnaire, given={item.pk.hex: given}) == {"Q": stored}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (QuestionKind.TEXT, "x" * 501),
        (QuestionKind.TEXT, ["x"]),
        (QuestionKind.CHOICE, "c9"),
        (QuestionKind.CHOICE, ["c1", "c2"]),
        (QuestionKind.MULTIPLE, ["c1", "no"]),
        (QuestionKind.NUMBER, "many"),
        (QuestionKind.NUMBER, "1e5000"),
        (QuestionKind.NUMBER, float("nan")),
        (QuestionKind.NUMBER, True),
        (QuestionKind.DATE, "31.05.2027"),
        (QuestionKind.DATE, {"a": 1}),
        (QuestionKind.SCALE, "6"),
        (QuestionKind.FILE, "a text"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_at_its_question(
    questionnaire: Questionnaire, kind: str, given: Any
) -> None:
    item = ask(questionnaire, kind)
    assert list(refused(questionnaire, {str(item.pk): given})) == [str(item.pk)]


def test_every_text_of_the_corpus_is_taken_or_refused_with_a_reason(questionnaire: Questionnaire, corpus: Path) -> None:
    items = [ask(questionnaire, kind) for kind in QuestionKind.values if kind != QuestionKind.FILE]
    registration = RegistrationFactory.create(webinar=questionnaire.webinar)
    for file in sorted((corpus / "strings").iterdir()):
        text = file.read_bytes()[:20_000].decode("utf-8", "replace").replace("\0", "")
        for item in items:
            with contextlib.suppress(AnswersRefused):
                answer(registration, questionnaire, {item.pk.hex: text})


def test_number_keeps_to_its_limits(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.NUMBER, minimum=1, maximum=10)
    assert refused(questionnaire, {item.pk.hex: "0"}) == {str(item.pk): "Enter a number of at least 1."}
    assert refused(questionnaire, {item.pk.hex: "11"}) == {str(item.pk): "Enter a number of at most 10."}


def test_required_question_must_be_answered(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, is_required=True)
    assert refused(questionnaire, {item.pk.hex: "  "}) == {str(item.pk): "Please answer this question."}


def test_question_is_asked_only_of_those_who_chose_so(questionnaire: Questionnaire) -> None:
    first = ask(questionnaire, QuestionKind.CHOICE, label="First")
    second = ask(questionnaire, label="Second", is_required=True, shown_if=first, shown_if_choices=("c2",))
    third = ask(
        questionnaire, QuestionKind.CHOICE, label="Third", is_required=True, shown_if=first, shown_if_choices=("c1",)
    )
    ask(questionnaire, label="Fourth", is_required=True, shown_if=third, shown_if_choices=("c1",))

    given = {first.pk.hex: "c2", second.pk.hex: "because", third.pk.hex: "c1"}
    assert clean(questionnaire, given=given) == {"First": ["c2"], "Second": "because"}
    assert clean(questionnaire, given={}) == {}
    assert list(refused(questionnaire, {first.pk.hex: "c2"})) == [str(second.pk)]


def test_changed_answers_replace_the_former_ones(questionnaire: Questionnaire) -> None:
    first, second = ask(questionnaire, label="1"), ask(questionnaire, label="2")
    registration = RegistrationFactory.create(webinar=questionnaire.webinar)
    answer(registration, questionnaire, {first.pk.hex: "a", second.pk.hex: "b"})
    answer(registration, questionnaire, {first.pk.hex: "c"})
    assert list(Answer.objects.values_list("item", "value")) == [(first.pk, "c")]


# --- Files ---------------------------------------------------------------------------------------------------------
def docx(*extra: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *extra):
            archive.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("cv.pdf", b"%PDF-1.7 ...", "cv.pdf"),
        ("../../../etc/passwd", b"%PDF-1.7 ...", "passwd.pdf"),
        ("page.html", b"\x89PNG\r\n\x1a\n...", "page.html.png"),
        ("letter.docx", docx(), "letter.docx"),
    ],
)
def test_file_is_taken_by_its_content(questionnaire: Questionnaire, name: str, content: bytes, kept: str) -> None:
    item = ask(questionnaire, QuestionKind.FILE)
    registration = RegistrationFactory.create(webinar=questionnaire.webinar)

    answer(registration, questionnaire, {item.pk.hex: SimpleUploadedFile(name, content, "text/html")})

    stored = Answer.objects.get()
    assert stored.value is not None
    assert stored.value["name"] == kept
    assert read_file(stored.file_key) == content
    assert not Path(stored.file_key).name.startswith(Path(kept).stem)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"<svg/>",
        b"MZ",
        b"PK\x03\x04broken",
        docx("word/vbaProject.bin"),
        b"%PDF-" + b"x" * (10 * 1024**2),
    ],
)
def test_other_files_are_refused(questionnaire: Questionnaire, content: bytes) -> None:
    item = ask(questionnaire, QuestionKind.FILE)
    file = SimpleUploadedFile("cv.pdf", content, "application/pdf")
    assert list(refused(questionnaire, {item.pk.hex: file})) == [str(item.pk)]


def test_sent_file_stays_until_it_is_replaced(
    questionnaire: Questionnaire, django_capture_on_commit_callbacks: Any
) -> None:
    item = ask(questionnaire, QuestionKind.FILE, is_required=True)
    registration = RegistrationFactory.create(webinar=questionnaire.webinar)
    answer(registration, questionnaire, {item.pk.hex: SimpleUploadedFile("a.pdf", b"%PDF-1")})
    first = Answer.objects.get().file_key
    answer(registration, questionnaire, {item.pk.hex: None})
    assert Answer.objects.get().file_key == first

    with django_capture_on_commit_callbacks(execute=True):
        answer(registration, questionnaire, {item.pk.hex: SimpleUploadedFile("b.pdf", b"%PDF-2")})

    assert (Answer.objects.get().value or {})["name"] == "b.pdf"
    assert not default_storage.exists(first)


# --- Seats ---------------------------------------------------------------------------------------------------------
def test_last_seat_goes_to_one_person(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 1})
    first, second = RegistrationFactory.create_batch(2, webinar=questionnaire.webinar)
    answer(first, questionnaire, {item.pk.hex: "c1"})

    with pytest.raises(AnswersRefused) as caught:
        answer(second, questionnaire, {item.pk.hex: "c1"})

    assert caught.value.code == "seats_taken"
    assert not Answer.objects.filter(response__registration=second).exists()
    assert taken(item) == {"c1": 1}


def test_seat_is_free_again_when_the_answer_changes(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.MULTIPLE, seats={"c1": 1, "c2": 1})
    registration = RegistrationFactory.create(webinar=questionnaire.webinar)
    answer(registration, questionnaire, {item.pk.hex: ["c1", "c3"]})
    answer(registration, questionnaire, {item.pk.hex: ["c2"]})
    assert taken(item) == {"c1": 0, "c2": 1}
    answer(registration, questionnaire, {})
    assert taken(item) == {"c1": 0, "c2": 0}


def test_seats_are_released_once(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 2})
    first, second = RegistrationFactory.create_batch(2, webinar=questionnaire.webinar)
    for registration in (first, second):
        answer(registration, questionnaire, {item.pk.hex: "c1"})

    answers.release_seats(registration=first)
    answers.release_seats(registration=first)

    assert taken(item) == {"c1": 1}
    assert not answers.recount_seats(questionnaire=questionnaire)


def test_cancelled_registration_takes_no_seat(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 2})
    registration = RegistrationFactory.create(webinar=questionnaire.webinar, state=RegistrationState.CANCELLED)
    with pytest.raises(NotRegistered):
        answer(registration, questionnaire, {item.pk.hex: "c1"})
    assert taken(item) == {"c1": 0}


def test_wrong_counter_is_counted_again(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 2})
    answer(RegistrationFactory.create(webinar=questionnaire.webinar), questionnaire, {item.pk.hex: "c1"})
    ChoiceSeats.objects.update(taken=2)
    assert answers.recount_seats(questionnaire=questionnaire)
    assert taken(item) == {"c1": 1}


@pytest.mark.django_db(transaction=True)
def test_people_at_the_same_moment_get_no_more_seats_than_there_are() -> None:
    questionnaire = make_questionnaire(WebinarFactory.create())
    item = ask(questionnaire, QuestionKind.MULTIPLE, seats={"c1": 3, "c2": 2})
    people = RegistrationFactory.create_batch(8, webinar=questionnaire.webinar)
    wishes = [["c1"] if number % 2 else ["c2", "c1"] for number in range(8)]

    def try_for(number: int) -> Response:
        return answer(people[number], questionnaire, {item.pk.hex: wishes[number]})

    results = at_once([lambda number=number: try_for(number) for number in range(8)])  # type: ignore[misc]

    lucky = [wish for wish, result in zip(wishes, results, strict=True) if isinstance(result, Response)]
    assert all(isinstance(result, Response | AnswersRefused) for result in results)
    assert taken(item) == {"c1": 3, "c2": sum("c2" in wish for wish in lucky)}
    assert len(lucky) == 3
    assert not answers.recount_seats(questionnaire=questionnaire)


# --- The library ---------------------------------------------------------------------------------------------------
def test_ids_of_choices_stay_when_labels_and_order_change(webinar: Webinar) -> None:
    question = make_question(webinar.organisation, QuestionKind.CHOICE)
    red, green, _blue = question.choices
    changed = questions.save_question(
        question=question,
        user=None,
        kind=QuestionKind.CHOICE,
        label="Which?",
        choices=[{"label": "Yellow"}, {**green, "label": "Dark green"}, red],
    )
    assert [choice["id"] for choice in changed.choices] == ["c4", "c2", "c1"]


def test_answered_choice_cannot_be_removed(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire, QuestionKind.CHOICE)
    answer(RegistrationFactory.create(webinar=questionnaire.webinar), questionnaire, {item.pk.hex: "c1"})
    save = functools.partial(questions.save_question, question=item.question, user=None, label="Q")
    with pytest.raises(QuestionAnswered):
        save(kind=QuestionKind.CHOICE, choices=item.question.choices[1:])
    with pytest.raises(QuestionAnswered):
        save(kind=QuestionKind.TEXT)
    save(kind=QuestionKind.CHOICE, choices=item.question.choices[:2])


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "riddle"},
        {"label": ""},
        {"label": "x" * 301},
        {"kind": QuestionKind.CHOICE, "choices": [{"label": "one"}, {"label": " "}]},
        {"kind": QuestionKind.CHOICE, "choices": [{"label": str(n)} for n in range(51)]},
        {"kind": QuestionKind.NUMBER, "minimum": 2, "maximum": 1},
        {"kind": QuestionKind.NUMBER, "minimum": float("inf")},
    ],
)
def test_question_that_cannot_be_meant_is_refused(webinar: Webinar, values: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        make_question(webinar.organisation, **values)


def test_question_of_another_organisation_cannot_be_asked(questionnaire: Questionnaire) -> None:
    foreign = make_question(WebinarFactory.create().organisation)
    with pytest.raises(InvalidQuestion):
        questions.add_item(questionnaire=questionnaire, question=foreign, user=None)


def test_condition_must_be_an_earlier_question(questionnaire: Questionnaire) -> None:
    first, second = ask(questionnaire, QuestionKind.CHOICE), ask(questionnaire, QuestionKind.CHOICE)
    with pytest.raises(InvalidQuestion):
        questions.update_item(item=first, user=None, is_required=False, shown_if=second, shown_if_choices=["c1"])
    questions.update_item(item=second, user=None, is_required=False, shown_if=first, shown_if_choices=["c1"])
    with pytest.raises(InvalidQuestion):
        questions.move_item(item=second, user=None, by=-1)


def test_answered_question_is_removed_only_when_that_is_meant(questionnaire: Questionnaire) -> None:
    item = ask(questionnaire)
    answer(RegistrationFactory.create(webinar=questionnaire.webinar), questionnaire, {item.pk.hex: "x"})
    with pytest.raises(QuestionAnswered):
        questions.remove_item(item=item, user=None)
    questions.remove_item(item=item, user=None, with_answers=True)
    assert not questionnaire.items.exists()


def test_questionnaire_is_reused_by_another_webinar(questionnaire: Questionnaire) -> None:
    first = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 5}, is_required=True)
    ask(questionnaire, shown_if=first, shown_if_choices=("c1",))
    other = WebinarFactory.create(organisation=questionnaire.webinar.organisation)

    copied = questions.copy_questionnaire(source=questionnaire, webinar=other, user=None)

    one, two = answers.items_of(copied)
    assert (one.is_required, two.shown_if, two.shown_if_choices) == (True, one, ["c1"])
    assert list(one.seats.values_list("choice", "capacity", "taken")) == [("c1", 5, 0)]


# --- Quizzes -------------------------------------------------------------------------------------------------------
def test_score_is_the_share_of_right_answers(webinar: Webinar) -> None:
    quiz = make_questionnaire(webinar, QuestionnairePurpose.QUIZ_AFTER)
    choices = [{"label": "a", "is_right": True}, {"label": "b", "is_right": True}, {"label": "c"}]
    one = ask(quiz, QuestionKind.CHOICE, choices=choices)
    several = ask(quiz, QuestionKind.MULTIPLE, choices=choices)
    ask(quiz)
    registration = RegistrationFactory.create(webinar=webinar)
    assert answer(registration, quiz, {one.pk.hex: "c2", several.pk.hex: ["c1"]}).score == 0.5
    assert answer(registration, quiz, {one.pk.hex: "c2", several.pk.hex: ["c1", "c2"]}).score == 1
    assert answer(registration, quiz, {}).score == 0
