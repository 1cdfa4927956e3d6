"""What the registration form offers to choose from, in the visitor's language."""

import unicodedata
import zoneinfo
from functools import cache

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from events.models import Webinar
from registration.times import babel_locale
from registration.validators import country_codes

_REGIONS = frozenset(
    ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
# Offered beside the field; anything else may be typed.
PROFESSIONS = (
    _("Doctor"),
    _("Nurse"),
    _("Midwife"),
    _("Psychologist"),
    _("Social worker"),
    _("Public health specialist"),
    _("Interpreter or mediator"),
    _("Police or border officer"),
    _("Teacher or researcher"),
    _("Manager or policy maker"),
    _("Student"),
)
SECTORS = (
    _("Health care"),
    _("Public administration"),
    _("International organisation"),
    _("Non-governmental organisation"),
    _("University or research"),
    _("Education"),
    _("Police or border guard"),
    _("Private company"),
)


def country_choices() -> list[tuple[str, str]]:
    """Countries by name, in the active language."""
    return _countries(get_language() or "en")


@cache
def _countries(language: str) -> list[tuple[str, str]]:
    names = babel_locale(language).territories
    return sorted(((code, names[code]) for code in country_codes() if code in names), key=lambda pair: _order(pair[1]))


def country_from_name(value: str) -> str:
    """The code of a country that a list names in any language of ours; anything else as it is.

    >>> country_from_name("Deutschland"), country_from_name("Germany"), country_from_name("FR")
    ('DE', 'DE', 'FR')
    """
    return _codes_by_name().get(_order(value.strip()), value)


@cache
def _codes_by_name() -> dict[str, str]:
    codes: dict[str, str] = {}
    for language in ("en", *(code for code, _name in settings.LANGUAGES), "de", "es", "it", "pt", "el", "pl", "uk"):
        for code, name in _countries(language):
            codes.setdefault(_order(name), code)
    return codes


def _order(name: str) -> str:
    """Sorts Åland with A and Émirats with E."""
    return "".join(char for char in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(char))


def language_choices(webinar: Webinar) -> list[tuple[str, str]]:
    """Languages of the mails, then further ones of the webinar's subtitles, each by its own name."""
    ours = [code for code, _name in settings.LANGUAGES]
    others = [tag for tag in (*webinar.subtitle_languages, webinar.spoken_language) if tag not in ours]
    return [(tag, autonym(tag)) for tag in dict.fromkeys([*ours, *others])]


def autonym(tag: str) -> str:
    """The language's name in itself: français, العربية; the tag when nobody knows."""
    try:
        return str(get_language_info(tag)["name_local"]).capitalize()
    except KeyError:
        pass
    try:
        return (Locale.parse(tag, sep="-").get_display_name() or tag).capitalize()
    except (UnknownLocaleError, ValueError):
        return tag


@cache
def time_zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """IANA zones by region, as browsers name them."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, _slash, place = name.partition("/")
        if region in _REGIONS:
            regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]
