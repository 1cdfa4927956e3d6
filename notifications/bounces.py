"""What comes back for our mails: reports of failure (RFC 3464), complaints (RFC 5965), answering machines (RFC 3834).

Nothing here ever sends a mail. A report is believed only if it proves that it is about a mail of ours, by the envelope
address that was made for that one mail or by its Message-ID; otherwise anybody could have anybody suppressed.
"""

import email
import email.policy
import re
import uuid
from email.message import EmailMessage
from email.message import Message as AnyMessage
from email.utils import getaddresses
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.text import clean_line
from notifications.models import Bounce, BounceKind, Message
from notifications.services import suppress

DETAIL_MAX = 500
# Enhanced status codes (RFC 3463) after which an address will never take a mail: bad mailbox or domain (5.1), mailbox
# disabled (5.2.1), no route (5.4.4), no reason given. Full mailboxes, policies and large mails pass.
_GONE = re.compile(r"5\.(1\.\d+|2\.1|4\.4|0\.0)")
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-auto-response-suppress")


def envelope_sender(message: Message) -> str | None:
    """Return the address to which reports about this one mail go (VERP), or None when MAIL_BOUNCES is not set."""
    local, at, domain = settings.MAIL_BOUNCES.rpartition("@")
    return f"{local}+{message.pk.hex}-{_seal(message.pk.hex)}@{domain}" if at else None


def take(data: bytes) -> Bounce | None:
    """Record what one returned mail says. Returns None for what is no report, or none about a mail of ours.

    A hard refusal or a complaint suppresses the address at once. The same report twice changes nothing.
    """
    returned = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(returned, EmailMessage)
    message = _message_of(returned)
    if message is None:
        return None
    kind, detail = _reading_of(returned)
    if kind is None:
        return None
    return record(message=message, kind=kind, detail=detail)


def record(*, message: Message, kind: BounceKind, detail: str) -> Bounce:
    """Note what became of a mail after it was sent, and suppress its address when no mail can reach it, or none should.

    Called for reports that come by mail, and for what the mail server says at once.
    """
    with transaction.atomic():
        row, is_new = Bounce.objects.get_or_create(
            message=message,
            email=message.recipient_email,
            kind=kind,
            defaults={"detail": clean_line(detail, max_length=DETAIL_MAX)},
        )
        if is_new and kind in (BounceKind.HARD, BounceKind.COMPLAINT):
            reason = _("The address does not exist") if kind == BounceKind.HARD else _("Reported as unwanted")
            suppress(email=message.recipient_email, reason=f"{reason}: {row.detail}")
    return row


def is_gone(reply: str) -> bool:
    """Whether a mail server's words say that the address will never take a mail.

    >>> is_gone("550 5.1.1 No such user"), is_gone("552 5.2.2 Mailbox full"), is_gone("550 5.7.1 Relaying denied")
    (True, False, False)
    """
    found = re.search(r"\b5\.\d{1,3}\.\d{1,3}\b", reply)
    return found is not None and _GONE.fullmatch(found.group()) is not None


def _message_of(returned: EmailMessage) -> Message | None:
    """The mail that a report is about, if it proves it."""
    for header in ("To", "Delivered-To", "X-Original-To", "Envelope-To"):
        for _name, address in getaddresses([str(value) for value in returned.get_all(header, [])]):
            if (pk := _pk_in(address)) is not None:
                return Message.objects.filter(pk=pk).first()
    for part in returned.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            found = Message.objects.filter(message_id=_message_id_in(part)).first()
            if found is not None:
                return found
    return None


def _pk_in(address: str) -> uuid.UUID | None:
    local, _at, _domain = settings.MAIL_BOUNCES.rpartition("@")
    match = (
        re.fullmatch(rf"{re.escape(local)}\+([0-9a-f]{{32}})-([0-9a-f]{{10}})@.*", address.lower()) if local else None
    )
    if match is None or not constant_time_compare(match[2], _seal(match[1])):
        return None
    return uuid.UUID(match[1])


def _message_id_in(part: AnyMessage) -> str:
    payload: Any = part.get_payload()
    if isinstance(payload, list) and payload:
        return str(payload[0].get("Message-ID", "")).strip()
    headers = email.message_from_string(str(payload), policy=email.policy.default)
    return str(headers.get("Message-ID", "")).strip()


def _reading_of(returned: EmailMessage) -> tuple[BounceKind | None, str]:
    """What a report says, and in which words."""
    report = (
        str(returned.get_param("report-type", "")).lower() if returned.get_content_type() == "multipart/report" else ""
    )
    if report == "feedback-report":
        return BounceKind.COMPLAINT, ""
    if report == "delivery-status":
        return _delivery_status(returned)
    says_automatic = str(returned.get("Auto-Submitted", "no")).lower().split(";")[0].strip() not in ("no", "")
    if says_automatic or any(name in returned for name in _AUTOMATIC):
        return BounceKind.AUTOMATIC, str(returned.get("Subject", ""))
    return None, ""  # a person's own words, or something that we do not know


def _delivery_status(returned: EmailMessage) -> tuple[BounceKind | None, str]:
    for part in returned.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks: Any = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            action = str(block.get("Action", "")).strip().lower()
            if action not in ("failed", "delayed"):
                continue
            status = str(block.get("Status", "")).strip()
            detail = f"{status} {block.get('Diagnostic-Code', '')}"
            is_hard = action == "failed" and _GONE.match(status) is not None
            return BounceKind.HARD if is_hard else BounceKind.SOFT, detail
    return None, ""


def _seal(pk: str) -> str:
    return salted_hmac("notifications.bounces", pk, algorithm="sha256").hexdigest()[:10]
