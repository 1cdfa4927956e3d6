"""Questions as fields of a form. The service checks what is sent; fields show the question and keep what was entered.

Without scripts every question is seen, with a line that says of whom it is asked; pages.js hides those that do not
apply (`data-shown-if`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.template.defaultfilters import linebreaksbr
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organisation
from events.models import Webinar
from registration.answer_files import CONTENT_TYPES
from registration.answers import LONG_TEXT_MAX, SCALE, TEXT_MAX, Cleaned, answers_by_item, clean_answers, items_of
from registration.consents import agreed_texts, current_texts
from registration.errors import AnswersRefused
from registration.forms import RegistrationForm
from registration.models import (
    Answer,
    ConsentKind,
    ConsentText,
    QuestionKind,
    Questionnaire,
    QuestionnaireItem,
    QuestionnairePurpose,
    Response,
)
from registration.questions import choice_ids, text_of
from registration.surveys import asked_questionnaire
from work.errors import DomainError

RADIOS_MAX = 12  # more choices are a list to open
CONSENT_LABELS = {
    ConsentKind.RECORDING.value: gettext_lazy("I agree to being recorded."),
    ConsentKind.CONTACT.value: gettext_lazy("You may tell me of further webinars."),
}


class AnswerField(forms.Field):
    """A question. It takes whatever was sent: `registration.answers.clean_answers` says what is wrong with it."""

    def clean(self, value: Any) -> Any:
        return value


class AnswerFileField(forms.FileField):
    def clean(self, data: Any, initial: Any = None) -> Any:
        return data


class _SeatedMixin:
    """Choices that cannot be chosen any more stay visible and cannot be clicked."""

    full: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)  # type: ignore[misc]  # a mixin
        if str(value) in self.full and not option["selected"]:
            option["attrs"]["disabled"] = True
        return option


class SeatedRadios(_SeatedMixin, forms.RadioSelect):
    pass


class SeatedBoxes(_SeatedMixin, forms.CheckboxSelectMultiple):
    pass


class SeatedSelect(_SeatedMixin, forms.Select):
    pass


def field_name(item: QuestionnaireItem) -> str:
    return f"q_{item.pk.hex}"


def question_fields(questionnaire: Questionnaire, response: Response | None = None) -> dict[str, forms.Field]:
    """The questionnaire's questions as form fields in the language of the page, by name, in their order.

    Args:
        response: what the person answered before, to begin with.
    """
    answers = answers_by_item(response)
    items = items_of(questionnaire)
    numbers = {item.pk: item for item in items}
    return {field_name(item): question_field(item, answers.get(item.pk), numbers) for item in items}


def question_field(
    item: QuestionnaireItem,
    answer: Answer | None,
    items: Mapping[Any, QuestionnaireItem],
    *,
    name_of: Callable[[QuestionnaireItem], str] = field_name,
    shows_seats: bool = True,
) -> forms.Field:
    """One question as a form field.

    Args:
        answer: what was answered before.
        items: those among which the question's condition is looked for; without it, the question is always shown.
        name_of: how the form names the fields.
        shows_seats: say how many seats are left of a choice, and offer it no more when there are none.
    """
    question = item.question
    notes = [escape(str(question.help_text))]
    attrs: dict[str, Any] = {"dir": "auto"}
    if item.shown_if_id in items:
        other = items[item.shown_if_id]
        labels = [text_of(one["label"]) for one in other.question.choices if one["id"] in item.shown_if_choices]
        notes.append(
            escape(
                _("Only if you answer “%(question)s” with: %(answers)s.")
                % {"question": other.question.label, "answers": _(" or ").join(labels)}
            )
        )
        attrs |= {"data-shown-if": name_of(other), "data-shown-if-values": " ".join(item.shown_if_choices)}
    facts: dict[str, Any] = {
        "label": str(question.label),
        # Hidden questions must not hold up a browser's own check; the service knows who is asked.
        "required": item.is_required,
        "initial": answer.value if answer else None,
    }
    if question.kind == QuestionKind.FILE:
        if answer is not None and isinstance(answer.value, dict):
            notes.append(
                escape(_("Sent: %(name)s. Choose a file only to replace it.") % {"name": answer.value["name"]})
            )
        notes.append(escape(_("A PDF, picture or document of at most 10 MB.")))
        widget: forms.Widget = forms.FileInput(attrs={**attrs, "accept": ",".join(f".{one}" for one in CONTENT_TYPES)})
        facts["initial"] = None
        field: forms.Field = AnswerFileField(widget=widget, **facts)
    else:
        field = AnswerField(widget=_widget(item, answer, attrs, shows_seats), **facts)
        if question.kind == QuestionKind.CHOICE and facts["initial"]:
            field.initial = choice_ids(facts["initial"])[0]
    field.help_text = " ".join(note for note in notes if note)
    return field


def _widget(item: QuestionnaireItem, answer: Answer | None, attrs: dict[str, Any], shows_seats: bool) -> forms.Widget:
    kind = item.question.kind
    if kind == QuestionKind.LONG_TEXT:
        return forms.Textarea(attrs={**attrs, "rows": 4, "maxlength": LONG_TEXT_MAX})
    if kind == QuestionKind.NUMBER:
        return forms.TextInput(attrs={**attrs, "inputmode": "decimal"})
    if kind == QuestionKind.DATE:
        return forms.DateInput(format="%Y-%m-%d", attrs={**attrs, "type": "date"})
    if kind == QuestionKind.SCALE:
        numbers = [(str(number), str(number)) for number in SCALE]
        attrs = {**attrs, "data-scale": ""}
        return forms.RadioSelect(attrs=attrs, choices=[*([] if item.is_required else [("", _("No answer"))]), *numbers])
    if kind in (QuestionKind.CHOICE, QuestionKind.MULTIPLE):
        return _choices_widget(item, answer, attrs, shows_seats)
    return forms.TextInput(attrs={**attrs, "maxlength": TEXT_MAX})


def _choices_widget(
    item: QuestionnaireItem, answer: Answer | None, attrs: dict[str, Any], shows_seats: bool
) -> forms.Widget:
    seats = {one.choice: one.capacity - one.taken for one in item.seats.all()} if shows_seats else {}
    own = set(choice_ids(answer.value)) if answer else set()
    full = frozenset(choice for choice, left in seats.items() if left <= 0 and choice not in own)
    choices = [(one["id"], _choice_label(one, seats, full)) for one in item.question.choices]
    widget: SeatedBoxes | SeatedSelect | SeatedRadios
    if item.question.kind == QuestionKind.MULTIPLE:
        widget = SeatedBoxes(attrs=attrs, choices=choices)
    elif len(choices) > RADIOS_MAX:
        widget = SeatedSelect(attrs=attrs, choices=[("", ""), *choices])
    else:
        widget = SeatedRadios(attrs=attrs, choices=[*([] if item.is_required else [("", _("No answer"))]), *choices])
    widget.full = full
    return widget


def _choice_label(choice: Mapping[str, Any], seats: Mapping[str, int], full: frozenset[str]) -> str:
    label = text_of(choice["label"])
    left = seats.get(choice["id"])
    if choice["id"] in full:
        return _("%(choice)s (no seat left)") % {"choice": label}
    if left is None or left <= 0:
        return label
    return ngettext("%(choice)s (%(n)d seat left)", "%(choice)s (%(n)d seats left)", left) % {
        "choice": label,
        "n": left,
    }


class QuestionsMixin(forms.Form):
    """For forms that ask a questionnaire among other things: call `ask` at the end of `__init__`."""

    questionnaire: Questionnaire | None = None

    def ask(self, questionnaire: Questionnaire | None, response: Response | None = None) -> None:
        """Add the questions after the fields that are there."""
        self.questionnaire = questionnaire
        if questionnaire is not None:
            self.fields.update(question_fields(questionnaire, response))

    @property
    def given_answers(self) -> dict[str, Any]:
        """What was entered, by item, for `registration.answers.clean_answers`."""
        return {name[2:]: value for name, value in self.cleaned_data.items() if name.startswith("q_")}

    def add_answer_errors(self, error: DomainError) -> bool:
        """Show refused answers at their questions. Returns False for other errors."""
        if not isinstance(error, AnswersRefused):
            return False
        for item, message in error.errors.items():
            name = f"q_{item.replace('-', '')}"
            self.add_error(name if name in self.fields else None, message)
        return True


class QuestionnaireForm(QuestionsMixin):
    """A questionnaire alone: a survey, a quiz, or a preview."""

    def __init__(
        self, *args: Any, questionnaire: Questionnaire, response: Response | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ask(questionnaire, response)

    def add_domain_error(self, error: DomainError) -> None:
        if not self.add_answer_errors(error):
            self.add_error(None, str(error))


# --- Consents ------------------------------------------------------------------------------------------------------
class CheckboxInput(forms.CheckboxInput):
    """A box whose value is the version of the text beside it, so that what was agreed to is what was shown.

    Named as Django's own, since pages draw a field by its control's name.
    """

    def __init__(self, version: str) -> None:
        # A box ticked beside an older version is not ticked beside this one.
        super().__init__(attrs={"value": version}, check_test=lambda value: value == version)

    def format_value(self, value: Any) -> str:
        return str(self.attrs["value"])

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return str(data.get(name) or "")


class CurrentVersion(forms.HiddenInput):
    """The version of the text on this page, whatever was sent with an earlier one."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version

    def format_value(self, value: Any) -> str:
        return self.version


