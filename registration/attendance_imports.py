"""Reports of conference systems: read, matched to registrants, looked at by a person, and only then counted.

Nothing of a report counts before the organiser confirmed it. A new report of the same system takes the place of the
former one, unless it is said to be of another room. Once counted, what the report said of people who are no
registrants is forgotten.
"""

import re
import unicodedata
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from accounts.text import clean_line
from events import validators
from events.models import Webinar
from registration import attendance_reports
from registration.attendance import union
from registration.attendance_reports import MAX_BYTES, Report, ReportUnreadable, Stay
from registration.errors import InvalidDetail
from registration.models import Attendance, AttendanceImport, AttendanceSource, Registration
from work import services as work
from work.errors import StaleState
from work.leases import Lease
from work.models import WorkState

BATCH = 500
COLUMNS = ("name", "email", "joined", "left", "duration")  # what a person may say of a report's columns
LINES_SHOWN = 5
UNREAD_KEPT = 200  # lines that were not understood; their number is kept whatever it is
CELL_MAX = 150


def receive_report(
    *,
    webinar: Webinar,
    chunks: Iterable[bytes],
    file_name: str,
    user: User | None,
    time_zone: str = "",
    replaces: bool = True,
) -> AttendanceImport:
    """Read a report and match its people; nothing counts until `confirm_import`.

    Where the columns have headings that are not known, it waits for `choose_columns`.

    Args:
        chunks: the file, read only as far as it may be long.
        time_zone: the zone of the report's times; the webinar's when empty.
        replaces: whether it takes the place of earlier reports of the same system.

    Raises:
        InvalidDetail: it is no such report, is too large, or the zone is unknown; `field` names which.
        events.errors.UnknownTimeZone: there is no such zone.
    """
    zone = validators.time_zone(time_zone or webinar.time_zone)
    report = _read(_whole(chunks), webinar=webinar, zone=zone)
    with transaction.atomic():
        imported = AttendanceImport.objects.create(
            webinar=webinar,
            created_by=user,
            system=report.system if isinstance(report, Report) else AttendanceSource.OTHER,
            file_name=clean_line(file_name, max_length=200),
            replaces=replaces,
            rows=_rows_of(webinar, report) if isinstance(report, Report) else _cells_of(report),
            unread_lines=len(report.unread) if isinstance(report, Report) else 0,
        )
        _record("attendance.report_received", imported, user, people=len(people_of(imported)))
    return imported


def choose_columns(
    *, imported: AttendanceImport, columns: Mapping[str, int], user: User | None, time_zone: str = ""
) -> AttendanceImport:
    """Say which column of a report holds what, and match its people.

    Args:
        columns: the places, from 0, of the columns in COLUMNS, as far as there are such: a name or an address, and the
            times of joining and leaving, are needed.
        time_zone: the zone of the report's times; the webinar's when empty.

    Raises:
        InvalidDetail: a column that is needed is missing, one is chosen twice, or nothing could be read so.
        StaleState: the columns are known, or the report is not waiting any more.
        events.errors.UnknownTimeZone: there is no such zone.
    """
    zone = validators.time_zone(time_zone or imported.webinar.time_zone)
    with transaction.atomic():
        current = _locked(imported)
        _require_waiting(current)
        if not needs_columns(current):
            raise StaleState(_("The columns of this report are known already."))
        chosen = _checked_columns(columns, width=len(headings_of(current)))
        lines = [(row["line"], row["cells"]) for row in current.rows[1:]]
        report = attendance_reports.read_table(lines, chosen, starts_at=current.webinar.starts_at, time_zone=zone)
        if not report.stays:
            text = _("With these columns no line could be read. First line: %(line)s.")
            first = report.unread[0].text if report.unread else "–"
            raise InvalidDetail(text % {"line": clean_line(first, max_length=150)}, field="joined")
        current.rows = _rows_of(current.webinar, report)
        current.unread_lines = len(report.unread)
        current.save(update_fields=["rows", "unread_lines", "updated_at"])
        _record("attendance.report_columns_chosen", current, user, people=len(people_of(current)))
    return current


