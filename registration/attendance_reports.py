"""Reads what Zoom, Microsoft Teams and BigBlueButton report of who was in a session and when. Knows nothing of Django.

Layouts, as these products write them:

- Zoom, meetings: some lines about the meeting, an empty line, then "Name (original name), Email, Join time, Leave
  time, Duration (minutes), Guest, In waiting room". Webinars: several tables below one another ("Host Details",
  "Panelist Details", "Attendee Details", "Other Attended"), each with its own header.
- Teams: UTF-16 with tabs; sections "1. Summary", "2. Participants" (first join, last leave) and "3. In-Meeting
  Activities" (every stay). Older ones: one table after a summary, or one line per action ("Joined", "Left").
- BigBlueButton: the table of the learning dashboard (first join, last leave, duration), or its JSON data.

So a table begins wherever a line has the columns that matter, and ends at an empty line or the next such line. Headings
are known in several languages (report_columns.py); where they are not, `ReportUnreadable.table` holds the lines, for a
person to say which column is which (`read_table`). All of it may also have been saved as XLSX.
"""

import csv
import io
import json
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from charset_normalizer import from_bytes

from registration import report_columns, workbooks
from registration.report_columns import plain

MAX_BYTES = 5 * 1024**2
MAX_LINES = 50_000
TEXT_MAX = 254


TABLE_ROWS = 5000  # of a table whose columns a person says
TABLE_COLUMNS = 40
TEXT_SHOWN = 200  # of a line that was not understood

Rows = list[tuple[int, list[str]]]  # numbers of lines, from 1, and cells


