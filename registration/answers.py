"""What people answer: checked against the questionnaire, stored, and seated.

A choice with limited seats is guarded like the webinar's places: a conditional UPDATE of its counter takes a seat, so
that no two people get the last one, on any database. A seat is held by the stored answer; when the answer changes or
the registration ends, it is free again. Those on the waiting list keep theirs, so that promotion never loses one.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.text import clean_line, clean_lines
from registration.answer_files import CheckedFile, check_file, delete_on_commit
from registration.errors import AnswersRefused, InvalidAnswer, NotRegistered
from registration.models import (
    Answer,
    ChoiceSeats,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    Registration,
    RegistrationState,
    Response,
)
from registration.questions import QUIZZES, WITH_CHOICES, choice_ids, text_of

TEXT_MAX: Final = 500
LONG_TEXT_MAX: Final = 5000
SCALE: Final = range(1, 6)
ENDED: Final = (RegistrationState.CANCELLED, RegistrationState.DECLINED)


@dataclass(frozen=True)
class KeptFile:
    """The file that was sent before stays."""


KEEP_FILE: Final = KeptFile()


@dataclass(frozen=True)
class Cleaned:
    """Answers that may be stored: a value per item that was asked and answered."""

    questionnaire: Questionnaire
    values: dict[QuestionnaireItem, Any]


def items_of(questionnaire: Questionnaire) -> list[QuestionnaireItem]:
    """The questionnaire's items in order, with their questions and seats."""
    return list(questionnaire.items.select_related("question").prefetch_related("seats").order_by("position"))


def clean_answers(
    *,
    questionnaire: Questionnaire,
    given: Mapping[str, Any],
    response: Response | None = None,
    is_for_another: bool = False,
    items: Iterable[QuestionnaireItem] | None = None,
) -> Cleaned:
    """Check answers as they came from a form, a list or the API.

    What is not asked of this person (`shown_if`) is left out, whatever was sent for it.

    Args:
        given: by the item's id (hex or with hyphens): text, number, ISO date, a choice's id or a list of them, a file.
        response: what was answered before, whose file may stay.
        is_for_another: somebody answers for the person, who is asked on their own page for what is missing.
        items: the questionnaire's items, for whoever checks many people's answers.

    Raises:
        AnswersRefused: something is missing or wrong; `errors` names all of it.
    """
    by_item = {str(key).replace("-", "").lower(): value for key, value in given.items()}
    kept = _kept_files(response)
    values: dict[QuestionnaireItem, Any] = {}
    chosen: dict[Any, set[str]] = {}
    errors: dict[str, str] = {}
    for item in items_of(questionnaire) if items is None else items:
        if item.shown_if_id and not chosen.get(item.shown_if_id, set()) & set(item.shown_if_choices):
            continue
        try:
            value = _clean(item, by_item.get(item.pk.hex), has_file=item.pk in kept)
        except InvalidAnswer as error:
            errors[str(item.pk)] = str(error)
            continue
        if value is None:
            if item.is_required and not is_for_another:
                errors[str(item.pk)] = _("Please answer this question.")
            continue
        values[item] = value
        chosen[item.pk] = set(choice_ids(value))
    if errors:
        raise AnswersRefused(_("Please correct the marked answers."), errors=errors)
    return Cleaned(questionnaire, values)


def save_answers(*, registration: Registration, cleaned: Cleaned) -> Response:
    """Store a person's answers in place of earlier ones, take the seats they chose and free those they left.

    Raises:
        NotRegistered: the registration is cancelled or declined.
        AnswersRefused: the last seat of a choice was taken by somebody else; nothing is stored.
    """
    with transaction.atomic():
        if Registration.objects.filter(pk=registration.pk, state__in=ENDED).exists():
            raise NotRegistered(_("This registration is cancelled."))
        response, is_new = Response.objects.get_or_create(
            questionnaire=cleaned.questionnaire, registration=registration
        )
        # An UPDATE locks the row on every database: two tabs are stored one after the other.
        Response.objects.filter(pk=response.pk).update(updated_at=timezone.now())
        before = {} if is_new else {answer.item_id: answer for answer in response.answers.select_related("item")}
        _change_seats(before, cleaned.values)
        _store(response, before, cleaned.values)
        response.score = score_of(cleaned) if cleaned.questionnaire.purpose in QUIZZES else None
        response.save(update_fields=["score", "updated_at"])
    return response


def require_seats(*, cleaned: Cleaned) -> None:
    """Check that the chosen seats are free, before anybody is looked up: the answer tells nothing about the address.

    Raises:
        AnswersRefused: one is not.
    """
    wants = {(item.pk, choice) for item, value in cleaned.values.items() for choice in choice_ids(value)}
    rows = ChoiceSeats.objects.filter(item__in={one for one, _c in wants}, taken__gte=F("capacity"))
    _refuse_full({(item, choice) for item, choice in rows.values_list("item", "choice")} & wants)


