"""A real SMTP server (aiosmtpd) whose answers a test writes down beforehand.

def test_something(smtp: SmtpServer) -> None:
    smtp.script("full@example.org", "452 4.2.2 Mailbox full")
"""

import asyncio
import email
import email.policy
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings


@dataclass(frozen=True)
class Received:
    """One mail as the server got it: the envelope and the parsed content."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    content: bytes


@dataclass
class SmtpServer:
    """What arrived, and what to answer next."""

    received: list[Received] = field(default_factory=list)
    host: str = ""
    port: int = 0
    on_data: Callable[[Received], str | None] = lambda _received: None
    _answers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def script(self, recipient: str, *answers: str) -> None:
        """Answer the next RCPT commands for this address so; then accept again."""
        self._answers[recipient].extend(answers)

    def to(self, recipient: str) -> list[Received]:
        return [one for one in self.received if recipient in one.recipients]

    # --- aiosmtpd's handler hooks ---

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        with self._lock:
            answers = self._answers[address]
            answer = answers.pop(0) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        received = Received(str(envelope.mail_from), tuple(envelope.rcpt_tos), message, content)
        with self._lock:
            self.received.append(received)
        answer = self.on_data(received)
        if answer == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer or "250 OK"


class _Controller(Controller):
    """Takes any free port; the library asks the port before it knows it."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library is half typed


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SmtpServer]:
    """A server on a free port of this machine, to which Rostrum's mails go."""
    server = SmtpServer()
    controller = _Controller(server, hostname="127.0.0.1", port=0)
    controller.start()
    server.host, server.port = controller.hostname, controller.port
    settings.EMAIL_BACKEND = "notifications.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    try:
        yield server
    finally:
        controller.stop()
