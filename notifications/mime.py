"""A message row as an Internet message (RFC 5322), with its calendar part (RFC 6047)."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from accounts.text import clean_line
from notifications import bounces
from notifications.models import Message
from notifications.opt_outs import unsubscribe_link

NAME_MAX = 60


def build_mail(message: Message) -> EmailMultiAlternatives:
    """Return the mail, ready to be sent.

    text/plain, text/html and, with a calendar, text/calendar are alternatives of each other; the same calendar is
    attached once more as invite.ics for programs that offer only attachments. The `method` parameter repeats METHOD of
    the calendar, which RFC 6047, section 2.4, demands.
    """
    headers = {
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",  # RFC 3834: answering machines stay silent
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "Content-Language": message.language,
    }
    if message.is_bulk:
        headers["Precedence"] = "bulk"
    if message.is_optional:
        headers["List-Unsubscribe"] = f"<{unsubscribe_link(message.pk.hex)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    if (sender := bounces.envelope_sender(message)) is not None:
        headers["From"] = settings.DEFAULT_FROM_EMAIL
    mail = EmailMultiAlternatives(
        subject=_inert(message.subject),
        body=message.text,
        from_email=sender or settings.DEFAULT_FROM_EMAIL,  # the envelope's; `From` above is what its reader sees
        to=[_mailbox(message.recipient_name, message.recipient_email)],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    if message.calendar:
        mail.attach_alternative(message.calendar, f"text/calendar; method={message.calendar_method}")
        mail.attach("invite.ics", message.calendar.encode(), "application/ics")
    return mail


def _mailbox(name: str, address: str) -> str:
    cleaned = _inert(clean_line(name, max_length=NAME_MAX)).replace("\\", "").replace('"', "'")
    return f'"{cleaned}" <{address}>' if cleaned else address


def _inert(value: str) -> str:
    """Text that is shown as it stands: what looks like an encoded word (RFC 2047) is never decoded by the reader."""
    return value.replace("=?", "=\u2060?")
