"""Who was in the live session, and for how long: intervals from several sources, and what they add up to.

The personal join link only knows that somebody went in; a report of the conference system knows when they came and
left; an organiser's correction outweighs both. Minutes are the union of the intervals that count, within the session's
times, so that two devices or overlapping reports count once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.services import record_action
from events.models import Webinar
from registration.errors import InvalidDetail
from registration.models import Attendance, AttendanceSource, Registration, RegistrationState
from registration.validators import plain_text

LEFT_EARLY_SHARE = 0.1  # of the session: who leaves before its last tenth left early
STAMP_AGAIN_AFTER = timedelta(minutes=5)
REASON_MAX = 200


class Segment(StrEnum):
    """What happened to a registrant. Mails after the session are written for one of these."""

    ATTENDED = "attended"
    LEFT_EARLY = "left_early"
    NOT_ATTENDED = "not_attended"


SEGMENT_NAMES = {
    Segment.ATTENDED: gettext_lazy("attended"),
    Segment.LEFT_EARLY: gettext_lazy("left early"),
    Segment.NOT_ATTENDED: gettext_lazy("did not attend"),
}


@dataclass(frozen=True)
class Interval:
    """From when to when, as one source knows it; `left_at` is None where only the coming is known."""

    joined_at: datetime
    left_at: datetime | None
    source: str


@dataclass(frozen=True)
class Presence:
    """What a registrant's intervals add up to.

    Attributes:
        minutes: in the session, to the nearest minute; None when it is only known that they went in.
        share: of the session, 0 to 1; None likewise.
        sources: where it is known from, in the order of `AttendanceSource`.
    """

    segment: Segment = Segment.NOT_ATTENDED
    minutes: int | None = 0
    share: float | None = 0.0
    joined_at: datetime | None = None
    left_at: datetime | None = None
    sources: tuple[str, ...] = ()

    @property
    def has_attended(self) -> bool:
        return self.segment != Segment.NOT_ATTENDED

    @property
    def is_corrected(self) -> bool:
        return AttendanceSource.PERSON in self.sources

    @property
    def source_names(self) -> list[str]:
        return [str(AttendanceSource(source).label) for source in self.sources]

    @property
    def segment_name(self) -> str:
        return str(SEGMENT_NAMES[self.segment])


def presence(intervals: Iterable[Interval], *, starts_at: datetime, ends_at: datetime) -> Presence:
    """Add up one registrant's intervals.

    A correction by a person stands in place of everything else. Otherwise intervals with an end outweigh the join
    link, which counts only where nothing else is known. What lies before the start or after the end does not count.
    """
    known = list(intervals)
    counted = [one for one in known if one.source == AttendanceSource.PERSON] or known
    sources = tuple(source for source in AttendanceSource.values if any(one.source == source for one in counted))
    stays = [(one.joined_at, one.left_at) for one in counted if one.left_at is not None]
    if not stays:
        if not counted:
            return Presence()
        first = min(one.joined_at for one in counted)
        return Presence(Segment.ATTENDED, None, None, joined_at=first, sources=sources)
    inside = union((max(joined, starts_at), min(left, ends_at)) for joined, left in stays)
    if not inside:
        return Presence(sources=sources)
    seconds = sum((left - joined).total_seconds() for joined, left in inside)
    return Presence(
        segment=Segment.LEFT_EARLY if inside[-1][1] < early_until(starts_at, ends_at) else Segment.ATTENDED,
        minutes=round(seconds / 60),
        share=seconds / (ends_at - starts_at).total_seconds(),
        joined_at=min(joined for joined, left in stays),
        left_at=max(left for joined, left in stays),
        sources=sources,
    )


def union(stays: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The stretches of time covered by any of them, in order; empty ones are left out."""
    found: list[tuple[datetime, datetime]] = []
    for joined, left in sorted(stay for stay in stays if stay[0] < stay[1]):
        if found and joined <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], left))
        else:
            found.append((joined, left))
    return found


def early_until(starts_at: datetime, ends_at: datetime) -> datetime:
    """Who left before this moment left early."""
    return ends_at - LEFT_EARLY_SHARE * (ends_at - starts_at)


# --- Reading -------------------------------------------------------------------------------------------------------
def attendance_of(registration: Registration) -> Presence:
    """What is known of one registrant."""
    return attendances(registration.webinar, [registration.pk])[registration.pk]


def attendances(webinar: Webinar, registrations: Iterable[UUID] | None = None) -> dict[UUID, Presence]:
    """What is known of these registrants, or of everybody with an interval. One query, however many."""
    rows = Attendance.objects.filter(registration__webinar=webinar).order_by("joined_at")
    found: dict[UUID, list[Interval]] = {}
    if registrations is not None:
        wanted = list(registrations)
        rows = rows.filter(registration__in=wanted)
        found = {pk: [] for pk in wanted}
    for pk, joined_at, left_at, source in rows.values_list("registration", "joined_at", "left_at", "source"):
        found.setdefault(pk, []).append(Interval(joined_at, left_at, source))
    return {
        pk: presence(intervals, starts_at=webinar.starts_at, ends_at=webinar.ends_at) for pk, intervals in found.items()
    }


