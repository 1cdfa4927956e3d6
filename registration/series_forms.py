"""The form by which people register for several sessions of a series at once.

A question that several sessions ask is asked once. Each session then gets the answers to what it asks itself, and
checks them by its own conditions.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from events.models import Webinar
from registration.answers import Cleaned, clean_answers
from registration.errors import AnswersRefused
from registration.forms import RegistrationForm
from registration.models import QuestionnaireItem, QuestionnairePurpose
from registration.question_forms import ConsentsMixin, question_field
from registration.times import session_time
from work.errors import DomainError


class SessionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # takes none when it runs
    def label_from_instance(self, obj: Webinar) -> str:
        time = session_time(obj, time_zone=obj.time_zone, language=get_language() or "en")
        # Isolated, as a title in another script must not turn the time around (Unicode Annex 9, section 2.4).
        return f"\u2068{obj.title}\u2069 · {time.text} ({obj.time_zone})"


class SeriesForm(ConsentsMixin, RegistrationForm):
    """The public form with the sessions to choose from, and what any of them asks."""

    sessions = SessionsField(
        label=gettext_lazy("Sessions"),
        queryset=Webinar.objects.none(),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": gettext_lazy("Choose at least one session.")},
    )

    def __init__(self, *args: Any, webinars: "QuerySet[Webinar]", **kwargs: Any) -> None:
        sessions = list(webinars)
        super().__init__(*args, webinar=sessions[0], **kwargs)
        field = self.fields["sessions"]
        assert isinstance(field, SessionsField)
        field.queryset = webinars
        field.initial = sessions
        self.asked = _asked(sessions)
        self.fields.update(_shared_fields(sessions, self.asked))
        self.ask_consents(sessions[0].organisation)

    def checked_answers(self, webinars: Iterable[Webinar]) -> dict[UUID, Cleaned]:
        """By session, the answers to what it asks; what any of them refuses is shown at its question.

        Raises:
            AnswersRefused: something is missing or wrong.
        """
        cleaned: dict[UUID, Cleaned] = {}
        refused: AnswersRefused | None = None
        errors: dict[str, str] = {}
        for webinar in webinars:
            items = self.asked.get(webinar.pk, [])
            if not items:
                continue
            given = {item.pk.hex: self.cleaned_data.get(_name_of(item)) for item in items}
            try:
                cleaned[webinar.pk] = clean_answers(questionnaire=items[0].questionnaire, given=given, items=items)
            except AnswersRefused as error:
                refused = error
                # The same question refused by two sessions is said once.
                errors |= {self._field_of(key): text for key, text in error.errors.items()}
        if refused is not None:
            raise AnswersRefused(str(refused), errors=errors)
        return cleaned

    def add_domain_error(self, error: DomainError) -> None:
        if not isinstance(error, AnswersRefused):
            super().add_domain_error(error)
            return
        for key, message in error.errors.items():
            name = self._field_of(key)
            self.add_error(name if name in self.fields else None, message)

    def _field_of(self, key: str) -> str:
        """The field that asks an item, by the item's id; a field's own name is given back."""
        names = {str(item.pk): _name_of(item) for items in self.asked.values() for item in items}
        return names.get(key, key)


def _asked(webinars: Iterable[Webinar]) -> dict[UUID, list[QuestionnaireItem]]:
    found: dict[UUID, list[QuestionnaireItem]] = defaultdict(list)
    items = QuestionnaireItem.objects.filter(
        questionnaire__webinar__in=webinars, questionnaire__purpose=QuestionnairePurpose.REGISTRATION
    )
    for item in items.select_related("question", "questionnaire").prefetch_related("seats").order_by("position", "pk"):
        found[item.questionnaire.webinar_id].append(item)
    return found


def _name_of(item: QuestionnaireItem) -> str:
    return f"q_{item.question_id.hex}"


def _shared_fields(webinars: list[Webinar], asked: dict[UUID, list[QuestionnaireItem]]) -> dict[str, forms.Field]:
    by_name: dict[str, list[tuple[Webinar, QuestionnaireItem]]] = defaultdict(list)
    for webinar in webinars:
        for item in asked.get(webinar.pk, []):
            by_name[_name_of(item)].append((webinar, item))
    by_key = {item.pk: item for items in asked.values() for item in items}
    return {name: _shared_field(pairs, by_key, of=len(webinars)) for name, pairs in by_name.items()}


def _shared_field(
    pairs: list[tuple[Webinar, QuestionnaireItem]], by_key: dict[UUID, QuestionnaireItem], *, of: int
) -> forms.Field:
    """The field of a question that one or more sessions ask."""
    item = pairs[0][1]
    conditions = {
        (_name_of(by_key[one.shown_if_id]) if one.shown_if_id in by_key else "", tuple(one.shown_if_choices))
        for _webinar, one in pairs
    }
    field = question_field(
        item,
        None,
        by_key if len(conditions) == 1 else {},
        name_of=_name_of,
        shows_seats=len(pairs) == 1,  # each session has seats of its own: what one has left says nothing of another
    )
    field.required = any(one.is_required for _webinar, one in pairs)
    if len(pairs) < of:
        titles = ", ".join(str(webinar.title) for webinar, _item in pairs)
        note = escape(_("Asked for: %(sessions)s.") % {"sessions": titles})
        field.help_text = f"{field.help_text} {note}".strip()
        if "data-shown-if" not in field.widget.attrs:
            keys = " ".join(str(webinar.pk) for webinar, _item in pairs)
            field.widget.attrs |= {"data-shown-if": "sessions", "data-shown-if-values": keys}
    return field