def _checked_columns(columns: Mapping[str, int], *, width: int) -> dict[str, int]:
    chosen = {name: place for name, place in columns.items() if name in COLUMNS and 0 <= place < width}
    for name, text in (
        ("joined", _("Choose the column with the times of joining.")),
        ("left", _("Choose the column with the times of leaving.")),
    ):
        if name not in chosen:
            raise InvalidDetail(text, field=name)
    if not {"name", "email"} & chosen.keys():
        raise InvalidDetail(_("Choose the column with the names or the one with the e-mail addresses."), field="name")
    twice = next((name for name, place in chosen.items() if list(chosen.values()).count(place) > 1), None)
    if twice is not None:
        raise InvalidDetail(_("The same column is chosen twice."), field=twice)
    return chosen


def needs_columns(imported: AttendanceImport) -> bool:
    """Whether a person must first say which column is which (`choose_columns`)."""
    return bool(imported.rows) and "cells" in imported.rows[0]


def headings_of(imported: AttendanceImport) -> list[str]:
    """The headings of a report whose columns are not known."""
    return list(imported.rows[0]["cells"]) if needs_columns(imported) else []


def known_columns(imported: AttendanceImport) -> dict[str, int]:
    """Those of a report's columns, by their place, that are known all the same."""
    found = attendance_reports.columns_of(headings_of(imported))
    return {name: found[name] for name in COLUMNS if name in found}


def first_lines(imported: AttendanceImport) -> list[list[str]]:
    """What stands below the headings of a report whose columns are not known: the first lines."""
    return [row["cells"] for row in imported.rows[1 : 1 + LINES_SHOWN]] if needs_columns(imported) else []


def unread_of(imported: AttendanceImport) -> list[dict[str, Any]]:
    """The lines that were not understood: `line`, `text` and why, in words, as `reason`."""
    reasons = {
        "times": _("The times of coming and leaving could not be read."),
        "order": _("Leaving comes before coming."),
        "nobody": _("It names nobody."),
    }
    return [
        {"line": row["line"], "text": row["text"], "reason": reasons.get(row["unread"], "")}
        for row in imported.rows
        if "unread" in row
    ]


def _stay_rows(imported: AttendanceImport) -> list[dict[str, Any]]:
    return [row for row in imported.rows if "joined_at" in row]


def _rows_of(webinar: Webinar, report: Report) -> list[dict[str, Any]]:
    """What is stored of a report.

    Raises:
        InvalidDetail: it names nobody.
    """
    if not report.stays:
        raise InvalidDetail(_("This report names nobody with times of coming and leaving."), field="file")
    unread = [
        {"line": one.line, "unread": one.reason, "text": clean_line(one.text)} for one in report.unread[:UNREAD_KEPT]
    ]
    return [*_matched(webinar, report.stays), *unread]


def _cells_of(table: attendance_reports.Rows) -> list[dict[str, Any]]:
    width = len(table[0][1])
    return [
        {"line": line, "cells": [clean_line(cell, max_length=CELL_MAX) for cell in cells[:width]]}
        for line, cells in table
    ]


