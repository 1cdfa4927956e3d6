"""Does anybody hear of mails that could not be delivered?"""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse

from notifications import bounce_box
from notifications.errors import MailboxUnreachable
from work.doctor import Check

MANY = 200  # mails in the box that nobody has read: the command does not run


def checks() -> Iterable[Check]:
    if settings.MAIL_WEBHOOKS:
        address = settings.BASE_URL + reverse("notifications:webhook")
        secret = "with MAIL_WEBHOOK_SECRET as its name and password"  # noqa: S105  (no password)
        yield Check("mail reports", True, f"{settings.MAIL_WEBHOOKS} may post to {address}, {secret}")
    if settings.MAIL_BOUNCES_URL.hostname:
        yield _mailbox()
    if settings.EMAIL_URL.scheme != "eml" and not settings.MAIL_WEBHOOKS and not settings.MAIL_BOUNCES:
        advice = "Set MAIL_BOUNCES, or MAIL_WEBHOOKS if a mail service sends for you (docs/mail.md)."
        text = f"undeliverable mails return to {settings.DEFAULT_FROM_EMAIL}, and nothing is learned from them"
        yield Check("undeliverable mail", None, text, advice)


def _mailbox() -> Check:
    name = f"mailbox for undeliverable mail ({settings.MAIL_BOUNCES_URL.hostname})"
    try:
        new = bounce_box.count_new()
    except MailboxUnreachable as error:
        return Check(name, False, str(error), "Check MAIL_BOUNCES_URL: name and password with %40 for @.")
    if not settings.MAIL_BOUNCES:
        return Check(name, None, f"answers; {new} not read", "Set MAIL_BOUNCES, so that mails return there.")
    if new > MANY:
        return Check(
            name, None, f"answers; {new} not read", "Have `manage.py read_bounces --imap` run every ten minutes."
        )
    return Check(name, True, f"answers; {new} not read")
