"""What organisers fill in about mails: reminders, messages, their own words."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from events.models import Webinar
from notifications import wording
from registration import segments
from studio.forms import StudioForm

USUAL_REMINDERS = (7 * 1440, 3 * 1440, 1440, 180, 60, 30, 10)


def before_text(minutes: int) -> str:
    """So many minutes, said shortly: "1 day", "3 hours", "90 minutes"."""
    if minutes % 1440 == 0:
        return ngettext("%(n)s day", "%(n)s days", minutes // 1440) % {"n": minutes // 1440}
    if minutes % 60 == 0:
        return ngettext("%(n)s hour", "%(n)s hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


class ReminderForm(StudioForm):
    """When people with a place are reminded; rules made elsewhere (by the API) are offered too."""

    reminder_minutes = forms.TypedMultipleChoiceField(
        label=_("Before the session begins"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("reminder_minutes", webinar.reminder_minutes)
        offered = sorted({*USUAL_REMINDERS, *webinar.reminder_minutes}, reverse=True)
        field: Any = self.fields["reminder_minutes"]
        field.choices = [(minutes, before_text(minutes)) for minutes in offered]


def _language_attrs(code: str) -> dict[str, Any]:
    return {"lang": code, "dir": "rtl" if code in settings.LANGUAGES_BIDI else "ltr"}


class MessageForm(StudioForm):
    """A message to some of the people around a webinar, in any of the interface's languages."""

    segment = forms.ChoiceField(label=_("For whom"))

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["segment"]
        field.choices = [(one.name, one.label) for one in segments.every()]
        codes = [code for code, _name in settings.LANGUAGES]
        first = webinar.organisation.language if webinar.organisation.language in codes else codes[0]
        self.codes = sorted(codes, key=lambda code: code != first)
        for code in self.codes:
            name = get_language_info(code)["name_local"].capitalize()
            self.fields[f"subject_{code}"] = forms.CharField(
                label=_now("Subject (%(language)s)") % {"language": name},
                max_length=wording.SUBJECT_MAX,
                required=code == first,
                widget=forms.TextInput(attrs=_language_attrs(code)),
            )
            self.fields[f"text_{code}"] = forms.CharField(
                label=_now("Text (%(language)s)") % {"language": name},
                max_length=wording.TEXT_MAX,
                required=code == first,
                widget=forms.Textarea(attrs={**_language_attrs(code), "rows": 8}),
            )

    def name_of(self, field: str) -> str:
        return f"{field}_{self.codes[0]}" if field in ("subject", "text") else super().name_of(field)

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self["segment"], *self._fields(self.codes[:1])]

    @property
    def translated_fields(self) -> list[forms.BoundField]:
        return self._fields(self.codes[1:])

    @property
    def has_translations(self) -> bool:
        return any(bound.value() or bound.errors for bound in self.translated_fields)

    def _fields(self, codes: list[str]) -> list[forms.BoundField]:
        return [self[f"{name}_{code}"] for code in codes for name in ("subject", "text")]

    def values(self) -> dict[str, Any]:
        """The cleaned form as arguments of `registration.organiser_messages.draft_message`."""
        texts = {
            name: {code: found for code in self.codes if (found := self.cleaned_data[f"{name}_{code}"])}
            for name in ("subject", "text")
        }
        return {"segment": self.cleaned_data["segment"], **texts}


class CountForm(StudioForm):
    """The number that an organiser confirms a message with."""

    count = forms.IntegerField(
        label=_("Number of recipients"),
        min_value=1,
        help_text=_("Enter the number above, so that nothing goes to the wrong people."),
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )


class WordsForm(StudioForm):
    """An organisation's own words for one mail in one language."""

    subject = forms.CharField(label=_("Subject"), max_length=wording.SUBJECT_MAX)
    text = forms.CharField(
        label=_("Text"), max_length=wording.TEXT_MAX, widget=forms.Textarea(attrs={"rows": 14}), strip=False
    )
    scope = forms.ChoiceField(label=_("Use it for"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, webinar_scope: str, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("subject", "text"):
            self.fields[name].widget.attrs |= {"lang": language, "dir": wording.direction_of(language)}
        field: Any = self.fields["scope"]
        field.choices = [(webinar_scope, _("this webinar")), ("", _("all webinars of your organisation"))]
        field.required = False


class SuppressionForm(StudioForm):
    """Addresses that shall get no mail."""

    table = forms.CharField(
        label=_("Addresses"),
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "ltr"}),
        help_text=_("One a line; a reason may follow after a comma. A table that was downloaded here can be pasted."),
    )
