"""A person's own calendar of all their webinars, at a secret address that they can replace."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import record_action
from events.ical import Entry, feed_calendar, webinar_uid
from events.models import WebinarState, random_nonce
from events.selectors import FEED_DAYS, FEED_LENGTH
from registration.models import CalendarFeed, Registration, RegistrationState

_SHOWN = (RegistrationState.CONFIRMED, RegistrationState.CANCELLED)


def feed_of(registration: Registration) -> CalendarFeed:
    """Return the calendar of the registrant's address; it is made when it is first asked for."""
    feed, _is_new = CalendarFeed.objects.get_or_create(email=registration.email)
    return feed


def replace_address(*, registration: Registration) -> CalendarFeed:
    """Give the calendar a new address; the old one opens nothing any more."""
    with transaction.atomic():
        feed = feed_of(registration)
        feed.link_nonce = random_nonce()
        feed.save(update_fields=["link_nonce", "updated_at"])
        record_action(
            action="calendar_feed.replaced",
            target=feed,
            organisation=registration.webinar.organisation,
            actor="registrant",
        )
    return feed


def personal_calendar(feed: CalendarFeed) -> str:
    """Return the person's places as METHOD:PUBLISH: no attendee, no join link, cancelled ones marked as such.

    Each entry has the UID of the invitation that was mailed, so a program that knows both shows one.
    """
    rows = (
        Registration.objects.filter(email=feed.email, state__in=_SHOWN)
        .exclude(webinar__state=WebinarState.DRAFT)
        .filter(webinar__ends_at__gt=timezone.now() - timedelta(days=FEED_DAYS))
        .exclude(state=RegistrationState.CANCELLED, confirmed_at__isnull=True)  # never had a place
        .select_related("webinar__organisation")
        .order_by("webinar__starts_at", "pk")[:FEED_LENGTH]
    )
    entries = [
        Entry(
            webinar=row.webinar,
            uid=webinar_uid(row.webinar, row.pk.hex[:16]),
            sequence=row.sequence,
            is_cancelled=row.state == RegistrationState.CANCELLED,
        )
        for row in rows
    ]
    return feed_calendar(entries=entries, name=_("%(site)s: my webinars") % {"site": settings.SITE_NAME})
