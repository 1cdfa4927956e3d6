"""Telling everybody who registered that a webinar changed or will not take place."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from events.models import Webinar
from registration import messages
from registration.models import Announcement, AnnouncementKind, Registration, RegistrationState
from work import services as work
from work.errors import Skip
from work.leases import Lease
from work.models import FINISHED_STATES


def announce(*, webinar: Webinar, kind: AnnouncementKind, changes: Iterable[str] = ()) -> Announcement | None:
    """Have every registrant told of the webinar's present version, once. Returns None if nobody is registered.

    Several changes in quick succession become one mail, as far as the earlier ones are not written yet.
    """
    if not _registered(webinar).exists():
        return None
    unsaid = set(changes)
    for earlier in webinar.announcements.exclude(state__in=FINISHED_STATES):
        unsaid.update(earlier.changes)
    announcement, is_new = Announcement.objects.get_or_create(
        webinar=webinar, kind=kind, version=webinar.calendar_sequence, defaults={"changes": sorted(unsaid)}
    )
    if is_new:
        work.enqueue(announcement)
    return announcement


def write_announcement(lease: Lease[Announcement]) -> None:
    """Queue one mail per registrant; the handler of the kind "registration.announcement". May run again.

    Raises:
        Skip: a later announcement says it all.
    """
    announcement = lease.row
    webinar = announcement.webinar
    if webinar.announcements.filter(version__gt=announcement.version).exists():
        raise Skip(_("A later change is announced instead."))
    registrations = _registered(webinar).order_by("created_at", "pk")
    count = registrations.count()
    for done, registration in enumerate(registrations.iterator(chunk_size=200)):
        lease.report(100 * done / count, f"{done}/{count}")
        messages.send_announcement(registration, announcement)


def _registered(webinar: Webinar) -> "QuerySet[Registration]":
    return (
        Registration.objects.filter(webinar=webinar)
        .exclude(state=RegistrationState.CANCELLED)
        .select_related("webinar__organisation")
    )
