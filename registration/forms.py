"""What registrants fill in. Services check the rules; forms read the fields and place the errors."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from events.models import Webinar
from registration import choices
from registration.models import Registration
from registration.validators import AFFILIATION_MAX, NAME_MAX, PROFESSION_MAX, SECTOR_MAX, Details
from work.errors import DomainError


class LongSelect(forms.Select):
    """A long list whose options are written once per language, not once per form: they take most of a page's time."""

    def __init__(self, *, write_options: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.write_options = write_options
        self.further: list[tuple[str, str]] = []  # values that the list does not have, such as one that was stored

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = self.write_options(get_language() or "en")
        if self.further:
            options = format_html_join("", '<option value="{}">{}</option>', self.further) + options
        mark = format_html('<option value="{}"', "" if value is None else str(value))
        options = options.replace(f"{mark}>", f"{mark} selected>", 1)
        given = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(given), mark_safe(options))  # noqa: S308  (escaped above)


@cache
def _country_options(language: str) -> str:
    with translation.override(language):
        return _options([("", ""), *choices.country_choices()])


@cache
def _time_zone_options(_language: str) -> str:
    return "".join(
        format_html('<optgroup label="{}">{}</optgroup>', region, mark_safe(_options(zones)))  # noqa: S308  (escaped)
        for region, zones in choices.time_zone_choices()
    )


def _options(pairs: Iterable[tuple[str, str]]) -> str:
    return format_html_join("", '<option value="{}">{}</option>', pairs)


class DomainForm(forms.Form):
    """A form that shows what a service refused."""

    def add_domain_error(self, error: DomainError) -> None:
        """Show a service's refusal at the field it is about, or above the form."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class DetailsForm(DomainForm):
    """What a registrant may tell, and later change, about themselves."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_MAX, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        widget=LongSelect(write_options=_country_options, attrs={"autocomplete": "country"}),
    )
    profession = forms.CharField(
        label=_("Profession"),
        required=False,
        max_length=PROFESSION_MAX,
        help_text=_("Choose one or type your own."),
        widget=forms.TextInput(attrs={"list": "professions", "autocomplete": "organization-title", "dir": "auto"}),
    )
    sector = forms.CharField(
        label=_("Sector"),
        required=False,
        max_length=SECTOR_MAX,
        help_text=_("Choose one or type your own."),
        widget=forms.TextInput(attrs={"list": "sectors", "dir": "auto"}),
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
        label=_("Your time zone"),
        help_text=_("Mails and your calendar show the session in this zone."),
        widget=LongSelect(write_options=_time_zone_options),
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

    field_order = [
        "name",
        "email",
        "country",
        "profession",
        "sector",
        "affiliation",
        "language",
        "time_zone",
        "privacy",
    ]

    def __init__(self, *args: Any, webinar: Webinar, email: str = "", **kwargs: Any) -> None:
        initial = {
            "language": (get_language() or "en").partition("-")[0],
            "time_zone": webinar.time_zone,
            "email": email,
        }
        super().__init__(*args, webinar=webinar, initial=initial, **kwargs)
        if webinar.email_domains:
            self.fields["email"].help_text = _(
                "Your address at one of: %(domains)s. We write to it, and you are registered once you opened the link "
                "in that mail."
            ) % {"domains": ", ".join(webinar.email_domains)}
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
                further = (value, choices.autonym(value) if name == "language" else value)
                self._choose(name, [further, *offered])
                if isinstance(field.widget, LongSelect):
                    field.widget.further = [further]


class LinksForm(DomainForm):
    """Asks for an address, to which the links of its registration are sent again."""

    email = RegistrationForm.base_fields["email"]


# --- Teams ----------------------------------------------------------------------------------------------
class GroupForm(DomainForm):
    """Who registers a team. Its members follow on the page whose link is mailed to this address."""

    name = forms.CharField(
        label=_("Name of the team"), max_length=NAME_MAX, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    coordinator_name = forms.CharField(
        label=_("Your name"), max_length=NAME_MAX, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
    coordinator_email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("We send the link to your team’s page to it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
    )
    privacy = forms.BooleanField(
        label=_("The members of my team know that I register them, and have read the privacy notice."),
        error_messages={"required": _("Confirm that the members of your team know of this.")},
    )
    website = RegistrationForm.base_fields["website"]

    @property
    def is_from_robot(self) -> bool:
        return bool(self.cleaned_data["website"])


class ListForm(DomainForm):
    """A file with people."""

    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        help_text=_(
            "A table with a column for names and one for e-mail addresses; a column can answer one of the questions."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
