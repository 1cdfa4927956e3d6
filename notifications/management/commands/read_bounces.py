"""`manage.py read_bounces`: take up what came back for our mails."""

import mailbox
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications import bounce_box, bounces
from notifications.errors import MailboxUnreachable


class Command(BaseCommand):
    help = (
        "Read returned mails: one from standard input (for a mail server's pipe), or all of a Maildir, mbox or IMAP "
        "mailbox. Addresses that do not exist get no more mail. Reading the same mail twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "box", nargs="?", default="-", help="a Maildir folder or an mbox file; - for standard input"
        )
        parser.add_argument("--imap", action="store_true", help="read the mailbox that MAIL_BOUNCES_URL names")
        parser.add_argument(
            "--delete", action="store_true", help="remove each mail from the Maildir or IMAP mailbox once it was read"
        )

    def handle(self, *_args: Any, box: str, imap: bool, delete: bool, **_options: Any) -> None:
        if imap and not settings.MAIL_BOUNCES_URL.hostname:
            raise CommandError("Set MAIL_BOUNCES_URL=imaps://user:password@host/INBOX first.")
        counts: Counter[str] = Counter()
        try:
            for data in _source(box, imap=imap, delete=delete):
                found = bounces.take(data)
                counts[str(found.get_kind_display()) if found else "not about our mails"] += 1
        except MailboxUnreachable as error:
            raise CommandError(str(error)) from error
        if imap or box != "-":  # a mail server would send what a pipe prints back to somebody
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "nothing new")


def _source(box: str, *, imap: bool, delete: bool) -> Iterable[bytes]:
    if imap:
        return bounce_box.mails(delete=delete)
    return [sys.stdin.buffer.read()] if box == "-" else _mails(Path(box), delete=delete)


def _mails(path: Path, *, delete: bool) -> Iterator[bytes]:
    if not path.exists():
        raise CommandError(f"{path} does not exist.")
    box: Any = mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
    for key in list(box.keys()):
        yield box.get_bytes(key)
        if delete and path.is_dir():
            box.remove(key)
