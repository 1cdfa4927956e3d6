"""Where mails go: a mail server, or a folder."""

import os
import smtplib
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend


class _NotesData:
    """Remembers that DATA has begun: from then on a lost connection no longer means that nothing arrived."""

    data_begun = False

    def data(self, msg: Any) -> Any:
        self.data_begun = True
        return super().data(msg)  # type: ignore[misc]  # smtplib's class is mixed in below


class _Smtp(_NotesData, smtplib.SMTP):
    pass


class _SmtpSsl(_NotesData, smtplib.SMTP_SSL):
    pass


class SmtpBackend(EmailBackend):
    """Django's, with connections that know how far they came (see `notifications.delivery`)."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SmtpSsl if self.use_ssl else _Smtp


class EmlFileBackend(BaseEmailBackend):
    """Writes each mail to one file in EMAIL_FILE_PATH, for machines without a mail server.

    A file has its final name only once it is complete; names sort by time.
    """

    def __init__(self, *, fail_silently: bool = False, file_path: str | None = None, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        self.folder = Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            message: Any = mail.message()  # the stubs know the next Django, whose messages have no `linesep`
            self._write(message.as_bytes(linesep="\r\n"))
        return len(email_messages)

    def _write(self, data: bytes) -> None:
        stamp = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.{time.time_ns() % 10**9:09d}"
        name = f"{stamp}-{os.getpid()}-{threading.get_ident() % 10**6}-{uuid.uuid4().hex[:8]}"
        partial = self.folder / f".{name}.part"
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.folder / f"{name}.eml")
        finally:
            partial.unlink(missing_ok=True)
