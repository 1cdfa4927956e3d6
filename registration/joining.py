"""When a join link leads into the live room."""

from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from events.models import Webinar, WebinarState
from registration.models import Registration, RegistrationState

OPENS_BEFORE = timedelta(hours=1)  # the mails say so: templates/mail/confirmation
CLOSES_AFTER = timedelta(minutes=30)  # sessions overrun


class Door(StrEnum):
    """What stands between a registrant and the live room."""

    OPEN = "open"
    EARLY = "early"
    OVER = "over"
    NO_ROOM = "no_room"  # the organiser has not given its address yet
    NO_PLACE = "no_place"
    CANCELLED = "cancelled"  # the webinar


def door_for(registration: Registration) -> Door:
    """Whether, and if not why not, the registrant may enter now."""
    webinar: Webinar = registration.webinar
    if webinar.state != WebinarState.PUBLISHED:
        return Door.CANCELLED
    if registration.state != RegistrationState.CONFIRMED:
        return Door.NO_PLACE
    now = timezone.now()
    if now < webinar.starts_at - OPENS_BEFORE:
        return Door.EARLY
    if now > webinar.ends_at + CLOSES_AFTER:
        return Door.OVER
    return Door.OPEN if webinar.join_url else Door.NO_ROOM
