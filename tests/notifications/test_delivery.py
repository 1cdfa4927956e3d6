"""Handing mails to a real SMTP server, and what becomes of them (promises M1-M3, M6, O5)."""

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

import work.kinds
import work.services
from notifications import purposes, services
from notifications.models import Delivery, Message
from tests.factories.notifications import MessageFactory
from tests.support.smtp import SmtpServer
from work.models import WorkState

pytestmark = pytest.mark.django_db
KIND = "notifications.message"


def queued(**values: Any) -> Message:
    message: Message = MessageFactory(**values)
    return message


def run(message: Message) -> Message:
    Message.objects.filter(pk=message.pk).update(due_at=None)
    work.services.execute(KIND, message.pk)
    message.refresh_from_db()
    return message


def test_mail_is_sent_and_recorded(smtp: SmtpServer) -> None:
    message = run(queued())
    assert [one.recipients for one in smtp.received] == [(message.recipient_email,)]
    assert (message.state, message.delivery) == (WorkState.DONE, Delivery.SENT)
    assert message.sent_at is not None


def test_running_a_sent_mail_again_sends_nothing(smtp: SmtpServer) -> None:
    message = run(queued())
    Message.objects.filter(pk=message.pk).update(state=WorkState.QUEUED)
    assert run(message).delivery == Delivery.SENT
    assert len(smtp.received) == 1


def test_temporary_refusals_are_retried_with_growing_delays(smtp: SmtpServer) -> None:
    message = queued()
    smtp.script(message.recipient_email, *["451 4.7.1 Greylisted"] * 3)
    delays = []
    for _try in range(3):
        message = run(message)
        assert (message.state, message.delivery) == (WorkState.QUEUED, Delivery.QUEUED)
        assert message.due_at is not None
        delays.append((message.due_at - timezone.now()).total_seconds())
    assert 40 < delays[0] < delays[1] / 2 < delays[2] / 4
    assert "451" in message.error
    assert run(message).delivery == Delivery.SENT
    assert len(smtp.received) == 1


def test_endless_temporary_refusals_end_as_failed(smtp: SmtpServer) -> None:
    message = queued(tries_left=1)
    smtp.script(message.recipient_email, "451 4.7.1 Greylisted")
    message = run(message)
    assert (message.state, message.delivery) == (WorkState.FAILED, Delivery.FAILED)
    assert message.error_code == "refused_for_now"


def test_permanent_refusal_fails_at_once_with_the_servers_words(smtp: SmtpServer) -> None:
    message = queued()
    smtp.script(message.recipient_email, "550 5.1.1 No such user")
    message = run(message)
    assert (message.state, message.delivery, message.error_code) == (WorkState.FAILED, Delivery.FAILED, "refused")
    assert "No such user" in message.error
    assert smtp.received == []


def test_one_bad_address_does_not_stop_the_others(smtp: SmtpServer) -> None:
    messages = MessageFactory.create_batch(3)
    smtp.script(messages[1].recipient_email, "550 5.1.1 No such user")
    assert [run(message).delivery for message in messages] == [Delivery.SENT, Delivery.FAILED, Delivery.SENT]


def test_refused_content_fails_at_once(smtp: SmtpServer) -> None:
    smtp.on_data = lambda _received: "554 5.7.1 Looks like spam"
    message = run(queued())
    assert (message.state, message.delivery, message.handed_over_at) == (WorkState.FAILED, Delivery.FAILED, None)


