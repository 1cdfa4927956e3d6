"""Queueing of mails. The app that knows the fact calls `send`; `notifications.delivery` does the rest."""

import csv
import io
import uuid
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Organisation, User
from accounts.personal_data import ERASED_DOMAIN
from accounts.services import record_action
from accounts.text import clean_line, without_links
from notifications.addresses import clean_address
from notifications.errors import AddressRefused
from notifications.models import Delivery, Message, Suppression
from notifications.opt_outs import unsubscribe_link
from notifications.rendering import SUBJECT_MAX, interface_language, render
from notifications.wording import Words, own_words
from work import services as work
from work.errors import StaleState

MAIL_TRIES = 8  # with the delays of `delivery`, about a day; greylisting alone may take several


def send(
    *,
    purpose: str,
    about: str,
    recipient_email: str,
    recipient_name: str,
    language: str,
    template: str,
    context: dict[str, Any],
    version: int = 0,
    organisation: Organisation | None = None,
    reply_to: str = "",
    calendar: str = "",
    calendar_method: str = "",
    is_bulk: bool = False,
    scope: str = "",
    is_optional: bool = False,
    words: Words | None = None,
) -> Message | None:
    """Queue one mail, rendered in the recipient's language, in the caller's transaction.

    The same purpose, subject (`about`, such as "registration:<id>"), address and version never make a second mail;
    a later version is a new mail about the same thing. Whether it is still wanted is asked again when it leaves.

    Args:
        template: the folder below `mail/` with subject.txt, body.txt and body.html (see `rendering.render`).
        reply_to: an address of people; empty takes the organisation's contact address.
        calendar: an iCalendar object whose METHOD is `calendar_method`.
        is_bulk: one of many alike, which nobody waits for. It is not sent twice even if the first may be lost.
        scope: what it belongs to, such as "webinar:<id>": an organisation's own words for that are taken, and its bulk
            mails have a rate of their own.
        words: written for this mail alone, in place of the template's `content`.
        is_optional: its reader may ask for no more of this scope, by a link in it and a header (RFC 8058).

    Returns:
        The new message, or None when this mail exists already.

    Raises:
        AddressRefused: the address cannot be written to.
    """
    address = clean_address(recipient_email)
    key = {"purpose": purpose, "about": about, "recipient_email": address, "version": version}
    if Message.objects.filter(**key).exists():
        return None
    pk = uuid.uuid4()
    can_stop = is_optional and organisation is not None
    rendered = render(
        template=template,
        language=language,
        recipient_name=recipient_name,
        context={
            "organisation_name": without_links(organisation.name) if organisation else "",
            "unsubscribe_url": unsubscribe_link(pk.hex) if can_stop else "",
            **context,
        },
        own_words=words or own_words(organisation=organisation, scope=scope, template=template, language=language),
    )
    message = Message(
        **key,
        id=pk,
        organisation=organisation,
        recipient_name=clean_line(recipient_name, max_length=150),
        language=rendered.language,
        message_id=f"<{pk.hex}@{_sender_domain()}>",
        reply_to=reply_to or (organisation.contact_email if organisation else ""),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        calendar=calendar,
        calendar_method=calendar_method,
        is_bulk=is_bulk,
        scope=scope,
        is_optional=can_stop,
        tries_left=MAIL_TRIES,
    )
    return _queue(message)


def send_written(
    *, purpose: str, about: str, recipient_email: str, language: str, subject: str, text: str
) -> Message | None:
    """Queue a mail that is written already, to somebody who waits for it. Each call is a mail.

    Raises:
        AddressRefused: the address cannot be written to.
    """
    pk = uuid.uuid4()
    return _queue(
        Message(
            id=pk,
            purpose=purpose,
            about=f"{about}:{pk.hex[:8]}"[-60:],
            recipient_email=clean_address(recipient_email),
            language=interface_language(language),
            message_id=f"<{pk.hex}@{_sender_domain()}>",
            subject=clean_line(subject, max_length=SUBJECT_MAX),
            text=text.strip() + "\n",
            tries_left=MAIL_TRIES,
        )
    )


def _queue(message: Message) -> Message | None:
    if message.recipient_email.endswith(f"@{ERASED_DOMAIN}"):
        return None  # the person behind the registration was forgotten
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        return None  # another process queued it between the look and the insert
    work.enqueue(message)
    return message


def send_again(*, message: Message) -> None:
    """Send a failed or lost mail once more, because a person decided so; its Message-ID stays.

    Raises:
        StaleState: it has not failed.
    """
    with transaction.atomic():
        changed = Message.objects.filter(pk=message.pk, delivery__in=[Delivery.FAILED, Delivery.UNKNOWN]).update(
            delivery=Delivery.QUEUED, handed_over_at=None, repeats=0
        )
        if not changed:
            raise StaleState("Only a mail that failed can be sent again.")
        work.retry(message)
        work.enqueue(message)


def suppress(*, email: str, reason: str, user: User | None = None) -> Suppression:
    """Write to this address no more. What waits in the queue for it is not sent either.

    Raises:
        AddressRefused: this is no address.
    """
    row, is_new = Suppression.objects.get_or_create(
        email=clean_address(email), defaults={"reason": clean_line(reason, max_length=200)}
    )
    if is_new:
        record_action(action="suppression.added", target=row, organisation=None, user=user)
    return row


def allow_again(*, suppression: Suppression, user: User | None) -> None:
    """Write to this address again, because somebody knows that it works now."""
    record_action(action="suppression.removed", target=suppression, organisation=None, user=user)
    suppression.delete()


def import_suppressions(*, text: str, user: User | None) -> tuple[int, list[str]]:
    """Suppress the addresses in a table (CSV: address, reason), or one address a line.

    Returns how many are new, and the lines that hold no address, cut short; the first line may be a heading.
    """
    before, refused = Suppression.objects.count(), []
    with transaction.atomic():
        for number, row in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff").replace("\0", "")))):
            cells = [cell.strip().lstrip("'") for cell in row]
            if not any(cells):
                continue
            try:
                suppress(email=cells[0], reason=cells[1] if len(cells) > 1 else "", user=user)
            except AddressRefused:
                if number:
                    refused.append(clean_line(cells[0], max_length=80))
    return Suppression.objects.count() - before, refused


def _sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