def consent_fields(organisation: Organisation) -> dict[str, forms.Field]:
    """A box for each consent that the organisation asks for besides the privacy notice, whose version is hidden in the
    form: the form's own box agrees to it."""
    fields: dict[str, forms.Field] = {}
    for kind, text in current_texts(organisation).items():
        if kind == ConsentKind.PRIVACY:
            fields[f"consent_{kind}"] = AnswerField(widget=CurrentVersion(str(text.pk)), required=False)
            continue
        fields[f"consent_{kind}"] = AnswerField(
            label=CONSENT_LABELS[kind],
            help_text=linebreaksbr(str(text.text), autoescape=True),
            required=text.is_required,
            widget=CheckboxInput(str(text.pk)),
        )
    return fields


class ConsentsMixin(forms.Form):
    """For the form by which people register: call `ask_consents` at the end of `__init__`."""

    organisation: Organisation

    def ask_consents(self, organisation: Organisation) -> None:
        """Add a box per text after the fields that are there."""
        self.organisation = organisation
        self.fields.update(consent_fields(organisation))

    @property
    def privacy_text(self) -> str:
        """The organisation's own privacy notice, if it has written one."""
        text = current_texts(self.organisation).get(ConsentKind.PRIVACY)
        return str(text.text) if text else ""

    def checked_consents(self) -> list[ConsentText]:
        """What was agreed to; raises as `registration.consents.agreed_texts`."""
        return agreed_texts(organisation=self.organisation, given=self._given_consents)

    @property
    def _given_consents(self) -> dict[str, str]:
        """By kind, the version that was agreed to, for `registration.consents.agreed_texts`."""
        return {
            name.removeprefix("consent_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("consent_") and value
        }


class FullRegistrationForm(QuestionsMixin, ConsentsMixin, RegistrationForm):
    """The public form with the organiser's own questions and consents."""

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        super().__init__(*args, webinar=webinar, **kwargs)
        self.ask(asked_questionnaire(webinar, QuestionnairePurpose.REGISTRATION))
        self.ask_consents(webinar.organisation)

    def checked_answers(self) -> Cleaned | None:
        """The answers, checked; raises as `registration.answers.clean_answers`."""
        if self.questionnaire is None:
            return None
        return clean_answers(questionnaire=self.questionnaire, given=self.given_answers)

    def add_domain_error(self, error: DomainError) -> None:
        if not self.add_answer_errors(error):
            super().add_domain_error(error)
