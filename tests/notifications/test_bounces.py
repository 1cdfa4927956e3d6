"""What comes back: believed only if it proves which mail it is about; nothing is ever answered (promise M9)."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

import work.services
from notifications import bounces
from notifications.models import Bounce, BounceKind, Message, Suppression
from tests.factories.notifications import MessageFactory
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.MAIL_BOUNCES = "bounces@rostrum.example"


def report(
    message: Message, *, to: str = "", status: str = "5.1.1", action: str = "failed", message_id: str = ""
) -> bytes:
    """A report as mail servers write it (RFC 3464)."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: {to or "bounces@rostrum.example"}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="xx"

--xx
Content-Type: text/plain

I'm sorry.

--xx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {message.recipient_email}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} No such user

--xx
Content-Type: text/rfc822-headers

From: webinars@rostrum.example
Message-ID: {message_id or message.message_id}

--xx--
""".replace("\n", "\r\n").encode()


def test_a_hard_report_suppresses_the_address() -> None:
    message: Message = MessageFactory()
    found = bounces.take(report(message, to=str(bounces.envelope_sender(message))))
    assert found is not None
    assert (found.kind, found.message) == (BounceKind.HARD, message)
    assert "No such user" in Suppression.objects.get(email=message.recipient_email).reason


def test_the_message_id_proves_as_well() -> None:
    message: Message = MessageFactory()
    assert bounces.take(report(message)) is not None


def test_a_report_without_proof_is_not_believed() -> None:
    message: Message = MessageFactory()
    forged = f"bounces+{message.pk.hex}-0123456789@rostrum.example"
    assert bounces.take(report(message, to=forged, message_id="<made-up@x>")) is None
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("status", "action", "kind"),
    [
        ("5.1.1", "failed", BounceKind.HARD),
        ("5.2.2", "failed", BounceKind.SOFT),
        ("5.7.1", "failed", BounceKind.SOFT),
        ("4.4.1", "delayed", BounceKind.SOFT),
    ],
)
def test_only_what_is_final_suppresses(status: str, action: str, kind: BounceKind) -> None:
    found = bounces.take(report(MessageFactory(), status=status, action=action))
    assert found is not None
    assert found.kind == kind
    assert Suppression.objects.exists() == (kind == BounceKind.HARD)


def test_the_same_report_twice_is_one() -> None:
    message: Message = MessageFactory()
    assert bounces.take(report(message)) == bounces.take(report(message))
    assert Bounce.objects.count() == 1


def test_an_answering_machine_suppresses_nothing_and_gets_no_answer(smtp: SmtpServer) -> None:
    message: Message = MessageFactory(state="done")
    answer = (
        f"From: anna@example.org\nTo: {bounces.envelope_sender(message)}\n"
        "Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n"
    )
    found = bounces.take(answer.encode())
    assert found is not None
    assert found.kind == BounceKind.AUTOMATIC
    assert not Suppression.objects.exists()
    assert Message.objects.count() == 1
    assert smtp.received == []


def test_a_complaint_suppresses() -> None:
    message: Message = MessageFactory()
    complaint = (
        f"To: {bounces.envelope_sender(message)}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="x"\n\n--x\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--x--\n"
    )
    assert bounces.take(complaint.encode()) is not None
    assert Suppression.objects.filter(email=message.recipient_email).exists()


def test_a_persons_own_words_are_left_alone() -> None:
    message: Message = MessageFactory()
    assert bounces.take(f"To: {bounces.envelope_sender(message)}\nSubject: Thanks\n\nThank you!\n".encode()) is None
    assert not Bounce.objects.exists()


@pytest.mark.parametrize(
    "data", [b"", b"\0\xff\xfe", b"Content-Type: multipart/report; report-type=delivery-status\n\n"]
)
def test_rubbish_is_nothing(data: bytes) -> None:
    assert bounces.take(data) is None


def test_mail_leaves_with_its_own_envelope_and_the_services_name(smtp: SmtpServer) -> None:
    message: Message = MessageFactory()
    work.services.execute("notifications.message", message.pk)
    (received,) = smtp.received
    assert received.sender == bounces.envelope_sender(message)
    assert received.message["From"] == "Rostrum <webinars@rostrum.example>"


def test_a_mailbox_is_read_and_emptied(tmp_path: Path) -> None:
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.host").write_bytes(report(MessageFactory()))
    (box / "new" / "2.host").write_bytes(b"Subject: Hello\n\nHello\n")
    out = StringIO()
    call_command("read_bounces", str(box), delete=True, stdout=out)
    assert "not about our mails: 1" in out.getvalue()
    assert Suppression.objects.count() == 1
    assert list((box / "new").iterdir()) == []


def test_an_address_that_the_server_does_not_know_is_suppressed_at_once(smtp: SmtpServer) -> None:
    message: Message = MessageFactory()
    smtp.script(message.recipient_email, "550 5.1.1 No such user")
    work.services.execute("notifications.message", message.pk)
    assert Suppression.objects.filter(email=message.recipient_email).exists()
