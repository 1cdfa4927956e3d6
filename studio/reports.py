"""What funders ask for: how many registered, came, stayed, watched and downloaded, and from where.

No person can be found in it: groups of fewer than SMALL people are put together, and so are the next smallest ones
where a difference would give them away (complementary suppression, as statistical offices do it).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Organisation
from events.models import Series, Webinar, WebinarState
from library.models import DownloadDay, Viewing, ViewingDay
from library.viewings import COMPLETED, SMALL, share
from registration.attendance import Interval, Presence, Segment, presence
from registration.models import Attendance, Certificate, Registration, RegistrationState
from registration.times import babel_locale

MAX_GROUPS = 30
_HOUR_MS = 3_600_000


@dataclass
class Figures:
    """Sums of one or several webinars. `minutes` are of those whose minutes are known (`timed`)."""

    registered: int = 0
    attended: int = 0
    stayed: int = 0  # of those who attended, to the end
    timed: int = 0
    minutes: int = 0
    certificates: int = 0
    openings: int = 0
    watched_ms: int = 0
    completed: int = 0
    downloads: int = 0

    def add(self, other: "Figures") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def attended_percent(self) -> int | None:
        return _percent(self.attended, self.registered)

    @property
    def stayed_percent(self) -> int | None:
        return _percent(self.stayed, self.attended)

    @property
    def completion_percent(self) -> int | None:
        return _percent(self.completed, self.openings) if self.openings >= SMALL else None

    @property
    def average_minutes(self) -> int | None:
        return round(self.minutes / self.timed) if self.timed else None

    @property
    def hours(self) -> float:
        return self.minutes / 60

    @property
    def watched_hours(self) -> float:
        return self.watched_ms / _HOUR_MS


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


@dataclass(frozen=True)
class Group:
    """People who have something in common; `attended` is None where it is too few to be told."""

    name: str
    registered: int
    attended: int | None
    percent: int = 0  # of the largest group, for drawing


@dataclass(frozen=True)
class Breakdown:
    key: str
    label: str
    groups: list[Group]


@dataclass(frozen=True)
class WebinarFigures:
    webinar: Webinar
    figures: Figures
    percent: int = 0  # registered, of the webinar with the most; for drawing
    attended_width: int = 0


@dataclass(frozen=True)
class FundersReport:
    webinars: list[WebinarFigures]
    total: Figures
    breakdowns: list[Breakdown] = field(default_factory=list)


def webinars_in(
    organisations: "QuerySet[Organisation]",
    *,
    series: Series | None = None,
    first: date | None = None,
    last: date | None = None,
) -> "QuerySet[Webinar]":
    """Announced webinars that began on these days, in the zone of the first organisation; both days included."""
    found = Webinar.objects.filter(organisation__in=organisations).exclude(state=WebinarState.DRAFT)
    organisation = organisations.first()
    zone = ZoneInfo(organisation.time_zone) if organisation else ZoneInfo("UTC")
    if series is not None:
        found = found.filter(series=series)
    if first is not None:
        found = found.filter(starts_at__gte=datetime.combine(first, time(), tzinfo=zone))
    if last is not None and last < date.max:
        found = found.filter(starts_at__lt=datetime.combine(last + timedelta(days=1), time(), tzinfo=zone))
    return found.order_by("starts_at", "pk")


def report_on(chosen: "QuerySet[Webinar]") -> FundersReport:
    """Sum up webinars. Seven queries, however many webinars, people and viewings there are."""
    webinars = list(chosen.select_related("series"))
    figures = {webinar.pk: Figures() for webinar in webinars}
    present = _presences(webinars)
    people = list(_count_people(figures, present))
    _count_certificates(figures)
    _count_viewings(figures)
    _count_downloads(figures)
    total = Figures()
    for one in figures.values():
        total.add(one)
    most = max((one.registered for one in figures.values()), default=0) or 1
    rows = [
        WebinarFigures(
            webinar,
            figures[webinar.pk],
            percent=round(100 * figures[webinar.pk].registered / most),
            attended_width=round(100 * figures[webinar.pk].attended / most),
        )
        for webinar in webinars
    ]
    return FundersReport(rows, total, _breakdowns(people))


@dataclass(frozen=True)
class _Person:
    country: str
    profession: str
    sector: str
    language: str
    has_attended: bool


def _presences(webinars: Iterable[Webinar]) -> dict[UUID, Presence]:
    times = {webinar.pk: (webinar.starts_at, webinar.ends_at) for webinar in webinars}
    rows = Attendance.objects.filter(registration__webinar__in=list(times)).order_by("joined_at")
    intervals: dict[tuple[UUID, UUID], list[Interval]] = defaultdict(list)
    for registration, webinar, joined_at, left_at, source in rows.values_list(
        "registration", "registration__webinar", "joined_at", "left_at", "source"
    ).iterator(chunk_size=5000):
        intervals[registration, webinar].append(Interval(joined_at, left_at, source))
    return {
        registration: presence(found, starts_at=times[webinar][0], ends_at=times[webinar][1])
        for (registration, webinar), found in intervals.items()
    }


def _count_people(figures: dict[UUID, Figures], present: dict[UUID, Presence]) -> Iterator[_Person]:
    rows = Registration.objects.filter(webinar__in=list(figures)).values_list(
        "pk", "webinar", "state", "country", "profession", "sector", "language"
    )
    for pk, webinar, state, country, profession, sector, language in rows.iterator(chunk_size=5000):
        there = present.get(pk, Presence())
        if state != RegistrationState.CONFIRMED and not there.has_attended:
            continue
        one = figures[webinar]
        one.registered += 1
        if there.has_attended:
            one.attended += 1
            one.stayed += there.segment == Segment.ATTENDED
            one.timed += there.minutes is not None
            one.minutes += there.minutes or 0
        yield _Person(country, profession, sector, language, there.has_attended)


def _count_certificates(figures: dict[UUID, Figures]) -> None:
    rows = Certificate.objects.filter(registration__webinar__in=list(figures), revoked_at=None).order_by()
    for webinar, count in rows.values_list("registration__webinar").annotate(n=Count("pk")):
        figures[webinar].certificates = count


def _count_viewings(figures: dict[UUID, Figures]) -> None:
    single = Viewing.objects.filter(recording__webinar__in=list(figures))
    rows = single.values_list("recording__webinar", "watched_ms", "seen")
    for webinar, watched_ms, seen in rows.iterator(chunk_size=2000):
        one = figures[webinar]
        one.openings += 1
        one.watched_ms += watched_ms
        one.completed += share(seen) >= COMPLETED
    days = ViewingDay.objects.filter(recording__webinar__in=list(figures)).order_by()
    for webinar, openings, watched_ms, completed in days.values_list("recording__webinar").annotate(
        Sum("openings"), Sum("watched_ms"), Sum("completed")
    ):
        one = figures[webinar]
        one.openings += openings
        one.watched_ms += watched_ms
        one.completed += completed


def _count_downloads(figures: dict[UUID, Figures]) -> None:
    rows = DownloadDay.objects.filter(webinar__in=list(figures)).order_by()
    for webinar, count in rows.values_list("webinar").annotate(Sum("count")):
        figures[webinar].downloads = count


# --- Groups --------------------------------------------------------------------------------------------------------
def _breakdowns(people: list[_Person]) -> list[Breakdown]:
    locale = babel_locale(get_language() or "en")
    countries: Callable[[str], str] = lambda code: str(locale.territories.get(code, code))  # noqa: E731  (a pair of two)
    languages: Callable[[str], str] = lambda tag: str(locale.languages.get(tag.partition("-")[0], tag))  # noqa: E731
    wanted: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("country", _("Countries"), countries),
        ("profession", _("Professions"), str),
        ("sector", _("Sectors"), str),
        ("language", _("Languages"), languages),
    )
    return [
        Breakdown(key, label, groups)
        for key, label, name in wanted
        if (groups := grouped(((getattr(one, key), one.has_attended) for one in people), name=name))
    ]


def grouped(people: Iterable[tuple[str, bool]], *, name: Callable[[str], str] = str) -> list[Group]:
    """Count people by what they said, the largest group first, with small ones put together.

    Spellings that differ in case alone are one group. Nothing is returned where even all together are too few.

    Args:
        people: what each said ("" for nothing) and whether they attended.
        name: what a group is called.
    """
    registered: Counter[str] = Counter()
    attended: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for said, has_attended in people:
        text = " ".join(said.split())
        key = text.casefold()
        registered[key] += 1
        attended[key] += has_attended
        spellings[key][text] += 1
    if registered.total() < SMALL or set(registered) == {""}:
        return []
    shown, together = _without_small(registered)
    counts = [(_label(spellings[key], name), registered[key], attended[key]) for key in shown]
    counts += [(_("others"), sum(registered[key] for key in together), sum(attended[key] for key in together))] * bool(
        together
    )
    told = _told([(whole, part) for _name, whole, part in counts])
    most = max(whole for _name, whole, _part in counts)
    return [
        Group(label, whole, part if is_told else None, round(100 * whole / most))
        for (label, whole, part), is_told in zip(counts, told, strict=True)
    ]


def _label(spellings: Counter[str], name: Callable[[str], str]) -> str:
    spelling = spellings.most_common(1)[0][0]
    return name(spelling) if spelling else _("not told")


def _without_small(counts: Counter[str]) -> tuple[list[str], list[str]]:
    """Which groups can be shown, and which are put together because they, or what is left, would be too small."""
    ordered = [key for key, _count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    shown = [key for key in ordered if counts[key] >= SMALL][:MAX_GROUPS]
    together = [key for key in ordered if key not in shown]
    while together and shown and sum(counts[key] for key in together) < SMALL:
        together.insert(0, shown.pop())
    return shown, together


def _told(counts: list[tuple[int, int]]) -> list[bool]:
    """For which groups it can be said how many attended: neither few of them nor all but few.

    With the sum of all known, a single gap could be filled by subtraction, so there are at least two or none.
    """
    told = [not (0 < part < SMALL or 0 < whole - part < SMALL) for whole, part in counts]
    if told.count(False) == 1 and len(told) > 1:
        others = [number for number, is_told in enumerate(told) if is_told]
        told[min(others, key=lambda number: counts[number][0])] = False
    return told


# --- As a table ----------------------------------------------------------------------------------------------------
def table_header() -> list[str]:
    return [
        _("Part"),
        _("Name"),
        _("Date"),
        _("Registrations"),
        _("Attended"),
        _("Stayed to the end"),
        _("Hours attended"),
        _("Certificates"),
        _("Views of the recording"),
        _("Hours watched"),
        _("Watched to the end"),
        _("Downloads"),
    ]


def table_rows(report: FundersReport) -> Iterator[list[object]]:
    """The same as on the page: a line per webinar, their sum, then a line per group."""
    for row in report.webinars:
        zone = ZoneInfo(row.webinar.time_zone)
        day = row.webinar.starts_at.astimezone(zone).date().isoformat()
        yield [_("Webinar"), str(row.webinar.title), day, *_cells(row.figures)]
    yield [_("All"), "", "", *_cells(report.total)]
    for breakdown in report.breakdowns:
        for group in breakdown.groups:
            yield [breakdown.label, group.name, "", group.registered, group.attended, *[""] * 7]


def _cells(figures: Figures) -> list[object]:
    return [
        figures.registered,
        figures.attended,
        figures.stayed,
        round(figures.hours, 2),
        figures.certificates,
        figures.openings,
        round(figures.watched_hours, 2),
        figures.completed if figures.openings >= SMALL else None,
        figures.downloads,
    ]
