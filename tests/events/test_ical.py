"""Calendar entries: one event each, nothing injected, updates of the same entry (promises C1-C3)."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18nfield.strings import LazyI18nString

from accounts.models import Organisation
from accounts.text import clean_line
from events.ical import Attendee, feed_calendar, webinar_calendar, webinar_uid
from events.models import Webinar, WebinarState

ANNA = Attendee("Anna Example", "anna@example.org")
STAMP = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
OURS = {
    *("SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE", "DESCRIPTION", "URL", "ORGANIZER", "STATUS"),
    *("TRANSP", "ATTENDEE", "LOCATION"),
}


def webinar(**values: object) -> Webinar:
    return Webinar(
        **{
            "organisation": Organisation(name="Health Office"),
            "slug": "care",
            "title": LazyI18nString({"en": "Access to care"}),
            "summary": "What works.",
            "starts_at": datetime(2027, 3, 30, 17, 0, tzinfo=UTC),
            "ends_at": datetime(2027, 3, 30, 18, 30, tzinfo=UTC),
            "time_zone": "Europe/Berlin",
            **values,
        }
    )


def parse(text: str) -> Any:
    """The calendar; the library's types know every property as a union of forty."""
    return icalendar.Calendar.from_ical(text)


def events_of(text: str) -> list[Any]:
    return list(parse(text).walk("VEVENT"))


def test_request_is_as_written_down() -> None:
    entry = webinar(calendar_uid="11111111-2222-3333-4444-555555555555", calendar_sequence=4)
    text = webinar_calendar(
        webinar=entry, method="REQUEST", attendee=ANNA, join_url="https://r.example/join/x", stamped_at=STAMP
    )
    head, _zone, tail = re.split(r"(BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n)", text, flags=re.DOTALL)
    unfolded = (head + tail).replace("\r\n ", "")
    assert unfolded.split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Rostrum//Rostrum//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "SUMMARY:Access to care",
        "DTSTART;TZID=Europe/Berlin:20270330T190000",
        "DTEND;TZID=Europe/Berlin:20270330T203000",
        "DTSTAMP:20270102T030405Z",
        "UID:11111111-2222-3333-4444-555555555555@testserver",
        "SEQUENCE:4",
        'ATTENDEE;CN="Anna Example";CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:'
        "mailto:anna@example.org",
        "DESCRIPTION:What works.\\n\\nJoin the session: https://r.example/join/x\\n\\n"
        "About this webinar: http://testserver/webinars/care/",
        "LOCATION:https://r.example/join/x",
        'ORGANIZER;CN="Health Office":mailto:webinars@rostrum.example',
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "URL:http://testserver/webinars/care/",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:The webinar begins soon.",
        "TRIGGER:-PT15M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_zone_component_changes_its_offset_at_the_right_moment() -> None:
    text = webinar_calendar(webinar=webinar(), method="PUBLISH")
    zone = parse(text).walk("VTIMEZONE")[0]
    onsets = {str(part["DTSTART"].to_ical(), "ascii"): part.name for part in zone.subcomponents}
    # 02:00 CET is when the clocks go forward, 03:00 CEST when they go back.
    assert onsets["20270328T020000"] == "DAYLIGHT"
    assert onsets["20271031T030000"] == "STANDARD"


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "UTC"])
def test_times_are_the_same_instant_in_any_zone(zone: str) -> None:
    event = events_of(webinar_calendar(webinar=webinar(time_zone=zone), method="PUBLISH"))[0]
    assert event["DTSTART"].dt == datetime(2027, 3, 30, 17, 0, tzinfo=UTC)


def test_zone_offsets_agree_with_the_zone_database() -> None:
    """Read by somebody who trusts our VTIMEZONE alone, through two years of hours."""
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"):
        text = webinar_calendar(webinar=webinar(time_zone=name), method="PUBLISH")
        zone = parse(text).walk("VTIMEZONE")[0]
        changes = sorted(
            (part["DTSTART"].dt - part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td) for part in zone.subcomponents
        )
        moment = changes[0][0].replace(minute=0, second=0)
        while moment < datetime(2028, 3, 1):
            moment += timedelta(hours=1)
            offset = [to for since, to in changes if since <= moment][-1]
            assert moment.replace(tzinfo=UTC).astimezone(ZoneInfo(name)).utcoffset() == offset


def test_changed_webinar_updates_the_entry_and_cancelled_one_ends_it() -> None:
    entry = webinar()
    first = events_of(webinar_calendar(webinar=entry, method="REQUEST", attendee=ANNA))[0]
    entry.starts_at, entry.calendar_sequence = entry.starts_at - timedelta(hours=1), 1
    second = events_of(webinar_calendar(webinar=entry, method="REQUEST", attendee=ANNA))[0]
    entry.state, entry.calendar_sequence = WebinarState.CANCELLED, 2
    text = webinar_calendar(webinar=entry, method="CANCEL", attendee=ANNA)
    third = events_of(text)[0]
    assert first["UID"] == second["UID"] == third["UID"]
    assert (first["SEQUENCE"], second["SEQUENCE"], third["SEQUENCE"]) == (0, 1, 2)
    assert second["DTSTART"].dt != first["DTSTART"].dt
    assert ("METHOD:CANCEL" in text, str(third["STATUS"])) == (True, "CANCELLED")
    assert third.subcomponents == []


