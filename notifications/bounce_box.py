"""The mailbox to which undeliverable mails return, read by IMAP (RFC 3501) over TLS."""

import contextlib
import imaplib
import ssl
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import SplitResult, unquote

from django.conf import settings
from django.utils.translation import gettext as _

from notifications.errors import MailboxUnreachable

TIMEOUT_S = 30
MOST_BYTES = 2 * 1024**2  # of one mail: reports are small, but may hold the whole mail that they are about


@contextlib.contextmanager
def opened(*, read_only: bool = False) -> Iterator[imaplib.IMAP4]:
    """Sign in at MAIL_BOUNCES_URL and open its folder.

    Raises:
        MailboxUnreachable: the server is away, is not who it should be, or does not let us in; also where that happens
            in the body.
    """
    url = settings.MAIL_BOUNCES_URL
    try:
        with _connected(url) as box:
            box.login(unquote(url.username or ""), unquote(url.password or ""))
            _expect(box.select(_quoted(unquote(url.path.strip("/")) or "INBOX"), readonly=read_only))
            yield box
    except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
        words = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        raise MailboxUnreachable(
            _("The mailbox for undeliverable mails cannot be read: %(error)s") % {"error": text[:300]}
        ) from error


def mails(*, delete: bool) -> Generator[bytes, None, None]:
    """Read what is new, one mail after another, each at most MOST_BYTES of it.

    A mail is marked as read, or deleted, once the next one is asked for, so one that stops the reader is read again.

    Raises:
        MailboxUnreachable: see `opened`.
    """
    with opened() as box:
        found = _expect(box.uid("SEARCH", "UNDELETED" if delete else "UNSEEN UNDELETED"))
        for uid in bytes(found[0] or b"").split():
            data = _expect(box.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)"))
            content = next((part[1] for part in data if isinstance(part, tuple)), None)
            if content is not None:  # else another program deleted it meanwhile
                yield content
                _expect(box.uid("STORE", uid.decode(), "+FLAGS.SILENT", r"(\Seen \Deleted)" if delete else r"(\Seen)"))
        if delete:
            _expect(box.expunge())


def count_new() -> int:
    """How many mails nobody has read yet; changes nothing.

    Raises:
        MailboxUnreachable: see `opened`.
    """
    with opened(read_only=True) as box:
        return len(bytes(_expect(box.uid("SEARCH", "UNSEEN UNDELETED"))[0] or b"").split())


def _connected(url: SplitResult) -> imaplib.IMAP4:
    host = url.hostname or ""
    context = ssl.create_default_context()
    if url.scheme == "imaps":
        return imaplib.IMAP4_SSL(host, url.port or 993, ssl_context=context, timeout=TIMEOUT_S)
    box = imaplib.IMAP4(host, url.port or 143, timeout=TIMEOUT_S)
    try:
        box.starttls(context)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong is worth more than that the connection is gone
            box.shutdown()
        raise
    return box


def _expect(answer: tuple[str, Any]) -> Any:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(data[0] if data else status)
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
