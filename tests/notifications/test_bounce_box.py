"""Undeliverable mails read from an IMAP mailbox: a real server (Dovecot), over TLS."""

import ssl
from collections.abc import Iterator
from io import StringIO
from urllib.parse import SplitResult, quote, urlsplit

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from notifications import bounce_box, doctor
from notifications.models import Suppression
from tests.factories.notifications import MessageFactory
from tests.notifications.test_bounces import report
from tests.support.imap import PASSWORD, USER, ImapServer

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    server = ImapServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def _mailbox(server: ImapServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    settings.MAIL_BOUNCES = USER
    settings.MAIL_BOUNCES_URL = address(server)
    yield
    with server.box() as box:
        for number in box.search(None, "ALL")[1][0].split():
            box.store(number.decode(), "+FLAGS", r"\Deleted")
        box.expunge()


def address(server: ImapServer, password: str = PASSWORD, folder: str = "INBOX") -> SplitResult:
    return urlsplit(f"imaps://{quote(USER, safe='')}:{quote(password, safe='')}@localhost:{server.port}/{folder}")


def starttls_address(server: ImapServer) -> SplitResult:
    secure = address(server)
    return secure._replace(scheme="imap+tls", netloc=secure.netloc.replace(str(server.port), str(server.starttls_port)))


def fill(server: ImapServer, *mails: bytes) -> None:
    with server.box() as box:
        for mail in mails:
            box.append("INBOX", "", "", mail)


def in_box(server: ImapServer) -> int:
    with server.box() as box:
        return len(box.search(None, "ALL")[1][0].split())


def read(**options: bool) -> str:
    out = StringIO()
    call_command("read_bounces", imap=True, stdout=out, **options)
    return out.getvalue().strip()


def test_what_is_new_is_read_once_and_stays(server: ImapServer) -> None:
    message = MessageFactory()
    fill(server, report(message), b"Subject: Hello\r\n\r\nHello\r\n")
    assert read() == "not about our mails: 1, refused for good: 1"
    assert Suppression.objects.filter(email=message.recipient_email).exists()
    assert (read(), in_box(server)) == ("nothing new", 2)


def test_what_was_read_is_deleted_on_request(server: ImapServer) -> None:
    fill(server, report(MessageFactory()), report(MessageFactory()))
    assert read(delete=True) == "refused for good: 2"
    assert in_box(server) == 0


def test_a_mail_that_stops_the_reader_is_read_again(server: ImapServer) -> None:
    fill(server, report(MessageFactory()), report(MessageFactory()))
    mails = bounce_box.mails(delete=True)
    next(mails)
    next(mails)
    mails.close()
    assert (bounce_box.count_new(), in_box(server)) == (1, 2)


def test_only_the_beginning_of_an_endless_mail_is_fetched(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounce_box, "MOST_BYTES", 3000)
    fill(server, report(MessageFactory()) + b"x" * 100_000)
    assert [len(data) for data in bounce_box.mails(delete=False)] == [3000]


def test_wrong_password_folder_or_certificate_says_so(
    server: ImapServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in (address(server, password="wrong"), address(server, folder="Nowhere")):
        settings.MAIL_BOUNCES_URL = wrong
        with pytest.raises(CommandError, match="cannot be read") as caught:
            read()
        assert "sesame" not in str(caught.value)
    settings.MAIL_BOUNCES_URL = address(server)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert ssl.get_default_verify_paths().cafile != str(server.certificate)
    with pytest.raises(CommandError, match="certificate"):
        read()


def test_a_mailbox_behind_starttls_is_read(server: ImapServer, settings: Settings) -> None:
    settings.MAIL_BOUNCES_URL = starttls_address(server)
    fill(server, report(MessageFactory()))
    assert read() == "refused for good: 1"


def test_behind_starttls_a_stranger_s_certificate_is_refused_before_the_password(
    server: ImapServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_BOUNCES_URL = starttls_address(server)
    monkeypatch.delenv("SSL_CERT_FILE")
    with monkeypatch.context() as patch:
        patch.setattr("imaplib.IMAP4.login", lambda *_args: pytest.fail("the password was sent"))
        with pytest.raises(CommandError, match="certificate"):
            read()


def test_the_doctor_tries_the_mailbox(server: ImapServer, settings: Settings) -> None:
    fill(server, report(MessageFactory()))
    (check,) = doctor.checks()
    assert (check.ok, check.detail) == (True, "answers; 1 not read")
    settings.MAIL_BOUNCES_URL = address(server, password="wrong")
    (check,) = doctor.checks()
    assert check.ok is False
    settings.MAIL_BOUNCES_URL = urlsplit("")
    assert list(doctor.checks()) == []


def test_without_a_mailbox_the_command_says_what_to_set(settings: Settings) -> None:
    settings.MAIL_BOUNCES_URL = urlsplit("")
    with pytest.raises(CommandError, match="MAIL_BOUNCES_URL"):
        read()
