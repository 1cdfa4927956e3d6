"""What organisers fill in about questions, questionnaires and consent texts, each text in the interface's languages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import Organisation
from registration import questions
from registration.models import ConsentKind, Question, QuestionKind, Questionnaire, QuestionnaireItem
from registration.questions import text_of
from studio.forms import StudioForm

FREE_ROWS = 4  # empty lines for further answers


class TextsForm(StudioForm):
    """A form with texts per language: the fields `<name>_<language>`, the organisation's language first."""

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [code for code, _name in settings.LANGUAGES]
        self.languages = sorted(codes, key=lambda code: code != organisation.language)

    def add_texts(
        self, name: str, label: Any, *, value: Any, max_length: int, required: bool = False, rows: int = 0
    ) -> None:
        """Add one field per language, with what is stored."""
        stored = texts_of(value)
        for code in self.languages:
            is_first = code == self.languages[0]
            attrs: dict[str, Any] = {"lang": code, "dir": "rtl" if code in settings.LANGUAGES_BIDI else "ltr"}
            self.fields[f"{name}_{code}"] = forms.CharField(
                label=label
                if is_first
                else _("%(field)s in %(language)s")
                % {"field": label, "language": get_language_info(code)["name_local"]},
                max_length=max_length,
                required=required and is_first,
                initial=stored.get(code, ""),
                widget=forms.Textarea(attrs={**attrs, "rows": rows}) if rows else forms.TextInput(attrs=attrs),
            )

    def texts(self, name: str, stored: Any = None) -> dict[str, str]:
        """What was entered, and what is stored in languages that the form does not show."""
        found = texts_of(stored) | {code: self.cleaned_data.get(f"{name}_{code}", "") for code in self.languages}
        return {code: text for code, text in found.items() if text}

    def name_of(self, field: str) -> str:
        return field if field in self.fields else f"{field}_{self.languages[0]}"


def texts_of(value: Any) -> dict[str, str]:
    """A translated text by language."""
    data = getattr(value, "data", value)
    return dict(data) if isinstance(data, dict) else {}


class QuestionForm(TextsForm):
    """A question of the library. Its answers to choose from are numbered rows; empty ones are left out."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of answer"), choices=QuestionKind.choices)

    def __init__(self, *args: Any, question: Question, **kwargs: Any) -> None:
        super().__init__(*args, organisation=question.organisation, **kwargs)
        self.question = question
        self.fields["kind"].initial = question.kind
        self.add_texts("label", _("Question"), value=question.label, max_length=questions.LABEL_MAX, required=True)
        self.add_texts("help_text", _("Help"), value=question.help_text, max_length=questions.HELP_MAX)
        self._add_limits()
        self.row_count = self._count_rows()
        for number in range(self.row_count):
            self._add_row(number)

    def _add_limits(self) -> None:
        for name, label in (("minimum", _("Smallest number")), ("maximum", _("Largest number"))):
            self.fields[name] = forms.FloatField(label=label, required=False, initial=getattr(self.question, name))

    def _count_rows(self) -> int:
        count = len(self.question.choices) + FREE_ROWS
        if self.is_bound:
            sent = str(self.data.get("rows", ""))
            count = max(count, int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else 0)
            count += FREE_ROWS if "more" in self.data else 0
        return min(count, questions.MOST_CHOICES)

    def _add_row(self, number: int) -> None:
        choice = self.question.choices[number] if number < len(self.question.choices) else {}
        self.fields[f"choice{number}_id"] = forms.CharField(
            widget=forms.HiddenInput, required=False, max_length=20, initial=choice.get("id", "")
        )
        name = _("Answer %(number)d") % {"number": number + 1}
        self.add_texts(f"choice{number}", name, value=choice.get("label"), max_length=questions.CHOICE_MAX)
        self.fields[f"choice{number}_right"] = forms.BooleanField(
            label=_("Right answer"), required=False, initial=choice.get("is_right", False)
        )

    def name_of(self, field: str) -> str:
        return f"choice0_{self.languages[0]}" if field == "choices" else super().name_of(field)

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[f"{name}_{code}"] for name in ("label", "help_text") for code in self.languages]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The answers to choose from, as the page shows them."""
        return [
            {
                "number": number + 1,
                "id": self[f"choice{number}_id"],
                "texts": [self[f"choice{number}_{code}"] for code in self.languages],
                "right": self[f"choice{number}_right"],
            }
            for number in range(self.row_count)
        ]

    @property
    def wants_more_rows(self) -> bool:
        return "more" in self.data

    def values(self) -> dict[str, Any]:
        """The cleaned form as arguments of `registration.questions.save_question`."""
        data, stored = self.cleaned_data, {choice["id"]: choice["label"] for choice in self.question.choices}
        return {
            "kind": data["kind"],
            "label": self.texts("label", self.question.label),
            "help_text": self.texts("help_text", self.question.help_text),
            "minimum": data["minimum"],
            "maximum": data["maximum"],
            "choices": [
                {
                    "id": data[f"choice{number}_id"],
                    "label": self.texts(f"choice{number}", stored.get(data[f"choice{number}_id"]))
                    if any(data[f"choice{number}_{code}"] for code in self.languages)
                    else {},
                    "is_right": data[f"choice{number}_right"],
                }
                for number in range(self.row_count)
            ],
        }