def test_persons_have_entries_of_their_own() -> None:
    entry = webinar()
    assert webinar_uid(entry) != webinar_uid(entry, "a") != webinar_uid(entry, "b")


def test_published_entry_names_no_person() -> None:
    event = events_of(webinar_calendar(webinar=webinar(), method="PUBLISH"))[0]
    assert set(event) == OURS - {"ATTENDEE", "LOCATION"}
    with pytest.raises(ValueError):
        webinar_calendar(webinar=webinar(), method="PUBLISH", attendee=ANNA)


def test_feed_holds_all_webinars_and_no_join_link() -> None:
    entries = [webinar(), webinar(time_zone="Asia/Kathmandu", join_url="https://room.example/secret")]
    text = feed_calendar(webinars=entries, name="Health\r\nOffice")
    calendar = parse(text)
    assert [str(event["UID"]) for event in calendar.walk("VEVENT")] == [webinar_uid(entry) for entry in entries]
    assert {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")} == {"Europe/Berlin", "Asia/Kathmandu"}
    assert "room.example" not in text


def test_hostile_titles_stay_titles(corpus: Path) -> None:
    for title in json.loads((corpus / "strings" / "calendar_titles.json").read_text()):
        text = webinar_calendar(
            webinar=webinar(title=LazyI18nString({"en": title}), organisation=Organisation(name=title[:200])),
            method="REQUEST",
            attendee=Attendee(title[:150], "anna@example.org"),
        )
        calendar = parse(text)
        assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE", "VEVENT"]
        (event,) = calendar.walk("VEVENT")
        assert str(event["SUMMARY"]) == clean_line(title)
        assert set(event) == OURS - {"LOCATION"}
        assert [str(event["ATTENDEE"]), len(calendar.walk("VALARM"))] == ["mailto:anna@example.org", 1]
        check_lines(text)


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=100))
def test_any_text_gives_well_formed_lines_and_comes_back(title: str, summary: str, name: str) -> None:
    text = webinar_calendar(
        webinar=webinar(title=LazyI18nString({"en": title}), summary=LazyI18nString({"en": summary})),
        method="REQUEST",
        attendee=Attendee(name, "anna@example.org"),
        language="en",
    )
    check_lines(text)
    (event,) = events_of(text)
    assert str(event.get("SUMMARY", "")) == clean_line(title)


def check_lines(text: str) -> None:
    """RFC 5545, section 3.1: at most 75 octets a line, CRLF, and never a break inside a character."""
    data = text.encode()
    assert data.endswith(b"\r\n")
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        assert b"\r" not in line
        line.decode()
    assert not set(text) & {chr(code) for code in range(32) if code not in (9, 10, 13)}


GOLDEN = Path(__file__).parent.parent / "data" / "calendars"


def golden_texts() -> dict[str, str]:
    """Each kind of object, for a webinar whose title needs folding, escaping and two scripts."""
    entry = webinar(
        calendar_uid="11111111-2222-3333-4444-555555555555",
        calendar_sequence=4,
        title=LazyI18nString({"en": "Care, access; and “rights”: الرعاية الصحية للاجئين والمهاجرين في أوروبا"}),
        summary=LazyI18nString({"en": "First line.\nSecond line, with a backslash \\ in it."}),
        starts_at=datetime(2027, 3, 28, 0, 30, tzinfo=UTC),  # half an hour before the clocks change
        ends_at=datetime(2027, 3, 28, 2, 0, tzinfo=UTC),
    )
    own: dict[str, Any] = {
        "webinar": entry,
        "attendee": ANNA,
        "uid": webinar_uid(entry, "0123456789abcdef"),
        "stamped_at": STAMP,
    }
    return {
        "request.ics": webinar_calendar(method="REQUEST", join_url="https://r.example/join/x", sequence=5, **own),
        "cancel.ics": webinar_calendar(method="CANCEL", sequence=6, **own),
        "publish.ics": webinar_calendar(webinar=entry, method="PUBLISH", stamped_at=STAMP),
    }


@pytest.mark.parametrize("name", ["request.ics", "cancel.ics", "publish.ics"])
def test_objects_are_as_in_the_golden_files(name: str) -> None:
    """If a change is meant, look at the difference and write the new file."""
    assert golden_texts()[name] == (GOLDEN / name).read_bytes().decode()


def test_golden_invitation_and_cancellation_are_about_one_entry() -> None:
    first, last = (events_of((GOLDEN / name).read_text())[0] for name in ("request.ics", "cancel.ics"))
    assert first["UID"] == last["UID"]
    assert last["SEQUENCE"] > first["SEQUENCE"]
