"""What mail services report over HTTP: heard only with the secret, and led to the same bounces as mail (promise M9)."""

import base64
import json
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications import webhooks
from notifications.models import Bounce, BounceKind, Message, OptOut, Suppression
from tests.factories.accounts import OrganisationFactory
from tests.factories.notifications import MessageFactory

pytestmark = pytest.mark.django_db
SECRET = "rostrum:correct-horse-battery"
AUTH = "Basic " + base64.b64encode(SECRET.encode()).decode()


def use(settings: Settings, service: str, **more: str) -> None:
    settings.MAIL_WEBHOOKS = service
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, **more}
    settings.ROOT_URLCONF = tuple(webhooks.routes())


def post(service: str, payload: Any, **headers: Any) -> int:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"HTTP_AUTHORIZATION": AUTH, **headers}
    client = Client(raise_request_exception=False)
    return client.post(f"/mail/webhooks/{service}/", data, content_type="application/json", **headers).status_code


def sent(**values: Any) -> Message:
    message: Message = MessageFactory(sent_at=timezone.now(), **values)
    return message


def postmark(message: Message, kind: str = "HardBounce", **more: Any) -> dict[str, Any]:
    return {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "ID": 42,
        "Type": kind,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Email": message.recipient_email,
        "Description": "The server was unable to deliver your message.",
        "BouncedAt": "2027-03-04T13:00:00Z",
        **more,
    }


def ses(message: Message, kind: str) -> dict[str, Any]:
    bounce = {
        "bounceType": kind,
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": message.recipient_email}],
    }
    event = {"notificationType": "Bounce", "bounce": bounce, "mail": {"messageId": "1", "destination": []}}
    return {"Type": "Notification", "MessageId": "9", "Timestamp": "2027-03-04T13:00:00Z", "Message": json.dumps(event)}


def test_a_hard_bounce_suppresses_the_address(settings: Settings) -> None:
    use(settings, "postmark")
    message = sent()
    assert post("postmark", postmark(message, Details="smtp;550 5.1.1 No such user")) == 200
    bounce = Bounce.objects.get()
    assert (bounce.message, bounce.kind) == (message, BounceKind.HARD)
    assert Suppression.objects.filter(email=message.recipient_email).exists()


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("SoftBounce", "", BounceKind.SOFT),
        ("Transient", "", BounceKind.SOFT),
        ("HardBounce", "smtp;552 5.2.2 Mailbox full", BounceKind.SOFT),
        ("Blocked", "", BounceKind.SOFT),
        ("AutoResponder", "", BounceKind.AUTOMATIC),
    ],
)
def test_what_may_pass_suppresses_nothing(settings: Settings, kind: str, details: str, expected: BounceKind) -> None:
    use(settings, "postmark")
    post("postmark", postmark(sent(), kind, Details=details))
    assert Bounce.objects.get().kind == expected
    assert not Suppression.objects.exists()


def test_a_complaint_suppresses(settings: Settings) -> None:
    use(settings, "postmark")
    post("postmark", postmark(sent(), "SpamComplaint"))
    assert (Bounce.objects.get().kind, Suppression.objects.count()) == (BounceKind.COMPLAINT, 1)


def test_the_message_id_names_the_mail_where_the_service_keeps_it(settings: Settings) -> None:
    use(settings, "brevo")
    wanted, later = sent(recipient_email="a@example.org"), sent(recipient_email="a@example.org")
    assert later.pk != wanted.pk
    event = {
        "event": "hard_bounce",
        "email": "a@example.org",
        "message-id": wanted.message_id,
        "reason": "unknown user",
    }
    assert post("brevo", event) == 200
    assert Bounce.objects.get().message == wanted


def test_unsubscribing_at_the_service_stops_that_kind_of_mail_alone(settings: Settings) -> None:
    use(settings, "brevo")
    message = sent(organisation=OrganisationFactory(), is_optional=True, scope="news")
    event = {"event": "unsubscribe", "email": message.recipient_email, "message-id": message.message_id}
    assert [post("brevo", event) for _twice in range(2)] == [200, 200]
    assert OptOut.objects.get().scope == "news"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(("kind", "expected"), [("Permanent", BounceKind.HARD), ("Transient", BounceKind.SOFT)])
def test_amazons_reports_are_read(settings: Settings, kind: str, expected: BounceKind) -> None:
    use(settings, "amazon_ses")
    headers = {"HTTP_X_AMZ_SNS_MESSAGE_TYPE": "Notification", "HTTP_X_AMZ_SNS_MESSAGE_ID": "9"}
    assert post("amazon_ses", ses(sent(), kind), **headers) == 200
    assert Bounce.objects.get().kind == expected


def test_the_same_report_twice_is_one(settings: Settings) -> None:
    use(settings, "postmark")
    message = sent()
    assert [post("postmark", postmark(message)) for _twice in range(2)] == [200, 200]
    assert Bounce.objects.count() == 1


@pytest.mark.parametrize("auth", ["", "Basic", "Basic !!!", "Basic cm9zdHJ1bTp3cm9uZw==", "Bearer x"])
def test_without_the_secret_nothing_is_believed(settings: Settings, auth: str) -> None:
    use(settings, "postmark")
    assert post("postmark", postmark(sent()), HTTP_AUTHORIZATION=auth) == 400
    assert not Bounce.objects.exists()


@pytest.mark.parametrize("service", list(webhooks.SERVICES))
@pytest.mark.parametrize("data", [b"", b"\0\xff", b"[]", b"null", b"{}", b'"x"', b'{"RecordType": 3, "Email": []}'])
def test_rubbish_is_never_an_error_of_ours(settings: Settings, service: str, data: bytes) -> None:
    keys = {"MAILGUN_WEBHOOK_SIGNING_KEY": "k", "MAILERSEND_SIGNING_SECRET": "k"}
    use(settings, service, **keys)
    assert post(service, data) in (200, 400)
    assert not Bounce.objects.exists()


def test_a_stranger_to_us_changes_nothing(settings: Settings) -> None:
    use(settings, "postmark")
    sent()
    for address in ("somebody@else.example", "no address", "nul\0@example.org", None, "x" * 400):
        assert post("postmark", postmark(MessageFactory.build(recipient_email=address))) == 200
    assert not Bounce.objects.exists()


def test_there_is_an_address_only_where_a_service_is_named(settings: Settings) -> None:
    settings.MAIL_WEBHOOKS = ""
    assert webhooks.routes() == []
    settings.MAIL_WEBHOOKS = "pigeon"
    with pytest.raises(ImproperlyConfigured):
        webhooks.routes()