class IntroductionForm(TextsForm):
    """What is said above the questions."""

    def __init__(self, *args: Any, questionnaire: Questionnaire, **kwargs: Any) -> None:
        super().__init__(*args, organisation=questionnaire.webinar.organisation, **kwargs)
        self.add_texts(
            "introduction",
            _("Introduction"),
            value=questionnaire.introduction,
            max_length=questions.INTRODUCTION_MAX,
            rows=3,
        )


class ItemForm(StudioForm):
    """A question in its place: whether it must be answered, of whom it is asked, and its seats."""

    is_required = forms.BooleanField(label=gettext_lazy("It must be answered"), required=False)
    conditions = forms.MultipleChoiceField(
        label=gettext_lazy("Ask it only of those who answered"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose answers of one earlier question. Nothing chosen: everybody is asked."),
    )

    def __init__(
        self, *args: Any, item: QuestionnaireItem, earlier: Iterable[QuestionnaireItem], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.item = item
        self.earlier = {one.pk.hex: one for one in earlier if one.question.kind in questions.WITH_CHOICES}
        self.fields["is_required"].initial = item.is_required
        conditions: Any = self.fields["conditions"]
        conditions.choices = [
            (
                str(one.question.label),
                [(f"{key}:{choice['id']}", text_of(choice["label"])) for choice in one.question.choices],
            )
            for key, one in self.earlier.items()
        ]
        if item.shown_if_id:
            conditions.initial = [f"{item.shown_if_id.hex}:{choice}" for choice in item.shown_if_choices]
        if not self.earlier:
            del self.fields["conditions"]
        self._add_seats()

    def _add_seats(self) -> None:
        if self.item.question.kind not in questions.WITH_CHOICES:
            return
        seats = {one.choice: one for one in self.item.seats.all()}
        for choice in self.item.question.choices:
            now = seats.get(choice["id"])
            self.fields[f"seats_{choice['id']}"] = forms.IntegerField(
                label=text_of(choice["label"]),
                required=False,
                min_value=0,
                max_value=questions.MOST_SEATS,
                initial=now.capacity if now else None,
                help_text=_("%(n)d taken") % {"n": now.taken} if now else "",
            )

    @property
    def seat_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("seats_")]

    def clean_conditions(self) -> tuple[QuestionnaireItem | None, list[str]]:
        chosen: list[str] = self.cleaned_data["conditions"]
        names = {one.partition(":")[0] for one in chosen}
        if len(names) > 1:
            raise forms.ValidationError(_("Choose answers of one question only."))
        if not names:
            return None, []
        return self.earlier[names.pop()], [one.partition(":")[2] for one in chosen]

    def values(self) -> dict[str, Any]:
        """The cleaned form as arguments of `registration.questions.update_item`."""
        shown_if, choices = self.cleaned_data.get("conditions") or (None, [])
        return {
            "is_required": self.cleaned_data["is_required"],
            "shown_if": shown_if,
            "shown_if_choices": choices,
            "seats": {name[6:]: self.cleaned_data[name] for name in self.fields if name.startswith("seats_")},
        }

    def name_of(self, field: str) -> str:
        if field == "seats" and self.seat_fields:
            return self.seat_fields[0].name
        return {"shown_if": "conditions", "shown_if_choices": "conditions"}.get(field, field)


class ConsentTextForm(TextsForm):
    """A new version of a text that people agree to."""

    is_required = forms.BooleanField(
        label=gettext_lazy("Nobody can register without agreeing to it"),
        required=False,
    )

    def __init__(self, *args: Any, organisation: Organisation, kind: str, text: Any, **kwargs: Any) -> None:
        super().__init__(*args, organisation=organisation, **kwargs)
        self.fields["is_required"].initial = text.is_required if text else False
        if kind != ConsentKind.RECORDING:
            del self.fields["is_required"]
        self.add_texts("text", _("Text"), value=text.text if text else None, max_length=20_000, rows=8)
