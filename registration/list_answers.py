"""Answers in the columns of a list: which question a column answers, and what the words in a cell mean.

A column is known by the question's wording in any of its languages, or by the question's id; a choice by its wording
in any language, or its id. Several choices stand in one cell, separated by semicolons, bars or commas. Files cannot be
sent in a list; whoever must send one is asked on their own page.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from events.models import Webinar
from registration.answers import Cleaned, clean_answers, items_of
from registration.errors import AnswersRefused, InvalidDetail
from registration.models import QuestionKind, Questionnaire, QuestionnaireItem, QuestionnairePurpose
from registration.questions import WITH_CHOICES
from registration.surveys import asked_questionnaire
from work.errors import DomainError

_SEPARATORS = (r"[;|\n؛]", r"[;|\n؛,،]")


class ListQuestions:
    """What a webinar asks when people register, for whoever answers for many of them; read from the database once."""

    def __init__(self, webinar: Webinar) -> None:
        self.questionnaire: Questionnaire | None = asked_questionnaire(webinar, QuestionnairePurpose.REGISTRATION)
        self.items: list[QuestionnaireItem] = items_of(self.questionnaire) if self.questionnaire else []

    @property
    def in_columns(self) -> list[QuestionnaireItem]:
        """The questions that a column can answer."""
        return [item for item in self.items if item.question.kind != QuestionKind.FILE]

    def names(self) -> dict[str, list[str]]:
        """By the item's id: what its column may be called."""
        return {
            item.pk.hex: [str(item.question.pk), *texts_in_all_languages(item.question.label.data)]
            for item in self.in_columns
        }

    def clean(self, given: Mapping[str, Any]) -> Cleaned | None:
        """Answers given for another, checked; None where nothing is asked.

        Raises:
            InvalidDetail: an answer cannot be meant; the message names the question.
        """
        if self.questionnaire is None:
            return None
        try:
            return clean_answers(questionnaire=self.questionnaire, given=given, is_for_another=True, items=self.items)
        except AnswersRefused as error:
            raise InvalidDetail(self.reason_of(error), field="answers") from error

    def reason_of(self, error: DomainError) -> str:
        """Why something was refused, in one line that names the questions it is about."""
        if not isinstance(error, AnswersRefused):
            return str(error)
        labels = {str(item.pk): str(item.question.label) for item in self.items}
        return " ".join(
            _("%(title)s: %(reason)s") % {"title": labels.get(key, ""), "reason": reason}
            for key, reason in error.errors.items()
        )

    def from_texts(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The answers that the cells of a line mean, by the item's id; what is not understood stays as it is."""
        return {item.pk.hex: _meaning(item, texts[item.pk.hex]) for item in self.in_columns if item.pk.hex in texts}


def texts_in_all_languages(label: object) -> list[str]:
    """A translated text in each of its languages."""
    return [str(text) for text in (label.values() if isinstance(label, dict) else [label]) if text]


def _meaning(item: QuestionnaireItem, text: str) -> Any:
    kind = item.question.kind
    if kind in WITH_CHOICES:
        return _choices(item, text)
    if kind == QuestionKind.DATE:
        try:
            return datetime.fromisoformat(text.strip()).date()  # a workbook's dates come with a time of day
        except ValueError:
            return text
    return text


def _choices(item: QuestionnaireItem, text: str) -> list[str]:
    known = {
        _plain(name): choice["id"]
        for choice in item.question.choices
        for name in (choice["id"], *texts_in_all_languages(choice["label"]))
    }
    if not _plain(text):
        return []
    # The whole cell first, as a choice may hold a comma; then the separators that are no part of a sentence.
    for parts in ([text], *(re.split(separator, text) for separator in _SEPARATORS)):
        found = [known.get(_plain(part), "") for part in parts if _plain(part)]
        if all(found):
            return found
    return [text]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def words_of(items: Iterable[QuestionnaireItem]) -> str:
    """The wordings of questions in the language of the page, for a line of text."""
    return "; ".join(str(item.question.label) for item in items)
