"""What mail services (Postmark, Brevo, ...) report over HTTP of mails that were sent through them.

django-anymail knows what each of them posts, and makes the same kind of event of it; here that leads to the same
bounces as reports by mail. There is an address only where MAIL_WEBHOOKS names the service; it proves itself by
MAIL_WEBHOOK_SECRET, and what it says of an address is then believed as far as it is about a mail of ours.
"""

import logging
import re
from typing import Any

from anymail.signals import EventType, RejectReason
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.module_loading import import_string

from notifications import bounces, opt_outs
from notifications.addresses import clean_address
from notifications.errors import AddressRefused
from notifications.models import BounceKind, Message

logger = logging.getLogger(__name__)

SERVICES = {
    "amazon_ses": "AmazonSES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "postmark": "Postmark",
    "sparkpost": "SparkPost",
}
# How services name a refusal that may pass; SES says so in words of its own.
_PASSING = re.compile(r"soft|transient|undetermined", re.IGNORECASE)
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


def routes() -> list[URLPattern]:
    """The address of the configured service's reports; none where no service is configured.

    Raises:
        ImproperlyConfigured: MAIL_WEBHOOKS names none that we know.
    """
    service = settings.MAIL_WEBHOOKS
    if not service:
        return []
    if service not in SERVICES:
        raise ImproperlyConfigured(f"MAIL_WEBHOOKS must be one of {', '.join(SERVICES)}.")
    view = import_string(f"anymail.webhooks.{service}.{SERVICES[service]}TrackingWebhookView")
    careful: Any = type(view.__name__, (_Careful, view), {})
    return [path(f"mail/webhooks/{service}/", careful.as_view(), name="webhook")]


class _Careful:
    """A view of django-anymail that answers 400, not 500, to what its service would never post."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # mixed in
        except SuspiciousOperation as error:
            logger.warning("refused what came as a report of a mail service: %s", error)
            return HttpResponse(status=400)
        return answer

    def run_validators(self, request: HttpRequest) -> None:
        try:
            super().run_validators(request)  # type: ignore[misc]  # mixed into a class of anymail
        except SuspiciousOperation:
            raise
        except Exception:  # what reads others' JSON fails in many ways
            raise SuspiciousOperation("unreadable report of a mail service") from None

    def parse_events(self, request: HttpRequest) -> Any:
        try:
            return super().parse_events(request)  # type: ignore[misc]  # mixed into a class of anymail
        except Exception:  # what reads others' JSON fails in many ways
            raise SuspiciousOperation("unreadable report of a mail service") from None


def hear(event: Any, **_kwargs: Any) -> None:
    """Take up one event of django-anymail's `tracking` signal. What says nothing of a mail of ours changes nothing."""
    kind = _kind_of(event)
    if kind is None and event.event_type != EventType.UNSUBSCRIBED:
        return
    message = _message_of(event)
    if message is None:
        return
    if kind is not None:
        bounces.record(message=message, kind=kind, detail=_words_of(event))
    elif message.is_optional and message.organisation is not None:
        opt_outs.opt_out(message=message)


def _kind_of(event: Any) -> BounceKind | None:
    if event.event_type == EventType.COMPLAINED or event.reject_reason == RejectReason.SPAM:
        return BounceKind.COMPLAINT
    if event.event_type == EventType.AUTORESPONDED:
        return BounceKind.AUTOMATIC
    if event.event_type == EventType.DEFERRED:
        return BounceKind.SOFT
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        is_hard = event.reject_reason in (RejectReason.BOUNCED, RejectReason.INVALID) and not _may_pass(event)
        return BounceKind.HARD if is_hard else BounceKind.SOFT
    return None


def _may_pass(event: Any) -> bool:
    """Whether the service's own words say that the address may take mails later: its status code, or its own kind."""
    words = _words_of(event)
    if _ENHANCED.search(words):
        return not bounces.is_gone(words)
    given = event.esp_event if hasattr(event.esp_event, "get") else {}
    kinds = " ".join(str(given.get(name, "")) for name in ("Type", "event", "type", "bounce_class"))
    # SparkPost's classes by number: 10 and 30 mean that there is no such address.
    is_passing_class = str(given.get("bounce_class", "10")) not in ("10", "30")
    return is_passing_class or _PASSING.search(f"{kinds} {event.description or ''}") is not None


def _words_of(event: Any) -> str:
    return " ".join(str(words) for words in (event.mta_response, event.description) if words)


def _message_of(event: Any) -> Message | None:
    """The mail that the event is about: by its Message-ID, else the last that was sent to that address.

    Services that give mails ids of their own tell no more than the address.
    """
    identity = str(event.message_id or "").strip("<> ")[:200].replace("\0", "")
    if identity and (found := Message.objects.filter(message_id=f"<{identity}>").first()) is not None:
        return found
    try:
        address = clean_address(str(event.recipient or "").replace("\0", ""))
    except AddressRefused:
        return None
    return Message.objects.filter(recipient_email=address, sent_at__isnull=False).order_by("-sent_at").first()