def presences(registrations: Iterable[Registration]) -> dict[UUID, Presence]:
    """What is known of registrants of any webinars. One query, however many."""
    wanted = {one.pk: one for one in registrations}
    found: dict[UUID, list[Interval]] = {pk: [] for pk in wanted}
    rows = Attendance.objects.filter(registration__in=list(wanted)).order_by("joined_at")
    for pk, joined_at, left_at, source in rows.values_list("registration", "joined_at", "left_at", "source"):
        found[pk].append(Interval(joined_at, left_at, source))
    return {
        pk: presence(intervals, starts_at=wanted[pk].webinar.starts_at, ends_at=wanted[pk].webinar.ends_at)
        for pk, intervals in found.items()
    }


def in_segment(webinar: Webinar, segment: str) -> "QuerySet[Registration]":
    """The webinar's registrations in a segment, decided in the database by the rules of `presence`.

    Only who had a place can have stayed away; who came counts whatever became of their registration.
    """
    corrected = Attendance.objects.filter(registration=OuterRef("registration"), source=AttendanceSource.PERSON)
    counted = Attendance.objects.filter(registration=OuterRef("pk")).filter(
        Q(source=AttendanceSource.PERSON) | ~Exists(corrected)
    )
    ended = counted.filter(left_at__isnull=False)
    inside = ended.filter(joined_at__lt=webinar.ends_at, left_at__gt=webinar.starts_at)
    inside = inside.filter(left_at__gt=F("joined_at"))
    stayed = inside.filter(left_at__gte=early_until(webinar.starts_at, webinar.ends_at))
    found = Registration.objects.filter(webinar=webinar)
    if segment == Segment.LEFT_EARLY:
        return found.filter(Exists(inside), ~Exists(stayed))
    if segment == Segment.ATTENDED:
        return found.filter(Q(Exists(stayed)) | (~Exists(ended) & Exists(counted)))
    came = Exists(inside) | (~Exists(ended) & Exists(counted))
    return found.filter(~came, state=RegistrationState.CONFIRMED)


def expected_or_there(webinar: Webinar, *, search: str = "", segment: str = "") -> "QuerySet[Registration]":
    """Registrants with a place, and whoever came without one, by name; `search` looks in names and addresses."""
    if segment in list(Segment):
        found = in_segment(webinar, segment)
    else:
        came = Exists(Attendance.objects.filter(registration=OuterRef("pk")))
        found = Registration.objects.filter(Q(state=RegistrationState.CONFIRMED) | came, webinar=webinar)
    for word in search.replace("\0", " ").split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word) | Q(affiliation__icontains=word))
    return found.order_by("name", "pk")


def segment_counts(webinar: Webinar) -> dict[Segment, int]:
    """How many registrants are in each segment: three queries."""
    return {segment: in_segment(webinar, segment).count() for segment in Segment}


# --- Writing -------------------------------------------------------------------------------------------------------
def note_join(*, registration: Registration) -> None:
    """Stamp that somebody went into the live room by their personal link. Going in again soon adds nothing."""
    now = timezone.now()
    recent = registration.attendances.filter(source=AttendanceSource.JOIN_LINK, joined_at__gt=now - STAMP_AGAIN_AFTER)
    if not recent.exists():
        Attendance.objects.create(registration=registration, joined_at=now, source=AttendanceSource.JOIN_LINK)


def correct_attendance(
    *, registration: Registration, stays: Sequence[tuple[datetime, datetime]], reason: str, user: User
) -> Presence:
    """Say in place of all reports when somebody was there; no stays: not at all. Replaces an earlier correction.

    Raises:
        InvalidDetail: a stay ends before it begins or lies outside the session, or no reason is given.
    """
    webinar = registration.webinar
    words = plain_text(reason, field="reason", label=_("Reason"), max_length=REASON_MAX, required=True)
    for joined, left in stays:
        if left <= joined:
            raise InvalidDetail(_("The end must be after the beginning."), field="left_at")
        if left <= webinar.starts_at or joined >= webinar.ends_at:
            raise InvalidDetail(_("This time is not within the session."), field="joined_at")
    with transaction.atomic():
        before = attendance_of(registration)
        _corrections(registration).delete()
        # An empty interval says that the person was not there, whatever reports say.
        Attendance.objects.bulk_create(
            Attendance(
                registration=registration,
                joined_at=joined,
                left_at=left,
                source=AttendanceSource.PERSON,
                entered_by=user,
            )
            for joined, left in stays or [(webinar.starts_at, webinar.starts_at)]
        )
        after = attendance_of(registration)
        _record("attendance.corrected", registration, user, before=before.minutes, after=after.minutes, reason=words)
    return after


def remove_correction(*, registration: Registration, user: User) -> Presence:
    """Let the reports count again. Without a correction nothing happens."""
    with transaction.atomic():
        before = attendance_of(registration)
        removed, _rows = _corrections(registration).delete()
        after = attendance_of(registration)
        if removed:
            _record("attendance.correction_removed", registration, user, before=before.minutes, after=after.minutes)
    return after


def _corrections(registration: Registration) -> "QuerySet[Attendance]":
    return registration.attendances.filter(source=AttendanceSource.PERSON)


def _record(action: str, registration: Registration, user: User, **detail: Any) -> None:
    record_action(
        action=action, target=registration, organisation=registration.webinar.organisation, user=user, **detail
    )
