"""Hands one mail to the mail server and records what became of it.

`handed_over_at` is stored before the server hears of the mail and taken back when the server clearly refused it. A
worker that finds it set knows that an earlier one died, or lost the connection, in the only moment whose outcome
cannot be known: mail that somebody waits for (a personal link) is then repeated once, with the same Message-ID, so
that a mail program shows it once; bulk mail stays `unknown` until a person decides (promise M2).
"""

import random
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import bounces, opt_outs, purposes
from notifications.mime import build_mail
from notifications.models import ACCOUNT, BounceKind, Delivery, Message, Suppression
from notifications.services import MAIL_TRIES
from notifications.transmission import Failure, transmit
from work.errors import DomainError, PermanentFailure, Skip, TemporaryFailure
from work.leases import Lease
from work.models import WorkState

BACKOFF_S = (60, 300, 900, 3600, 4 * 3600, 8 * 3600, 12 * 3600)  # after the first, second, ... temporary refusal
AWAY_S = (60, 900)  # shortest and longest pause while the server cannot be reached
RATE_WINDOW_S = 60


def deliver(lease: Lease[Message]) -> None:
    """Send the mail that the lease is for; the handler of the kind "notifications.message".

    Raises:
        Skip: it is no longer wanted, or its address is suppressed.
        PermanentFailure: the server refused it for good, or its fate is unknown and it must not be repeated.
        TemporaryFailure: later may go better. A server that is away costs no try (promise O5).
    """
    message = lease.row
    if message.sent_at is not None:
        return
    if not purposes.is_still_wanted(message):
        raise Skip(_("This mail is no longer wanted."), code="not_wanted")
    if opt_outs.is_opted_out(message):
        raise Skip(_("Its reader asked for no more of these mails."), code="opted_out")
    if Suppression.objects.filter(email=message.recipient_email).exists():
        raise Skip(_("Nothing is sent to this address any more."), code="suppressed")
    if message.handed_over_at is not None:
        _repeat_or_give_up(lease)
    mail = build_mail(message)
    lease.check()
    _take_turn(lease)
    failure = transmit(mail)
    if failure is None:
        lease.write(sent_at=timezone.now(), delivery=Delivery.SENT)
        return
    if failure.is_certain:
        lease.write(handed_over_at=None, delivery=Delivery.QUEUED)
    if failure.smtp_code is not None and failure.smtp_code >= 500 and bounces.is_gone(str(failure)):
        bounces.record(message=message, kind=BounceKind.HARD, detail=str(failure))
    raise _answer_to(failure, message)


def settle(message: Message) -> None:
    """Bring `delivery` in line with how the work on the row ended; runs in the same transaction."""
    if message.state == WorkState.DONE or message.sent_at is not None:
        delivery = Delivery.SENT
    elif message.state == WorkState.FAILED:
        delivery = Delivery.FAILED if message.handed_over_at is None else Delivery.UNKNOWN
    else:
        delivery = Delivery.SUPPRESSED
    # Codes and links to sign in with are of no use to the outbox once the mail has left.
    gone = {"text": ""} if message.purpose == ACCOUNT and delivery != Delivery.FAILED else {}
    Message.objects.filter(pk=message.pk).update(delivery=delivery, **gone)
    message.delivery = delivery


def _repeat_or_give_up(lease: Lease[Message]) -> None:
    message = lease.row
    if message.is_bulk or message.repeats:
        raise PermanentFailure(
            _("The mail server may or may not have taken this mail; sending it again could deliver it twice."),
            code="delivery_unknown",
        )
    lease.write(repeats=message.repeats + 1)


def _take_turn(lease: Lease[Message]) -> None:
    """Reserve a place in the current minute by storing `handed_over_at`.

    The place is stored first and counted after, so two workers that meet at the limit both wait and the rate is
    never exceeded. Bulk mail leaves a tenth of the rate to mail that people wait for.
    """
    message = lease.row
    before = message.handed_over_at
    for limit, rows in _limits(message):
        if rows.exclude(pk=message.pk).count() >= limit:
            raise _too_fast(message, limit)
    lease.write(handed_over_at=timezone.now(), delivery=Delivery.SENDING)
    for limit, rows in _limits(message):
        if rows.count() > limit:
            lease.write(handed_over_at=before, delivery=Delivery.QUEUED)
            raise _too_fast(message, limit)


def _limits(message: Message) -> "Iterator[tuple[int, QuerySet[Message]]]":
    """The rates that bind this mail: how many a minute, and the mails of the last minute that count."""
    recent = Message.objects.filter(handed_over_at__gt=timezone.now() - timedelta(seconds=RATE_WINDOW_S))
    if limit := settings.MAIL_PER_MINUTE:
        yield max(1, limit - limit // 10) if message.is_bulk else limit, recent
    if message.is_bulk and message.scope and settings.MAIL_PER_WEBINAR:
        yield settings.MAIL_PER_WEBINAR, recent.filter(is_bulk=True, scope=message.scope)


def _too_fast(message: Message, limit: int) -> TemporaryFailure:
    """Have it wait for the next minute; of a large bulk each minute's share is asked again in its own minute."""
    delay_s = RATE_WINDOW_S + random.uniform(0, 5)  # noqa: S311  (spreading load, not a secret)
    if message.is_bulk:
        ahead = Message.objects.filter(is_bulk=True, state=WorkState.QUEUED, due_at__gt=timezone.now()).count()
        delay_s += RATE_WINDOW_S * (ahead // limit)
    else:
        recent = Message.objects.filter(handed_over_at__gt=timezone.now() - timedelta(seconds=RATE_WINDOW_S))
        oldest = recent.order_by("handed_over_at").values_list("handed_over_at", flat=True).first()
        delay_s -= (timezone.now() - oldest).total_seconds() if oldest else 0
    return TemporaryFailure(
        _("Waiting: no more than %(limit)s mails are sent in a minute.") % {"limit": limit},
        code="rate_limited",
        delay_s=max(1.0, delay_s),
        costs_try=False,
    )


def _answer_to(failure: Failure, message: Message) -> DomainError:
    """Return what the work row should end with, by class of the SMTP reply (RFC 5321, section 4.2.1)."""
    code, text = failure.smtp_code, str(failure)[:500]
    if code is not None and code >= 500:
        return PermanentFailure(
            _("The mail server refused this mail: %(code)s %(text)s") % {"code": code, "text": text}, code="refused"
        )
    if code is not None and code != 421:  # 421: the server is closing down, whatever the mail
        refused_before = max(0, MAIL_TRIES - message.tries_left)
        return TemporaryFailure(
            _("The mail server asks to try later: %(code)s %(text)s") % {"code": code, "text": text},
            delay_s=_spread(BACKOFF_S[min(refused_before, len(BACKOFF_S) - 1)]),
            code="refused_for_now",
        )
    if not failure.is_certain and (message.is_bulk or message.repeats):
        return PermanentFailure(
            _("The connection was lost while the mail server was taking this mail: %(text)s") % {"text": text},
            code="delivery_unknown",
        )
    waited_s = (timezone.now() - message.created_at).total_seconds()
    return TemporaryFailure(
        _("The mail server cannot be reached: %(text)s") % {"text": text},
        delay_s=_spread(min(max(AWAY_S[0], waited_s / 10), AWAY_S[1])),
        costs_try=False,
        code="server_away",
    )


def _spread(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  (spreading load, not a secret)
