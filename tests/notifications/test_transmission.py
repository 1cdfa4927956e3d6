"""One connection to the mail server for many mails, and what each may rely on all the same (promises M2, M3)."""

import time

import pytest
from pytest_django import Settings

import work.services
from notifications import transmission
from notifications.models import Delivery, Message
from tests.factories.notifications import MessageFactory
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _end_connections() -> None:
    transmission.close_connections()


def send(**values: object) -> Message:
    message: Message = MessageFactory(**values)
    work.services.execute("notifications.message", message.pk)
    message.refresh_from_db()
    return message


def connections(smtp: SmtpServer) -> int:
    return len({one.connection for one in smtp.received})


def test_mails_one_after_another_share_a_connection(smtp: SmtpServer) -> None:
    assert {send().delivery for _mail in range(5)} == {Delivery.SENT}
    assert (len(smtp.received), connections(smtp)) == (5, 1)


def test_a_refused_recipient_leaves_nothing_to_the_next_mail(smtp: SmtpServer) -> None:
    smtp.script("full@example.org", "452 4.2.2 Mailbox full")
    smtp.script("nobody@example.org", "550 5.1.1 No such user")
    names = ["first", "full", "second", "nobody", "third"]
    states = [send(recipient_email=f"{name}@example.org").delivery for name in names]
    assert states == [Delivery.SENT, Delivery.QUEUED, Delivery.SENT, Delivery.FAILED, Delivery.SENT]
    assert [one.recipients for one in smtp.received] == [
        ("first@example.org",),
        ("second@example.org",),
        ("third@example.org",),
    ]
    assert connections(smtp) == 1


def test_refused_content_leaves_nothing_to_the_next_mail(smtp: SmtpServer) -> None:
    answers = iter(["250 OK", "554 5.7.1 Looks like spam", "250 OK"])
    smtp.on_data = lambda _received: next(answers)
    assert [send().delivery for _mail in range(3)] == [Delivery.SENT, Delivery.FAILED, Delivery.SENT]
    assert connections(smtp) == 1


def test_a_connection_that_died_in_between_costs_nothing(smtp: SmtpServer) -> None:
    send()
    smtp.cut()
    time.sleep(0.1)
    assert send(is_bulk=True).delivery == Delivery.SENT
    assert connections(smtp) == 2


def test_a_server_that_takes_no_more_over_a_connection_gets_another(smtp: SmtpServer) -> None:
    taken: dict[int, int] = {}

    def two_each(connection: int) -> str | None:
        taken[connection] = taken.get(connection, 0) + 1
        return None if taken[connection] <= 2 else "452 4.5.3 Too many mails in this session"

    smtp.on_mail = two_each
    assert {send().delivery for _mail in range(5)} == {Delivery.SENT}
    assert (len(smtp.received), connections(smtp)) == (5, 3)


@pytest.mark.parametrize("answer", ["421 4.3.2 Shutting down", "drop"])
def test_a_connection_lost_before_data_is_no_unknown_outcome(smtp: SmtpServer, answer: str) -> None:
    """DATA of the mail before says nothing of this one: it goes out over a new connection, though it is bulk."""
    send()
    smtp.script("next@example.org", answer)
    assert send(is_bulk=True, recipient_email="next@example.org").delivery == Delivery.SENT
    assert len(smtp.to("next@example.org")) == 1


def test_a_refusal_for_now_is_asked_once(smtp: SmtpServer) -> None:
    """What the server says of the recipient is no fault of the connection."""
    send()
    smtp.script("grey@example.org", "451 4.7.1 Greylisted")
    assert send(recipient_email="grey@example.org").error_code == "refused_for_now"


def test_a_connection_lost_after_data_is_unknown_and_the_next_mail_leaves(smtp: SmtpServer) -> None:
    send()
    smtp.on_data = lambda _received: "drop"
    assert send(is_bulk=True, recipient_email="lost@example.org").delivery == Delivery.UNKNOWN
    smtp.on_data = lambda _received: None
    assert send(is_bulk=True).delivery == Delivery.SENT
    assert len(smtp.to("lost@example.org")) == 1


def test_an_idle_connection_is_closed_with_a_goodbye(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transmission, "IDLE_S", 0.1)
    send()
    deadline = time.monotonic() + 5
    while not smtp.farewells and time.monotonic() < deadline:
        time.sleep(0.02)
    assert smtp.farewells == [smtp.received[0].connection]
    assert send().delivery == Delivery.SENT
    assert connections(smtp) == 2


def test_a_connection_is_renewed_after_so_many_mails(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transmission, "MAX_MAILS", 2)
    for _mail in range(5):
        send()
    assert (len(smtp.received), connections(smtp), len(smtp.farewells)) == (5, 3, 2)


def test_another_server_gets_a_connection_of_its_own(smtp: SmtpServer, settings: Settings) -> None:
    send()
    settings.EMAIL_HOST = "localhost"
    assert send().delivery == Delivery.SENT
    assert connections(smtp) == 2
