"""Questions and questionnaires for tests, made by the services."""

from typing import Any

from accounts.models import Organisation
from events.models import Webinar
from registration import questions
from registration.models import Question, QuestionKind, Questionnaire, QuestionnaireItem, QuestionnairePurpose


def make_question(
    organisation: Organisation, kind: str = QuestionKind.TEXT, label: Any = "Why do you come?", **values: Any
) -> Question:
    if kind in questions.WITH_CHOICES:
        values.setdefault("choices", [{"label": {"en": "Red", "fr": "Rouge"}}, {"label": "Green"}, {"label": "Blue"}])
    return questions.save_question(
        question=Question(organisation=organisation), user=None, kind=kind, label=label, **values
    )


def make_questionnaire(webinar: Webinar, purpose: str = QuestionnairePurpose.REGISTRATION) -> Questionnaire:
    return questions.questionnaire_for(webinar=webinar, purpose=purpose)


def ask(
    questionnaire: Questionnaire,
    kind: str = QuestionKind.TEXT,
    *,
    is_required: bool = False,
    seats: dict[str, int | None] | None = None,
    shown_if: QuestionnaireItem | None = None,
    shown_if_choices: tuple[str, ...] = (),
    **values: Any,
) -> QuestionnaireItem:
    """A new question at the end of a questionnaire; choices are called c1, c2, c3."""
    question = make_question(questionnaire.webinar.organisation, kind, **values)
    item = questions.add_item(questionnaire=questionnaire, question=question, user=None, is_required=is_required)
    return questions.update_item(
        item=item,
        user=None,
        is_required=is_required,
        shown_if=shown_if,
        shown_if_choices=shown_if_choices,
        seats=seats,
    )
