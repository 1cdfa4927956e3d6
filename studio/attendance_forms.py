"""Forms of the pages about attendance, certificates and reports."""

import zoneinfo
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _
from i18nfield.strings import LazyI18nString

from events.models import Series, Webinar
from registration import certificates
from registration.attendance import REASON_MAX, Presence
from registration.attendance_imports import COLUMNS
from registration.models import CertificateRule
from studio.forms import DateInput, StudioForm, offer, zone_choices


class ReportFileForm(StudioForm):
    """A conference system's report of who was there."""

    file = forms.FileField(
        label=_("Report"),
        help_text=_(
            "The CSV or XLSX file that Zoom, Teams or BigBlueButton gives you after the session, in any language."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.json,.xlsx,text/csv"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Its times are in the zone of"),
        choices=zone_choices,
        help_text=_("The zone of the account that downloaded it; BigBlueButton: of the browser."),
    )
    adds = forms.BooleanField(
        label=_("This is one more room of the same session: keep the earlier report of this system too."),
        required=False,
    )

    def __init__(self, *args: Any, webinar: Webinar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["time_zone"] = webinar.time_zone
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        offer(zone, webinar.time_zone)


class ColumnsForm(StudioForm):
    """Which column of a report with unknown headings holds what, and the zone of its times."""

    name = forms.TypedChoiceField(label=_("Name"), coerce=int, required=False, empty_value=None)
    email = forms.TypedChoiceField(label=_("E-mail address"), coerce=int, required=False, empty_value=None)
    joined = forms.TypedChoiceField(label=_("Time of joining"), coerce=int, required=False, empty_value=None)
    left = forms.TypedChoiceField(label=_("Time of leaving"), coerce=int, required=False, empty_value=None)
    duration = forms.TypedChoiceField(
        label=_("Duration"),
        coerce=int,
        required=False,
        empty_value=None,
        help_text=_("Only if the times are those of the first coming and the last leaving."),
    )
    time_zone = forms.ChoiceField(label=_("Its times are in the zone of"), choices=zone_choices)

    def __init__(self, *args: Any, webinar: Webinar, headings: list[str], known: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(known)
        places = [("", "–"), *((number, f"{number + 1}: {text or '–'}") for number, text in enumerate(headings))]
        for name in COLUMNS:
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = places
        self.initial["time_zone"] = webinar.time_zone
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        offer(zone, webinar.time_zone)

    @property
    def columns(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in COLUMNS if self.cleaned_data[name] is not None}


class TimeWithSecondsInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class CorrectionForm(StudioForm):
    """From when to when a person was there, in the webinar's zone, or that they were not."""

    was_away = forms.BooleanField(label=_("Was not there"), required=False)
    joined_at = forms.TimeField(label=_("Came at"), widget=TimeWithSecondsInput, required=False)
    left_at = forms.TimeField(label=_("Left at"), widget=TimeWithSecondsInput, required=False)
    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_MAX, help_text=_("Recorded with your name, such as: joined by telephone.")
    )

    def __init__(self, *args: Any, webinar: Webinar, presence: Presence, **kwargs: Any) -> None:
        self._webinar = webinar
        self._zone = zoneinfo.ZoneInfo(webinar.time_zone)
        first, last = presence.joined_at or webinar.starts_at, presence.left_at or webinar.ends_at
        initial = {
            "joined_at": max(first, webinar.starts_at).astimezone(self._zone).time(),
            "left_at": min(last, webinar.ends_at).astimezone(self._zone).time(),
        }
        super().__init__(*args, **{"initial": initial, **kwargs})

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not values.get("was_away"):
            for name in ("joined_at", "left_at"):
                if values.get(name) is None and name not in self.errors:
                    self.add_error(name, gettext("Say from when to when, or that the person was not there."))
        return values

    def stays(self) -> list[tuple[datetime, datetime]]:
        """The stretch of time; times before the session's first hour are of the next day, for one around midnight."""
        if self.cleaned_data["was_away"]:
            return []
        return [(self._moment(self.cleaned_data["joined_at"]), self._moment(self.cleaned_data["left_at"]))]

    def _moment(self, time: Any) -> datetime:
        starts = self._webinar.starts_at.astimezone(self._zone)
        moment = datetime.combine(starts.date(), time, tzinfo=self._zone)
        ends = self._webinar.ends_at.astimezone(self._zone)
        if ends.date() > starts.date() and moment < starts - timedelta(hours=1):
            moment = datetime.combine(starts.date() + timedelta(days=1), time, tzinfo=self._zone)
        return moment


class RuleForm(StudioForm):
    """What earns a certificate, and what is written on it."""

    min_minutes = forms.IntegerField(
        label=_("Minutes attended, at least"),
        min_value=0,
        required=False,
        help_text=_("0 for everybody who was there at all."),
    )
    min_percent = forms.FloatField(
        label=_("Part of the session attended, at least (per cent)"), min_value=1, max_value=100, required=False
    )
    min_score_percent = forms.FloatField(
        label=_("Right answers in the quiz after the session, at least (per cent)"),
        min_value=1,
        max_value=100,
        required=False,
    )
    needs_survey = forms.BooleanField(label=_("The survey after the session was answered"), required=False)
    signatory = forms.CharField(
        label=_("Signed by"),
        max_length=certificates.SIGNATORY_MAX,
        required=False,
        help_text=_("Name and office, such as: Dr Amina Haddad, Head of the programme."),
    )

    field_names = {"min_share": "min_percent", "min_score": "min_score_percent", "text": "text_en"}

    def __init__(self, *args: Any, webinar: Webinar, rule: CertificateRule | None, **kwargs: Any) -> None:
        initial: dict[str, Any] = {}
        texts: dict[str, str] = {}
        if rule is not None:
            initial = {
                "min_minutes": rule.min_minutes,
                "min_percent": percent_of(rule.min_share),
                "min_score_percent": percent_of(rule.min_score),
                "needs_survey": rule.needs_survey,
                "signatory": rule.signatory,
            }
            data = rule.text.data if isinstance(rule.text, LazyI18nString) else rule.text
            texts = data if isinstance(data, dict) else {"en": data or ""}
        super().__init__(*args, **{"initial": initial, **kwargs})
        placeholders = ", ".join(f"{{{name}}}" for name in certificates.PLACEHOLDERS)
        for code, _name in settings.LANGUAGES:
            self.fields[f"text_{code}"] = forms.CharField(
                label=_("Further text (%(language)s)") % {"language": get_language_info(code)["name_local"]},
                required=False,
                initial=texts.get(code, ""),
                widget=forms.Textarea(attrs={"rows": 3, "lang": code, "dir": "auto"}),
                help_text=_("In braces you can use: %(known)s.") % {"known": placeholders} if code == "en" else "",
            )
        if certificates.is_rule_fixed(webinar):
            self.fields["reason"] = forms.CharField(
                label=_("Reason for changing the conditions now"),
                max_length=certificates.REASON_MAX,
                required=False,
                help_text=_("The session has begun. Another rule than the announced one is recorded with this reason."),
            )

    def values(self) -> dict[str, Any]:
        """What `certificates.set_rule` takes."""
        found = self.cleaned_data
        return {
            "min_minutes": found["min_minutes"],
            "min_share": _part(found["min_percent"]),
            "min_score": _part(found["min_score_percent"]),
            "needs_survey": found["needs_survey"],
            "signatory": found["signatory"],
            "text": {code: found[f"text_{code}"] for code, _name in settings.LANGUAGES if found[f"text_{code}"]},
            "reason": found.get("reason", ""),
        }


def percent_of(value: float | None) -> float | int | None:
    if value is None:
        return None
    percent = round(100 * value, 2)
    return int(percent) if percent == int(percent) else percent


def _part(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


class RevokeForm(StudioForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=certificates.REASON_MAX,
        help_text=_("Recorded with your name. Whoever checks the certificate learns that it was withdrawn, not why."),
    )


class ReportForm(StudioForm):
    """Which webinars a report is about."""

    series = forms.ModelChoiceField(
        label=_("Series"), queryset=Series.objects.none(), required=False, empty_label=_("All")
    )
    first = forms.DateField(label=_("From"), widget=DateInput, required=False)
    last = forms.DateField(label=_("Until"), widget=DateInput, required=False)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("last", gettext("The last day is before the first."))
        return values
