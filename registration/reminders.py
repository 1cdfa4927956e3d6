"""Reminders before a session, and the questions after it: rows made in advance, moved with the session, never late.

The rules are the webinar's `reminder_minutes`. For each there is one announcement that waits for its time; when the
session is moved, the rows that wait are moved, and those already written are replaced by new ones for the new time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from events.models import Webinar, WebinarState
from notifications import purposes
from notifications.models import Message
from registration import announcements, messages, surveys
from registration.models import (
    Announcement,
    AnnouncementKind,
    Attendance,
    QuestionnairePurpose,
    Registration,
    RegistrationState,
)
from work import services as work
from work.errors import Skip
from work.models import WorkState

REMINDER = "registration.reminder"
SURVEY = "registration.survey"
LATEST = timedelta(hours=1)  # after its time a reminder says nothing any more; short ones have half of theirs
SURVEY_AFTER = timedelta(minutes=10)  # after the planned end: sessions overrun
SURVEY_WITHIN = timedelta(days=3)
_WAITING = (WorkState.WAITING, WorkState.QUEUED)


def plan(*, webinar: Webinar) -> None:
    """Bring the rows that wait in line with the webinar's time, state and rules. Safe to call at any moment.

    What is due already is not made: a session moved to this afternoon has no reminder of the day before.
    """
    with transaction.atomic():
        is_on = webinar.state == WebinarState.PUBLISHED
        minutes = webinar.reminder_minutes if is_on else []
        _plan_reminders(webinar, minutes)
        _plan_survey(webinar, is_on=is_on)


def _plan_reminders(webinar: Webinar, rules: Iterable[int]) -> None:
    now = timezone.now()
    wanted = {m: due for m in rules if (due := webinar.starts_at - timedelta(minutes=m)) > now}
    known = webinar.announcements.filter(kind=AnnouncementKind.REMINDER)
    for row in known.filter(state__in=_WAITING):
        due_at = wanted.pop(row.minutes_before or 0, None)
        if due_at is None:
            work.request_cancel(row)
        else:
            _move(row, due_at=due_at, webinar=webinar)
    said = set(
        known.filter(session_starts_at=webinar.starts_at)
        .exclude(state=WorkState.CANCELLED)
        .values_list("minutes_before", flat=True)
    )
    for minutes, due_at in sorted(wanted.items(), reverse=True):
        if minutes not in said:
            _make(webinar, AnnouncementKind.REMINDER, due_at=due_at, minutes_before=minutes)


def _plan_survey(webinar: Webinar, *, is_on: bool) -> None:
    due_at = webinar.ends_at + SURVEY_AFTER
    waiting = webinar.announcements.filter(kind=AnnouncementKind.SURVEY, state__in=_WAITING).first()
    if waiting is not None:
        if is_on and due_at > timezone.now():
            _move(waiting, due_at=due_at, webinar=webinar)
        elif not is_on:
            work.request_cancel(waiting)
        return
    is_planned = webinar.announcements.filter(kind=AnnouncementKind.SURVEY).exclude(state=WorkState.CANCELLED).exists()
    if is_on and due_at > timezone.now() and not is_planned:
        _make(webinar, AnnouncementKind.SURVEY, due_at=due_at)


def _make(webinar: Webinar, kind: AnnouncementKind, *, due_at: datetime, minutes_before: int | None = None) -> None:
    row = Announcement.objects.create(
        webinar=webinar,
        kind=kind,
        version=announcements.next_version(webinar, kind),
        minutes_before=minutes_before,
        session_starts_at=webinar.starts_at,
    )
    work.enqueue(row, due_at=due_at)


def _move(row: Announcement, *, due_at: datetime, webinar: Webinar) -> None:
    Announcement.objects.filter(pk=row.pk, state__in=_WAITING).update(
        due_at=due_at, session_starts_at=webinar.starts_at, hinted_at=None, updated_at=timezone.now()
    )


# --- Writing -------------------------------------------------------------------------------------------------------
def is_timely(announcement: Announcement) -> bool:
    """Whether a reminder is about the session as it is planned now, and not late."""
    if announcement.session_starts_at != announcement.webinar.starts_at or announcement.minutes_before is None:
        return False
    before = timedelta(minutes=announcement.minutes_before)
    return timezone.now() <= announcement.session_starts_at - before + min(LATEST, before / 2)


def _check_reminder(announcement: Announcement) -> None:
    if announcement.webinar.state != WebinarState.PUBLISHED or not is_timely(announcement):
        raise Skip(_("It is too late for this reminder, or the session was moved."))


def _with_place(announcement: Announcement) -> "QuerySet[Registration]":
    return Registration.objects.filter(
        webinar=announcement.webinar_id, state=RegistrationState.CONFIRMED
    ).select_related("webinar__organisation")


def _write_reminder(registration: Registration, announcement: Announcement) -> Message | None:
    return messages.send_optional(registration, purpose=REMINDER, template="reminder", version=announcement.version)


def _check_survey(announcement: Announcement) -> None:
    webinar = announcement.webinar
    if webinar.state != WebinarState.PUBLISHED or timezone.now() > webinar.ends_at + SURVEY_WITHIN:
        raise Skip(_("It is too late to ask, or the webinar was cancelled."))
    if surveys.asked_questionnaire(webinar, QuestionnairePurpose.SURVEY) is None:
        raise Skip(_("This webinar has no survey."))


def _asked(announcement: Announcement) -> "QuerySet[Registration]":
    """Those who were there, as far as anything is known of that; else everybody with a place."""
    everybody = _with_place(announcement)
    there = everybody.filter(Exists(Attendance.objects.filter(registration=OuterRef("pk"))))
    return there if there.exists() else everybody


def _write_survey(registration: Registration, announcement: Announcement) -> Message | None:
    return messages.send_optional(
        registration,
        purpose=SURVEY,
        template="survey",
        version=0,
        survey_url=surveys.answer_link(registration, QuestionnairePurpose.SURVEY),
    )


def _is_reminder_wanted(message: Message) -> bool:
    registration = messages.registration_of(message)
    if registration is None or registration.state != RegistrationState.CONFIRMED:
        return False
    webinar: Webinar = registration.webinar
    if webinar.state != WebinarState.PUBLISHED:
        return False
    row = webinar.announcements.filter(kind=AnnouncementKind.REMINDER, version=message.version).first()
    return row is not None and is_timely(row)


def _is_survey_wanted(message: Message) -> bool:
    registration = messages.registration_of(message)
    return (
        registration is not None
        and registration.state == RegistrationState.CONFIRMED
        and registration.webinar.state == WebinarState.PUBLISHED
        and timezone.now() <= registration.webinar.ends_at + SURVEY_WITHIN
    )


def register() -> None:
    """Make these kinds known, when the app is ready."""
    announcements.register(
        AnnouncementKind.REMINDER, announcements.Writing(_with_place, _write_reminder, _check_reminder)
    )
    announcements.register(AnnouncementKind.SURVEY, announcements.Writing(_asked, _write_survey, _check_survey))
    purposes.register(REMINDER, _is_reminder_wanted)
    purposes.register(SURVEY, _is_survey_wanted)