def release_seats(*, registration: Registration) -> None:
    """Free the seats of a registration that ended. The answers that held them are forgotten, so that each seat taken
    is an answer that is there. Safe to call again."""
    with transaction.atomic():
        held = Answer.objects.filter(response__registration=registration, item__seats__isnull=False)
        answers = list(held.distinct().select_related("item").order_by("item_id"))
        for answer in answers:
            if Answer.objects.filter(pk=answer.pk).delete()[0]:  # whoever deletes it frees its seats
                for choice in sorted(choice_ids(answer.value)):
                    _give_back(answer.item_id, choice)


def recount_seats(*, questionnaire: Questionnaire) -> bool:
    """Count the seats again from the answers. Returns whether a counter was wrong."""
    was_wrong = False
    with transaction.atomic():
        for seats in ChoiceSeats.objects.filter(item__questionnaire=questionnaire).select_for_update(no_key=True):
            values = Answer.objects.filter(item=seats.item_id).values_list("value", flat=True)
            taken = sum(seats.choice in choice_ids(value) for value in values)
            if taken != seats.taken:
                was_wrong = True
                ChoiceSeats.objects.filter(pk=seats.pk).update(taken=taken)
    return was_wrong


def score_of(cleaned: Cleaned) -> float | None:
    """The share of right answers, 0 to 1, among the questions that have a right one and were asked of this person.

    A question with several right answers counts when exactly these were chosen. None when nothing can be right.
    """
    items = QuestionnaireItem.objects.filter(questionnaire=cleaned.questionnaire).select_related("question")
    graded = [item for item in items if is_graded(item) and was_asked(item, cleaned.values)]
    if not graded:
        return None
    return sum(is_right(item, cleaned.values.get(item)) for item in graded) / len(graded)


def is_graded(item: QuestionnaireItem) -> bool:
    return bool(right_choices(item))


def right_choices(item: QuestionnaireItem) -> set[str]:
    if item.question.kind not in WITH_CHOICES:
        return set()
    return {choice["id"] for choice in item.question.choices if choice.get("is_right")}


def is_right(item: QuestionnaireItem, value: object) -> bool:
    """Whether the answer is right. Of several right ones, a question that takes one answer is content with any."""
    chosen, right = set(choice_ids(value)), right_choices(item)
    if item.question.kind == QuestionKind.CHOICE:
        return bool(chosen) and chosen <= right
    return chosen == right


def was_asked(item: QuestionnaireItem, values: Mapping[QuestionnaireItem, Any]) -> bool:
    """Whether the item was shown to whoever gave these answers."""
    if not item.shown_if_id:
        return True
    chosen = next((set(choice_ids(value)) for other, value in values.items() if other.pk == item.shown_if_id), set())
    return bool(chosen & set(item.shown_if_choices))


def unanswered(items: Iterable[QuestionnaireItem], values: Mapping[QuestionnaireItem, Any]) -> list[QuestionnaireItem]:
    """The questions that must be answered, were asked of whoever gave these answers, and have none."""
    return [item for item in items if item.is_required and item not in values and was_asked(item, values)]


# --- Storing -------------------------------------------------------------------------------------------------------
def _store(response: Response, before: Mapping[Any, Answer], values: Mapping[QuestionnaireItem, Any]) -> None:
    kept = {item.pk for item in values}
    for item_id, answer in before.items():
        if item_id not in kept:
            delete_on_commit([answer.file_key])
            answer.delete()
    for item, value in values.items():
        if isinstance(value, KeptFile):
            continue
        old = before.get(item.pk)
        fields: dict[str, Any] = {"value": value, "file_key": ""}
        if isinstance(value, CheckedFile):
            fields = {"value": value.value, "file_key": value.store()}
        Answer.objects.update_or_create(response=response, item=item, defaults=fields)
        if old is not None:
            delete_on_commit([old.file_key])


def _change_seats(before: Mapping[Any, Answer], values: Mapping[QuestionnaireItem, Any]) -> None:
    had = {(item_id, choice) for item_id, answer in before.items() for choice in choice_ids(answer.value)}
    wants = {(item.pk, choice) for item, value in values.items() for choice in choice_ids(value)}
    limited = set(ChoiceSeats.objects.filter(item__in={one for one, _c in had | wants}).values_list("item", "choice"))
    # In one order for everybody, so that no two transactions wait for each other.
    full: set[tuple[Any, str]] = set()
    for item_id, choice in sorted((had ^ wants) & limited):
        if (item_id, choice) in had:
            _give_back(item_id, choice)
        elif not _take(item_id, choice):
            full.add((item_id, choice))
    _refuse_full(full)


