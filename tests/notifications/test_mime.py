"""What leaves is what was meant: headers, parts, and nothing that a name smuggled in (promises M4, M9)."""

import json
from pathlib import Path

import pytest

import work.services
from accounts.text import clean_line
from tests.factories.notifications import MessageFactory
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.django_db
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX-NAME:Élan\r\nEND:VCALENDAR\r\n"


def test_parts_and_headers(smtp: SmtpServer) -> None:
    message = MessageFactory(calendar=CALENDAR, calendar_method="REQUEST", reply_to="contact@example.org")
    work.services.execute("notifications.message", message.pk)
    mail = smtp.received[0].message
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    calendar, attached = list(mail.walk())[-2:]
    assert calendar.get_param("method") == "REQUEST"
    assert calendar.get_content().replace("\r\n", "\n") == CALENDAR.replace("\r\n", "\n")
    assert (attached.get_filename(), attached.get_content()) == ("invite.ics", CALENDAR.encode())
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "contact@example.org"
    assert mail["Precedence"] is None


def test_bulk_mail_says_so(smtp: SmtpServer) -> None:
    work.services.execute("notifications.message", MessageFactory(is_bulk=True).pk)
    assert smtp.received[0].message["Precedence"] == "bulk"


def test_no_name_or_title_adds_a_header_or_recipient(smtp: SmtpServer, corpus: Path) -> None:
    names = json.loads((corpus / "strings" / "person_names.json").read_text())
    for name in names:
        line = clean_line(name, max_length=150).replace("\0", "")
        message = MessageFactory(recipient_email="only@example.org", recipient_name=line, subject=line)
        work.services.execute("notifications.message", message.pk)
    assert len(smtp.received) == len(names)
    for received, name in zip(smtp.received, names, strict=True):
        mail = received.message
        assert (received.sender, received.recipients) == ("webinars@rostrum.example", ("only@example.org",))
        assert [address.addr_spec for address in mail["To"].addresses] == ["only@example.org"]
        assert {header: len(mail.get_all(header, [])) for header in ("To", "From", "Subject", "Bcc", "Cc")} == {
            "To": 1,
            "From": 1,
            "Subject": 1,
            "Bcc": 0,
            "Cc": 0,
        }
        shown = mail["Subject"].replace("\u2060", "").replace(" ", "")
        assert shown == clean_line(name, max_length=150).replace(" ", "")
