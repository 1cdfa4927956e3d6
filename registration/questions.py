"""The organiser's own questions: a library per organisation, and the questionnaires that webinars ask.

A question keeps its ids of choices for ever, so that answers mean the same after its wording changed. What was
answered cannot lose its meaning: a kind cannot change and an answered choice cannot go once somebody answered.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from i18nfield.strings import LazyI18nString

from accounts.models import User
from accounts.services import record_action
from events.models import Webinar
from events.validators import translated_text
from registration.answer_files import delete_on_commit
from registration.errors import InvalidQuestion, QuestionAnswered
from registration.models import (
    Answer,
    ChoiceSeats,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
)

LABEL_MAX: Final = 300
HELP_MAX: Final = 500
CHOICE_MAX: Final = 200
INTRODUCTION_MAX: Final = 5000
MOST_CHOICES: Final = 50
MOST_ITEMS: Final = 100
MOST_SEATS: Final = 1_000_000
WITH_CHOICES: Final = (QuestionKind.CHOICE, QuestionKind.MULTIPLE)
QUIZZES: Final = (QuestionnairePurpose.QUIZ_BEFORE, QuestionnairePurpose.QUIZ_AFTER)


# --- The library ---------------------------------------------------------------------------------------------------
def save_question(
    *,
    question: Question,
    user: User | None,
    kind: str,
    label: object,
    help_text: object = "",
    choices: Iterable[Mapping[str, Any]] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Question:
    """Store a question, new (`Question(organisation=...)`) or changed.

    Args:
        label, help_text: a text, or texts by language tag.
        choices: `{"label": ..., "id": ..., "is_right": ...}` in their order; those without an id are new.
        minimum, maximum: limits of a number.

    Raises:
        InvalidQuestion, events.errors.InvalidValue: a value cannot be meant; `field` names it.
        QuestionAnswered: people answered it, and would have meant something else.
    """
    if kind not in QuestionKind.values:
        raise InvalidQuestion(_("Choose a kind of question from the list."), field="kind")
    language = question.organisation.language
    values = {
        "kind": QuestionKind(kind),
        "label": translated_text(
            label,
            field="label",
            label=gettext_lazy("Question"),
            language=language,
            max_length=LABEL_MAX,
            required=True,
        ),
        "help_text": translated_text(
            help_text, field="help_text", label=gettext_lazy("Help"), language=language, max_length=HELP_MAX
        ),
        "choices": _clean_choices(question, choices) if kind in WITH_CHOICES else [],
        "minimum": _limit(minimum, "minimum") if kind == QuestionKind.NUMBER else None,
        "maximum": _limit(maximum, "maximum") if kind == QuestionKind.NUMBER else None,
    }
    if values["minimum"] is not None and values["maximum"] is not None and values["minimum"] > values["maximum"]:
        raise InvalidQuestion(_("The smallest number must not be above the largest."), field="maximum")
    is_new = question._state.adding
    with transaction.atomic():
        if not is_new:
            # An UPDATE locks the row on every database: nobody answers while the meaning changes.
            Question.objects.filter(pk=question.pk).update(kind=F("kind"))
            _keep_meaning(question, values["kind"], {choice["id"] for choice in values["choices"]})
        for name, value in values.items():
            setattr(question, name, value)
        question.save(force_insert=is_new)
        record_action(
            action="question.created" if is_new else "question.changed",
            target=question,
            organisation=question.organisation,
            user=user,
        )
    return question


def retire_question(*, question: Question, user: User | None, is_retired: bool = True) -> Question:
    """Take a question off the library's list, or bring it back; where it is asked, it goes on being asked."""
    with transaction.atomic():
        question.is_retired = is_retired
        question.save(update_fields=["is_retired", "updated_at"])
        action = "question.retired" if is_retired else "question.restored"
        record_action(action=action, target=question, organisation=question.organisation, user=user)
    return question


def _keep_meaning(question: Question, kind: str, choices: set[str]) -> None:
    stored = Question.objects.get(pk=question.pk)
    answers = Answer.objects.filter(item__question=question)
    if stored.kind != kind and answers.exists():
        raise QuestionAnswered(
            _("People have answered this question, so its kind stays. Make a new question instead."), field="kind"
        )
    gone = {choice["id"] for choice in stored.choices} - choices
    if not gone:
        return
    if ChoiceSeats.objects.filter(item__question=question, choice__in=gone).exists():
        raise QuestionAnswered(
            _("A choice with limited seats cannot be removed. Lift its limit first."), field="choices"
        )
    # JSON lists are searched in Python: SQLite has no lookup for it.
    chosen = {one for value in answers.values_list("value", flat=True).iterator() for one in choice_ids(value)}
    if gone & chosen:
        raise QuestionAnswered(
            _("Somebody chose one of the removed answers. Leave it, or make a new question."), field="choices"
        )


