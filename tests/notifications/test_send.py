"""Queueing: one mail per purpose, in the recipient's language (promises M1, M5)."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from notifications.errors import AddressRefused
from notifications.models import Message
from notifications.services import send
from tests.factories.accounts import OrganisationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _template(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "mail" / "hello"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Hello\n{{ title }}\n")
    (folder / "body.txt").write_text("{{ recipient_name }} & {{ title }}\n\n\n\nBye \n")
    (folder / "body.html").write_text('<p lang="{{ language }}" dir="{{ direction }}">{{ recipient_name }}</p>')
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]


def queue(**values: Any) -> Message | None:
    return send(
        **{
            "purpose": "test",
            "about": "test:1",
            "recipient_email": "anna@example.org",
            "recipient_name": "Anna",
            "language": "en",
            "template": "hello",
            "context": {"title": "Care & access"},
            **values,
        }
    )


def test_mail_is_rendered_and_queued() -> None:
    organisation = OrganisationFactory(contact_email="contact@example.org")
    message = queue(organisation=organisation)
    assert message is not None
    assert message.subject == "Hello Care & access"
    assert message.text == "Anna & Care & access\n\nBye\n"
    assert message.html == '<p lang="en" dir="ltr">Anna</p>\n'
    assert (message.state, message.reply_to) == (WorkState.QUEUED, "contact@example.org")


@pytest.mark.parametrize(
    ("asked", "language", "direction"),
    [("fr", "fr", "ltr"), ("fr-CA", "fr", "ltr"), ("ar", "ar", "rtl"), ("wo", "en", "ltr"), ("uk", "en", "ltr")],
)
def test_language_falls_back_to_english(asked: str, language: str, direction: str) -> None:
    message = queue(language=asked)
    assert message is not None
    assert message.language == language
    assert f'lang="{language}" dir="{direction}"' in message.html


def test_same_mail_twice_is_one() -> None:
    assert queue() is not None
    assert queue() is None
    assert queue(recipient_email="ANNA@example.org") is None
    assert queue(version=1) is not None
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_calls_queue_one_mail() -> None:
    barrier = threading.Barrier(50)
    made: list[Message | None] = []

    def call() -> None:
        barrier.wait()
        made.append(queue())
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 50
    assert sum(message is not None for message in made) == 1
    assert Message.objects.count() == 1


def test_names_are_text() -> None:
    message = queue(recipient_name='<a href="https://evil.example">x</a>')
    assert message is not None
    assert "<a" not in message.html
    assert "https://evil.example" not in message.html
    assert "evil.example" not in message.text


def test_bad_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        queue(recipient_email="a@example.org\r\nBcc: v@example.org")
