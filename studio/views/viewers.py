"""How a recording is watched: figures, a curve, and a table to download. No person is named."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from library import viewings
from studio import exports
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context

# The drawing's size in its own units; the page scales it.
WIDTH, HEIGHT = 600, 160
SHOWN_DAYS = 31
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class CurvePoint:
    """How many viewings (percent) played the stretch that begins at a moment."""

    start_ms: int
    percent: int


@studio_page
@require_GET
def viewers(request: StudioRequest, pk: UUID) -> HttpResponse:
    recording = find_recording(request, pk)
    found = viewings.statistics(recording)
    points = [CurvePoint(number * found.curve_step_ms, round(100 * part)) for number, part in enumerate(found.curve)]
    context = recording_context(
        request,
        recording,
        "viewers",
        statistics=found,
        watched_hours=found.watched_ms / _HOUR_MS,
        completion_percent=None if found.completion is None else round(100 * found.completion),
        startup_s=None if found.median_startup_ms is None else found.median_startup_ms / 1000,
        curve=points,
        line=curve_line(found.curve),
        width=WIDTH,
        height=HEIGHT,
        small=viewings.SMALL,
        days=list(reversed(found.days))[:SHOWN_DAYS],
    )
    return render(request, "studio/recording/viewers.html", context)


@studio_page
@require_GET
def viewers_csv(request: StudioRequest, pk: UUID) -> StreamingHttpResponse:
    """One line per day (UTC). It holds no personal data."""
    recording = find_recording(request, pk)
    header = [_("Day (UTC)"), _("Started"), _("Hours watched"), _("Watched to the end")]
    rows = [
        [day.day.isoformat(), day.openings, f"{day.watched_ms / _HOUR_MS:.2f}", day.completed]
        for day in viewings.statistics(recording).days
    ]
    response = StreamingHttpResponse(exports.csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="viewers-{recording.webinar.slug}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def curve_line(curve: list[float]) -> str:
    """The curve as an SVG polyline's points; steps, since each value stands for a stretch."""
    if not curve:
        return ""
    step = WIDTH / len(curve)
    corners = []
    for number, part in enumerate(curve):
        y = f"{HEIGHT * (1 - part):.1f}"
        corners += [f"{number * step:.1f},{y}", f"{(number + 1) * step:.1f},{y}"]
    return " ".join(corners)