def choice_ids(value: object) -> list[str]:
    """The ids in the stored answer to a question with choices; none for other answers."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _clean_choices(question: Question, choices: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    known = {choice["id"] for choice in question.choices}
    cleaned: list[dict[str, Any]] = []
    for choice in choices:
        text = translated_text(
            choice.get("label", ""),
            field="choices",
            label=gettext_lazy("Answer"),
            language=question.organisation.language,
            max_length=CHOICE_MAX,
        )
        if not text.data:
            continue
        given = str(choice.get("id") or "")
        cleaned.append(
            {
                "id": given if given in known else "",
                "label": text.data,
                "is_right": choice.get("is_right") is True,
            }
        )
    used = known | {choice["id"] for choice in cleaned}
    numbers = (f"c{number}" for number in range(1, len(used) + len(cleaned) + 2))
    free = (name for name in numbers if name not in used)
    for choice in cleaned:
        choice["id"] = choice["id"] or next(free)
    if len({choice["id"] for choice in cleaned}) < len(cleaned):
        raise InvalidQuestion(_("Two answers have the same id."), field="choices")
    if len(cleaned) < 2:
        raise InvalidQuestion(_("Give at least two answers to choose from."), field="choices")
    if len(cleaned) > MOST_CHOICES:
        raise InvalidQuestion(_("At most %(max)s answers can be offered.") % {"max": MOST_CHOICES}, field="choices")
    return cleaned


def _limit(value: float | None, field: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e15:
        raise InvalidQuestion(_("Enter a number."), field=field)
    return float(value)


# --- Questionnaires ------------------------------------------------------------------------------------------------
def questionnaire_for(*, webinar: Webinar, purpose: str) -> Questionnaire:
    """The webinar's questionnaire for that occasion, made if there is none yet.

    Raises:
        InvalidQuestion: there is no such occasion.
    """
    if purpose not in QuestionnairePurpose.values:
        raise InvalidQuestion(_("There is no such questionnaire."), field="purpose", code="unknown_purpose")
    return Questionnaire.objects.get_or_create(webinar=webinar, purpose=purpose)[0]


def set_introduction(*, questionnaire: Questionnaire, user: User | None, text: object) -> Questionnaire:
    """Store what is said above the questions.

    Raises:
        events.errors.InvalidValue: it is too long.
    """
    questionnaire.introduction = translated_text(
        text,
        field="introduction",
        label=gettext_lazy("Introduction"),
        language=questionnaire.webinar.organisation.language,
        max_length=INTRODUCTION_MAX,
        one_line=False,
    )
    with transaction.atomic():
        questionnaire.save(update_fields=["introduction", "updated_at"])
        _record("questionnaire.changed", questionnaire, user)
    return questionnaire


def add_item(
    *, questionnaire: Questionnaire, question: Question, user: User | None, is_required: bool = False
) -> QuestionnaireItem:
    """Ask a question of the library at the end of a questionnaire.

    Raises:
        InvalidQuestion: it is another organisation's, is asked there already, or there are too many.
    """
    if question.organisation_id != questionnaire.webinar.organisation_id:
        raise InvalidQuestion(_("There is no such question."), field="question", code="unknown_question")
    with transaction.atomic():
        _lock(questionnaire)
        items = questionnaire.items.all()
        if items.filter(question=question).exists():
            raise InvalidQuestion(_("This question is asked here already."), field="question", code="asked_already")
        if items.count() >= MOST_ITEMS:
            raise InvalidQuestion(
                _("A questionnaire can have %(max)s questions.") % {"max": MOST_ITEMS}, field="question"
            )
        last = items.aggregate(last=Max("position"))["last"]
        item = QuestionnaireItem.objects.create(
            questionnaire=questionnaire,
            question=question,
            position=0 if last is None else last + 1,
            is_required=is_required,
        )
        _record("questionnaire.changed", questionnaire, user, added=str(question.pk))
    return item


def update_item(
    *,
    item: QuestionnaireItem,
    user: User | None,
    is_required: bool,
    shown_if: QuestionnaireItem | None = None,
    shown_if_choices: Iterable[str] = (),
    seats: Mapping[str, int | None] | None = None,
) -> QuestionnaireItem:
    """Say whether a question must be answered, when it is asked, and how many may choose each of its answers.

    Args:
        shown_if: an earlier question with choices; None asks everybody.
        seats: places per choice; None, or a choice that is left out, is unlimited. Lowered below what is taken,
            nobody loses theirs.

    Raises:
        InvalidQuestion: `field` says what cannot be meant.
    """
    chosen = list(dict.fromkeys(shown_if_choices))
    with transaction.atomic():
        _lock(item.questionnaire)
        if shown_if is not None:
            _check_shown_if(item, shown_if, chosen)
        item.is_required = is_required
        item.shown_if = shown_if
        item.shown_if_choices = chosen if shown_if is not None else []
        item.save(update_fields=["is_required", "shown_if", "shown_if_choices", "updated_at"])
        if seats is not None:
            _set_seats(item, seats)
        _record("questionnaire.changed", item.questionnaire, user, changed=str(item.question_id))
    return item


def _check_shown_if(item: QuestionnaireItem, other: QuestionnaireItem, chosen: list[str]) -> None:
    if (
        other.questionnaire_id != item.questionnaire_id
        or other.position >= item.position
        or other.question.kind not in WITH_CHOICES
    ):
        raise InvalidQuestion(_("Choose an earlier question with answers to choose from."), field="shown_if")
    known = {choice["id"] for choice in other.question.choices}
    if not chosen or not set(chosen) <= known:
        raise InvalidQuestion(_("Choose for which of its answers this question is asked."), field="shown_if_choices")


def _set_seats(item: QuestionnaireItem, seats: Mapping[str, int | None]) -> None:
    known = {choice["id"] for choice in item.question.choices}
    wanted = {choice: places for choice, places in seats.items() if places is not None}
    for choice, places in wanted.items():
        if choice not in known or item.question.kind not in WITH_CHOICES:
            raise InvalidQuestion(_("Only answers to choose from can have seats."), field="seats")
        if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= MOST_SEATS:
            raise InvalidQuestion(_("Enter a number of seats, from 0 to a million."), field="seats")
    ChoiceSeats.objects.filter(item=item).exclude(choice__in=wanted).delete()
    for choice, places in wanted.items():
        if not ChoiceSeats.objects.filter(item=item, choice=choice).update(capacity=places):
            # Those who chose it before it was limited sit there too.
            taken = sum(choice in choice_ids(value) for value in item.answers.values_list("value", flat=True))
            ChoiceSeats.objects.create(item=item, choice=choice, capacity=places, taken=taken)


def move_item(*, item: QuestionnaireItem, user: User | None, by: int) -> None:
    """Move a question up (-1) or down (1). At the ends nothing happens.

    Raises:
        InvalidQuestion: a question would come before the one on whose answer it depends.
    """
    with transaction.atomic():
        _lock(item.questionnaire)
        items = list(item.questionnaire.items.order_by("position", "created_at"))
        at = next(number for number, one in enumerate(items) if one.pk == item.pk)
        to = min(max(at + by, 0), len(items) - 1)
        items.insert(to, items.pop(at))
        places = {one.pk: number for number, one in enumerate(items)}
        if any(one.shown_if_id and places[one.shown_if_id] > places[one.pk] for one in items):
            raise InvalidQuestion(_("A question must stay after the one on whose answer it depends."))
        for number, one in enumerate(items):
            if one.position != number:
                QuestionnaireItem.objects.filter(pk=one.pk).update(position=number)
        _record("questionnaire.changed", item.questionnaire, user, moved=str(item.question_id))


def remove_item(*, item: QuestionnaireItem, user: User | None, with_answers: bool = False) -> None:
    """Ask a question no more. Questions that depended on it are asked of everybody.

    Raises:
        QuestionAnswered: it has answers, which would be lost, and that was not said to be meant.
    """
    with transaction.atomic():
        _lock(item.questionnaire)
        if not with_answers and item.answers.exists():
            raise QuestionAnswered(_("People have answered this question. Removing it deletes their answers."))
        QuestionnaireItem.objects.filter(shown_if=item).update(shown_if=None, shown_if_choices=[])
        keys = [key for key in item.answers.values_list("file_key", flat=True) if key]
        _record("questionnaire.changed", item.questionnaire, user, removed=str(item.question_id))
        item.delete()
        delete_on_commit(keys)


def copy_questionnaire(*, source: Questionnaire, webinar: Webinar, user: User | None) -> Questionnaire:
    """Ask another webinar's questions here too, with their order, conditions and seats; no answers come along.

    Raises:
        InvalidQuestion: the other webinar is another organisation's, or questions are asked here already.
    """
    if source.webinar.organisation_id != webinar.organisation_id:
        raise InvalidQuestion(_("There is no such questionnaire."), field="source")
    with transaction.atomic():
        target = questionnaire_for(webinar=webinar, purpose=source.purpose)
        _lock(target)
        if target.items.exists():
            raise InvalidQuestion(_("Remove the questions that are here first."), field="source")
        target.introduction = source.introduction
        target.save(update_fields=["introduction", "updated_at"])
        copies: dict[Any, QuestionnaireItem] = {}
        for item in source.items.prefetch_related("seats").order_by("position"):
            copies[item.pk] = QuestionnaireItem.objects.create(
                questionnaire=target,
                question_id=item.question_id,
                position=item.position,
                is_required=item.is_required,
                shown_if=copies.get(item.shown_if_id) if item.shown_if_id else None,
                shown_if_choices=item.shown_if_choices,
            )
            ChoiceSeats.objects.bulk_create(
                ChoiceSeats(item=copies[item.pk], choice=one.choice, capacity=one.capacity) for one in item.seats.all()
            )
        _record("questionnaire.copied", target, user, source=str(source.pk))
    return target


def _lock(questionnaire: Questionnaire) -> None:
    Questionnaire.objects.filter(pk=questionnaire.pk).update(purpose=F("purpose"))


def _record(action: str, questionnaire: Questionnaire, user: User | None, **detail: Any) -> None:
    record_action(
        action=action,
        target=questionnaire,
        organisation=questionnaire.webinar.organisation,
        user=user,
        purpose=str(questionnaire.purpose),
        **detail,
    )


def text_of(texts: object) -> str:
    """A choice's label in the language of the page."""
    return str(LazyI18nString(texts))
