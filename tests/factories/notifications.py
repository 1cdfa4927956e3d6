"""Mails for tests."""

import factory

from notifications.models import Message
from notifications.services import MAIL_TRIES
from work.models import WorkState


class MessageFactory(factory.django.DjangoModelFactory[Message]):
    """A mail in the queue, ready to be sent by `work.services.execute("notifications.message", message.pk)`."""

    class Meta:
        model = Message

    purpose = "test"
    about = factory.Sequence(lambda n: f"test:{n}")
    recipient_email = factory.Sequence(lambda n: f"recipient{n}@example.org")
    recipient_name = "Anna Example"
    language = "en"
    message_id = factory.Sequence(lambda n: f"<test-{n}@rostrum.example>")
    subject = "About your webinar"
    text = "Hello\n"
    html = "<p>Hello</p>\n"
    state = WorkState.QUEUED
    tries_left = MAIL_TRIES
