"""Mails to speakers: slides that are missing are asked for in time, once, and not when they are there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events.models import MaterialKind, Speaker
from notifications.models import Message
from notifications.purposes import is_still_wanted
from studio import messages
from tests.factories.events import MaterialFactory, SpeakerFactory, WebinarFactory

pytestmark = pytest.mark.django_db


def speaker_of_a_session_in(days: float, **values: object) -> Speaker:
    starts_at = timezone.now() + timedelta(days=days)
    webinar = WebinarFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    speaker: Speaker = SpeakerFactory(
        **{"webinar": webinar, "invited_at": timezone.now() - timedelta(days=3), "email": "ada@example.org", **values}
    )
    return speaker


@pytest.mark.parametrize(("days", "count"), [(6.9, 1), (1.9, 1), (9, 0), (4, 0), (0.5, 0)])
def test_speakers_are_reminded_a_week_and_two_days_before(days: float, count: int) -> None:
    speaker_of_a_session_in(days)
    assert messages.remind_of_slides() == count
    assert messages.remind_of_slides() == 0
    assert [message.purpose for message in Message.objects.all()] == ["missing_slides"] * count


def test_who_has_slides_is_left_alone_even_if_the_mail_was_queued() -> None:
    speaker = speaker_of_a_session_in(6.9)
    messages.remind_of_slides()
    message = Message.objects.get()
    assert is_still_wanted(message)
    MaterialFactory(webinar=speaker.webinar, speaker=speaker, kind=MaterialKind.SLIDES)
    assert not is_still_wanted(message)


def test_slides_of_the_organiser_count_for_everybody() -> None:
    speaker = speaker_of_a_session_in(6.9)
    MaterialFactory(webinar=speaker.webinar, speaker=None, kind=MaterialKind.SLIDES)
    assert messages.remind_of_slides() == 0


def test_who_was_not_invited_is_not_reminded() -> None:
    speaker_of_a_session_in(6.9, invited_at=None)
    speaker_of_a_session_in(6.9, email="")
    assert messages.remind_of_slides() == 0