def test_absent_server_costs_no_try(settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "notifications.backends.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        message = queued()
        tries = message.tries_left
        message = run(message)
    assert (message.state, message.delivery, message.tries_left) == (WorkState.QUEUED, Delivery.QUEUED, tries)
    assert message.error_code == "server_away"
    assert message.due_at is not None


def test_access_mail_whose_outcome_was_lost_is_repeated_once_with_its_id(smtp: SmtpServer) -> None:
    smtp.on_data = lambda _received: "drop"
    message = queued()
    assert run(message).state == WorkState.QUEUED
    message = run(message)
    assert (message.state, message.delivery) == (WorkState.FAILED, Delivery.UNKNOWN)
    assert [one.message["Message-ID"] for one in smtp.received] == [message.message_id] * 2


def test_bulk_mail_whose_outcome_was_lost_is_not_repeated(smtp: SmtpServer) -> None:
    smtp.on_data = lambda _received: "drop"
    message = run(queued(is_bulk=True))
    assert (message.state, message.delivery, message.error_code) == (
        WorkState.FAILED,
        Delivery.UNKNOWN,
        "delivery_unknown",
    )
    assert len(smtp.received) == 1


def test_bulk_mail_found_half_sent_after_a_crash_becomes_unknown(smtp: SmtpServer) -> None:
    message = run(queued(is_bulk=True, handed_over_at=timezone.now(), delivery=Delivery.SENDING))
    assert (message.state, message.delivery) == (WorkState.FAILED, Delivery.UNKNOWN)
    assert smtp.received == []


def test_access_mail_found_half_sent_after_a_crash_is_sent_again(smtp: SmtpServer) -> None:
    message = run(queued(handed_over_at=timezone.now(), delivery=Delivery.SENDING))
    assert message.delivery == Delivery.SENT
    assert len(smtp.received) == 1


@pytest.mark.django_db(transaction=True)
def test_killed_worker_leaves_one_repeat_of_an_access_mail(smtp: SmtpServer, settings: Settings) -> None:
    """The server takes the mail and the worker dies before it hears so; the sweeper brings the mail back."""
    message = queued()
    worker = _start_worker(message, smtp)
    smtp.on_data = lambda _received: os.kill(worker.pid, signal.SIGKILL)
    worker.communicate(b"go\n", timeout=60)
    smtp.on_data = lambda _received: None
    assert worker.returncode == -signal.SIGKILL
    Message.objects.filter(pk=message.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work.services.sweep()
    assert run(message).delivery == Delivery.SENT
    assert [one.message["Message-ID"] for one in smtp.received] == [message.message_id] * 2


def _start_worker(message: Message, smtp: SmtpServer) -> "subprocess.Popen[bytes]":
    """A process that does the work on the row as soon as it reads a line."""
    database = connection.settings_dict
    code = (
        "import sys, django; django.setup()\n"
        "from django.conf import settings\n"
        f"settings.DATABASES['default']['NAME'] = {str(database['NAME'])!r}\n"
        f"settings.EMAIL_HOST, settings.EMAIL_PORT = {smtp.host!r}, {smtp.port}\n"
        "import work.services\n"
        "sys.stdin.readline()\n"
        f"work.services.execute({KIND!r}, {str(message.pk)!r})\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "EMAIL_URL": "smtp://127.0.0.1:1"}
    root = Path(django_settings.BASE_DIR)
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, env=environment, cwd=root)


def test_unwanted_mail_is_not_sent(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purposes, "_still_wanted", {"test": lambda _message: False})
    message = run(queued())
    assert (message.state, message.delivery, message.error_code) == (
        WorkState.SKIPPED,
        Delivery.SUPPRESSED,
        "not_wanted",
    )
    assert smtp.received == []


def test_suppressed_address_gets_nothing_though_it_was_queued(smtp: SmtpServer) -> None:
    message = queued(recipient_email="gone@example.org")
    services.suppress(email="Gone@Example.org", reason="hard bounce")
    message = run(message)
    assert (message.state, message.delivery) == (WorkState.SKIPPED, Delivery.SUPPRESSED)
    assert smtp.received == []


def test_mails_wait_when_the_minute_is_full(smtp: SmtpServer, settings: Settings) -> None:
    settings.MAIL_PER_MINUTE = 2
    messages = [run(message) for message in MessageFactory.create_batch(4)]
    assert [message.delivery for message in messages] == [Delivery.SENT] * 2 + [Delivery.QUEUED] * 2
    assert messages[2].error_code == "rate_limited"
    assert messages[2].tries_left == messages[0].tries_left
    Message.objects.update(handed_over_at=timezone.now() - timedelta(seconds=61))
    Message.objects.filter(delivery=Delivery.QUEUED).update(handed_over_at=None)
    assert run(messages[2]).delivery == Delivery.SENT


@pytest.mark.django_db(transaction=True)
def test_rate_holds_with_several_workers(smtp: SmtpServer, settings: Settings) -> None:
    settings.MAIL_PER_MINUTE = 5
    messages = MessageFactory.create_batch(12)
    barrier = threading.Barrier(4)

    def work_through(mine: list[Message]) -> None:
        barrier.wait()
        for message in mine:
            work.services.execute(KIND, message.pk)
        connection.close()

    threads = [threading.Thread(target=work_through, args=(messages[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(smtp.received) <= 5
    assert Message.objects.filter(delivery=Delivery.SENT).count() == len(smtp.received)


def test_a_person_may_send_an_unknown_bulk_mail_again(smtp: SmtpServer) -> None:
    message = run(queued(is_bulk=True, handed_over_at=timezone.now()))
    services.send_again(message=message)
    assert run(message).delivery == Delivery.SENT
    assert len(smtp.received) == 1


def test_bulk_leaves_a_tenth_of_the_rate_to_mail_that_people_wait_for(smtp: SmtpServer, settings: Settings) -> None:
    settings.MAIL_PER_MINUTE = 10
    bulk = [run(message) for message in MessageFactory.create_batch(11, is_bulk=True)]
    assert [message.delivery for message in bulk] == [Delivery.SENT] * 9 + [Delivery.QUEUED] * 2
    assert run(queued()).delivery == Delivery.SENT
    assert run(queued()).error_code == "rate_limited"


def test_one_webinars_bulk_has_a_rate_of_its_own(smtp: SmtpServer, settings: Settings) -> None:
    settings.MAIL_PER_WEBINAR = 2
    large = [run(message) for message in MessageFactory.create_batch(3, is_bulk=True, scope="webinar:1")]
    other, needed = run(queued(is_bulk=True, scope="webinar:2")), run(queued(scope="webinar:1"))
    assert [message.delivery for message in large] == [Delivery.SENT] * 2 + [Delivery.QUEUED]
    assert [other.delivery, needed.delivery] == [Delivery.SENT] * 2


def test_a_large_bulk_waits_in_portions_of_a_minute(smtp: SmtpServer, settings: Settings) -> None:
    settings.MAIL_PER_WEBINAR = 2
    made = [run(message) for message in MessageFactory.create_batch(8, is_bulk=True, scope="webinar:1")]
    waits = [(message.due_at - timezone.now()).total_seconds() for message in made if message.due_at]
    assert [round(wait / 60) for wait in waits] == [1, 1, 2, 2, 3, 3]


def test_bulk_is_swept_up_after_what_people_wait_for() -> None:
    old, new = queued(is_bulk=True), queued()
    kind = work.kinds.of(new)
    assert list(Message.objects.order_by(*kind.order)) == [new, old]
    assert [kind.queue(old), kind.queue(new)] == ["bulk", "mail"]
