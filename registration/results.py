"""What surveys and quizzes say: sums over people, never a person.

A group of fewer than five is not shown. Small groups are counted together as "others"; where these too would be fewer
than five, the smallest of the others joins them, so that nothing can be found out by subtracting from the total.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any, Final

from django.utils.translation import gettext as _

from events.models import Webinar
from registration.answers import in_words, is_graded, is_right, items_of, right_choices
from registration.models import (
    Answer,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
    RegistrationState,
    Response,
)
from registration.questions import QUIZZES, WITH_CHOICES, choice_ids, text_of

SMALL: Final = 5
TEXTS_SHOWN: Final = 200
GROUPINGS: Final = ("country", "profession")
# Their answers are shown with names: they were given to the organiser, not to an evaluation.
NAMED: Final = (QuestionnairePurpose.REGISTRATION, *QUIZZES)


@dataclass(frozen=True)
class Bar:
    """One answer and how often it was given. `percent` is of those who answered the question."""

    label: str
    count: int
    percent: int
    is_right: bool = False


@dataclass(frozen=True)
class QuestionResult:
    question: Question
    answered: int
    bars: list[Bar] = field(default_factory=list)
    average: float | None = None
    middle: float | None = None
    right_percent: int | None = None
    texts: list[str] = field(default_factory=list)

    @property
    def has_chart(self) -> bool:
        return bool(self.bars)


@dataclass(frozen=True)
class GroupResult:
    """People of one country or profession. Averages are by question, in the order of `Results.rated`."""

    name: str
    responses: int
    averages: list[float | None]


@dataclass(frozen=True)
class Results:
    """Everything a page, a table or a program is told of a questionnaire.

    `rated` are the questions with an average: scales and numbers; in a quiz, the share of right answers in percent.
    """

    questionnaire: Questionnaire
    asked: int
    responses: int
    average_score: float | None
    questions: list[QuestionResult]
    rated: list[Question]
    groups: list[GroupResult]

    @property
    def is_hidden(self) -> bool:
        return self.responses < SMALL

    @property
    def average_percent(self) -> int | None:
        return None if self.average_score is None else round(100 * self.average_score)


@dataclass(frozen=True)
class Gain:
    """A question of both quizzes, among those who answered both."""

    question: Question
    people: int
    before_percent: int
    after_percent: int
    learned: int  # wrong before, right after
    forgot: int

    @property
    def points(self) -> int:
        """Percentage points gained."""
        return self.after_percent - self.before_percent


@dataclass(frozen=True)
class Gains:
    people: int
    before_percent: int | None
    after_percent: int | None
    questions: list[Gain]

    @property
    def is_hidden(self) -> bool:
        return self.people < SMALL


# --- A questionnaire -----------------------------------------------------------------------------------------------
def results_of(questionnaire: Questionnaire, *, by: str = "country") -> Results:
    """Sums over all responses of people whose registration holds, and averages per group of people.

    Args:
        by: "country" or "profession".
    """
    items = items_of(questionnaire)
    rows = list(
        _responses(questionnaire).values_list("pk", "score", f"registration__{by if by in GROUPINGS else 'country'}")
    )
    answers: dict[Any, dict[Any, Any]] = {item.pk: {} for item in items}
    found = Answer.objects.filter(response__in=_responses(questionnaire)).values_list("item", "response", "value")
    for item, response, value in found.iterator():
        answers[item][response] = value
    scores = [score for _pk, score, _group in rows if score is not None]
    rated = [item for item in items if _is_rated(item)]
    return Results(
        questionnaire=questionnaire,
        asked=questionnaire.webinar.registrations.filter(state=RegistrationState.CONFIRMED).count(),
        responses=len(rows),
        average_score=mean(scores) if scores else None,
        questions=[_question_result(item, list(answers[item.pk].values())) for item in items],
        rated=[item.question for item in rated],
        groups=[
            GroupResult(
                name=name,
                responses=len(members),
                averages=[_average(item, [answers[item.pk].get(pk) for pk in members]) for item in rated],
            )
            for name, members in grouped({pk: group for pk, _score, group in rows}).items()
        ],
    )


def _responses(questionnaire: Questionnaire) -> Any:
    return Response.objects.filter(questionnaire=questionnaire).exclude(
        registration__state__in=[RegistrationState.CANCELLED, RegistrationState.DECLINED]
    )


def grouped(groups: Mapping[Any, str]) -> dict[str, list[Any]]:
    """Members by group, largest first, without any group of fewer than five; see the module's text.

    >>> grouped({n: "BE" if n < 6 else "FR" for n in range(12)}).keys()
    dict_keys(['BE', 'FR'])
    """
    members: dict[str, list[Any]] = {}
    for member, group in groups.items():
        members.setdefault(group, []).append(member)
    ordered = sorted(members.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    shown = {name: one for name, one in ordered if name and len(one) >= SMALL}
    others = [member for name, one in ordered if name not in shown for member in one]
    if others and len(others) < SMALL and shown:
        others += shown.popitem()[1]
    if len(others) >= SMALL:
        shown[""] = others
    return shown


def _question_result(item: QuestionnaireItem, values: Sequence[Any]) -> QuestionResult:
    question, given = item.question, [value for value in values if value is not None]
    if question.kind in WITH_CHOICES:
        counts = Counter(choice for value in given for choice in choice_ids(value))
        right = right_choices(item)
        bars = [
            Bar(text_of(one["label"]), counts[one["id"]], _percent(counts[one["id"]], len(given)), one["id"] in right)
            for one in question.choices
        ]
        percent = _percent(sum(is_right(item, value) for value in given), len(given)) if right else None
        return QuestionResult(question, len(given), bars=bars, right_percent=percent)
    if question.kind == QuestionKind.SCALE:
        stars = Counter(given)
        bars = [Bar(str(number), stars[number], _percent(stars[number], len(given))) for number in range(1, 6)]
        return QuestionResult(question, len(given), bars=bars, average=mean(given) if given else None)
    if question.kind == QuestionKind.NUMBER:
        average, middle = (mean(given), median(given)) if given else (None, None)
        return QuestionResult(question, len(given), average=average, middle=middle)
    if question.kind in (QuestionKind.TEXT, QuestionKind.LONG_TEXT):
        # Not in the order of answering, which could tell who wrote what.
        return QuestionResult(question, len(given), texts=sorted(map(str, given))[:TEXTS_SHOWN])
    return QuestionResult(question, len(given))


def _is_rated(item: QuestionnaireItem) -> bool:
    if item.question.kind in (QuestionKind.SCALE, QuestionKind.NUMBER):
        return True
    return item.questionnaire.purpose in QUIZZES and is_graded(item)


def _average(item: QuestionnaireItem, values: Iterable[Any]) -> float | None:
    given = [value for value in values if value is not None]
    # An average of few would tell of them what the group's own number does not.
    if len(given) < SMALL:
        return None
    if item.question.kind in WITH_CHOICES:
        return 100 * sum(is_right(item, value) for value in given) / len(given)
    return float(mean(given))


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


# --- Knowledge gained ----------------------------------------------------------------------------------------------
def knowledge_gain(webinar: Webinar) -> Gains | None:
    """What people learned, by the questions that both quizzes ask; only who took both counts. None without both."""
    quizzes = {one.purpose: one for one in webinar.questionnaires.filter(purpose__in=QUIZZES)}
    if len(quizzes) < len(QUIZZES):
        return None
    before, after = (_values_of(quizzes[purpose]) for purpose in QUIZZES)
    asked = {item.question_id: item for item in items_of(quizzes[QuestionnairePurpose.QUIZ_AFTER]) if is_graded(item)}
    asked_before = {item.question_id for item in items_of(quizzes[QuestionnairePurpose.QUIZ_BEFORE])}
    people = sorted(before.keys() & after.keys())
    gains = []
    for question, item in asked.items():
        if question in asked_before:
            pairs = [
                (is_right(item, before[one].get(question)), is_right(item, after[one].get(question))) for one in people
            ]
            gains.append(
                Gain(
                    question=item.question,
                    people=len(pairs),
                    before_percent=_percent(sum(first for first, _second in pairs), len(pairs)),
                    after_percent=_percent(sum(second for _first, second in pairs), len(pairs)),
                    learned=sum(second and not first for first, second in pairs),
                    forgot=sum(first and not second for first, second in pairs),
                )
            )
    total = len(gains) or None
    return Gains(
        people=len(people),
        before_percent=round(sum(gain.before_percent for gain in gains) / total) if total else None,
        after_percent=round(sum(gain.after_percent for gain in gains) / total) if total else None,
        questions=gains,
    )


def _values_of(questionnaire: Questionnaire) -> dict[Any, dict[Any, Any]]:
    """By registration, the answers by question."""
    values: dict[Any, dict[Any, Any]] = {
        pk: {} for pk in _responses(questionnaire).values_list("registration", flat=True)
    }
    found = Answer.objects.filter(response__in=_responses(questionnaire))
    for person, question, value in found.values_list("response__registration", "item__question", "value").iterator():
        values[person][question] = value
    return values


# --- Tables --------------------------------------------------------------------------------------------------------
def table_of(questionnaire: Questionnaire) -> Iterator[list[Any]]:
    """The answers as a table, its heading first. A survey's rows have no names and no order: they are an evaluation."""
    items = items_of(questionnaire)
    named = questionnaire.purpose in NAMED
    is_quiz = questionnaire.purpose in QUIZZES
    people = [_("Name"), _("E-mail address")] if named else []
    yield [*people, *([_("Right answers (%)")] if is_quiz else []), *(str(item.question.label) for item in items)]
    if not named and _responses(questionnaire).count() < SMALL:
        return
    responses = _responses(questionnaire).select_related("registration").prefetch_related("answers")
    ordered = responses.order_by("registration__name", "pk") if named else responses.order_by("pk")
    for response in ordered.iterator(chunk_size=500):
        values = {answer.item_id: answer.value for answer in response.answers.all()}
        row: list[Any] = [response.registration.name, response.registration.email] if named else []
        if is_quiz:
            row.append("" if response.score is None else round(100 * response.score))
        yield [*row, *(in_words(item.question, values.get(item.pk)) for item in items)]
