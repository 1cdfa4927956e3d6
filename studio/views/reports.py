"""Reports for funders: one webinar, a series, or everything between two days; as page, table and document."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts import rules
from events.models import Series, Webinar
from library.viewings import SMALL
from registration import documents
from registration.certificates import day_text
from studio import exports, reports
from studio.attendance_forms import ReportForm
from studio.views.access import StudioRequest, studio_page
from studio.views.webinars import find_webinar, webinar_context
from work.errors import DomainError

MAX_WEBINARS = 500


@dataclass(frozen=True)
class Chosen:
    """What a report is about: its webinars, and how it is called."""

    webinars: "QuerySet[Webinar]"
    title: str
    organisations: str


def _chosen(request: StudioRequest) -> tuple[ReportForm, Chosen]:
    """Read the choice from the address; what cannot be meant is shown at its field, and chooses nothing."""
    organisations = rules.organisations_of(request.user).order_by("name")
    form = ReportForm(request.GET)
    series_field = form.fields["series"]
    series_field.queryset = Series.objects.filter(organisation__in=organisations).order_by("slug")  # type: ignore[attr-defined]  # a ModelChoiceField
    values = form.cleaned_data if form.is_valid() else {}
    found = reports.webinars_in(
        organisations, series=values.get("series"), first=values.get("first"), last=values.get("last")
    )
    title = str(values["series"].title) if values.get("series") else _("All webinars")
    days = _days_text(values.get("first"), values.get("last"))
    return form, Chosen(
        found if form.is_valid() else found.none(),
        f"{title}, {days}" if days else title,
        ", ".join(organisation.name for organisation in organisations),
    )


def _days_text(first: date | None, last: date | None) -> str:
    shown = [day.isoformat() if day else "…" for day in (first, last)]
    return " – ".join(shown) if first or last else ""


def _context(chosen: Chosen, address: str, query: str = "") -> dict[str, Any]:
    found = list(chosen.webinars[: MAX_WEBINARS + 1])
    is_cut = len(found) > MAX_WEBINARS
    webinars = chosen.webinars.filter(pk__in=[one.pk for one in found[:MAX_WEBINARS]]) if is_cut else chosen.webinars
    return {
        "report": reports.report_on(webinars),
        "title": chosen.title,
        "organisations": chosen.organisations,
        "is_cut": is_cut,
        "max_webinars": MAX_WEBINARS,
        "small": SMALL,
        "downloads": [(_("Document (PDF)"), "pdf"), (_("Table (CSV)"), "csv"), (_("Table (Excel)"), "xlsx")],
        "address": address,
        "query": query,
    }


@studio_page
@require_GET
def report(request: StudioRequest) -> HttpResponse:
    if not rules.organisations_of(request.user).exists():
        return render(request, "studio/no_organisation.html")
    form, chosen = _chosen(request)
    context = _context(chosen, "/studio/report", request.GET.urlencode())
    return render(request, "studio/report.html", {**context, "form": form}, status=422 if form.errors else 200)


@studio_page
@require_GET
def report_file(request: StudioRequest, format: str) -> HttpResponseBase:
    _form, chosen = _chosen(request)
    try:
        return _file(chosen, format, name="webinars-report")
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("studio:report")


@studio_page
@require_GET
def webinar_report(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk)
    context = _context(_chosen_one(webinar), f"/studio/webinars/{pk}/report")
    return render(request, "studio/webinar/report.html", webinar_context(request, webinar, "report", **context))


@studio_page
@require_GET
def webinar_report_file(request: StudioRequest, pk: UUID, format: str) -> HttpResponseBase:
    webinar = find_webinar(request, pk)
    try:
        return _file(_chosen_one(webinar), format, name=f"report-{webinar.slug}")
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("studio:webinar_report", pk=pk)


def _chosen_one(webinar: Webinar) -> Chosen:
    return Chosen(Webinar.objects.filter(pk=webinar.pk), str(webinar.title), webinar.organisation.name)


def _file(chosen: Chosen, format: str, *, name: str) -> HttpResponseBase:
    """The report as pdf, csv or xlsx. It holds no personal data."""
    context = _context(chosen, "")
    if format != "pdf":
        rows: Iterable[Iterable[object]] = reports.table_rows(context["report"])
        return exports.table_response(reports.table_header(), rows, name=name, format=format)
    language = get_language() or "en"
    context["made_on"] = day_text(timezone.now(), "UTC", language)
    pdf = documents.render_pdf(
        template="studio/report_pdf.html", style="report.css", context=context, language=language
    )
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
