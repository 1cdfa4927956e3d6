"""How a session's time is said."""

from datetime import UTC, datetime, timedelta

import pytest

from events.models import Webinar
from registration.times import SessionTime, session_times


def webinar(month: int = 12) -> Webinar:
    starts_at = datetime(2027, month, 1, 18, 0, tzinfo=UTC)
    return Webinar(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), time_zone="Europe/Brussels")


def test_person_and_organiser_each_get_their_own_clock() -> None:
    assert session_times(webinar(), time_zone="Asia/Kathmandu", language="en") == [
        SessionTime(
            "Wednesday, 1 December 2027, 23:45–Thursday, 2 December 2027, 00:45", "GMT+05:45", "Asia/Kathmandu"
        ),
        SessionTime("Wednesday, 1 December 2027, 19:00–20:00", "Central European Standard Time", "Europe/Brussels"),
    ]


def test_same_clock_is_shown_once() -> None:
    assert len(session_times(webinar(), time_zone="Europe/Madrid", language="en")) == 1


@pytest.mark.parametrize(
    ("zone", "month", "name"),
    [
        ("Europe/Dublin", 12, "Greenwich Mean Time"),
        ("Europe/Dublin", 7, "Irish Standard Time"),
        ("Europe/Berlin", 7, "Central European Summer Time"),
        ("Australia/Sydney", 1, "Australian Eastern Daylight Time"),
        ("Australia/Sydney", 7, "Australian Eastern Standard Time"),
        ("UTC", 7, "Coordinated Universal Time"),
    ],
)
def test_zones_have_the_name_of_the_season(zone: str, month: int, name: str) -> None:
    assert session_times(webinar(month), time_zone=zone, language="en")[0].zone_name == name


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "mercredi 1 décembre 2027, 19:00–20:00"), ("ar", "الأربعاء، 1 ديسمبر 2027، 7:00 م–8:00 م")],
)
def test_times_are_written_as_the_language_writes_them(language: str, text: str) -> None:
    assert session_times(webinar(), time_zone="Europe/Brussels", language=language)[0].text == text
