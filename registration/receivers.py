"""What happens here when a webinar changes. Each receiver calls a service."""

from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from events.models import Webinar, WebinarState
from events.services import CALENDAR_FIELDS
from events.signals import webinar_cancelled, webinar_changed, webinar_published
from registration import announcements, reminders, services
from registration.models import AnnouncementKind


@receiver(webinar_published, sender=Webinar)
def open_places(webinar: Webinar, **_kwargs: Any) -> None:
    services.set_capacity(webinar=webinar)
    reminders.plan(webinar=webinar)


@receiver(webinar_changed, sender=Webinar)
def follow_change(webinar: Webinar, changes: Collection[str], **_kwargs: Any) -> None:
    if "capacity" in changes or "ends_at" in changes:  # a webinar that is over promotes nobody until it is moved
        services.set_capacity(webinar=webinar)
    if {"starts_at", "ends_at", "reminder_minutes"} & set(changes):
        reminders.plan(webinar=webinar)
    told = CALENDAR_FIELDS.intersection(changes)
    if told and webinar.state == WebinarState.PUBLISHED and not webinar.is_over:
        announcements.announce(webinar=webinar, kind=AnnouncementKind.CHANGED, changes=told)


@receiver(webinar_cancelled, sender=Webinar)
def announce_cancellation(webinar: Webinar, **_kwargs: Any) -> None:
    reminders.plan(webinar=webinar)
    if not webinar.is_over:
        announcements.announce(webinar=webinar, kind=AnnouncementKind.CANCELLED)
