"""Asking for no more: by a link that scanners may open, or by the mail program's button (promises M6, M7)."""

import pytest
from django.test import Client

import work.services
from accounts.models import AuditEntry, Organisation
from notifications.models import Delivery, Message, OptOut
from notifications.opt_outs import unsubscribe_link
from tests.factories.accounts import OrganisationFactory
from tests.factories.notifications import MessageFactory
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation() -> Organisation:
    made: Organisation = OrganisationFactory()
    return made


def optional(organisation: Organisation, **values: object) -> Message:
    message: Message = MessageFactory(
        **{"organisation": organisation, "is_bulk": True, "is_optional": True, "scope": "webinar:1", **values}
    )
    return message


def path_of(message: Message) -> str:
    return unsubscribe_link(message.pk.hex).removeprefix("http://testserver")


def deliver(message: Message) -> Message:
    work.services.execute("notifications.message", message.pk)
    message.refresh_from_db()
    return message


def test_opening_the_link_changes_nothing(client: Client, organisation: Organisation) -> None:
    message = optional(organisation)
    assert client.get(path_of(message)).status_code == 200
    assert not OptOut.objects.exists()


def test_one_click_needs_neither_login_nor_token_of_a_form(organisation: Organisation) -> None:
    message = optional(organisation)
    program = Client(enforce_csrf_checks=True)
    for _time in range(2):
        answer = program.post(path_of(message), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert OptOut.objects.get().scope == "webinar:1"
    assert AuditEntry.objects.filter(action="mail.opted_out").count() == 1


def test_mail_already_queued_is_not_sent_after_an_opt_out(
    client: Client, organisation: Organisation, smtp: SmtpServer
) -> None:
    first, second = (optional(organisation, recipient_email="anna@example.org") for _number in range(2))
    needed = optional(organisation, recipient_email="anna@example.org", is_optional=False)
    other = optional(organisation, recipient_email="anna@example.org", scope="webinar:2")
    client.post(path_of(first))
    assert deliver(second).error_code == "opted_out"
    assert [deliver(message).delivery for message in (needed, other)] == [Delivery.SENT, Delivery.SENT]
    assert len(smtp.received) == 2


def test_an_opt_out_can_be_taken_back(client: Client, organisation: Organisation) -> None:
    message = optional(organisation)
    client.post(path_of(message))
    client.post(path_of(message), {"action": "undo"})
    assert not OptOut.objects.exists()


def test_headers_are_on_optional_mail_only(organisation: Organisation, smtp: SmtpServer) -> None:
    deliver(optional(organisation))
    deliver(MessageFactory(organisation=organisation))
    bulk, plain = (one.message for one in smtp.received)
    assert bulk["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert bulk["List-Unsubscribe"].strip().startswith("<http://testserver/mail/")
    assert (plain["List-Unsubscribe"], plain["List-Unsubscribe-Post"]) == (None, None)


@pytest.mark.parametrize("token", ["x", "0" * 32, "a~b"])
def test_a_forged_link_opens_nothing(client: Client, token: str) -> None:
    assert client.get(f"/mail/{token}/unsubscribe/").status_code == 404
