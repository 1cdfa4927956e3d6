"""Checks of what registrants type, shared by page, API and imports."""

import re
from dataclasses import dataclass, replace
from functools import cache

from babel import Locale
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.text import clean_line, has_link
from events import validators
from registration.errors import InvalidDetail

NAME_MAX = 150
PROFESSION_MAX = 100
AFFILIATION_MAX = 200
SECTOR_MAX = 100


@dataclass(frozen=True)
class Details:
    """What a registrant may change about themselves."""

    name: str
    language: str
    time_zone: str
    country: str = ""
    profession: str = ""
    sector: str = ""
    affiliation: str = ""


def clean_details(details: Details) -> Details:
    """Return the details as they are stored.

    Raises:
        InvalidDetail, events.errors.InvalidValue: a value cannot be meant; `field` names it.
    """
    return replace(
        details,
        name=person_name(details.name),
        language=validators.language_tag(details.language),
        time_zone=validators.time_zone(details.time_zone).key,
        country=country_code(details.country),
        profession=plain_text(
            details.profession, field="profession", label=gettext_lazy("Profession"), max_length=PROFESSION_MAX
        ),
        sector=plain_text(details.sector, field="sector", label=gettext_lazy("Sector"), max_length=SECTOR_MAX),
        affiliation=plain_text(
            details.affiliation, field="affiliation", label=gettext_lazy("Organisation"), max_length=AFFILIATION_MAX
        ),
    )


def person_name(value: str, *, field: str = "name", required: bool = True) -> str:
    """Return a name as one line of text.

    Our mails begin with it, so whoever registers somebody else's address could write to them: a name with an address
    of a page or a mailbox in it is refused (promise M5).

    Raises:
        InvalidDetail: it is empty, too long, or has a link in it.
    """
    return plain_text(value, field=field, label=gettext_lazy("Name"), max_length=NAME_MAX, required=required)


def plain_text(value: str, *, field: str, label: str | Promise, max_length: int, required: bool = False) -> str:
    """Return a line of text.

    Raises:
        InvalidDetail: it is missing, too long, or has a link in it.
    """
    line = clean_line(value)
    if required and not re.search(r"\w", line):
        raise InvalidDetail(_("Fill in this field: %(label)s.") % {"label": label}, field=field, code="required")
    if len(line) > max_length:
        raise InvalidDetail(
            _("At most %(max)s characters fit here; this has %(length)s.") % {"max": max_length, "length": len(line)},
            field=field,
        )
    if has_link(line):
        raise InvalidDetail(_("Leave out web and mail addresses here."), field=field)
    return line


def country_code(value: str) -> str:
    """Return an ISO 3166-1 alpha-2 code, or nothing for nothing.

    Raises:
        InvalidDetail: there is no such country.
    """
    code = value.strip().upper()
    if code and code not in country_codes():
        raise InvalidDetail(_("Choose a country from the list."), field="country")
    return code


@cache
def country_codes() -> frozenset[str]:
    # CLDR lists some two-letter codes that are no places to be: unions, outlying parts, test and unknown regions.
    others = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - others
