"""What registrants fill in. Services check the rules; forms read the fields and place the errors."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from events.models import Webinar
from registration import choices
from registration.models import Registration
from registration.validators import AFFILIATION_MAX, NAME_MAX, PROFESSION_MAX, Details
from work.errors import DomainError


class DetailsForm(forms.Form):
    """What a registrant may tell, and later change, about themselves."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_MAX, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    profession = forms.CharField(
        label=_("Profession"),
        required=False,
        max_length=PROFESSION_MAX,
        help_text=_("Choose one or type your own."),
        widget=forms.TextInput(attrs={"list": "professions", "autocomplete": "organization-title", "dir": "auto"}),
    )
    affiliation = forms.CharField(
        label=_("Organisation"),
        required=False,
        max_length=AFFILIATION_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "dir": "auto"}),
    )
    language = forms.ChoiceField(
        label=_("Your language"), help_text=_("We write to you in it, or in English where we cannot yet.")
    )
    time_zone = forms.ChoiceField(
        label=_("Your time zone"), help_text=_("Mails and your calendar show the session in this zone.")
    )

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("country", [("", ""), *choices.country_choices()])
        self._choose("language", choices.language_choices(webinar))
        self._choose("time_zone", choices.time_zone_choices())

    def _choose(self, name: str, offered: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = offered

    @property
    def details(self) -> Details:
        return Details(**{name: self.cleaned_data[name] for name in Details.__dataclass_fields__})

    def add_domain_error(self, error: DomainError) -> None:
        """Show a service's refusal at the field it is about, or above the form."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class RegistrationForm(DetailsForm):
    """The public form. It works without scripts; a browser with them fills in its own time zone."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("Your personal links are sent to it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
    )
    privacy = forms.BooleanField(
        label=_("I have read the privacy notice and agree to it."),
        error_messages={"required": _("Please agree to the privacy notice; we cannot register you without.")},
    )
    # People do not see this field; programs that fill in everything give themselves away.
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))

    field_order = ["name", "email", "country", "profession", "affiliation", "language", "time_zone", "privacy"]

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        initial = {"language": (get_language() or "en").partition("-")[0], "time_zone": webinar.time_zone}
        super().__init__(*args, webinar=webinar, initial=initial, **kwargs)
        self.fields["time_zone"].widget.attrs["data-guess-time-zone"] = "keep" if self.is_bound else ""

    @property
    def is_from_robot(self) -> bool:
        return bool(self.cleaned_data["website"])


class ChangeForm(DetailsForm):
    """The same details, filled in."""

    def __init__(self, *args: Any, registration: Registration, **kwargs: Any) -> None:
        initial = {name: getattr(registration, name) for name in Details.__dataclass_fields__}
        super().__init__(*args, webinar=registration.webinar, initial=initial, **kwargs)
        # What was stored once stays to be chosen, though the webinar may offer other languages now.
        for name in ("language", "time_zone"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            value, offered = initial[name], list[Any](field.choices)  # type: ignore[arg-type]  # the setter takes more
            if not field.valid_value(value):
                self._choose(name, [(value, choices.autonym(value) if name == "language" else value), *offered])


class LinksForm(forms.Form):
    """Asks for an address, to which the links of its registration are sent again."""

    email = RegistrationForm.base_fields["email"]

    def add_domain_error(self, error: DomainError) -> None:
        self.add_error("email" if error.field == "email" else None, str(error))
