"""Lists of people as spreadsheets and other programs write them: CSV in any usual encoding, or XLSX.

The file is read whole, within limits; nothing of it is believed but the text of its cells.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Final

import charset_normalizer
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registration import workbooks
from registration.errors import FileUnreadable
from registration.workbooks import MAX_CELLS

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_ROWS: Final = 5000
MAX_CHARS: Final = 500  # in a cell
_DELIMITERS = ",;\t|"
_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")

# What each column may be called, besides the labels of our own forms and tables in every language of ours.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email", "mail", "emailaddress", "mailaddress", "adressemail", "courriel", "correo", "emailadresse"),
    "name": (
        "name",
        "fullname",
        "displayname",
        "participant",
        "nom",
        "nomcomplet",
        "nombre",
        "nome",
        "vollstandigername",
    ),
    "first_name": ("firstname", "givenname", "prenom", "vorname", "nombredepila", "forename"),
    "last_name": ("lastname", "surname", "familyname", "nomdefamille", "nachname", "apellido", "apellidos"),
    "country": ("country", "countrycode", "pays", "land", "pais", "paese"),
    "profession": ("profession", "occupation", "jobtitle", "function", "fonction", "beruf", "profesion"),
    "sector": ("sector", "secteur", "sektor"),
    "affiliation": ("organisation", "organization", "affiliation", "institution", "company", "employer", "organisme"),
    "language": ("language", "langue", "sprache", "idioma", "lingua"),
    "time_zone": ("timezone", "zone", "fuseauhoraire", "zeitzone", "zonahoraria"),
}
LABELS: Final = {
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "country": gettext_lazy("Country"),
    "profession": gettext_lazy("Profession"),
    "sector": gettext_lazy("Sector"),
    "affiliation": gettext_lazy("Organisation"),
    "language": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
}


@dataclass(frozen=True)
class Table:
    """What is in a file: the names of its columns, empty where it has none, and the lines as a spreadsheet counts."""

    heading: list[str]
    lines: list[tuple[int, list[str]]]


def read_table(file: BinaryIO, *, file_name: str) -> Table:
    """Return the lines of a CSV or XLSX file, empty ones left out.

    The heading is the first line that names a column of addresses, among the first ten; else the first line, unless it
    holds an address itself: then no column has a name.

    Raises:
        FileUnreadable: it is too large, no such file, or there is no e-mail address in it; the message says which
            columns were found.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FileUnreadable(_("This file is larger than 5 MB. Split it."), field="file")
    if not content.strip():
        raise FileUnreadable(_("This file is empty."), field="file")
    is_workbook = content.startswith(b"PK") or file_name.lower().endswith((".xlsx", ".xlsm"))
    lines: list[tuple[int, list[str]]] = []
    size = 0
    for number, cells in _workbook_rows(content) if is_workbook else _csv_rows(content):
        if not any(cells):
            continue
        if len(lines) > MAX_ROWS:
            raise FileUnreadable(
                _("This list has more than %(max)s people. Split it.") % {"max": MAX_ROWS}, field="file"
            )
        size += sum(map(len, cells))
        if size > MAX_BYTES:  # cells that a workbook holds once and repeats
            raise FileUnreadable(_("This file is larger than 5 MB. Split it."), field="file")
        lines.append((number, cells))
    if not lines:
        raise FileUnreadable(_("This file is empty."), field="file")
    named = next((index for index, (_n, cells) in enumerate(lines[:10]) if "email" in match_columns(cells)), 0)
    if not any(_ADDRESS.search(cell) for _number, cells in lines[named:] for cell in cells):
        raise FileUnreadable(
            _("There is no e-mail address in this list. Found: %(columns)s.")
            % {"columns": ", ".join(cell[:40] for cell in lines[named][1] if cell)[:300] or "–"},
            field="file",
        )
    heading = lines[named][1]
    if "email" not in match_columns(heading) and any(_ADDRESS.search(cell) for cell in heading):
        heading = []
    else:
        lines = lines[named + 1 :]
    width = max([len(heading), *(len(cells) for _number, cells in lines)])
    return Table([*heading, *[""] * (width - len(heading))], lines)


