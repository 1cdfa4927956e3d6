"""Checks of single values: time zones, local times, languages, texts, page addresses.

Each returns the value as it should be stored, or raises an `events.errors.InvalidValue` that says what to do.
"""

import re
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache

from babel import Locale
from babel.core import get_global
from django.utils.dateformat import format as date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from i18nfield.strings import LazyI18nString

from accounts.text import clean_line, clean_lines
from events.errors import DoubledLocalTime, ImpossibleLocalTime, InvalidValue, UnknownLanguage, UnknownTimeZone

FIRST_YEAR, LAST_YEAR = 2000, 2199
# RFC 5646, section 2.1, without its grandfathered tags; 4 to 8 letters in front are reserved or unused.
_LANGUAGE_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?P<extlang>(-[a-z]{3}){0,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<rest>(-([a-z\d]{5,8}|\d[a-z\d]{3}))*(-[a-wyz\d](-[a-z\d]{2,8})+)*(-x(-[a-z\d]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
MAX_TAG = 35  # RFC 5646, section 4.4.1: what every program must be able to hold


def time_zone(value: str, *, field: str = "time_zone") -> zoneinfo.ZoneInfo:
    """Return the IANA zone of that name.

    Raises:
        UnknownTimeZone: there is none, or it is one that only names an offset or this computer.
    """
    if value not in _zone_names():
        raise UnknownTimeZone(
            _("“%(zone)s” is not a time zone that we know. Use a name such as Europe/Brussels.")
            % {"zone": clean_line(str(value), max_length=40)},
            field=field,
        )
    return zoneinfo.ZoneInfo(value)


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory", "posixrules"})


def local_time(value: datetime, zone_name: str, *, field: str = "starts_at") -> datetime:
    """Return the moment, in UTC, at which the clocks of that zone show `value`.

    A value with an offset of its own is a moment already and is only converted, which is how a doubled time can be
    told apart.

    Raises:
        UnknownTimeZone: see `time_zone`.
        ImpossibleLocalTime: the clocks skip this time on that day.
        DoubledLocalTime: the clocks show this time twice on that day.
        InvalidValue: the year is not one in which webinars take place.

    >>> local_time(datetime(2027, 1, 1, 0, 0), "Asia/Kathmandu").isoformat()
    '2026-12-31T18:15:00+00:00'
    """
    zone = time_zone(zone_name)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise InvalidValue(
            _("The year must be between %(first)s and %(last)s.") % {"first": FIRST_YEAR, "last": LAST_YEAR},
            field=field,
        )
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    early, late = (value.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    names = {"zone": zone_name.replace("_", " "), "time": f"{value:%H:%M}", "day": date_format(value, "j F Y")}
    if early > late:  # PEP 495: in a gap, fold=0 uses the offset before the change and so lies later
        raise ImpossibleLocalTime(
            _("In %(zone)s there is no %(time)s on %(day)s, because the clocks are put forward. Choose another time.")
            % names,
            field=field,
        )
    raise DoubledLocalTime(
        _("In %(zone)s it is %(time)s twice on %(day)s, because the clocks are put back. Choose another time.") % names,
        field=field,
        first=early,
        second=late,
    )


def language_tag(value: str, *, field: str = "language") -> str:
    """Return a well-formed BCP 47 tag in its usual spelling (RFC 5646, section 2.1.1).

    Two-letter languages must exist; of the eight thousand three-letter ones any is taken, so that no language is shut
    out because a table lacks it.

    Raises:
        UnknownLanguage: the tag is malformed, or its two-letter language does not exist.

    >>> language_tag("PT-br"), language_tag("iw"), language_tag("ff-latn-sn")
    ('pt-BR', 'he', 'ff-Latn-SN')
    """
    match = _LANGUAGE_TAG.fullmatch(value.strip().replace("_", "-")) if len(value) <= MAX_TAG else None
    if match is None or (len(match["language"]) == 2 and match["language"].lower() not in _two_letter_languages()):
        raise UnknownLanguage(
            _("“%(tag)s” is not a language tag that we know. Use one such as fr, ar or pt-BR.")
            % {"tag": clean_line(str(value), max_length=40)},
            field=field,
        )
    language = match["language"].lower()
    if len(language) == 2:
        alias = str(get_global("language_aliases").get(language, language))
        # iw is he; but an alias that is more than a language (sh: sr-Latn) would change what was meant.
        language = alias if alias.isalpha() else language
    parts = [language, match["extlang"].lower().lstrip("-")]
    parts += [(match["script"] or "").title(), (match["region"] or "").upper(), match["rest"].lower().lstrip("-")]
    return "-".join(part for part in parts if part)


@cache
def _two_letter_languages() -> frozenset[str]:
    tags = map(str, (*Locale("en").languages, *get_global("language_aliases")))
    return frozenset(tag for tag in tags if len(tag) == 2)


def language_tags(values: Iterable[str], *, field: str) -> list[str]:
    """Return the tags as by `language_tag`, each once, in their order.

    Raises:
        UnknownLanguage: one of them is not a tag.
        InvalidValue: there are more than fifty.
    """
    tags = list(dict.fromkeys(language_tag(value, field=field) for value in values))
    if len(tags) > 50:
        raise InvalidValue(_("Choose at most 50 languages."), field=field)
    return tags


def domains(values: Iterable[str], *, field: str) -> list[str]:
    """Return the domains of institutions' addresses, in ASCII and lower case, each once, in their order.

    Raises:
        InvalidValue: one is no domain, or there are more than a hundred.

    >>> domains(["WHO.int", "@ec.europa.eu", "who.int"], field="email_domains")
    ['who.int', 'ec.europa.eu']
    """
    found = []
    for value in values:
        domain = str(value).strip().rpartition("@")[2].strip(".").lower()
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
        if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
            raise InvalidValue(
                _("“%(domain)s” is not the domain of an e-mail address, such as who.int.")
                % {"domain": clean_line(str(value), max_length=80)},
                field=field,
            )
        found.append(domain)
    unique = list(dict.fromkeys(found))
    if len(unique) > 100:
        raise InvalidValue(_("List at most 100 domains."), field=field)
    return unique


def translated_text(
    value: object,
    *,
    field: str,
    label: str | Promise,
    language: str,
    max_length: int,
    required: bool = False,
    one_line: bool = True,
) -> LazyI18nString:
    """Return a text, or a text per language, cleaned.

    Args:
        value: a string (taken to be in `language`), a mapping of language tags to strings, or a LazyI18nString.
        max_length: characters, for each language.
        one_line: False keeps line breaks.

    Raises:
        UnknownLanguage: a key is not a language tag.
        InvalidValue: nothing is left of a required text, one is too long, or the value is neither text nor mapping.
    """
    if isinstance(value, LazyI18nString):
        value = value.data
    if value is None:
        value = {}
    # Always stored per language: i18nfield reads a bare string as JSON, so that a title of 2027 would become a number.
    texts = value if isinstance(value, Mapping) else {language: value}
    cleaned: dict[str, str] = {}
    for tag, text in texts.items():
        if not isinstance(text, str) or not isinstance(tag, str):
            raise InvalidValue(
                _("%(label)s must be a text, or texts by language such as {“en”: “…”}.") % {"label": label}, field=field
            )
        line = clean_line(text) if one_line else clean_lines(text)
        if len(line) > max_length:
            raise InvalidValue(
                _("%(label)s may have at most %(max)s characters; this has %(length)s.")
                % {"label": label, "max": max_length, "length": len(line)},
                field=field,
            )
        if line:
            cleaned[language_tag(tag, field=field)] = line
    if required and not cleaned:
        raise InvalidValue(_("%(label)s is missing.") % {"label": label}, field=field, code="required")
    return LazyI18nString(cleaned)


def short_text(value: str, *, field: str, label: str | Promise, max_length: int, required: bool = False) -> str:
    """Return a line of text, cleaned.

    Raises:
        InvalidValue: it is too long, or empty though required.
    """
    return str(
        translated_text(
            value, field=field, label=label, language="en", max_length=max_length, required=required
        ).data.get("en", "")
    )


def slug(value: str, *, field: str = "slug") -> str:
    """Return a page's name in addresses.

    Raises:
        InvalidValue: it holds something other than a-z, 0-9 and single hyphens, or is longer than 80 characters.
    """
    value = value.strip().lower()
    if len(value) > 80 or not _SLUG.fullmatch(value):
        raise InvalidValue(
            _("Use letters a to z, digits and single hyphens, at most 80 characters, such as mental-health-2027."),
            field=field,
        )
    return value
