"""Hands a mail to the mail server, over a connection that is kept for the next one.

A worker sends one mail after another, and greeting the server costs more than most mails. So each thread keeps its
connection: RSET before each further mail shows that it still lives and that nothing of the mail before is left (RFC
5321, section 4.1.1.5). After IDLE_S without a mail, or MAX_MAILS of them, it is closed with QUIT.
"""

import contextlib
import smtplib
import threading
import time
import weakref
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

IDLE_S = 10.0  # servers wait some minutes; others want the connection too
MAX_MAILS = 100  # in one connection; common limits of servers are above
_ROUTE = ("BACKEND", "HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL", "FILE_PATH")


class Failure:
    """How sending ended badly: the server's code if it gave one, and whether it is certain that nothing was taken."""

    def __init__(self, error: Exception, *, smtp_code: int | None = None, is_certain: bool = True) -> None:
        self.error = error
        self.smtp_code = smtp_code
        self.is_certain = is_certain

    def __str__(self) -> str:
        text = getattr(self.error, "smtp_error", None) or str(self.error)
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)

    @property
    def is_of_the_connection(self) -> bool:
        """Whether another connection may do better: this one ended, or the server takes no further mail over it."""
        if not self.is_certain:
            return False
        is_full = isinstance(self.error, smtplib.SMTPSenderRefused) and 400 <= self.error.smtp_code < 500
        return self.smtp_code in (None, 421) or is_full


def transmit(mail: EmailMessage) -> Failure | None:
    """Send one mail. Returns None when the server took it, else how it failed.

    What a kept connection cannot do, one new connection is asked at once; a mail whose fate is uncertain is never sent
    again here.
    """
    kept = _of_this_thread()
    with kept.lock:
        try:
            was_kept = kept.prepare()
            failure = kept.send(mail)
            if failure is not None and was_kept and failure.is_of_the_connection:
                kept.close()
                kept.prepare()
                failure = kept.send(mail)
        except (smtplib.SMTPException, OSError) as error:  # it could not be opened, so nothing was said of the mail
            kept.close()
            return Failure(error)
    return failure


def close_connections() -> None:
    """Say goodbye to the mail server on every connection of this process."""
    for kept in list(_every):
        with kept.lock:
            kept.close()


class _Kept:
    """One thread's connection. Whoever uses it holds `lock`: the timer that closes it is a thread of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._backend: Any = None
        self._route: tuple[Any, ...] = ()
        self._mails = 0
        self._used_at = 0.0
        self._timer: threading.Timer | None = None

    def prepare(self) -> bool:
        """Have an open connection, and say whether it was there before.

        Raises:
            SMTPException, OSError: the server cannot be reached, or does not let us in.
        """
        route = tuple(getattr(settings, f"EMAIL_{name}", None) for name in _ROUTE)
        if self._backend is not None and route == self._route and self._mails < MAX_MAILS and self._is_alive():
            return True
        self.close()
        self._backend, self._route, self._mails = get_connection(), route, 0
        self._backend.open()
        return False

    def send(self, mail: EmailMessage) -> Failure | None:
        smtp = getattr(self._backend, "connection", None)
        if smtp is not None:
            smtp.data_begun = False
        self._mails += 1
        failure = self._send(mail, smtp)
        self._used_at = time.monotonic()
        if smtp is None or getattr(smtp, "sock", None) is None:
            self.close()  # no connection that could be kept, or one that has ended
        elif self._timer is None:
            self._watch(IDLE_S)
        return failure

    def _send(self, mail: EmailMessage, smtp: Any) -> Failure | None:
        try:
            self._backend.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return Failure(smtplib.SMTPResponseException(code, text), smtp_code=code)
        except smtplib.SMTPResponseException as error:
            return Failure(error, smtp_code=error.smtp_code)
        except smtplib.SMTPNotSupportedError as error:
            return Failure(error, smtp_code=550)
        except (smtplib.SMTPException, OSError) as error:
            # A connection of another class cannot say how far it came.
            is_certain = not getattr(smtp, "data_begun", smtp is not None)
            self.close()  # after a timeout the server's late answer would be taken for that to the next command
            return Failure(error, is_certain=is_certain)
        return None

    def close(self) -> None:
        """End the connection. The mails before were taken or refused by now; how the goodbye goes changes nothing."""
        backend, self._backend = self._backend, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if backend is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                backend.close()

    def _is_alive(self) -> bool:
        try:
            code, _text = self._backend.connection.rset()
        except (smtplib.SMTPException, OSError):
            return False
        return bool(code == 250)

    def _watch(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._close_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _close_if_idle(self) -> None:
        with self.lock:
            self._timer = None
            left_s = self._used_at + IDLE_S - time.monotonic()
            if self._backend is None:
                return
            if left_s > 0:
                self._watch(left_s)
            else:
                self.close()


_local = threading.local()
_every: "weakref.WeakSet[_Kept]" = weakref.WeakSet()


def _of_this_thread() -> _Kept:
    kept: _Kept | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = _Kept()
        _every.add(kept)
    return kept
