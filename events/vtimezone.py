"""VTIMEZONE components (RFC 5545, section 3.6.5) from the zones that Python knows.

icalendar can write them too, but states the spring change in the new offset where the RFC wants the old one, so that
readers which trust the component are wrong for an hour.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

_DAY = timedelta(days=1)


def timezone_component(zone: zoneinfo.ZoneInfo, *, first: datetime, last: datetime) -> Timezone:
    """Return the zone's rules from the year before `first` to the year after `last` (aware datetimes).

    Whole years, so that all mails about one webinar, and most about others, share what is made once. Whoever gets it
    must not change it.
    """
    return _component(zone, first.astimezone(UTC).year - 1, last.astimezone(UTC).year + 1)


@lru_cache(maxsize=256)
def _component(zone: zoneinfo.ZoneInfo, first_year: int, last_year: int) -> Timezone:
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    component = Timezone()
    component.add("tzid", zone.key)
    start_offset = _offset(zone, moment)
    component.add_component(_observance(zone, moment, start_offset))
    while moment < end:
        after = moment + _DAY
        if _offset(zone, after) != _offset(zone, moment):
            change = _change_between(zone, moment, after)
            component.add_component(_observance(zone, change, _offset(zone, change - timedelta(seconds=1))))
        moment = after
    return component


def _observance(
    zone: zoneinfo.ZoneInfo, change: datetime, offset_before: timedelta
) -> TimezoneStandard | TimezoneDaylight:
    local = change.astimezone(zone)
    part = TimezoneDaylight() if local.dst() else TimezoneStandard()
    # "The onset ... is in the local time before the change" (RFC 5545, section 3.6.5).
    part.add("dtstart", (change + offset_before).replace(tzinfo=None))
    part.add("tzoffsetfrom", offset_before)
    part.add("tzoffsetto", _offset(zone, change))
    part.add("tzname", local.tzname() or zone.key)
    return part


def _change_between(zone: zoneinfo.ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The first second with the new offset."""
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if _offset(zone, middle) == _offset(zone, early):
            early = middle
        else:
            late = middle
    return late


def _offset(zone: zoneinfo.ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