def _whole(chunks: Iterable[bytes]) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_BYTES:
            text = _("This file is larger than %(max)d MB; a report of attendance is much smaller.")
            raise InvalidDetail(text % {"max": MAX_BYTES // 1024**2}, field="file", code="too_large")
    return bytes(data)


def _read(data: bytes, *, webinar: Webinar, zone: zoneinfo.ZoneInfo) -> Report | attendance_reports.Rows:
    """The report, or the lines of one whose columns are not known."""
    try:
        return attendance_reports.read_report(data, starts_at=webinar.starts_at, time_zone=zone)
    except ReportUnreadable as error:
        if error.table:
            return error.table
        raise InvalidDetail(_unreadable_text(error), field="file", code=f"report_{error.reason}") from error


def _unreadable_text(error: ReportUnreadable) -> str:
    texts = {
        "empty": _("This file is empty."),
        "not_text": _(
            "This is no report of attendance. Choose the CSV or XLSX file that Zoom, Teams or BigBlueButton gave you."
        ),
        "spreadsheet": _(
            "This is a spreadsheet of an old kind. Choose the file as it was downloaded, or save it as CSV or XLSX."
        ),
        "no_times": _(
            "This report has only sums. Download the one with each join and leave: in Zoom without “Show unique users”."
        ),
        "too_long": _("This report has too many lines."),
    }
    unknown = _(
        "The columns with name or address and with the times of joining and leaving were not found. Choose the list of "
        "participants as it was downloaded. Columns found: %(columns)s."
    )
    found = ", ".join(clean_line(column, max_length=40) for column in error.columns[:12]) or "–"
    return texts.get(error.reason) or unknown % {"columns": found}


# --- Matching ------------------------------------------------------------------------------------------------------
def _matched(webinar: Webinar, stays: Iterable[Stay]) -> list[dict[str, Any]]:
    by_email: dict[str, str] = {}
    by_name: dict[str, list[str]] = defaultdict(list)
    for pk, email, name in webinar.registrations.values_list("pk", "email", "name").iterator(chunk_size=2000):
        by_email[email.lower()] = str(pk)
        by_name[name_key(name)].append(str(pk))
    rows = []
    for stay in stays:
        registration, match = by_email.get(stay.email, ""), "email"
        if not registration:
            found = {pk for key in _names_in(stay.name) for pk in by_name.get(key, ())}
            registration = found.pop() if len(found) == 1 else ""
            match = "name" if registration else "several" if found else "none"
        rows.append(
            {
                "line": stay.line,
                "name": clean_line(stay.name),
                "email": clean_line(stay.email),
                "joined_at": stay.joined_at.isoformat(),
                "left_at": stay.left_at.isoformat(),
                "registration": registration,
                "match": match,
            }
        )
    return rows


_ARABIC_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ـ": ""})
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")


def name_key(name: str) -> str:
    """What two spellings of a name have in common: letters without marks and case, words in any order.

    >>> name_key("Müller,  ANNA"), name_key("أحمَد")
    ('anna muller', 'احمد')
    """
    folded = unicodedata.normalize("NFKD", name.casefold()).translate(_LETTERS)
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(sorted(re.findall(r"\w+", unicodedata.normalize("NFKC", bare).translate(_ARABIC_FORMS))))


def _names_in(name: str) -> set[str]:
    """The name, and what stands before and in brackets: "Anna M. (Anna Müller)", "Anna Müller (Guest)"."""
    inner = [one or other for one, other in _BRACKETS.findall(name)]
    return {key for one in (name, _BRACKETS.sub(" ", name), *inner) if (key := name_key(one))}


# --- Looking at it -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Participant:
    """One person of a report, with all their stays.

    Attributes:
        key: names them in forms; the number of their first line.
        match: how they were found: email, name (to be looked at), chosen, ignored, several (of that name), none.
        registration: the id of the registrant, or "".
        minutes: within the session.
    """

    key: int
    name: str
    email: str
    match: str
    registration: str
    minutes: int

    @property
    def is_doubtful(self) -> bool:
        return self.match in ("name", "several", "none")


def people_of(imported: AttendanceImport) -> list[Participant]:
    """The report's people, the doubtful first."""
    webinar = imported.webinar
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in _stay_rows(imported):
        groups[_who(row)].append(row)
    found = []
    for rows in groups.values():
        inside = union(
            (
                max(datetime.fromisoformat(row["joined_at"]), webinar.starts_at),
                min(datetime.fromisoformat(row["left_at"]), webinar.ends_at),
            )
            for row in rows
        )
        seconds = sum((left - joined).total_seconds() for joined, left in inside)
        first = rows[0]
        found.append(
            Participant(
                first["line"], first["name"], first["email"], first["match"], first["registration"], round(seconds / 60)
            )
        )
    order = {"several": 0, "none": 0, "name": 1}
    return sorted(found, key=lambda one: (order.get(one.match, 2), one.name.casefold()))


def _who(row: Mapping[str, Any]) -> tuple[str, str]:
    return (row["email"], "") if row["email"] else ("", name_key(row["name"]) or row["name"])


@dataclass(frozen=True)
class Outcome:
    """What would count if the report were confirmed now."""

    people: int
    matched: int  # of these, registrants
    registrants: int
    doubtful: int
    outside: int  # people with no minute within the session


def outcome_of(imported: AttendanceImport) -> Outcome:
    people = people_of(imported)
    matched = [one for one in people if one.registration]
    return Outcome(
        people=len(people),
        matched=len(matched),
        registrants=len({one.registration for one in matched}),
        doubtful=sum(one.is_doubtful for one in people),
        outside=sum(not one.minutes for one in people),
    )


def decide(*, imported: AttendanceImport, choices: Mapping[int, str], user: User | None) -> AttendanceImport:
    """Say of people of a report which registrant they are.

    Args:
        choices: by `Participant.key` the registrant's address, or "" for nobody.

    Raises:
        InvalidDetail: no registrant has that address; `field` is "person-<key>".
        StaleState: the report is not waiting any more.
    """
    with transaction.atomic():
        current = _locked(imported)
        _require_waiting(current)
        wanted = {email.strip().lower() for email in choices.values()} - {""}
        known = {
            email.lower(): str(pk)
            for pk, email in Registration.objects.filter(webinar=current.webinar_id).values_list("pk", "email")
            if email.lower() in wanted
        }
        for key, email in choices.items():
            if email.strip() and email.strip().lower() not in known:
                text = _("Nobody with the address %(email)s is registered for this webinar.")
                raise InvalidDetail(text % {"email": clean_line(email, max_length=100)}, field=f"person-{key}")
        who = {row["line"]: _who(row) for row in _stay_rows(current) if row["line"] in choices}
        chosen = {who[key]: known.get(email.strip().lower(), "") for key, email in choices.items() if key in who}
        for row in _stay_rows(current):
            if _who(row) in chosen:
                row["registration"] = chosen[_who(row)]
                row["match"] = "chosen" if row["registration"] else "ignored"
        current.save(update_fields=["rows", "updated_at"])
        _record("attendance.report_matched", current, user, people=len(chosen))
    return current


def confirm_import(*, imported: AttendanceImport, user: User | None) -> AttendanceImport:
    """Have the matched people counted. Confirming twice changes nothing.

    Raises:
        StaleState: it was cancelled.
        InvalidDetail: nobody in it is a registrant.
    """
    with transaction.atomic():
        current = _locked(imported)
        if current.state in (WorkState.QUEUED, WorkState.RUNNING, WorkState.DONE):
            return current
        _require_waiting(current)
        found = outcome_of(current)
        if not found.matched:
            raise InvalidDetail(_("Nobody of this report is a registrant, so there is nothing to count."))
        work.enqueue(current)
        _record("attendance.report_confirmed", current, user, registrants=found.registrants)
    return current


def discard_import(*, imported: AttendanceImport, user: User | None) -> None:
    """Forget a report, and with it what was counted from it."""
    with transaction.atomic():
        _record("attendance.report_discarded", imported, user)
        AttendanceImport.objects.filter(pk=imported.pk).delete()


def count_import(lease: Lease[AttendanceImport]) -> None:
    """Write the intervals of a confirmed report; the handler of the kind "registration.attendance_import".

    All at once, so that a report counts whole or not at all. May run again.
    """
    imported = lease.row
    registrations = {str(pk) for pk in imported.webinar.registrations.values_list("pk", flat=True)}
    matched = [row for row in _stay_rows(imported) if row["registration"] in registrations]
    with lease.fenced():
        if imported.replaces:
            earlier = AttendanceImport.objects.filter(webinar=imported.webinar_id, system=imported.system)
            earlier.filter(created_at__lt=imported.created_at, state=WorkState.DONE).delete()
        imported.intervals.all().delete()
        Attendance.objects.bulk_create(
            (
                Attendance(
                    registration_id=UUID(row["registration"]),
                    joined_at=datetime.fromisoformat(row["joined_at"]),
                    left_at=datetime.fromisoformat(row["left_at"]),
                    source=imported.system,
                    imported_with=imported,
                )
                for row in matched
            ),
            batch_size=BATCH,
        )
        counts = Counter(
            "counted" if row["registration"] in registrations else "left_out" for row in people_rows(imported)
        )
        lease.write(rows=[], counted_people=counts["counted"], left_out_people=counts["left_out"])


def people_rows(imported: AttendanceImport) -> Iterable[dict[str, Any]]:
    """One row per person of the report."""
    return {_who(row): row for row in _stay_rows(imported)}.values()


def _locked(imported: AttendanceImport) -> AttendanceImport:
    rows = AttendanceImport.objects.select_for_update(of=("self",)).select_related("webinar__organisation")
    return rows.get(pk=imported.pk)


def _require_waiting(imported: AttendanceImport) -> None:
    if imported.state != WorkState.WAITING:
        raise StaleState(_("This report was counted or discarded already. Upload it again to change what counts."))


def _record(action: str, imported: AttendanceImport, user: User | None, **detail: Any) -> None:
    record_action(
        action=action,
        target=imported,
        organisation=imported.webinar.organisation,
        user=user,
        webinar=str(imported.webinar_id),
        system=imported.system,
        **detail,
    )
