"""Reading the reports of Zoom, Teams and BigBlueButton, in the layouts in which these products write them."""

import csv
import io
import json
import zoneinfo
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook

from registration.attendance_reports import MAX_LINES, ReportUnreadable, read_report, read_table

BRUSSELS = zoneinfo.ZoneInfo("Europe/Brussels")
STARTS_AT = datetime(2027, 3, 4, 13, 0, tzinfo=UTC)  # 14:00 in Brussels

ZOOM_MEETING = """\
Topic,Meeting ID,Host name,Host email,Start time,End time,Participants,Duration (minutes),
"Mental health","912 3456 7890","Host","host@example.org","03/04/2027 01:55:10 PM","03/04/2027 03:01:00 PM","3","66",

Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,In waiting room
"Anna Müller (Anna M.)","Anna@Example.org","03/04/2027 02:00:12 PM","03/04/2027 02:30:12 PM","30","No","No"
"Anna Müller (Anna M.)","Anna@Example.org","03/04/2027 02:35:00 PM","03/04/2027 03:00:00 PM","25","No","No"
"Waits","","03/04/2027 01:50:00 PM","03/04/2027 01:55:00 PM","5","Yes","Yes"
"محمد","","03/04/2027 02:00:00 PM","03/04/2027 03:00:00 PM","60","Yes","No"
"""

ZOOM_WEBINAR = """\
Attendee Report
Report Generated:,"Mar 4, 2027 17:00"
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered,# Cancelled,Unique Viewers
"Mental health","912 3456 7890","Mar 4, 2027 13:55:10","66","3","0","2",
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name,
Yes,"Host","host@example.org","Mar 4, 2027 13:55:10","Mar 4, 2027 15:01:00","66",No,"Belgium",
Panelist Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name,
Attendee Details,
Attended,User Name (Original Name),First Name,Last Name,Email,Registration Time,Approval Status,\
Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name,
Yes,"Anna Müller","Anna","Müller","anna@example.org","Mar 1, 2027 10:00:00",approved,"Mar 4, 2027 14:00:12",\
"Mar 4, 2027 14:30:12","30",Yes,"Germany",
No,"Jean","Jean","",jean@example.org,"Mar 1, 2027 10:00:00",approved,--,--,--,--,--,
Other Attended
User Name,Join Time,Leave Time,Time in Session (minutes),Country/Region Name,
"32472000000","Mar 4, 2027 14:10:00","Mar 4, 2027 14:20:00","10","Belgium",
"""

TEAMS = """\
1. Summary
Meeting title\tMental health
Attended participants\t2
Start time\t3/4/27, 1:55:10 PM
End time\t3/4/27, 3:01:00 PM
Meeting duration\t1h 5m 50s
Average attendance time\t42m 0s

2. Participants
Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole
Anna Müller\t3/4/27, 2:00:12 PM\t3/4/27, 3:00:00 PM\t55m 0s\tanna@example.org\tanna@example.org\tPresenter
Jean (Guest)\t3/4/27, 2:00:00 PM\t3/4/27, 2:20:00 PM\t20m 0s\t\t\tAttendee

3. In-Meeting Activities
Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole
Anna Müller\t3/4/27, 2:00:12 PM\t3/4/27, 2:30:12 PM\t30m 0s\tanna@example.org\tPresenter
Anna Müller\t3/4/27, 2:35:00 PM\t3/4/27, 3:00:00 PM\t25m 0s\tanna@example.org\tPresenter
Jean (Guest)\t3/4/27, 2:00:00 PM\t3/4/27, 2:20:00 PM\t20m 0s\t\tAttendee
"""

BIGBLUEBUTTON = """\
Name,Moderator,Activity Score,Talk Time,Webcam Time,Messages,Reactions,Poll Votes,Raise Hands,Join,Left,\
Duration,Do you agree?
"Anna Müller","TRUE","0","00:10:00","-","3","0","1","0","3/4/2027, 02:00:12 PM","3/4/2027, 03:00:12 PM","00:50:00","Yes"
"Anonymous","","","","","","","","","","","","No"
"""


def stays(text: str | bytes, encoding: str = "utf-8") -> list[tuple[str, str, str, str]]:
    """Name, address and the times in Brussels."""
    data = text if isinstance(text, bytes) else text.encode(encoding)
    report = read_report(data, starts_at=STARTS_AT, time_zone=BRUSSELS)
    return [
        (
            one.name,
            one.email,
            f"{one.joined_at.astimezone(BRUSSELS):%d %H:%M:%S}",
            f"{one.left_at.astimezone(BRUSSELS):%H:%M:%S}",
        )
        for one in report.stays
    ]


def reason(data: bytes) -> str:
    with pytest.raises(ReportUnreadable) as error:
        read_report(data, starts_at=STARTS_AT, time_zone=BRUSSELS)
    return error.value.reason


def test_zoom_meeting_without_its_opening_lines_and_the_waiting_room() -> None:
    assert stays("\ufeff" + ZOOM_MEETING) == [
        ("Anna Müller (Anna M.)", "anna@example.org", "04 14:00:12", "14:30:12"),
        ("Anna Müller (Anna M.)", "anna@example.org", "04 14:35:00", "15:00:00"),
        ("محمد", "", "04 14:00:00", "15:00:00"),
    ]


