"""Attendance: what intervals add up to, corrections, reports that are matched and counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.personal_data import erase_person
from events.models import Webinar
from registration import attendance, attendance_imports
from registration.attendance import Interval, Presence, Segment, attendance_of, in_segment, presence
from registration.errors import InvalidDetail
from registration.links import join_link_for
from registration.models import Attendance, AttendanceImport, AttendanceSource, Registration, RegistrationState
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from work import services as work
from work.errors import StaleState

STARTS_AT = datetime(2027, 3, 4, 13, 0, tzinfo=UTC)
ENDS_AT = STARTS_AT + timedelta(hours=1)
ZOOM, LINK, PERSON = AttendanceSource.ZOOM, AttendanceSource.JOIN_LINK, AttendanceSource.PERSON


def at(minute: float) -> datetime:
    return STARTS_AT + timedelta(minutes=minute)


def stay(first: float, last: float | None, source: str = ZOOM) -> Interval:
    return Interval(at(first), None if last is None else at(last), source)


def added(*intervals: Interval) -> tuple[Segment, int | None]:
    found = presence(intervals, starts_at=STARTS_AT, ends_at=ENDS_AT)
    return found.segment, found.minutes


@pytest.fixture
def webinar(db: None) -> Webinar:
    return WebinarFactory(starts_at=STARTS_AT, ends_at=ENDS_AT, time_zone="Europe/Brussels")


def person(webinar: Webinar, *intervals: Interval, **values: Any) -> Registration:
    registration = RegistrationFactory(webinar=webinar, **values)
    for one in intervals:
        Attendance.objects.create(registration=registration, **vars(one))
    return registration


# --- What intervals add up to --------------------------------------------------------------------------------------
CASES = {
    "nothing": ((), (Segment.NOT_ATTENDED, 0)),
    "two devices at once count once": ((stay(0, 40), stay(20, 60)), (Segment.ATTENDED, 60)),
    "an absence in between": ((stay(0, 20), stay(40, 60)), (Segment.ATTENDED, 40)),
    "before the start and after the end": ((stay(-30, 90),), (Segment.ATTENDED, 60)),
    "only before the start": ((stay(-30, -5), stay(-20, None, LINK)), (Segment.NOT_ATTENDED, 0)),
    "left before the last tenth": ((stay(0, 53),), (Segment.LEFT_EARLY, 53)),
    "left within the last tenth": ((stay(0, 54),), (Segment.ATTENDED, 54)),
    "seconds are rounded": ((stay(0.2, 59.9),), (Segment.ATTENDED, 60)),
    "the join link alone tells no minutes": ((stay(5, None, LINK),), (Segment.ATTENDED, None)),
    "a report outweighs the join link": ((stay(1, None, LINK), stay(2, 30)), (Segment.LEFT_EARLY, 28)),
    "a correction outweighs all": ((stay(0, 60), stay(10, 20, PERSON)), (Segment.LEFT_EARLY, 10)),
    "corrected to absent": ((stay(0, 60), stay(0, 0, PERSON)), (Segment.NOT_ATTENDED, 0)),
    "an empty stay": ((stay(5, 5),), (Segment.NOT_ATTENDED, 0)),
}


@pytest.mark.parametrize("case", CASES)
def test_intervals_add_up(case: str) -> None:
    intervals, expected = CASES[case]
    assert added(*intervals) == expected


def test_segments_in_the_database_follow_the_same_rules(webinar: Webinar) -> None:
    registrations = {case: person(webinar, *intervals) for case, (intervals, _expected) in CASES.items()}

    for segment in Segment:
        expected = {registrations[case].pk for case, (_i, (there, _m)) in CASES.items() if there == segment}
        assert set(in_segment(webinar, segment).values_list("pk", flat=True)) == expected


def test_only_who_had_a_place_can_have_stayed_away(webinar: Webinar) -> None:
    person(webinar, state=RegistrationState.WAITLISTED)
    came = person(webinar, stay(0, 60), state=RegistrationState.CANCELLED)

    assert list(in_segment(webinar, Segment.NOT_ATTENDED)) == []
    assert list(in_segment(webinar, Segment.ATTENDED)) == [came]
    assert list(attendance.expected_or_there(webinar)) == [came]


def test_attendance_of_one_says_from_where_it_is_known(webinar: Webinar) -> None:
    registration = person(webinar, stay(0, None, LINK), stay(0, 30))

    found = attendance_of(registration)

    assert found == Presence(Segment.LEFT_EARLY, 30, 0.5, at(0), at(30), (LINK, ZOOM))
    assert (found.is_corrected, found.source_names) == (False, ["join link", "Zoom report"])


# --- The join link -------------------------------------------------------------------------------------------------
def test_join_link_stamps_each_coming_once(client: Client, db: None) -> None:
    registration = RegistrationFactory(webinar__starts_at=timezone.now(), webinar__join_url="https://room.example.org/")
    link = join_link_for(registration)

    client.head(link)
    client.get(link, headers={"Sec-Purpose": "prefetch"})
    assert registration.attendances.count() == 0
    for _time in range(2):
        assert client.get(link).headers["Location"] == "https://room.example.org/"
    assert [row.source for row in registration.attendances.all()] == [LINK]


def test_join_link_stamps_nothing_while_the_door_is_closed(client: Client, db: None) -> None:
    registration = RegistrationFactory()
    client.get(join_link_for(registration))
    assert registration.attendances.count() == 0


# --- Corrections ---------------------------------------------------------------------------------------------------
def test_correction_stands_in_place_of_reports_and_is_recorded(webinar: Webinar) -> None:
    registration, user = person(webinar, stay(0, 10)), UserFactory()

    attendance.correct_attendance(registration=registration, stays=[(at(0), at(50))], reason="x", user=user)
    found = attendance.correct_attendance(
        registration=registration, stays=[(at(0), at(60))], reason="By phone", user=user
    )

    assert (found.minutes, found.is_corrected) == (60, True)
    assert registration.attendances.filter(source=PERSON).count() == 1
    entry = AuditEntry.objects.filter(action="attendance.corrected").latest("at")
    assert (entry.user, entry.detail) == (user, {"before": 50, "after": 60, "reason": "By phone"})


def test_correction_to_absent_and_back(webinar: Webinar) -> None:
    registration, user = person(webinar, stay(0, 60)), UserFactory()

    absent = attendance.correct_attendance(registration=registration, stays=[], reason="Was somebody else", user=user)
    again = attendance.remove_correction(registration=registration, user=user)

    assert (absent.has_attended, again.minutes) == (False, 60)


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [(30, 10, "x", "left_at"), (70, 80, "x", "joined_at"), (0, 60, " ", "reason"), (0, 60, "a" * 201, "reason")],
)
def test_correction_must_make_sense(webinar: Webinar, first: int, last: int, reason: str, field: str) -> None:
    registration = person(webinar)
    with pytest.raises(InvalidDetail) as error:
        attendance.correct_attendance(
            registration=registration, stays=[(at(first), at(last))], reason=reason, user=UserFactory()
        )
    assert (error.value.field, registration.attendances.count()) == (field, 0)


# --- Reports -------------------------------------------------------------------------------------------------------
HEADER = "Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,In waiting room\n"


def line(name: str, email: str, first: str = "2:00", last: str = "3:00") -> str:
    return f'"{name}",{email},03/04/2027 {first}:00 PM,03/04/2027 {last}:00 PM,60,Yes,No\n'


def received(webinar: Webinar, *lines: str, **values: Any) -> AttendanceImport:
    text = HEADER + "".join(lines)
    return attendance_imports.receive_report(
        webinar=webinar, chunks=[text.encode()], file_name="report.csv", user=None, **values
    )


def matches(imported: AttendanceImport) -> dict[str, tuple[str, str]]:
    return {one.name: (one.match, one.registration) for one in attendance_imports.people_of(imported)}


def counted(imported: AttendanceImport) -> AttendanceImport:
    attendance_imports.confirm_import(imported=imported, user=None)
    work.execute("registration.attendance_import", imported.pk)
    imported.refresh_from_db()
    return imported


def test_people_are_found_by_address_then_by_name(webinar: Webinar) -> None:
    anna = person(webinar, name="Anna Müller", email="Anna@example.org")
    ahmad = person(webinar, name="أحمد عليّ")
    for email in ("a@example.org", "b@example.org"):
        person(webinar, name="Jean Petit", email=email)
    person(WebinarFactory(), name="Eve Elsewhere", email="eve@example.org")

    imported = received(
        webinar,
        line("A. M.", "anna@example.org"),
        line("MULLER, Anna (Guest)", ""),
        line("احمد علي", ""),
        line("Petit Jean", ""),
        line("Eve Elsewhere", "eve@example.org"),
    )

    assert matches(imported) == {
        "A. M.": ("email", str(anna.pk)),
        "MULLER, Anna (Guest)": ("name", str(anna.pk)),
        "احمد علي": ("name", str(ahmad.pk)),
        "Petit Jean": ("several", ""),
        "Eve Elsewhere": ("none", ""),
    }
    assert attendance_imports.outcome_of(imported) == attendance_imports.Outcome(5, 3, 2, 4, 0)


def test_nothing_counts_before_it_is_confirmed(webinar: Webinar) -> None:
    anna = person(webinar, email="anna@example.org")
    imported = received(webinar, line("Anna", "anna@example.org"), line("Stranger", "s@example.org"))
    assert not attendance_of(anna).has_attended

    counted(imported)

    assert attendance_of(anna).minutes == 60
    assert (imported.state, imported.rows, imported.counted_people, imported.left_out_people) == ("done", [], 1, 1)


def test_organiser_says_who_somebody_is(webinar: Webinar) -> None:
    anna = person(webinar, email="anna@example.org", name="Anna")
    imported = received(webinar, line("iPhone", ""), line("iPhone", "", "3:00", "3:10"), line("Anna", ""))
    key = {one.name: one.key for one in attendance_imports.people_of(imported)}

    imported = attendance_imports.decide(
        imported=imported, choices={key["iPhone"]: " ANNA@example.org", key["Anna"]: ""}, user=None
    )

    assert matches(imported) == {"iPhone": ("chosen", str(anna.pk)), "Anna": ("ignored", "")}
    counted(imported)
    assert anna.attendances.count() == 2
    with pytest.raises(StaleState):
        attendance_imports.decide(imported=imported, choices={}, user=None)


def test_unknown_address_is_named_at_its_person(webinar: Webinar) -> None:
    imported = received(webinar, line("iPhone", ""))
    key = attendance_imports.people_of(imported)[0].key
    with pytest.raises(InvalidDetail) as error:
        attendance_imports.decide(imported=imported, choices={key: "nobody@example.org"}, user=None)
    assert error.value.field == f"person-{key}"


def test_report_of_the_same_system_replaces_the_former(webinar: Webinar) -> None:
    anna = person(webinar, email="anna@example.org")
    counted(received(webinar, line("Anna", "anna@example.org")))
    counted(received(webinar, line("Anna", "anna@example.org", "2:00", "2:20")))
    assert attendance_of(anna).minutes == 20

    counted(received(webinar, line("Anna", "anna@example.org", "2:30", "2:40"), replaces=False))
    assert attendance_of(anna).minutes == 30


def test_counting_twice_changes_nothing(webinar: Webinar) -> None:
    anna = person(webinar, email="anna@example.org")
    imported = counted(received(webinar, line("Anna", "anna@example.org")))
    counted(imported)
    assert anna.attendances.count() == 1


def test_discarded_report_no_longer_counts(webinar: Webinar) -> None:
    anna = person(webinar, email="anna@example.org")
    imported = counted(received(webinar, line("Anna", "anna@example.org")))
    attendance_imports.discard_import(imported=imported, user=None)
    assert attendance_of(anna).minutes == 0


def test_report_of_strangers_is_not_counted(webinar: Webinar) -> None:
    with pytest.raises(InvalidDetail):
        attendance_imports.confirm_import(imported=received(webinar, line("Eve", "")), user=None)


def test_times_are_of_the_zone_that_is_said(webinar: Webinar) -> None:
    person(webinar, email="anna@example.org")
    early = received(webinar, line("Anna", "anna@example.org", "1:00", "2:00"))
    right = received(webinar, line("Anna", "anna@example.org", "1:00", "2:00"), time_zone="Europe/London")
    outside = [attendance_imports.outcome_of(one).outside for one in (early, right)]
    assert outside == [1, 0]


def test_file_is_read_no_further_than_it_may_be_long(webinar: Webinar) -> None:
    def chunks() -> Any:
        for _number in range(6):
            yield b"a" * 1024**2
        raise AssertionError("read on")

    with pytest.raises(InvalidDetail) as error:
        attendance_imports.receive_report(webinar=webinar, chunks=chunks(), file_name="big.csv", user=None)
    assert error.value.code == "too_large"


def test_formula_and_markup_in_a_report_are_text(webinar: Webinar) -> None:
    imported = received(webinar, line("=1+1<script>\u202e", "x@y"))
    assert attendance_imports.people_of(imported)[0].name == "=1+1<script>"


# --- Reports whose columns are not known ---------------------------------------------------------------------------
FINNISH = "Nimi,Osoite,Liittyi,Lähti\n{}\n"


def foreign(webinar: Webinar, *lines: str) -> AttendanceImport:
    text = FINNISH.format("\n".join(lines))
    return attendance_imports.receive_report(webinar=webinar, chunks=[text.encode()], file_name="r.csv", user=None)


COLUMNS = {"name": 0, "email": 1, "joined": 2, "left": 3}


def test_unknown_columns_are_chosen_by_hand_and_then_counted(webinar: Webinar) -> None:
    anna = person(webinar, name="Anna", email="anna@example.org")
    imported = foreign(webinar, "Anna,anna@example.org,4.3.2027 14.00,4.3.2027 15.00", "Eve,e@example.org,?,?")
    assert attendance_imports.needs_columns(imported)
    assert attendance_imports.headings_of(imported) == ["Nimi", "Osoite", "Liittyi", "Lähti"]
    assert attendance_imports.first_lines(imported)[1] == ["Eve", "e@example.org", "?", "?"]
    with pytest.raises(InvalidDetail):
        attendance_imports.confirm_import(imported=imported, user=None)
    chosen = attendance_imports.choose_columns(imported=imported, columns=COLUMNS, user=None)
    assert (chosen.system, chosen.unread_lines) == ("other", 1)
    (unread,) = attendance_imports.unread_of(chosen)
    assert (unread["line"], unread["text"]) == (3, "Eve | e@example.org | ? | ?")
    counted(chosen)
    assert attendance_of(anna).minutes == 60
    with pytest.raises(StaleState):
        attendance_imports.choose_columns(imported=imported, columns=COLUMNS, user=None)


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({}, "joined"),
        ({"joined": 2}, "left"),
        ({"joined": 2, "left": 3}, "name"),
        ({"joined": 2, "left": 2, "name": 0}, "joined"),
        ({"joined": 0, "left": 1, "name": 2}, "joined"),
        ({"joined": 99, "left": 3, "name": -1}, "joined"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(webinar: Webinar, columns: dict[str, int], field: str) -> None:
    imported = foreign(webinar, "Anna,anna@example.org,4.3.2027 14.00,4.3.2027 15.00")
    with pytest.raises(InvalidDetail) as error:
        attendance_imports.choose_columns(imported=imported, columns=columns, user=None)
    assert error.value.field == field


def test_times_of_a_foreign_report_are_of_the_zone_that_is_said(webinar: Webinar) -> None:
    person(webinar, email="anna@example.org")
    imported = foreign(webinar, "Anna,anna@example.org,4.3.2027 08.00,4.3.2027 09.00")
    chosen = attendance_imports.choose_columns(
        imported=imported, columns=COLUMNS, time_zone="America/New_York", user=None
    )
    assert [one.minutes for one in attendance_imports.people_of(chosen)] == [60]


def test_a_person_is_erased_from_a_report_whose_columns_are_not_known(webinar: Webinar) -> None:
    anna = person(webinar, name="Anna Marker", email="anna@example.org")
    imported = foreign(webinar, "Anna Marker,anna@example.org,4.3.2027 14.00,4.3.2027 15.00")
    erase_person(email=anna.email)
    imported.refresh_from_db()
    assert "anna" not in str(imported.rows).lower()
    assert attendance_imports.first_lines(imported) == [[]]
