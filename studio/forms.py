"""What organisers and speakers fill in. Services check the rules; forms read the fields and place the errors."""

import datetime
import re
import zoneinfo
from collections.abc import Iterable
from typing import Any, cast

from babel import Locale
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import lazy
from django.utils.translation import get_language, get_language_info, gettext
from django.utils.translation import gettext_lazy as _
from i18nfield.strings import LazyI18nString

from accounts.models import Organisation
from events import validators
from events.errors import DoubledLocalTime, ImpossibleLocalTime
from events.models import MaterialKind, Series, Visibility, Webinar
from transcripts import languages
from transcripts.errors import LanguageUnknown
from work.errors import DomainError

Choices = list[tuple[str, str]]


class StudioForm(forms.Form):
    """A form whose fields are drawn by includes/field.html."""

    required_css_class = "required"

    # The name a service gives a field in its errors, where the form calls it otherwise.
    field_names: dict[str, str] = {}

    def add_domain_error(self, error: DomainError) -> None:
        """Show a service's refusal at the field it is about, or above the form."""
        name = self.name_of(error.field)
        self.add_error(name if name in self.fields else None, str(error))

    def name_of(self, field: str) -> str:
        return self.field_names.get(field, field)


def offer(field: forms.ChoiceField, value: str) -> None:
    """Let a value stay that was stored by other means and is not in the list, such as an old name of a time zone."""
    choices = [*cast("Iterable[Any]", field.choices)]
    known = {str(inner[0]) for outer in choices for inner in (outer[1] if isinstance(outer[1], list) else [outer])}
    if value and value not in known:
        field.choices = [(value, value), *choices]


def _likely_languages(chosen: Iterable[str] | None) -> list[str]:
    """What was chosen, then the languages of these pages, which most organisations use."""
    return list(dict.fromkeys([*(chosen or []), *(code for code, _name in settings.LANGUAGES)]))


def language_choices() -> Choices:
    """Every language in the table, such as "Arabic · العربية": by its name in the language of the page."""
    names = Locale.parse(get_language() or settings.LANGUAGE_CODE, sep="-").languages
    choices = []
    for one in languages.every():
        name = str(names.get(one.tag, one.english))
        label = name if name.casefold() == one.autonym.casefold() else f"{name} · {one.autonym}"
        choices.append((one.tag, label))
    return sorted(choices, key=lambda choice: choice[1].casefold())


def zone_choices() -> list[tuple[str, Choices]]:
    """IANA zones by region, as people look for them; names that only old systems use are left out."""
    regions: dict[str, Choices] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, slash, place = name.partition("/")
        if slash and region not in ("Etc", "SystemV", "US", "Canada", "Brazil", "Chile", "Mexico", "posix", "right"):
            regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)  # the only form that browsers' date fields read


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class LocalMomentField(forms.Field):
    """A day and time on the clocks of a zone that another field names; the service makes a moment of it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime.datetime | None:
        if value in self.empty_values:
            return None
        try:
            return datetime.datetime.fromisoformat(str(value)).replace(tzinfo=None)
        except ValueError:
            raise forms.ValidationError(_("Give a day and a time.")) from None


class LanguagesField(forms.MultipleChoiceField):
    """Any number of languages, each named in itself."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=language_choices, required=False, **kwargs)

    def put_first(self, tags: Iterable[str]) -> None:
        """Show these before all others; tags that are not in the table are offered too."""
        first = list(tags)
        labels = dict(language_choices())
        rest = [(tag, label) for tag, label in labels.items() if tag not in first]
        self.choices = [*((tag, labels.get(tag, tag)) for tag in first), *rest]


