"""When a session takes place, said in a person's language and zone."""

import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from babel import Locale, UnknownLocaleError, dates

from events.models import Webinar


@dataclass(frozen=True)
class SessionTime:
    """A session's time in one zone: "Thursday, 4 March 2027, 19:00-20:30", "Central European Standard Time"."""

    text: str
    zone_name: str
    zone: str  # IANA name, which tells places with the same zone name apart


def session_times(webinar: Webinar, *, time_zone: str, language: str) -> list[SessionTime]:
    """Return the time in the person's zone and, where its clocks differ, in the organiser's."""
    theirs = session_time(webinar, time_zone=time_zone, language=language)
    organisers = session_time(webinar, time_zone=webinar.time_zone, language=language)
    return [theirs] if theirs.text == organisers.text else [theirs, organisers]


def session_time(webinar: Webinar, *, time_zone: str, language: str) -> SessionTime:
    zone = zoneinfo.ZoneInfo(time_zone)
    locale = babel_locale(language)
    starts, ends = webinar.starts_at.astimezone(zone), webinar.ends_at.astimezone(zone)
    first = _day_and_time(starts, locale)
    last = _time(ends, locale) if ends.date() == starts.date() else _day_and_time(ends, locale)
    return SessionTime(
        text=f"{first}–{last}",
        zone_name=dates.get_timezone_name(starts, locale=locale, zone_variant=_variant(starts)),
        zone=time_zone,
    )


def moment_in_zone(moment: datetime, *, time_zone: str, language: str) -> str:
    """Say a moment in words, with its zone: "Thursday, 4 March 2027, 19:00 (Europe/Brussels)"."""
    return f"{_day_and_time(moment.astimezone(zoneinfo.ZoneInfo(time_zone)), babel_locale(language))} ({time_zone})"


def babel_locale(language: str) -> Locale:
    """The locale of a language of ours; English as in Europe, with the day first and 24 hours."""
    if language == "en":
        return Locale("en", "GB")
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en", "GB")


def _variant(moment: datetime) -> Literal["daylight", "standard"]:
    """Whether the zone's clocks are ahead on that day, as its names in CLDR mean it.

    The zone database calls Ireland's summer time the standard and its winter the exception (a negative `dst`); names
    do not.
    """
    summer = moment.dst() or timedelta()
    is_reversed = any((moment.replace(month=month, day=1).dst() or timedelta()) < timedelta() for month in (1, 7))
    return "daylight" if (summer == timedelta() if is_reversed else summer > timedelta()) else "standard"


def _day_and_time(moment: datetime, locale: Locale) -> str:
    day = dates.format_date(moment.date(), format="full", locale=locale)
    return str(locale.datetime_formats["medium"]).replace("{1}", day).replace("{0}", _time(moment, locale))


def _time(moment: datetime, locale: Locale) -> str:
    return dates.format_time(moment, format="short", locale=locale)
