"""Calendar entries of webinars (iCalendar, RFC 5545; iTIP, RFC 5546).

An invitation is a REQUEST to one person, ended by a CANCEL; what anybody may download or subscribe to is a PUBLISH,
which names no person and holds no join link. The entry keeps its UID for ever and its SEQUENCE only grows, so a
calendar that has seen an older one replaces it.
"""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vDuration

from accounts.text import clean_line, clean_lines
from events.models import Webinar, WebinarState
from events.vtimezone import timezone_component

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]
ALARM_BEFORE = timedelta(minutes=15)
_UTC = frozenset({"UTC", "Etc/UTC"})  # written as such (with a Z), without a VTIMEZONE


@dataclass(frozen=True)
class Attendee:
    """The person an invitation is for."""

    name: str
    email: str


def webinar_calendar(
    *,
    webinar: Webinar,
    method: Method,
    attendee: Attendee | None = None,
    join_url: str = "",
    page_url: str = "",
    uid: str = "",
    sequence: int | None = None,
    language: str = "",
    stamped_at: datetime | None = None,
) -> str:
    """Return an iCalendar object with this one webinar; lines end in CRLF and have at most 75 octets.

    Args:
        attendee: needed by REQUEST and CANCEL, refused by PUBLISH (RFC 5546, section 3.2.1).
        join_url: the person's own way into the live room; becomes LOCATION. Never give one for a shared calendar.
        page_url: where to read more; default: the webinar's public page.
        uid: default: `webinar_uid(webinar)`, the same in every shared calendar.
        sequence: default: the webinar's own.
        language: of the title and description; default: the active one.
        stamped_at: DTSTAMP, when this object was made; default: now.

    Raises:
        ValueError: method and attendee do not fit together.
    """
    if (method == "PUBLISH") is not (attendee is None):
        raise ValueError("REQUEST and CANCEL need an attendee; PUBLISH has none.")
    with translation.override(language or translation.get_language() or "en"):
        calendar = _empty_calendar(method)
        event = _event(webinar, page_url=page_url, join_url=join_url, stamped_at=stamped_at or timezone.now())
        event.add("uid", uid or webinar_uid(webinar))
        event.add("sequence", webinar.calendar_sequence if sequence is None else sequence)
        event.add("status", "CANCELLED" if method == "CANCEL" else _status(webinar))
        if attendee is not None:
            event.add("attendee", _attendee(attendee), encode=False)
        if method == "REQUEST":
            event.add_component(_alarm())
        calendar.add_component(event)
        return _text(calendar, [webinar])


@dataclass(frozen=True)
class Entry:
    """A webinar in a person's own calendar: its UID and SEQUENCE are those of their invitation."""

    webinar: Webinar
    uid: str
    sequence: int
    is_cancelled: bool = False


def feed_calendar(
    *,
    name: str,
    webinars: Sequence[Webinar] = (),
    entries: Sequence[Entry] = (),
    stamped_at: datetime | None = None,
) -> str:
    """Return a calendar of several webinars to subscribe to: METHOD:PUBLISH, no persons, no join links.

    Cancelled ones stay in it with STATUS:CANCELLED, so that subscribers see it.

    Args:
        webinars: for everybody; each under the UID that all shared calendars have.
        entries: for one person.
    """
    calendar = _empty_calendar("PUBLISH")
    calendar.add("name", clean_line(name))  # RFC 7986, section 5.1
    calendar.add("refresh-interval", vDuration(timedelta(hours=6)), parameters={"VALUE": "DURATION"})
    stamp = stamped_at or timezone.now()
    shared = [Entry(webinar, webinar_uid(webinar), webinar.calendar_sequence) for webinar in webinars]
    for entry in (*shared, *entries):
        event = _event(entry.webinar, page_url="", join_url="", stamped_at=stamp)
        event.add("uid", entry.uid)
        event.add("sequence", entry.sequence)
        event.add("status", "CANCELLED" if entry.is_cancelled else _status(entry.webinar))
        calendar.add_component(event)
    return _text(calendar, [entry.webinar for entry in (*shared, *entries)])


def webinar_uid(webinar: Webinar, person: str = "") -> str:
    """Return the entry's UID: one per webinar, or one per webinar and `person` for invitations.

    Two registrants may share a calendar, so their invitations must not be each other's updates.
    """
    return f"{webinar.calendar_uid}{'-' if person else ''}{person}@{urlsplit(settings.BASE_URL).hostname}"


def _empty_calendar(method: Method) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Rostrum//Rostrum//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _event(webinar: Webinar, *, page_url: str, join_url: str, stamped_at: datetime) -> Event:
    page = page_url or f"{settings.BASE_URL}/webinars/{webinar.slug}/"
    zone = zoneinfo.ZoneInfo(webinar.time_zone)
    event = Event()
    event.add("dtstamp", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", _local(webinar.starts_at, zone))
    event.add("dtend", _local(webinar.ends_at, zone))
    event.add("summary", clean_line(str(webinar.title)))
    event.add("description", _description(webinar, page=page, join_url=join_url))
    event.add("url", page)
    event.add("organizer", _organiser(webinar), encode=False)
    if join_url:
        event.add("location", join_url)
    event.add("transp", "OPAQUE")
    return event


def _local(moment: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    return moment.astimezone(UTC if zone.key in _UTC else zone).replace(microsecond=0)


def _description(webinar: Webinar, *, page: str, join_url: str) -> str:
    parts = [clean_lines(str(webinar.summary))]
    if join_url:
        parts.append(_("Join the session: %(address)s") % {"address": join_url})
    parts.append(_("About this webinar: %(address)s") % {"address": page})
    return "\n\n".join(part for part in parts if part)


def _status(webinar: Webinar) -> str:
    return "CANCELLED" if webinar.state == WebinarState.CANCELLED else "CONFIRMED"


def _organiser(webinar: Webinar) -> vCalAddress:
    organiser = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organiser.params["CN"] = _parameter(webinar.organisation.name)
    return organiser


def _attendee(person: Attendee) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{person.email}")
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    # They asked to come, so nothing is left to answer; calendars then enter the session at once.
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    attendee.params["CN"] = _parameter(person.name or person.email)
    return attendee


def _parameter(value: str) -> str:
    # A parameter cannot hold a double quote at all (RFC 5545, section 3.2).
    return clean_line(value, max_length=150).replace('"', "'")


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("The webinar begins soon."))
    alarm.add("trigger", -ALARM_BEFORE)
    return alarm


def _text(calendar: Calendar, webinars: Sequence[Webinar]) -> str:
    for key in sorted({webinar.time_zone for webinar in webinars} - _UTC):
        inside = [webinar for webinar in webinars if webinar.time_zone == key]
        zone = timezone_component(
            zoneinfo.ZoneInfo(key),
            first=min(webinar.starts_at for webinar in inside),
            last=max(webinar.ends_at for webinar in inside),
        )
        calendar.subcomponents.insert(0, zone)  # before what refers to it
    text: bytes = calendar.to_ical()
    return text.decode()
