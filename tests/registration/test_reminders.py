"""Reminders: made in advance, moved with the session, never late, to those who have a place (promises M1, M6, C4)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

import work.services
from events.models import Webinar, WebinarState
from events.services import cancel_webinar, publish_webinar, update_webinar
from notifications.models import Message
from registration import reminders
from registration.models import Announcement, AnnouncementKind, Registration, RegistrationState
from registration.services import cancel_registration
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db
KIND = "registration.announcement"


def planned(**values: object) -> Webinar:
    starts_at = (timezone.now() + timedelta(days=10)).replace(microsecond=0)
    webinar: Webinar = WebinarFactory(
        **{
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=1),
            "reminder_minutes": [1440, 60],
            "time_zone": "Europe/Brussels",
            **values,
        }
    )
    reminders.plan(webinar=webinar)
    return webinar


def waiting(webinar: Webinar) -> list[tuple[int | None, timedelta]]:
    """The rules of the reminders that wait, and how long before the start each is due."""
    rows = webinar.announcements.filter(kind=AnnouncementKind.REMINDER, state=WorkState.QUEUED).order_by("due_at")
    return [(row.minutes_before, webinar.starts_at - row.due_at) for row in rows if row.due_at]


def bring_to(webinar: Webinar, *, minutes_before: float) -> None:
    """Move webinar and reminders so that the session begins in so many minutes."""
    shift = webinar.starts_at - timedelta(minutes=minutes_before) - timezone.now()
    webinar.starts_at -= shift
    webinar.ends_at -= shift
    webinar.save()
    for row in webinar.announcements.filter(session_starts_at=webinar.starts_at + shift):
        Announcement.objects.filter(pk=row.pk).update(
            due_at=row.due_at - shift if row.due_at else None, session_starts_at=webinar.starts_at
        )


def reminder(webinar: Webinar, minutes: int = 60) -> Announcement:
    return webinar.announcements.filter(kind=AnnouncementKind.REMINDER, minutes_before=minutes).latest("version")


def write(row: Announcement) -> Announcement:
    work.services.execute(KIND, row.pk)
    row.refresh_from_db()
    return row


def mails() -> list[Message]:
    return list(Message.objects.filter(purpose=reminders.REMINDER).order_by("created_at"))


def is_wanted(message: Message) -> bool:
    return reminders._is_reminder_wanted(message)


def test_publishing_makes_a_row_for_each_rule() -> None:
    webinar = WebinarFactory(state=WebinarState.DRAFT, reminder_minutes=[60, 10])
    publish_webinar(webinar=webinar, user=None)
    webinar.refresh_from_db()
    assert waiting(webinar) == [(60, timedelta(hours=1)), (10, timedelta(minutes=10))]


def test_planning_again_makes_nothing_more() -> None:
    webinar = planned()
    reminders.plan(webinar=webinar)
    assert len(waiting(webinar)) == 2


def test_rows_move_with_the_session() -> None:
    webinar = planned()
    moved = update_webinar(
        webinar=webinar,
        user=UserFactory(),
        starts_at=webinar.starts_at + timedelta(days=3),
        ends_at=webinar.ends_at + timedelta(days=3),
    )
    assert waiting(moved) == [(1440, timedelta(days=1)), (60, timedelta(hours=1))]
    assert moved.announcements.filter(kind=AnnouncementKind.REMINDER).count() == 2


def test_what_is_due_already_is_not_made() -> None:
    starts_at = timezone.now() + timedelta(hours=3)
    webinar = planned(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    assert waiting(webinar) == [(60, timedelta(hours=1))]


def test_cancelling_the_webinar_ends_them() -> None:
    webinar = planned()
    cancel_webinar(webinar=webinar, user=UserFactory())
    assert waiting(webinar) == []


def test_everybody_with_a_place_is_reminded_once() -> None:
    webinar = planned()
    for state in RegistrationState.values:
        RegistrationFactory(webinar=webinar, state=state, email=f"{state}@example.org")
    bring_to(webinar, minutes_before=59)
    row = write(reminder(webinar))
    assert row.state == WorkState.DONE
    Announcement.objects.filter(pk=row.pk).update(state=WorkState.QUEUED, written_to=None)
    write(row)
    (message,) = mails()
    assert (message.recipient_email, message.is_bulk, message.is_optional) == ("confirmed@example.org", True, True)
    assert "/join/" in message.text
    assert "/mail/" in message.text
    assert is_wanted(message)


@pytest.mark.parametrize("minutes_before", [29, -5])
def test_a_late_reminder_is_not_written(minutes_before: int) -> None:
    webinar = planned()
    RegistrationFactory(webinar=webinar)
    bring_to(webinar, minutes_before=minutes_before)
    assert write(reminder(webinar)).state == WorkState.SKIPPED
    assert mails() == []


def test_a_reminder_in_the_queue_is_not_sent_late_nor_after_a_move_nor_after_cancelling() -> None:
    webinar = planned()
    registration: Registration = RegistrationFactory(webinar=webinar)
    bring_to(webinar, minutes_before=59)
    write(reminder(webinar))
    (message,) = mails()
    bring_to(webinar, minutes_before=20)
    assert not is_wanted(message)
    bring_to(webinar, minutes_before=59)
    assert is_wanted(message)
    update_webinar(webinar=webinar, user=None, starts_at=webinar.starts_at + timedelta(minutes=15))
    assert not is_wanted(message)
    cancel_registration(registration=registration)
    assert not is_wanted(message)


def test_a_moved_session_is_reminded_of_again() -> None:
    webinar = planned()
    RegistrationFactory(webinar=webinar)
    bring_to(webinar, minutes_before=59)
    write(reminder(webinar))
    webinar.refresh_from_db()
    webinar = update_webinar(
        webinar=webinar,
        user=None,
        starts_at=webinar.starts_at + timedelta(days=2),
        ends_at=webinar.ends_at + timedelta(days=2),
    )
    assert (60, timedelta(hours=1)) in waiting(webinar)
    bring_to(webinar, minutes_before=59)
    write(reminder(webinar))
    assert [is_wanted(message) for message in mails()] == [False, True]


def test_reminders_follow_the_clock_change_of_the_organisers_zone() -> None:
    """On the night of 28 March 2027 Brussels has 23 hours; a day before still is 24 hours before the moment."""
    starts_at = datetime(2027, 3, 28, 8, 0, tzinfo=UTC)
    webinar = planned(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), reminder_minutes=[1440])
    assert waiting(webinar) == [(1440, timedelta(days=1))]


def test_many_are_written_in_steps_that_go_on_where_the_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registration.announcements.STEP", 4)
    monkeypatch.setattr("registration.announcements.CHUNK", 2)
    webinar = planned()
    RegistrationFactory.create_batch(7, webinar=webinar)
    bring_to(webinar, minutes_before=59)
    row = write(reminder(webinar))
    assert (row.state, len(mails())) == (WorkState.QUEUED, 4)
    row = write(row)
    assert (row.state, len(mails()), row.tries_left) == (WorkState.DONE, 7, 3)
    assert len({message.recipient_email for message in mails()}) == 7