def _refuse_full(full: Iterable[tuple[Any, str]]) -> None:
    text = _("The last seat of your choice has just been taken. Please choose another.")
    errors = {str(item_id): text for item_id, _choice in full}
    if errors:
        raise AnswersRefused(_("Please correct the marked answers."), errors=errors, code="seats_taken")


def _take(item_id: Any, choice: str) -> bool:
    room = ChoiceSeats.objects.filter(item=item_id, choice=choice, taken__lt=F("capacity"))
    return room.update(taken=F("taken") + 1) == 1


def _give_back(item_id: Any, choice: str) -> None:
    ChoiceSeats.objects.filter(item=item_id, choice=choice, taken__gt=0).update(taken=F("taken") - 1)


def _kept_files(response: Response | None) -> set[Any]:
    if response is None:
        return set()
    return set(response.answers.exclude(file_key="").values_list("item", flat=True))


# --- Checking ------------------------------------------------------------------------------------------------------
def _clean(item: QuestionnaireItem, value: Any, *, has_file: bool) -> Any:
    """The value to store; None for no answer."""
    kind = item.question.kind
    if kind == QuestionKind.FILE:
        return _clean_file(value, has_file=has_file)
    if value is None or value == "" or value == []:
        return None
    if kind in WITH_CHOICES:
        return _clean_choices(item, value)
    if kind in (QuestionKind.TEXT, QuestionKind.LONG_TEXT):
        return _clean_text(value, is_long=kind == QuestionKind.LONG_TEXT)
    if kind == QuestionKind.DATE:
        return _clean_date(value)
    number = _clean_number(value)
    if kind == QuestionKind.SCALE:
        if number not in SCALE:
            raise InvalidAnswer(_("Choose from 1 to 5."))
        return int(number)
    return _within(item, number)


def _clean_file(value: Any, *, has_file: bool) -> CheckedFile | KeptFile | None:
    if value is None or value == "":
        return KEEP_FILE if has_file else None
    if value is False:  # the form's box that removes a file
        return None
    if not hasattr(value, "chunks"):
        raise InvalidAnswer(_("Send a file."))
    return check_file(value)


def _clean_choices(item: QuestionnaireItem, value: Any) -> list[str] | None:
    given = value if isinstance(value, list | tuple) else [value]
    chosen = [one for one in dict.fromkeys(str(one)[:20] for one in given) if one]
    known = [choice["id"] for choice in item.question.choices]
    if not set(chosen) <= set(known) or (item.question.kind == QuestionKind.CHOICE and len(chosen) > 1):
        raise InvalidAnswer(_("Choose from the list."))
    return [one for one in known if one in chosen] or None


def _clean_text(value: Any, *, is_long: bool) -> str | None:
    if not isinstance(value, str):
        raise InvalidAnswer(_("Enter a text."))
    text = clean_lines(value) if is_long else clean_line(value)
    limit = LONG_TEXT_MAX if is_long else TEXT_MAX
    if len(text) > limit:
        raise InvalidAnswer(
            _("At most %(max)s characters fit here; this has %(length)s.") % {"max": limit, "length": len(text)}
        )
    return text or None


def _clean_date(value: Any) -> str:
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value).strip()[:40])).isoformat()[:10]
    except ValueError:
        raise InvalidAnswer(_("Enter a date such as 2027-05-31.")) from None


_ASCII_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)


def _clean_number(value: Any) -> float:
    """A number as people write it: with a comma, spaces between thousands, or the digits of their script."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e15:
        return value
    text = "".join(str(int(char)) if char.isdecimal() else char for char in str(value)[:60].strip())
    text = re.sub(r"[\s\u00a0\u202f'’٬]", "", text).replace("٫", ".").replace("−", "-")
    text = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if not _ASCII_NUMBER.fullmatch(text):
        raise InvalidAnswer(_("Enter a number."))
    return float(text)


def _within(item: QuestionnaireItem, number: float) -> float | int:
    low, high = item.question.minimum, item.question.maximum
    if low is not None and number < low:
        raise InvalidAnswer(_("Enter a number of at least %(least)s.") % {"least": f"{low:g}"})
    if high is not None and number > high:
        raise InvalidAnswer(_("Enter a number of at most %(most)s.") % {"most": f"{high:g}"})
    return int(number) if float(number).is_integer() else number


def answers_by_item(response: Response | None) -> dict[Any, Answer]:
    """A response's answers by the item's key."""
    return {} if response is None else {answer.item_id: answer for answer in response.answers.all()}


def in_words(question: Question, value: Any) -> str:
    """A stored answer as people read it, in the language of the page."""
    if value is None:
        return ""
    if question.kind in WITH_CHOICES:
        labels = {choice["id"]: text_of(choice["label"]) for choice in question.choices}
        return ", ".join(labels.get(one, one) for one in choice_ids(value))
    if question.kind == QuestionKind.FILE:
        return str(value.get("name", "")) if isinstance(value, dict) else ""
    return str(value)
