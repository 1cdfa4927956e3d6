"""Asking for no more of one kind of mail, by the link in it or by the mail program's own button (RFC 8058)."""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.dispatch import Signal
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.links import LinkError
from accounts.services import record_action
from notifications.models import Message, OptOut

opted_out = Signal()
"""Somebody wants no more optional mail of one scope. Arguments: `opt_out`. Sent in the same transaction."""

_signer = signing.Signer(salt="link.unsubscribe")


def unsubscribe_link(pk: str) -> str:
    """Return the absolute address by which the reader of the mail with this id (hexadecimal) asks for no more.

    It never expires: laws on mail give no date after which somebody must be asked again.
    """
    return settings.BASE_URL + reverse("notifications:unsubscribe", args=[_signer.sign(pk).replace(":", "~")])


def message_by_token(token: str) -> Message:
    """Return the mail that an unsubscribe link came with.

    Raises:
        LinkError: it is forged or damaged, its mail is gone, or was not one of those that can be stopped.
    """
    try:
        pk = _signer.unsign(token.replace("~", ":"))
    except signing.BadSignature:
        raise LinkError(_("This link is not valid. Check that it was copied whole.")) from None
    found = Message.objects.select_related("organisation").filter(pk=pk, is_optional=True).first()
    if found is None or found.organisation is None:
        raise LinkError(_("This link is too old. Please reply to the mail that it came with."))
    return found


def opt_out(*, message: Message) -> OptOut:
    """Send the reader of `message` no more optional mail of its scope. Asking twice changes nothing."""
    assert message.organisation is not None  # `message_by_token` finds no other
    with transaction.atomic():
        row, is_new = OptOut.objects.get_or_create(
            email=message.recipient_email, organisation=message.organisation, scope=message.scope
        )
        if is_new:
            record_action(
                action="mail.opted_out",
                target=row,
                organisation=message.organisation,
                actor="recipient",
                scope=row.scope,
            )
            opted_out.send(sender=OptOut, opt_out=row)
    return row


def opt_in(*, message: Message) -> None:
    """Take an opt-out back, as its reader asked."""
    assert message.organisation is not None  # `message_by_token` finds no other
    with transaction.atomic():
        row = OptOut.objects.filter(
            email=message.recipient_email, organisation=message.organisation, scope=message.scope
        ).first()
        if row is not None:
            record_action(
                action="mail.opted_in",
                target=row,
                organisation=message.organisation,
                actor="recipient",
                scope=row.scope,
            )
            row.delete()


def is_opted_out(message: Message) -> bool:
    """Whether the reader asked for no more of this."""
    return (
        message.is_optional
        and OptOut.objects.filter(
            email=message.recipient_email, organisation=message.organisation_id, scope=message.scope
        ).exists()
    )