def test_zoom_webinar_with_its_tables_below_one_another() -> None:
    assert stays(ZOOM_WEBINAR) == [
        ("Host", "host@example.org", "04 13:55:10", "15:01:00"),
        ("Anna Müller", "anna@example.org", "04 14:00:12", "14:30:12"),
        ("32472000000", "", "04 14:10:00", "14:20:00"),
    ]


def test_teams_counts_single_stays_not_their_sums() -> None:
    assert stays(TEAMS.replace("\n", "\r\n"), "utf-16") == [
        ("Anna Müller", "anna@example.org", "04 14:00:12", "14:30:12"),
        ("Anna Müller", "anna@example.org", "04 14:35:00", "15:00:00"),
        ("Jean (Guest)", "", "04 14:00:00", "14:20:00"),
    ]


def test_teams_without_single_stays_keeps_the_sum_and_the_end() -> None:
    assert stays(TEAMS.partition("3. In-Meeting")[0], "utf-16") == [
        ("Anna Müller", "anna@example.org", "04 14:05:00", "15:00:00"),
        ("Jean (Guest)", "", "04 14:00:00", "14:20:00"),
    ]


def test_old_list_of_teams_pairs_joining_and_leaving() -> None:
    text = (
        "Full Name\tUser Action\tTimestamp\n"
        "Anna\tJoined before\t3/4/2027, 2:00:00 PM\n"
        "Jean\tJoined\t3/4/2027, 2:01:00 PM\n"
        "Anna\tLeft\t3/4/2027, 2:30:00 PM\n"
        "Eve\tJoined\t3/4/2027, 2:40:00 PM\n"
    )
    assert stays(text, "utf-16") == [
        ("Anna", "", "04 14:00:00", "14:30:00"),
        ("Jean", "", "04 14:01:00", "14:40:00"),
        ("Eve", "", "04 14:40:00", "14:40:00"),
    ]


def test_bigbluebutton_table_leaves_anonymous_votes_out() -> None:
    assert stays(BIGBLUEBUTTON) == [("Anna Müller", "", "04 14:10:12", "15:00:12")]


def test_bigbluebutton_data_knows_every_connection() -> None:
    at = int(STARTS_AT.timestamp()) * 1000
    connection = {
        "sessions": [{"registeredOn": at, "leftOn": at + 600_000}, {"registeredOn": at + 900_000, "leftOn": 0}]
    }
    data = json.dumps({"users": {"w_1": {"name": "Anna", "intIds": {"i_1": connection}}}})
    assert stays(data) == [("Anna", "", "04 14:00:00", "14:10:00")]


