"""Forms about interpreters' channels."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from events import validators
from studio.forms import StudioForm, language_choices
from work.errors import DomainError


class ChannelLanguageForm(StudioForm):
    """The language of a channel that is to be uploaded; what the purpose of the upload is made of."""

    language = forms.ChoiceField(label=_("Language of the interpreter"), required=False)
    other_language = forms.CharField(
        label=_("Another language"),
        max_length=22,
        required=False,
        help_text=_("Its language tag (BCP 47), such as ff-Latn-SN for Pulaar in Senegal."),
    )

    def __init__(self, *args: Any, taken: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken
        field = cast(forms.ChoiceField, self.fields["language"])
        known = [(tag, name) for tag, name in language_choices() if tag not in taken]
        field.choices = [("", gettext("Choose a language")), *known]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        other = data.get("other_language", "").strip()
        if other and data.get("language"):
            self.add_error("other_language", _("Choose a language from the list or give its tag, not both."))
        elif not other and not data.get("language"):
            self.add_error("language", _("Choose the language of this file."))
        elif other:
            try:
                data["language"] = validators.language_tag(other)
            except DomainError as error:
                self.add_error("other_language", str(error))
        if data.get("language") in self.taken:
            self.add_error("other_language", _("There is an interpreter's channel in this language already."))
        return data


class ChannelNameForm(StudioForm):
    name = forms.CharField(
        label=_("Name in the player"),
        max_length=100,
        required=False,
        help_text=_("Leave it empty for the language's own name."),
    )


class OffsetForm(StudioForm):
    """When a channel begins, in seconds after the recording; kept in milliseconds."""

    offset_s = forms.DecimalField(
        label=_("Seconds"),
        max_digits=9,
        decimal_places=3,
        min_value=Decimal(-86_400),
        max_value=Decimal(86_400),
        widget=forms.NumberInput(attrs={"step": "0.02", "inputmode": "decimal", "dir": "ltr"}),
    )

    @property
    def offset_ms(self) -> int:
        return round(1000 * Decimal(self.cleaned_data["offset_s"]))