class WebinarForm(StudioForm):
    """A webinar with its times in its own zone, and its title in each language of the interface.

    The fields `title_xx` and `summary_xx` exist per language; the first language is required, the others are
    translations that may be added.
    """

    field_names = {"starts_at": "start_time", "ends_at": "end_time"}

    seen = forms.DateTimeField(widget=forms.HiddenInput, required=False)  # the version that the editor began with
    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none())
    topic = forms.CharField(
        label=_("Topic"),
        max_length=100,
        required=False,
        help_text=_("One or two words by which people look for it, such as: mental health."),
    )
    audience = forms.CharField(
        label=_("Audience"),
        max_length=200,
        required=False,
        help_text=_("Whom it is for, such as: doctors, nurses, social workers."),
    )
    date = forms.DateField(label=_("Date"), widget=DateInput)
    start_time = forms.TimeField(label=_("Starts at"), widget=TimeInput)
    end_time = forms.TimeField(label=_("Ends at"), widget=TimeInput)
    end_date = forms.DateField(
        label=_("Ends on another day"),
        widget=DateInput,
        required=False,
        help_text=_("Leave empty if it ends on the same day."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        help_text=_("The times above are local times there. Everybody else sees them in their own zone."),
    )
    zone_change = forms.ChoiceField(
        label=_("You changed the time zone. What stays?"),
        choices=[
            ("clock", _("The clock time: it is the same hour, in the new zone")),
            ("moment", _("The moment: the hour is another one in the new zone")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    spoken_language = forms.ChoiceField(label=_("Spoken language"), choices=language_choices)
    subtitle_languages = LanguagesField(
        label=_("Subtitle languages"),
        help_text=_("Besides the spoken language. You can change this when you upload the recording."),
    )
    capacity = forms.IntegerField(
        label=_("Places"),
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text=_("Who registers later is put on a waiting list. Leave empty for no limit."),
    )
    needs_approval = forms.BooleanField(
        label=_("I approve each registration"),
        required=False,
        help_text=_("Nobody has a place before you approved them on the page of registrants."),
    )
    needs_invitation = forms.BooleanField(
        label=_("Only invited people can register"),
        required=False,
        help_text=_("You invite them on the page of registrants: by mail, or with a link to share."),
    )
    email_domains = forms.CharField(
        label=_("Only addresses of these institutions"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "ltr"}),
        help_text=_(
            "Such as who.int, ec.europa.eu; with their subdomains. Everybody has to open a mailed link before they are "
            "registered. Leave empty for any address."
        ),
    )
    registration_opens_at = LocalMomentField(
        label=_("Registration opens"), required=False, help_text=_("Leave empty: when the webinar is published.")
    )
    registration_closes_at = LocalMomentField(
        label=_("Registration closes"), required=False, help_text=_("Leave empty: at the end of the webinar.")
    )
    join_url = forms.URLField(
        label=_("Address of the live room"),
        max_length=1000,
        required=False,
        assume_scheme="https",
        help_text=_("From your conference system. Only people who registered get it."),
    )
    visibility = forms.ChoiceField(label=_("Who sees the page"), choices=Visibility.choices)
    series = forms.ModelChoiceField(
        label=_("Series"), queryset=Series.objects.none(), required=False, empty_label=_("None")
    )

    def __init__(
        self,
        *args: Any,
        organisations: "QuerySet[Organisation]",
        webinar: Webinar | None = None,
        **kwargs: Any,
    ) -> None:
        self.webinar = webinar
        self.owner = webinar.organisation if webinar else organisations.order_by("name").first()
        super().__init__(*args, **kwargs)
        self.languages = self._languages()
        for code in reversed(self.languages):
            self._add_texts(code)
        self._field("series").queryset = Series.objects.filter(organisation__in=organisations).order_by("created_at")
        if webinar is not None or organisations.count() == 1:
            del self.fields["organisation"]
        else:
            self._field("organisation").queryset = organisations.order_by("name")
        for name, value in self._initial().items():
            self.initial.setdefault(name, value)
        self._field("subtitle_languages").put_first(_likely_languages(self.initial.get("subtitle_languages")))
        if webinar is not None:
            offer(self._field("spoken_language"), webinar.spoken_language)
            offer(self._field("time_zone"), webinar.time_zone)

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def name_of(self, field: str) -> str:
        return f"{field}_{self.languages[0]}" if field in ("title", "summary") else super().name_of(field)

    def accept_current(self, webinar: Webinar) -> None:
        """After somebody else saved: what is in the form may be saved over it, now that the person knows."""
        data = cast(QueryDict, self.data).copy()
        data["seen"] = webinar.updated_at.isoformat()
        self.data = data

    def _languages(self) -> list[str]:
        """The interface's languages, beginning with the one in which this webinar has its title."""
        codes = [code for code, _name in settings.LANGUAGES]
        first = self.owner.language if self.owner else settings.LANGUAGE_CODE
        if self.webinar is not None:
            texts = _texts(self.webinar.title)
            if not texts.get(first):
                first = next((code for code in codes if texts.get(code)), first)
        return sorted(codes, key=lambda code: code != first)

    def _add_texts(self, code: str) -> None:
        is_first = code == self.languages[0]
        attrs = {"lang": code, "dir": "rtl" if code in settings.LANGUAGES_BIDI else "ltr"}
        name = get_language_info(code)["name_local"]
        titled: dict[str, forms.Field] = {
            f"title_{code}": forms.CharField(
                label=_("Title") if is_first else gettext("Title in %(language)s") % {"language": name},
                max_length=200,
                required=is_first,
                widget=forms.TextInput(attrs=attrs),
            ),
            f"summary_{code}": forms.CharField(
                label=_("Summary") if is_first else gettext("Summary in %(language)s") % {"language": name},
                max_length=10_000,
                required=False,
                widget=forms.Textarea(attrs={**attrs, "rows": 4}),
                help_text=_("What people will learn. Shown on the webinar's page.") if is_first else "",
            ),
        }
        self.fields = titled | self.fields

    def _initial(self) -> dict[str, Any]:
        webinar = self.webinar
        if webinar is None:
            return {
                "time_zone": self.owner.time_zone if self.owner else settings.TIME_ZONE,
                "spoken_language": self.owner.language if self.owner else settings.LANGUAGE_CODE,
                "visibility": Visibility.PUBLIC,
            }
        zone = zoneinfo.ZoneInfo(webinar.time_zone)
        starts, ends = webinar.starts_at.astimezone(zone), webinar.ends_at.astimezone(zone)
        texts = {}
        for code in self.languages:
            texts[f"title_{code}"] = _texts(webinar.title).get(code, "")
            texts[f"summary_{code}"] = _texts(webinar.summary).get(code, "")
        return {
            **texts,
            "seen": webinar.updated_at.isoformat(),
            "topic": webinar.topic,
            "audience": webinar.audience,
            "date": starts.date(),
            "start_time": starts.time(),
            "end_time": ends.time(),
            "end_date": ends.date() if ends.date() != starts.date() else None,
            "time_zone": webinar.time_zone,
            "spoken_language": webinar.spoken_language,
            "subtitle_languages": webinar.subtitle_languages,
            "capacity": webinar.capacity,
            "needs_approval": webinar.needs_approval,
            "needs_invitation": webinar.needs_invitation,
            "email_domains": "\n".join(webinar.email_domains),
            "registration_opens_at": _local(webinar.registration_opens_at, zone),
            "registration_closes_at": _local(webinar.registration_closes_at, zone),
            "join_url": webinar.join_url,
            "visibility": webinar.visibility,
            "series": webinar.series_id,
        }

    @property
    def has_series(self) -> bool:
        return bool(self._field("series").queryset.exists())

    @property
    def main_texts(self) -> list[forms.BoundField]:
        return self._text_fields(self.languages[:1])

    @property
    def translated_texts(self) -> list[forms.BoundField]:
        return self._text_fields(self.languages[1:])

    @property
    def has_translations(self) -> bool:
        """True if the part with the other languages should be open: something is in it, or is wrong there."""
        return any(bound.value() or bound.errors for bound in self.translated_texts)

    @property
    def has_conditions(self) -> bool:
        """True if the part with the conditions of registration should be open: one is set, or is wrong there."""
        return any(
            self[name].value() or self[name].errors
            for name in (
                "needs_approval",
                "needs_invitation",
                "email_domains",
                "registration_opens_at",
                "registration_closes_at",
            )
        )

    def _text_fields(self, codes: Iterable[str]) -> list[forms.BoundField]:
        return [self[f"{name}_{code}"] for code in codes for name in ("title", "summary")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        zone, day = data.get("time_zone"), data.get("date")
        if not zone or not day:
            return data
        if self._changes_zone_alone(zone):
            if not data.get("zone_change"):
                self.add_error("zone_change", gettext("Please say what you mean."))
            elif self.webinar is not None and data["zone_change"] == "moment":
                data["starts_at"], data["ends_at"] = self.webinar.starts_at, self.webinar.ends_at
                return data
        data["starts_at"] = self._moment("start_time", day, data.get("start_time"), zone)
        data["ends_at"] = self._moment("end_time", data.get("end_date") or day, data.get("end_time"), zone)
        return data

    def _changes_zone_alone(self, zone: str) -> bool:
        times = {"date", "start_time", "end_time", "end_date"}
        return self.webinar is not None and zone != self.webinar.time_zone and not times & set(self.changed_data)

    @property
    def asks_zone(self) -> bool:
        """True if the question about a new zone should be shown."""
        return bool(self["zone_change"].errors or self["zone_change"].value())

    def _moment(self, name: str, day: datetime.date, at: datetime.time | None, zone: str) -> datetime.datetime | None:
        if at is None:
            return None
        try:
            return validators.local_time(datetime.datetime.combine(day, at), zone)
        except (ImpossibleLocalTime, DoubledLocalTime) as error:
            self.add_error(name, str(error))
        except DomainError as error:
            if "date" not in self.errors:
                self.add_error("date", str(error))
        return None

    def values(self) -> dict[str, Any]:
        """The cleaned form as arguments of `events.services.create_webinar` and `update_webinar`."""
        data = self.cleaned_data
        names = (
            "topic audience starts_at ends_at time_zone spoken_language subtitle_languages capacity join_url "
            "visibility series needs_approval needs_invitation registration_opens_at registration_closes_at"
        )
        return {
            "email_domains": re.split(r"[\s,;]+", data["email_domains"].strip()) if data["email_domains"] else [],
            "title": self._translated("title"),
            "summary": self._translated("summary"),
            **{name: data[name] for name in names.split()},
        }

    def _translated(self, name: str) -> LazyI18nString:
        """All texts of a field: those of this form, and those in languages that it does not show."""
        texts = _texts(getattr(self.webinar, name)) if self.webinar else {}
        texts |= {code: self.cleaned_data[f"{name}_{code}"] for code in self.languages}
        return LazyI18nString({code: text for code, text in texts.items() if text})


def _texts(value: LazyI18nString | str) -> dict[str, str]:
    data = value.data if isinstance(value, LazyI18nString) else value
    return dict(data) if isinstance(data, dict) else {settings.LANGUAGE_CODE: str(data or "")}


class SpeakerForm(StudioForm):
    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("For the invitation with the speaker's personal link. It is not shown to anybody else."),
    )
    affiliation = forms.CharField(
        label=_("Affiliation"), max_length=200, required=False, help_text=_("The body the speaker works for.")
    )
    biography = forms.CharField(
        label=_("Biography"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Shown on the webinar's page. Speakers can change theirs by their link."),
    )
    language = forms.ChoiceField(
        label=_("Language of the invitation"), choices=lazy(lambda: settings.LANGUAGES, list)()
    )


class ProfileForm(StudioForm):
    """What speakers change about themselves."""

    affiliation = forms.CharField(label=_("Affiliation"), max_length=200, required=False)
    biography = forms.CharField(
        label=_("Biography"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("A few sentences about you, for the webinar's page."),
    )


class MaterialForm(StudioForm):
    """A file for the audience. Its content decides its type; `accept` only helps the file chooser."""

    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".pdf,.pptx,.odp,.png,.jpg,.jpeg"}),
        help_text=_("PDF, PowerPoint (PPTX), OpenDocument (ODP), or a picture (PNG, JPEG)."),
        max_length=255,
    )
    title = forms.CharField(
        label=_("Title"), max_length=200, required=False, help_text=_("Leave empty to use the file's name.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=MaterialKind.choices, initial=MaterialKind.SLIDES)


class RecordingOptionsForm(StudioForm):
    """What shall be made of a recording."""

    spoken_language = forms.ChoiceField(
        label=_("Spoken language"),
        choices=language_choices,
        help_text=_("Subtitles in this language are written by speech recognition."),
    )
    other_languages = LanguagesField(
        label=_("Also spoken"),
        help_text=_("If some people speak other languages, as in questions: what they say is written in these."),
    )
    subtitle_languages = LanguagesField(
        label=_("Translate the subtitles into"),
        help_text=_("Subtitles in any other language can be uploaded later."),
    )
    publish_when_ready = forms.BooleanField(
        label=_("Publish as soon as it is ready"),
        required=False,
        help_text=_("Otherwise you look at it first and publish it yourself."),
    )
    send_follow_up = forms.BooleanField(
        label=_("Tell everybody who registered"),
        required=False,
        initial=True,
        help_text=_("One mail each, in their language, when the recording is published."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(LanguagesField, self.fields["subtitle_languages"])
        field.put_first(_likely_languages(self.initial.get("subtitle_languages")))
        if "other_languages" in self.fields:
            cast(LanguagesField, self.fields["other_languages"]).put_first(_likely_languages(None))
        offer(cast(forms.ChoiceField, self.fields["spoken_language"]), self.initial.get("spoken_language", ""))


class ReceiveRecordingForm(RecordingOptionsForm):
    upload = forms.UUIDField(widget=forms.HiddenInput)


class RecordingVisibilityForm(StudioForm):
    visibility = forms.ChoiceField(label=_("Who may watch"), choices=Visibility.choices)


class TrackForm(StudioForm):
    """Subtitles that a person made, in any language, whether an engine knows it or not."""

    field_names = {"data": "file"}

    language = forms.ChoiceField(label=_("Language"), required=False)
    other_language = forms.CharField(
        label=_("Another language"),
        max_length=35,
        required=False,
        help_text=_("Its language tag (BCP 47), such as ff-Latn-SN for Pulaar in Senegal."),
    )
    file = forms.FileField(
        label=_("Subtitle file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".vtt,.srt,.ttml,.dfxp,.xml,.ass,.ssa"}),
        help_text=_("WebVTT (.vtt), SubRip (.srt), TTML or ASS, with times that fit the recording."),
        max_length=255,
    )
    begin = forms.BooleanField(required=False, widget=forms.HiddenInput)  # write them in the editor instead

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["language"])
        field.choices = [("", gettext("Choose a language")), *language_choices()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("begin") and not data.get("file") and "file" not in self.errors:
            self.add_error("file", _("Choose a file."))
        other = data.get("other_language", "").strip()
        if other:
            self.field_names = {**self.field_names, "language": "other_language"}
        if other and data.get("language"):
            self.add_error("other_language", _("Choose a language from the list or give its tag, not both."))
        elif not other and not data.get("language"):
            self.add_error("language", _("Choose the language of this file."))
        elif other:
            try:
                data["language"] = languages.get(validators.language_tag(other)).tag
            except DomainError as error:
                self.add_error("other_language", str(error))
            except languages.UnknownLanguage:
                self.add_error("other_language", str(LanguageUnknown(other)))
        return data


class TokenForm(StudioForm):
    LIVES = {"30": _("30 days"), "90": _("90 days"), "365": _("one year"), "": _("until it is revoked")}

    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none())
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What uses it, such as: website of the ministry.")
    )
    can_write = forms.BooleanField(
        label=_("May change things"),
        required=False,
        help_text=_("Otherwise it only reads. It never does more than you may do yourself."),
    )
    days = forms.ChoiceField(label=_("Works for"), choices=list(LIVES.items()), required=False, initial="90")

    def __init__(self, *args: Any, organisations: "QuerySet[Organisation]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[Organisation]", self.fields["organisation"])
        field.queryset = organisations.order_by("name")
        field.empty_label = None

    @property
    def life(self) -> datetime.timedelta | None:
        days = self.cleaned_data["days"]
        return datetime.timedelta(days=int(days)) if days else None


# --- Registrants ---------------------------------------------------------------------------------------------------
class InviteForm(StudioForm):
    """People to invite, pasted in lines."""

    people = forms.CharField(
        label=_("People"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=_("One address in each line, with a name if you like, as in: Anna Example, anna@example.org."),
    )
    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES)
    expires_on = forms.DateField(
        label=_("Last day"), widget=DateInput, required=False, help_text=_("Leave empty: the links do not expire.")
    )

    def lines(self) -> list[tuple[str, str]]:
        """Address and name of each line that is not empty."""
        found = []
        for line in self.cleaned_data["people"].splitlines():
            cells = [cell.strip(" \t\"'<>") for cell in re.split(r"[;,\t<]", line)]
            address = next((cell for cell in cells if "@" in cell), "")
            name = next((cell for cell in cells if cell and cell != address), "")
            if line.strip():
                found.append((address or line.strip(), name if address else ""))
        return found


class SharedInvitationForm(StudioForm):
    """A link that whoever has it may register with."""

    name = forms.CharField(
        label=_("What it is for"),
        max_length=150,
        required=False,
        help_text=_("For you alone, such as: Ministry of Health."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    max_uses = forms.IntegerField(
        label=_("How many may register with it"),
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text=_("Leave empty for no limit."),
    )
    expires_on = forms.DateField(label=_("Last day"), widget=DateInput, required=False)


class CapacityForm(StudioForm):
    capacity = forms.IntegerField(
        label=_("Places"), min_value=1, max_value=1_000_000, required=False, help_text=_("Leave empty for no limit.")
    )


class RegistrantsFileForm(StudioForm):
    """A list of people to register."""

    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        help_text=_(
            "“Name” and “E-mail address” are needed; country, profession, sector, organisation, language, time zone "
            "and your own questions are read too. You can say which column is which."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )


def _local(moment: datetime.datetime | None, zone: zoneinfo.ZoneInfo) -> datetime.datetime | None:
    return moment.astimezone(zone).replace(tzinfo=None) if moment else None