class ReportUnreadable(Exception):
    """Not such a report. `reason` is one of: empty, not_text, spreadsheet, no_times, unknown, too_long.

    Where the columns are unknown, `table` is the heading and the lines below it.
    """

    def __init__(self, reason: str, columns: Sequence[str] = (), table: Rows | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.columns = list(columns)
        self.table = table or []


@dataclass(frozen=True)
class Stay:
    """One stretch of time of one participant, as the report's line (from 1) says."""

    line: int
    name: str
    email: str
    joined_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class Unread:
    """A line that was not understood. `reason`: times (not read), order (left before coming), nobody (no name)."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Report:
    """`system` is "zoom", "teams", "bbb" or "other"."""

    system: str
    stays: list[Stay]
    unread: list[Unread] = field(default_factory=list)


def read_report(data: bytes, *, starts_at: datetime, time_zone: zoneinfo.ZoneInfo) -> Report:
    """Read a report.

    Args:
        starts_at: when the session began; of two readings of a date such as 04/03/2027 the nearer one is meant.
        time_zone: the zone of its times, which the products write without one.

    Raises:
        ReportUnreadable: it is no report, or one without the times of each person.
    """
    if not data.strip(b"\x00 \r\n\t"):
        raise ReportUnreadable("empty")
    if data.startswith(b"\xd0\xcf\x11\xe0"):  # Excel before 2007
        raise ReportUnreadable("spreadsheet")
    if data.startswith(b"PK\x03\x04"):
        return _read_tables(list(_workbook_rows(data)), starts_at=starts_at, time_zone=time_zone)
    text = decode(data)
    if text.lstrip().startswith("{"):
        return _read_dashboard(text)
    return _read_tables(list(_rows(text)), starts_at=starts_at, time_zone=time_zone)


def read_table(rows: Rows, columns: dict[str, int], *, starts_at: datetime, time_zone: zoneinfo.ZoneInfo) -> Report:
    """Read lines below a heading by what a person says of its columns.

    Args:
        columns: places, from 0, of name, email, joined, left and duration, as far as there are such.
    """
    table = _Table(columns, [], rows)
    clock = _Clock(_moments([table]), starts_at=starts_at, time_zone=time_zone)
    return replace(_stays(table, clock), system="other")


def decode(data: bytes) -> str:
    """Return the text of a file that does not say how it is encoded: UTF-8, UTF-16 with or without mark, or older.

    Raises:
        ReportUnreadable: it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif data[1:200:2].count(0) > data[:200:2].count(0) + 20:
        encodings = ["utf-16-le"]
    elif data[:200:2].count(0) > data[1:200:2].count(0) + 20:
        encodings = ["utf-16-be"]
    else:
        encodings = ["utf-8-sig"]
    for encoding in encodings:
        try:
            return _text(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    best = from_bytes(data, cp_isolation=["cp1252", "cp1250", "cp1251", "cp1253", "cp1256"]).best()
    if best is None:
        raise ReportUnreadable("not_text")
    return _text(str(best))


def _text(text: str) -> str:
    if "\0" in text:
        raise ReportUnreadable("not_text")
    return text.removeprefix("\ufeff")


# --- Tables --------------------------------------------------------------------------------------------------------
@dataclass
class _Table:
    """A header's columns, and the lines below it."""

    columns: dict[str, int]
    headings: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)

    def cell(self, row: Sequence[str], column: str) -> str:
        place = self.columns.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""


def _read_tables(rows: Rows, *, starts_at: datetime, time_zone: zoneinfo.ZoneInfo) -> Report:
    tables: list[_Table] = []
    current: _Table | None = None
    for line, cells in rows:
        if not any(cells):
            current = None
            continue
        columns = columns_of(cells)
        if _is_header(columns):
            current = _Table(columns, [plain(cell) for cell in cells])
            tables.append(current)
        elif current is not None and len([cell for cell in cells if cell]) > 1:
            current.rows.append((line, cells))
        else:
            current = None  # a title such as "Panelist Details"
    if not tables:
        raise _no_tables(rows)
    system = _system_of(tables)
    if system == "teams" and any("first_joined" not in table.columns and "joined" in table.columns for table in tables):
        # Single stays are there: what else is there are their sums.
        tables = [table for table in tables if "first_joined" not in table.columns]
    clock = _Clock(_moments(tables), starts_at=starts_at, time_zone=time_zone)
    found = Report(system, [])
    for table in tables:
        part = _stays(table, clock)
        found = replace(found, stays=[*found.stays, *part.stays], unread=[*found.unread, *part.unread])
    return found


def _no_tables(rows: Rows) -> ReportUnreadable:
    """Say what is missing. The first of the widest lines is most likely the heading."""
    widths = [sum(map(bool, cells)) for _line, cells in rows]
    widest = max(widths, default=0)
    place = widths.index(widest) if widths else 0
    heading = rows[place][1] if rows else []
    known = columns_of(heading)
    if "name" in known and "duration" in known:
        return ReportUnreadable("no_times", heading)
    table = [(line, cells[:TABLE_COLUMNS]) for line, cells in rows[place : place + TABLE_ROWS + 1] if any(cells)]
    return ReportUnreadable("unknown", heading, table if widest >= 3 and len(table) > 1 else None)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    head = text[:20_000]
    delimiter = max("\t,;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if reader.line_num > MAX_LINES:
                raise ReportUnreadable("too_long")
            yield reader.line_num, [cell[:1000].strip() for cell in row]
    except csv.Error as error:
        raise ReportUnreadable("unknown") from error


def _workbook_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of all sheets, with an empty one between them."""
    try:
        for sheet in workbooks.sheets(data, max_rows=MAX_LINES + 1):
            for number, row in sheet:
                if number > MAX_LINES:
                    raise ReportUnreadable("too_long")
                yield number, [_cell_text(value) for value in row]
            yield 0, []
    except workbooks.WorkbookUnreadable as error:
        raise ReportUnreadable("too_long" if error.is_too_large else "not_text") from error


def _cell_text(value: object) -> str:
    """A cell as a report would have it.

    Excel makes a date of what looks like one, with day and month in the order of its own country. Written with slashes
    again, both orders stay possible, and the one near the session is taken (`_Clock`).
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M:%S}"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)[:1000].strip()


def columns_of(cells: Iterable[str]) -> dict[str, int]:
    """The place, from 0, of each column that a heading names."""
    found: dict[str, int] = {}
    for number, cell in enumerate(cells):
        column = report_columns.column_of(cell)
        if column is not None:
            found.setdefault(column, number)
            # First coming and last leaving are times as well, where single stays are not told.
            if column in ("first_joined", "last_left"):
                found.setdefault({"first_joined": "joined", "last_left": "left"}[column], number)
    return found


def _is_header(columns: dict[str, int]) -> bool:
    who = "name" in columns or "email" in columns
    return who and ({"joined", "left"} <= columns.keys() or {"action", "moment"} <= columns.keys())


def _system_of(tables: Iterable[_Table]) -> str:
    headings = {heading for table in tables for heading in table.headings}
    if headings & {"activity score", "talk time", "raise hands"}:
        return "bbb"
    return "teams" if report_columns.is_of_teams(headings) else "zoom"


def _moments(tables: Iterable[_Table]) -> Iterator[str]:
    for table in tables:
        for _line, row in table.rows:
            yield from (table.cell(row, "joined"), table.cell(row, "left"), table.cell(row, "moment"))


def _stays(table: _Table, clock: "_Clock") -> Report:
    if "action" in table.columns:
        return _stays_of_actions(table, clock)
    # Where a person says what the columns are there are no headings: sums are taken at their word.
    has_sums = "first_joined" in table.columns or "activity score" in table.headings or not table.headings
    found = Report("", [])
    for line, row in table.rows:
        is_waiting = table.cell(row, "waiting").casefold() in report_columns.YES
        if is_waiting or table.cell(row, "attended").casefold() in report_columns.NO:
            continue
        name, email = _person(table, row)
        joined, left = clock.read(table.cell(row, "joined")), clock.read(table.cell(row, "left"))
        if not table.cell(row, "joined") and not table.cell(row, "left"):
            continue  # BigBlueButton's line for anonymous votes
        if not (name or email):
            found.unread.append(_unread(line, "nobody", row))
        elif joined is None or left is None:
            found.unread.append(_unread(line, "times", row))
        elif left < joined:
            found.unread.append(_unread(line, "order", row))
        else:
            if has_sums:
                joined = _with_duration(joined, left, table.cell(row, "duration"))
            found.stays.append(Stay(line, name, email, joined, left))
    return found


def _unread(line: int, reason: str, row: Sequence[str]) -> Unread:
    return Unread(line, reason, " | ".join(cell for cell in row if cell)[:TEXT_SHOWN])


def _with_duration(joined: datetime, left: datetime, duration: str) -> datetime:
    """The beginning of a stay that lasts as long as the sum says.

    Where only the first join, the last leave and the sum are known, somebody was away in between at times unknown. The
    sum and the end are kept, since minutes are counted and leaving early is told by the end.
    """
    seconds = duration_s(duration)
    return joined if seconds is None else max(joined, left - timedelta(seconds=seconds))


# Hours, minutes and seconds as English, German, French, Spanish, Italian, Portuguese, Dutch and Polish shorten them.
_DURATION = re.compile(
    r"(?:(\d{1,3})\s*(?:hrs?|h|std|u|uur|ore|godz)\.?,?\s*)?(?:(\d{1,3})\s*(?:mins?|m)\.?,?\s*)?"
    r"(?:(\d{1,3})\s*(?:sec|sek|seg|s)\.?)?",
    re.IGNORECASE,
)


def duration_s(text: str) -> int | None:
    """Read "1h 2m 3s", "59m 49s" or "00:59:49".

    >>> duration_s("1h 2m 3s"), duration_s("00:59:49"), duration_s("1 Std. 2 Min. 3 Sek."), duration_s("soon")
    (3723, 3589, 3723, None)
    """
    clock = re.fullmatch(r"(\d{1,3}):(\d\d):(\d\d)", text.strip())
    if clock:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    parts = _DURATION.fullmatch(text.strip())
    if parts is None or not any(parts.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def _stays_of_actions(table: _Table, clock: "_Clock") -> Report:
    """One line per "Joined", "Joined before" or "Left"; who is still there at the end left at the last moment told."""
    found = Report("", [])
    open_stays: dict[str, Stay] = {}
    last: datetime | None = None
    for line, row in table.rows:
        name, email = _person(table, row)
        moment = clock.read(table.cell(row, "moment"))
        if moment is None:
            found.unread.append(_unread(line, "times", row))
            continue
        last = moment if last is None else max(last, moment)
        if report_columns.has_joined(table.cell(row, "action")):
            open_stays.setdefault(name, Stay(line, name, email, moment, moment))
        elif name in open_stays:
            found.stays.append(replace(open_stays.pop(name), left_at=moment))
    found.stays.extend(replace(stay, left_at=last) for stay in open_stays.values() if last and last >= stay.joined_at)
    return found


def _person(table: _Table, row: Sequence[str]) -> tuple[str, str]:
    email = table.cell(row, "email")
    if "@" not in email:  # Teams: guests have none, members at least their sign-in name
        upn = table.cell(row, "upn")
        email = upn if "@" in upn else ""
    return table.cell(row, "name")[:TEXT_MAX], email.lower()[:TEXT_MAX]


# --- Times ---------------------------------------------------------------------------------------------------------
_DATE = re.compile(
    r"(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{2,4})\.?(?:,|T|\s|\bklo\b)*"
    r"(?P<h>\d{1,2})[:.](?P<m>\d\d)(?:[:.](?P<s>\d\d)(?:\.\d+)?)?\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_WORDY = re.compile(
    r"(?P<month>[A-Z][a-z]{2})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4}),? "
    r"(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d))?\s*(?P<half>[AP]M)?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDERS = ("mdy", "dmy")


class _Clock:
    """Reads the moments of one report, all in the same order of day and month."""

    def __init__(self, moments: Iterable[str], *, starts_at: datetime, time_zone: zoneinfo.ZoneInfo) -> None:
        self._zone = time_zone
        texts = [text for text in moments if text][:2000]

        def distance(order: str) -> tuple[int, float]:
            read = [self._read(text, order) for text in texts]
            known = [moment for moment in read if moment is not None]
            away = min((abs((moment - starts_at).total_seconds()) for moment in known), default=0.0)
            return len(read) - len(known), away

        self._order = min(_ORDERS, key=distance)

    def read(self, text: str) -> datetime | None:
        return self._read(text, self._order)

    def _read(self, text: str, order: str) -> datetime | None:
        text = " ".join(text.replace("\u202f", " ").replace("\u200e", "").replace("\u200f", "").split())
        if (found := _DATE.fullmatch(text)) is not None:
            year, month, day = _date_parts(found["a"], found["b"], found["c"], order)
        elif (found := _WORDY.fullmatch(text)) is not None:
            if found["month"].lower() not in _MONTHS:
                return None
            year, month, day = int(found["year"]), _MONTHS.index(found["month"].lower()) + 1, int(found["day"])
        else:
            return None
        hour = int(found["h"])
        if found["half"]:
            hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
        try:
            moment = datetime(year, month, day, hour, int(found["m"]), int(found["s"] or 0), tzinfo=self._zone)
        except (ValueError, OverflowError):
            return None
        zone = found.groupdict().get("zone")
        if zone:
            shift = timedelta() if zone in "Zz" else timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            utc = moment.replace(tzinfo=UTC) - (shift if zone[0] != "-" else -shift)
            return utc if 1 < year < 9999 else None
        return moment.astimezone(UTC) if 1 < year < 9999 else None


def _date_parts(a: str, b: str, c: str, order: str) -> tuple[int, int, int]:
    if len(a) == 4:
        return int(a), int(b), int(c)
    year = int(c) + (2000 if len(c) == 2 else 0)
    return (year, int(a), int(b)) if order == "mdy" else (year, int(b), int(a))


# --- BigBlueButton's dashboard as JSON -----------------------------------------------------------------------------
def _read_dashboard(text: str) -> Report:
    """Read learning_dashboard_data.json: stays in milliseconds, by user and connection."""
    try:
        users = json.loads(text)["users"].values()
        stays = [stay for number, user in enumerate(users, 1) for stay in _dashboard_stays(number, user)]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ReportUnreadable("unknown") from error
    if len(stays) > MAX_LINES:
        raise ReportUnreadable("too_long")
    return Report("bbb", stays)


def _dashboard_stays(number: int, user: Any) -> Iterator[Stay]:
    for connection in user["intIds"].values():
        for session in connection.get("sessions") or [connection]:
            joined, left = int(session["registeredOn"]), int(session["leftOn"])
            if left >= joined > 0:
                yield Stay(
                    number,
                    str(user["name"])[:TEXT_MAX],
                    "",
                    datetime.fromtimestamp(joined // 1000, UTC),
                    datetime.fromtimestamp(left // 1000, UTC),
                )
