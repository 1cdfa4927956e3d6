"""What many registrants of a webinar are told: that it changed, reminders, messages. Written in bounded steps.

Each kind says whom it is for, what each of them gets, and whether it is still to be said; `Writing` holds these three.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from events.models import Webinar
from notifications.models import Message
from registration import messages
from registration.models import Announcement, AnnouncementKind, Registration
from work import services as work
from work.errors import HandedBack, Skip
from work.leases import Lease
from work.models import FINISHED_STATES

STEP = 200  # mails written before the worker turns to what else waits
CHUNK = 50  # of these in one transaction, during which SQLite lets nobody else write
ABOUT_THE_WEBINAR = (AnnouncementKind.CHANGED, AnnouncementKind.CANCELLED)


def _always(_announcement: Announcement) -> None:
    """Nothing can make it pointless."""


@dataclass(frozen=True)
class Writing:
    """How one kind of announcement becomes mails.

    Attributes:
        recipients: the registrations that are told.
        write: queues one of them's mail; may be called again for the same.
        check: raises `work.errors.Skip` if it is no longer to be said.
    """

    recipients: Callable[[Announcement], "QuerySet[Registration]"]
    write: Callable[[Registration, Announcement], Message | None]
    check: Callable[[Announcement], None] = _always


_writings: dict[str, Writing] = {}


def register(kind: AnnouncementKind, writing: Writing) -> None:
    """Say how announcements of that kind are written."""
    _writings[kind] = writing


def announce(*, webinar: Webinar, kind: AnnouncementKind, changes: Iterable[str] = ()) -> Announcement | None:
    """Have every registrant told of the webinar's present version, once. Returns None if nobody is registered.

    Several changes in quick succession become one mail, as far as the earlier ones are not written yet.
    """
    if not _registered(webinar).exists():
        return None
    unsaid = set(changes)
    for earlier in webinar.announcements.filter(kind__in=ABOUT_THE_WEBINAR).exclude(state__in=FINISHED_STATES):
        unsaid.update(earlier.changes)
    announcement, is_new = Announcement.objects.get_or_create(
        webinar=webinar, kind=kind, version=webinar.calendar_sequence, defaults={"changes": sorted(unsaid)}
    )
    if is_new:
        work.enqueue(announcement)
    return announcement


def next_version(webinar: Webinar, kind: AnnouncementKind) -> int:
    """A number for a further announcement of a kind that counts its own."""
    last: int | None = webinar.announcements.filter(kind=kind).aggregate(last=Max("version"))["last"]
    return 0 if last is None else last + 1


def write_announcement(lease: Lease[Announcement]) -> None:
    """Queue the next mails; the handler of the kind "registration.announcement". May run again.

    Registrations are taken in the order of their ids, so a step needs to know only the last one. Who registers while
    it is written is told by their own confirmation.

    Raises:
        Skip: it is no longer to be said.
        HandedBack: there is more to write; the row goes to the end of the queue.
    """
    announcement = lease.row
    writing = _writings[announcement.kind]
    writing.check(announcement)
    everybody = writing.recipients(announcement).order_by("pk")
    count = everybody.count()
    written = everybody.filter(pk__lte=announcement.written_to).count() if announcement.written_to else 0
    for _chunk in range(STEP // CHUNK):
        lease.report(100 * written / max(count, 1), f"{written}/{count}")
        rows = everybody.filter(pk__gt=announcement.written_to) if announcement.written_to else everybody
        chunk = list(rows[:CHUNK])
        if chunk:
            with lease.fenced():
                for registration in chunk:
                    writing.write(registration, announcement)
                lease.write(written_to=chunk[-1].pk)
        if len(chunk) < CHUNK:
            return
        written += len(chunk)
    raise HandedBack(_("There is more to write."))


def _registered(webinar: Webinar) -> "QuerySet[Registration]":
    return Registration.objects.filter(webinar=webinar, state__in=messages.TOLD_OF_CHANGES).select_related(
        "webinar__organisation"
    )


def _check_is_latest(announcement: Announcement) -> None:
    later = announcement.webinar.announcements.filter(kind__in=ABOUT_THE_WEBINAR, version__gt=announcement.version)
    if later.exists():
        raise Skip(_("A later change is announced instead."))


for _kind in ABOUT_THE_WEBINAR:
    register(
        _kind,
        Writing(
            recipients=lambda announcement: _registered(announcement.webinar),
            write=messages.send_announcement,
            check=_check_is_latest,
        ),
    )
