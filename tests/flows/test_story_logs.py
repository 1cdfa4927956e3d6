"""A whole story, with much that goes wrong, leaves nobody's name, address, key, password or mail in the logs (P5)."""

import base64
import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

import work.kinds
import work.services
from accounts.personal_data import erase_person
from config.logs import Clean
from notifications import opt_outs, webhooks
from notifications.models import Message
from registration import links, services
from registration.models import Registration
from tests.factories.accounts import UserFactory
from tests.factories.events import SpeakerFactory, WebinarFactory
from tests.support.smtp import SmtpServer, smtp
from work.models import WorkState

__all__ = ["smtp"]
MARK = "zzmarker"
EMAIL = f"{MARK}@mail.example.org"
PASSWORD = f"{MARK}-pass-word"
KIND = "notifications.message"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What every logger would write with the settings' formatter, at the level of an operator who looks for a fault."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Clean("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(lambda record: record.name != "mail.log")  # the tests' own mail server
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


def deliver(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(due_at=None, state=WorkState.QUEUED)
    work.services.execute(KIND, message.pk)


def fail(_lease: Any) -> None:
    """A fault of ours: the database refuses a second registration of the same person, and says of whom."""
    found = Registration.objects.get(email=EMAIL)
    found.pk = None
    found.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_a_whole_story_leaves_no_person_in_the_logs(
    log: io.StringIO, smtp: SmtpServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_BOUNCES = "bounces@rostrum.example"
    webinar = WebinarFactory()
    client = Client(raise_request_exception=False)
    form = {
        "name": f"{MARK} Name",
        "email": EMAIL,
        "country": "FR",
        "profession": "Nurse",
        "affiliation": f"{MARK} Clinic",
    }
    form |= {"language": "fr", "time_zone": "Europe/Paris", "privacy": "on"}
    answer = client.post(reverse("registration:register", args=[webinar.slug]), form)
    registration = Registration.objects.get(email=EMAIL)
    assert answer.status_code == 302
    message = Message.objects.get()
    body = next(line for line in message.text.splitlines() if len(line) > 30)

    # The mail server refuses, twice, naming whom.
    smtp.script(EMAIL, f"451 4.7.1 <{EMAIL}>: {MARK} is greylisted", f"550 5.1.1 <{EMAIL}>: no user {MARK}")
    for _try in range(2):
        deliver(message)
    # A fault of ours, with everything that the database says.
    kind = work.kinds.get(KIND)
    monkeypatch.setitem(work.kinds._kinds, KIND, replace(kind, handle=fail))
    deliver(message)
    monkeypatch.setitem(work.kinds._kinds, KIND, kind)

    # Links: right, wrong, cut off, of no use any more.
    token, join = links.token_for(registration), links.join_link_for(registration)
    optional = opt_outs.unsubscribe_link(message.pk.hex)
    for address in (links.link_for(registration), join, optional, links.link_for(registration)[:-4], f"{join[:-3]}x/"):
        client.get(address.removeprefix("http://testserver"))
    client.get(f"/webinars/{webinar.slug}/watch/?registration={token}")
    client.post(reverse("registration:own", args=[token]), {"name": f"{MARK}\0", "email": EMAIL})
    speaker = SpeakerFactory(webinar=webinar, email=f"speaker-{EMAIL}", name=f"{MARK} Speaker")
    client.get(f"/speak/{speaker.pk}{token}/")

    # Signing in, with the wrong password until it is locked, and by code.
    UserFactory(email=EMAIL)
    for _try in range(12):
        client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    client.post("/accounts/login/code/", {"email": EMAIL})
    for number, code in enumerate(Message.objects.exclude(pk=message.pk)):
        deliver(code)
        assert number < 10

    # Programs that are refused.
    secret = base64.b64encode(f"{MARK}:{PASSWORD}".encode()).decode()
    client.get("/api/v1/registrations/", HTTP_AUTHORIZATION=f"Bearer {PASSWORD}")
    client.post("/api/v1/registrations/", {"email": EMAIL}, HTTP_AUTHORIZATION=f"Basic {secret}")
    settings.MAIL_WEBHOOKS, settings.ANYMAIL = "postmark", {"WEBHOOK_SECRET": "rostrum:correct-horse-battery"}
    ours, settings.ROOT_URLCONF = settings.ROOT_URLCONF, tuple(webhooks.routes())
    client.post("/mail/webhooks/postmark/", {"Email": EMAIL}, "application/json", HTTP_AUTHORIZATION=f"Basic {secret}")
    settings.ROOT_URLCONF = ours

    services.cancel_registration(registration=registration)
    erase_person(email=EMAIL)

    text = log.getvalue()
    assert "failed" in text  # there was something to clean
    assert "IntegrityError" in text
    leaks = [line for line in text.lower().splitlines() if MARK in line or body.lower() in line]
    assert leaks == []
    secrets = [token, join.rpartition("/join/")[2], optional.rpartition("/mail/")[2].partition("/")[0], secret]
    assert [one for one in secrets if one.strip("/") in text] == []
