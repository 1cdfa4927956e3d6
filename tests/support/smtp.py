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

from notifications.transmission import close_connections


@dataclass(frozen=True)
class Received:
    """One mail as the server got it: the envelope and the parsed content."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    content: bytes
    connection: int = 0  # the client's port: mails that came over one connection have the same


@dataclass
class SmtpServer:
    """What arrived, and what to answer next."""

    received: list[Received] = field(default_factory=list)
    host: str = ""
    port: int = 0
    on_mail: Callable[[int], str | None] = lambda _connection: None
    on_data: Callable[[Received], str | None] = lambda _received: None
    farewells: list[int] = field(default_factory=list)  # connections that ended with QUIT
    _answers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _servers: list[SMTP] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def script(self, recipient: str, *answers: str) -> None:
        """Answer the next RCPT commands for this address so ("drop" ends the connection); then accept again."""
        self._answers[recipient].extend(answers)

    def cut(self) -> None:
        """End every connection without a word, as a server that is restarted does."""
        for server in self._servers:
            server.loop.call_soon_threadsafe(_abort, server)

    def to(self, recipient: str) -> list[Received]:
        return [one for one in self.received if recipient in one.recipients]

    # --- aiosmtpd's handler hooks ---

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        self._servers.append(server)
        answer = self.on_mail(_port(session)) or "250 OK"
        if answer.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return _said(server, answer)

    async def handle_QUIT(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:
        self.farewells.append(_port(session))
        return "221 Bye"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        with self._lock:
            answers = self._answers[address]
            answer = answers.pop(0) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return _said(server, answer)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        received = Received(
            str(envelope.mail_from), tuple(envelope.rcpt_tos), message, content, connection=_port(session)
        )
        with self._lock:
            self.received.append(received)
        return _said(server, self.on_data(received) or "250 OK")


def _said(server: SMTP, answer: str) -> str:
    """The answer "drop" ends the connection instead."""
    if answer == "drop":
        _abort(server)
    return answer


def _abort(server: SMTP) -> None:
    if server.transport is not None:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()


def _port(session: Session) -> int:
    peer: Any = session.peer
    return int(peer[1])


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
        close_connections()
        controller.stop()
