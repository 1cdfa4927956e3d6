"""Calendars to subscribe to. They name no person and no join link, so they need no login."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from events import ical, rules, selectors
from events.models import Series, Webinar

CACHED_FOR_S = 300


@require_safe
def webinar_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """One webinar as a calendar entry, for everybody who may open its page."""
    webinar = get_object_or_404(Webinar.objects.select_related("organisation", "series"), slug=slug)
    if not rules.can_see_webinar(webinar, request.user):
        raise Http404
    return calendar_response(ical.webinar_calendar(webinar=webinar, method="PUBLISH"), file_name=f"{webinar.slug}.ics")


@require_safe
def series_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The announced webinars of a public series."""
    series = get_object_or_404(Series, slug=slug, is_public=True)
    webinars = selectors.calendar_webinars(series=series)
    return calendar_response(
        ical.feed_calendar(webinars=webinars, name=str(series.title)), file_name=f"{series.slug}.ics"
    )


@require_safe
def site_calendar(request: HttpRequest) -> HttpResponse:
    """All announced webinars."""
    name = _("%(site)s: webinars") % {"site": settings.SITE_NAME}
    return calendar_response(
        ical.feed_calendar(webinars=selectors.calendar_webinars(), name=name), file_name="webinars.ics"
    )


def calendar_response(text: str, *, file_name: str) -> HttpResponse:
    """A calendar as programs that subscribe to it get it; `file_name` is ASCII."""
    # Slugs are ASCII, so the file name needs no encoding (RFC 6266).
    response = HttpResponse(
        text,
        content_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": f'inline; filename="{file_name}"',
            "Cache-Control": f"private, max-age={CACHED_FOR_S}",
        },
    )
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response
