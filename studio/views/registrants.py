"""Who registered: a paged list and a table to download."""

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.services import record_action
from events.models import Webinar
from registration.models import RegistrationState
from studio import exports, overview
from studio.views.access import StudioRequest, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context

PAGE_SIZE = 50


@studio_page
@require_GET
def registrants(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk)
    search, state = request.GET.get("q", "")[:100], request.GET.get("state", "")
    found = overview.registrants(webinar, search=search, state=state)
    context = webinar_context(
        request,
        webinar,
        "registrants",
        page=page_of(found, request.GET.get("page"), PAGE_SIZE),
        counts=overview.registrant_counts(webinar),
        search=search,
        state=state,
        states=RegistrationState.choices,
    )
    return render(request, "studio/webinar/registrants.html", context)


@studio_page
@require_POST
def registrants_csv(request: StudioRequest, pk: UUID) -> StreamingHttpResponse:
    """Every registrant of the webinar as CSV. It holds personal data, so who took it is recorded: hence POST."""
    webinar = find_webinar(request, pk, change=True)
    record_action(action="registrations.export", target=webinar, organisation=webinar.organisation, user=request.user)
    header = [
        _("Name"),
        _("E-mail address"),
        _("State"),
        _("Language"),
        _("Time zone"),
        _("Country"),
        _("Profession"),
        _("Organisation"),
        _("Registered at (UTC)"),
    ]
    response = StreamingHttpResponse(exports.csv_lines(header, _rows(webinar)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="registrants-{webinar.slug}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _rows(webinar: Webinar) -> Iterator[list[str]]:
    for row in overview.registrants(webinar).iterator(chunk_size=500):
        yield [
            row.name,
            row.email,
            row.get_state_display(),
            row.language,
            row.time_zone,
            row.country,
            row.profession,
            row.affiliation,
            row.created_at.strftime("%Y-%m-%d %H:%M"),
        ]