def guess_columns(table: Table, further: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Say which column holds what: by its name, and addresses by what stands in the column.

    Args:
        further: names of columns that a webinar's own questions may have, by what they hold.
    """
    columns = match_columns(table.heading, further)
    if "email" not in columns:
        taken = set(columns.values())
        counts = Counter(
            index
            for _number, cells in table.lines
            for index, cell in enumerate(cells)
            if index not in taken and _ADDRESS.search(cell)
        )
        for index, _count in counts.most_common(1):
            columns["email"] = index
    return columns


def match_columns(heading: Iterable[str], further: Mapping[str, Iterable[str]] | None = None) -> dict[str, int]:
    """Say which column holds what, by the names that people and programs give them in many languages.

    >>> match_columns(["Prénom", "Nom de famille", "Adresse e-mail", "Remarks"])
    {'first_name': 0, 'last_name': 1, 'email': 2}
    """
    # What an organiser calls a question is what their list means.
    known = _known_names() | {_plain(alias): name for name, aliases in (further or {}).items() for alias in aliases}
    found: dict[str, int] = {}
    for index, cell in enumerate(heading):
        name = known.get(_plain(cell)) if cell else None
        if name is not None and name not in found:
            found[name] = index
    return found


def can_be_read(columns: Mapping[str, int]) -> bool:
    """Whether these columns hold what everybody must have: a name and an address."""
    return "email" in columns and bool({"name", "last_name", "first_name"} & columns.keys())


def values_in(cells: list[str], columns: Mapping[str, int]) -> dict[str, str]:
    """A text per column that was asked for; a name in two columns is put together."""
    values = {name: cells[index] if index < len(cells) else "" for name, index in columns.items()}
    first, last = values.pop("first_name", ""), values.pop("last_name", "")
    values["name"] = values.get("name") or f"{first} {last}".strip()
    return values


@cache
def _known_names() -> dict[str, str]:
    known = {_plain(alias): name for name, aliases in _NAMES.items() for alias in aliases}
    for code, _label in settings.LANGUAGES:
        with translation.override(code):
            for name, label in LABELS.items():
                known.setdefault(_plain(str(label)), name)
    return known


def _plain(text: str) -> str:
    """Only the letters, without accents, in lower case: "E-Mail *" is email."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in letters if char.isalnum())


# --- CSV -----------------------------------------------------------------------------------------------------------
def _csv_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = decode(content)
    if "\0" in text:
        raise FileUnreadable(_("This is no table. Save it as CSV or XLSX."), field="file")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        for row in reader:
            yield reader.line_num, _cells(row)
    except csv.Error:
        raise FileUnreadable(_("This is no table. Save it as CSV or XLSX."), field="file") from None


def decode(content: bytes) -> str:
    """Return the text of a file whose encoding nobody tells: by its mark, as UTF-8, else by what looks likely.

    Raises:
        FileUnreadable: it is no text.
    """
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for encoding in (*(name for mark, name in marks if content.startswith(mark)), "utf-8"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    # Programs of Western and Eastern Europe, Greece, Russia, Turkey and Arab countries still write these.
    likely = charset_normalizer.from_bytes(
        content[:100_000], cp_isolation=["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1256", "utf_16"]
    ).best()
    try:
        return content.decode(likely.encoding if likely else "cp1252")
    except UnicodeDecodeError:
        raise FileUnreadable(_("This is no table. Save it as CSV or XLSX."), field="file") from None


def _delimiter(text: str) -> str:
    """What the heading has most of; Excel writes semicolons where the comma is the decimal sign."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    named = re.fullmatch(r"sep=(.)", heading.strip())
    if named:
        return named[1]
    return max(_DELIMITERS, key=heading.count)


def _cells(row: Iterable[object]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if len(cells) == MAX_CELLS:
            break
        text = "" if cell is None else str(cell).strip()
        # The apostrophe by which our own tables keep formulas from running.
        cells.append(text.removeprefix("'")[:MAX_CHARS] if text[1:2] in tuple("=+-@") else text[:MAX_CHARS])
    return cells


# --- XLSX ----------------------------------------------------------------------------------------------------------
def _workbook_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet."""
    try:
        for number, row in next(workbooks.sheets(content, max_rows=20 * MAX_ROWS)):
            yield number, _cells(row)
    except workbooks.WorkbookUnreadable as error:
        if error.is_too_large:
            raise FileUnreadable(_("This file is too large. Save the list alone."), field="file") from None
        raise FileUnreadable(_("This is no table. Save it as CSV or XLSX."), field="file") from None
