"""Whom a message to registrants is for, by what happened: who was there, who was not, who left early.

Apps above add their own (`library`: who has watched since).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.models import Webinar
from registration import attendance
from registration.models import Registration, RegistrationState
from registration.open_points import lacking


@dataclass(frozen=True)
class Segment:
    """Some of the people around a webinar.

    Attributes:
        name: stable, stored with a message.
        label: what organisers choose.
        choose: given the webinar, its registrations that belong.
    """

    name: str
    label: str | Promise
    choose: Callable[[Webinar], "QuerySet[Registration]"]


_segments: dict[str, Segment] = {}


def register(segment: Segment) -> None:
    """Offer a segment to organisers."""
    _segments[segment.name] = segment


def every() -> list[Segment]:
    return list(_segments.values())


def get(name: str) -> Segment | None:
    """The segment of that name, or None."""
    return _segments.get(name)


def people(webinar: Webinar, name: str) -> "QuerySet[Registration]":
    """The registrations in a segment; none for an unknown name."""
    segment = _segments.get(name)
    return (segment.choose(webinar) if segment else Registration.objects.none()).select_related("webinar__organisation")


def _having(*states: RegistrationState) -> Callable[[Webinar], "QuerySet[Registration]"]:
    return lambda webinar: Registration.objects.filter(webinar=webinar, state__in=states)


def _in(name: attendance.Segment) -> Callable[[Webinar], "QuerySet[Registration]"]:
    """By what is known of their presence; without a place nobody is written to, whoever came."""
    return lambda webinar: attendance.in_segment(webinar, name).filter(state=RegistrationState.CONFIRMED)


for _segment in (
    Segment(
        "everybody",
        _("Everybody who is registered or waits for a place"),
        _having(RegistrationState.CONFIRMED, RegistrationState.WAITLISTED),
    ),
    Segment("confirmed", _("Those who have a place"), _having(RegistrationState.CONFIRMED)),
    Segment("waitlisted", _("Those who wait for a place"), _having(RegistrationState.WAITLISTED)),
    Segment(
        "lacking",
        _("Those who still have something to answer or to agree to"),
        lambda webinar: lacking(_having(RegistrationState.CONFIRMED, RegistrationState.WAITLISTED)(webinar)),
    ),
    Segment("attended", _("Those who were there to the end"), _in(attendance.Segment.ATTENDED)),
    Segment("left_early", _("Those who left early"), _in(attendance.Segment.LEFT_EARLY)),
    Segment("absent", _("Those who had a place and were not there"), _in(attendance.Segment.NOT_ATTENDED)),
):
    register(_segment)