@pytest.mark.parametrize(
    "moment",
    [
        "04/03/2027 14:00:00",
        "04.03.2027, 14:00:00",
        "2027-03-04 14:00:00",
        "2027-03-04T13:00:00Z",
        "4.3.2027 klo 14.00.00",
    ],
)
def test_day_and_month_are_told_apart_by_the_sessions_date(moment: str) -> None:
    assert stays(f'Name,Email,Join Time,Leave Time\nAnna,a@example.org,"{moment}","{moment}"\n') == [
        ("Anna", "a@example.org", "04 14:00:00", "14:00:00")
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encoding_is_found(encoding: str) -> None:
    rows = "".join(f"Jérôme Müller {n},j{n}@example.org,3/4/27 2:00 PM,3/4/27 3:00 PM\n" for n in range(20))
    found = stays(("Name,Email,Join Time,Leave Time\n" + rows), encoding)
    assert found[0][0] == "Jérôme Müller 0"


def test_lines_whose_times_cannot_be_read_are_told() -> None:
    text = (
        "Name,Email,Join Time,Leave Time\nAnna,a@example.org,yesterday,3/4/27 3:00 PM\nB,b@example.org,99/99/27 2:00,\n"
    )
    report = read_report(text.encode(), starts_at=STARTS_AT, time_zone=BRUSSELS)
    assert (report.stays, [one.line for one in report.unread]) == ([], [2, 3])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "not_text"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
        (bytes(range(256)) * 8, "not_text"),
        (b"Name (Original Name),User Email,Total Duration (Minutes),Guest\nAnna,a@example.org,60,No\n", "no_times"),
        (b"Vor- und Nachname,Beitritt\nAnna,14:00\n", "unknown"),
        (b'{"users": {"a": {"name": "A", "intIds": 3}}}', "unknown"),
        (b"Name,Email,Join Time,Leave Time\n" + b"a,b,c,d\n" * (MAX_LINES + 1), "too_long"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


# --- Saved as XLSX, and in other languages -------------------------------------------------------------------------
def workbook(*sheets: list[list[object]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_report_saved_as_xlsx_reads_like_its_csv() -> None:
    rows: list[list[object]] = [list(row) for row in csv.reader(io.StringIO(ZOOM_MEETING))]
    assert stays(workbook(rows)) == stays(ZOOM_MEETING)


def test_dates_that_a_spreadsheet_turned_round_are_turned_back() -> None:
    """03/04/2027, written by Zoom for 4 March, is 3 April to a spreadsheet in Europe."""
    heading: list[object] = ["Name", "Email", "Join time", "Leave time"]
    turned = [heading, ["Anna", "a@example.org", datetime(2027, 4, 3, 14, 0), datetime(2027, 4, 3, 15, 0)]]
    right = [heading, ["Anna", "a@example.org", datetime(2027, 3, 4, 14, 0), datetime(2027, 3, 4, 15, 0)]]
    assert stays(workbook(turned)) == stays(workbook(right)) == [("Anna", "a@example.org", "04 14:00:00", "15:00:00")]


def test_the_sheets_of_a_workbook_are_tables_below_one_another() -> None:
    heading: list[object] = ["Name", "Join time", "Leave time"]
    rows: list[list[object]] = [
        ["Anna", "3/4/27 2:00 PM", "3/4/27 3:00 PM"],
        ["Jean", "3/4/27 2:10 PM", "3/4/27 3:00 PM"],
    ]
    found = stays(workbook([["Summary"], ["People", 2]], [heading, rows[0]], [heading, rows[1]]))
    assert [name for name, *_rest in found] == ["Anna", "Jean"]


@pytest.mark.parametrize(
    ("name", "email", "joined", "left"),
    [
        ("Vollständiger Name", "E-Mail-Adresse", "Beitrittszeit", "Zeitpunkt des Verlassens"),
        ("Nom complet", "Adresse e-mail", "Heure d’arrivée", "Heure de départ"),
        ("Nombre completo", "Correo electrónico", "Hora de entrada", "Hora de salida"),
        ("Nome completo", "Indirizzo e-mail", "Ora di accesso", "Ora di uscita"),
        ("Nome (nome original)", "E-mail", "Horário de entrada", "Hora de saída"),
        ("Naam (oorspronkelijke naam)", "E-mailadres", "Deelnametijd", "Vertrektijd"),
        ("Imię i nazwisko", "Adres e-mail", "Czas dołączenia", "Czas opuszczenia"),
    ],
)
def test_headings_in_other_languages_are_known(name: str, email: str, joined: str, left: str) -> None:
    text = f"{name};{email};{joined};{left}\nAnna;a@example.org;04.03.2027 14:00:12;04.03.2027 15:00:00\n"
    assert stays(text) == [("Anna", "a@example.org", "04 14:00:12", "15:00:00")]


def test_german_teams_counts_single_stays_not_their_sums() -> None:
    text = (
        "2. Teilnehmer\nName\tErster Beitritt\tLetztes Verlassen\tBesprechungsdauer\tE-Mail\tRolle\n"
        "Anna\t04.03.27, 14:00:12\t04.03.27, 15:00:00\t55 Min. 0 Sek.\ta@example.org\tReferent\n\n"
        "3. Aktivitäten\nName\tBeitrittszeit\tVerlassenszeit\tDauer\tE-Mail\tRolle\n"
        "Anna\t04.03.27, 14:00:12\t04.03.27, 14:30:00\t29 Min. 48 Sek.\ta@example.org\tReferent\n"
    )
    assert stays(text, "utf-16") == [("Anna", "a@example.org", "04 14:00:12", "14:30:00")]
    sums = text.partition("3. Akt")[0]
    assert stays(sums, "utf-16") == [("Anna", "a@example.org", "04 14:05:00", "15:00:00")]


def test_every_line_that_is_left_out_says_why() -> None:
    text = (
        "Name,Email,Join Time,Leave Time\nAnna,a@example.org,yesterday,3/4/27 3:00 PM\n"
        ",,3/4/27 2:00 PM,3/4/27 3:00 PM\nEve,e@example.org,3/4/27 3:00 PM,3/4/27 2:00 PM\n"
    )
    report = read_report(text.encode(), starts_at=STARTS_AT, time_zone=BRUSSELS)
    assert [(one.line, one.reason) for one in report.unread] == [(2, "times"), (3, "nobody"), (4, "order")]
    assert report.unread[0].text == "Anna | a@example.org | yesterday | 3/4/27 3:00 PM"


def test_a_table_with_unknown_headings_is_handed_over_from_its_heading_on() -> None:
    with pytest.raises(ReportUnreadable) as error:
        read_report("Kokous\n\nNimi,Liittyi,Lähti\nAnna,1,2\n".encode(), starts_at=STARTS_AT, time_zone=BRUSSELS)
    assert error.value.table == [(3, ["Nimi", "Liittyi", "Lähti"]), (4, ["Anna", "1", "2"])]


def test_a_table_is_read_by_what_a_person_says_of_its_columns() -> None:
    rows = [(4, ["4.3.2027 klo 14.00.00", "Anna", "4.3.2027 klo 15.00.00"]), (5, ["?", "Eve", "?"])]
    report = read_table(rows, {"joined": 0, "name": 1, "left": 2}, starts_at=STARTS_AT, time_zone=BRUSSELS)
    assert [(one.name, one.joined_at) for one in report.stays] == [("Anna", STARTS_AT)]
    assert [one.line for one in report.unread] == [5]
