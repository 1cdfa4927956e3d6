"""Who was in the live session: the list, reports of conference systems, corrections."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.services import record_action
from events.models import Webinar
from registration import attendance, attendance_imports
from registration.attendance import SEGMENT_NAMES, Presence
from registration.models import AttendanceImport, Registration
from studio import exports
from studio.attendance import watched_by_each
from studio.attendance_forms import ColumnsForm, CorrectionForm, ReportFileForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError

PAGE_SIZE = 50


def find_import(request: StudioRequest, pk: UUID, report: UUID, *, change: bool = False) -> AttendanceImport:
    rows = AttendanceImport.objects.filter(webinar=pk).select_related("webinar__organisation", "webinar__series")
    return find(rows, request, report, path="webinar__organisation", change=change)


@studio_page
@require_GET
def attendances(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Everybody who had a place or came, with minutes and where they are known from."""
    webinar = find_webinar(request, pk)
    return _attendances(request, webinar, ReportFileForm(webinar=webinar))


def _attendances(request: StudioRequest, webinar: Webinar, form: ReportFileForm, status: int = 200) -> HttpResponse:
    search, segment = request.GET.get("q", "")[:100], request.GET.get("segment", "")
    page = page_of(
        attendance.expected_or_there(webinar, search=search, segment=segment), request.GET.get("page"), PAGE_SIZE
    )
    present = attendance.attendances(webinar, [row.pk for row in page])
    watched = watched_by_each(webinar, [row.pk for row in page])
    counts = attendance.segment_counts(webinar)
    context = webinar_context(
        request,
        webinar,
        "attendance",
        page=page,
        people=[(row, present[row.pk], watched.get(row.pk)) for row in page],
        formats=exports_offered(),
        counts=[(segment, SEGMENT_NAMES[segment], counts[segment]) for segment in counts],
        has_begun=webinar.starts_at <= timezone.now(),
        reports=list(webinar.attendance_imports.select_related("created_by").order_by("-created_at")),
        form=form,
        search=search,
        segment=segment,
    )
    return render(request, "studio/webinar/attendance.html", context, status=status)


def exports_offered() -> list[tuple[str, str]]:
    return [("csv", _("Table (CSV)")), ("xlsx", _("Table (Excel)"))]


@studio_page
@require_POST
def attendance_table(request: StudioRequest, pk: UUID, format: str) -> HttpResponseBase:
    """Everybody as CSV or XLSX. It holds personal data, so who took it is recorded: hence POST."""
    webinar = find_webinar(request, pk, change=True)
    record_action(action="attendance.export", target=webinar, organisation=webinar.organisation, user=request.user)
    header = [
        _("Name"),
        _("E-mail address"),
        _("Attendance"),
        _("Minutes"),
        _("Part of the session (%)"),
        _("Came (UTC)"),
        _("Left (UTC)"),
        _("Known from"),
    ]
    name = f"attendance-{webinar.slug}"
    return exports.table_response(header, _rows(webinar), name=name, format=format)


def _rows(webinar: Webinar) -> Iterator[list[object]]:
    present = attendance.attendances(webinar)
    for row in attendance.expected_or_there(webinar).iterator(chunk_size=500):
        there = present.get(row.pk, Presence())
        yield [
            row.name,
            row.email,
            there.segment_name,
            there.minutes,
            None if there.share is None else round(100 * there.share),
            there.joined_at.strftime("%Y-%m-%d %H:%M") if there.joined_at else "",
            there.left_at.strftime("%Y-%m-%d %H:%M") if there.left_at else "",
            ", ".join(there.source_names),
        ]


# --- Reports of conference systems ---------------------------------------------------------------------------------
@studio_page
@require_POST
def report_upload(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk, change=True)
    form = ReportFileForm(request.POST, request.FILES, webinar=webinar)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            report = attendance_imports.receive_report(
                webinar=webinar,
                chunks=file.chunks(),
                file_name=file.name,
                time_zone=form.cleaned_data["time_zone"],
                replaces=not form.cleaned_data["adds"],
                user=request.user,
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            return redirect("studio:attendance_report", pk=pk, report=report.pk)
    return _attendances(request, webinar, form, status=422)


@studio_page
def report(request: StudioRequest, pk: UUID, report: UUID) -> HttpResponse:
    """GET: the report's people, the doubtful first. POST: who they are, and with `count` that they be counted."""
    found = find_import(request, pk, report, change=request.method == "POST")
    if attendance_imports.needs_columns(found):
        return _columns(request, found, _columns_form(found))
    wrong: dict[int, str] = {}
    typed: dict[int, str] = {}
    if request.method == "POST":
        typed = _choices(request)
        try:
            if typed:
                attendance_imports.decide(imported=found, choices=typed, user=request.user)
            if "count" in request.POST:
                return _count(request, found)
        except DomainError as error:
            if error.field.startswith("person-"):
                wrong = {int(error.field.removeprefix("person-")): str(error)}
            messages.error(request, str(error))
        else:
            messages.success(request, _("Your choices were saved. Nothing is counted before you confirm it."))
            return redirect(request.get_full_path())
    people = attendance_imports.people_of(found)
    page = Paginator(people, PAGE_SIZE).get_page(request.GET.get("page"))
    registrants = Registration.objects.in_bulk([one.registration for one in page if one.registration])
    shown = {str(pk): row for pk, row in registrants.items()}
    context = webinar_context(
        request,
        found.webinar,
        "attendance",
        report=found,
        outcome=attendance_imports.outcome_of(found),
        unread=attendance_imports.unread_of(found),
        page=page,
        people=[
            {
                "person": one,
                "registrant": shown.get(one.registration),
                "value": typed.get(one.key, shown[one.registration].email if one.registration in shown else ""),
                "error": wrong.get(one.key, ""),
            }
            for one in page
        ],
    )
    return render(request, "studio/webinar/attendance_report.html", context, status=422 if wrong else 200)


@studio_page
@require_POST
def report_columns(request: StudioRequest, pk: UUID, report: UUID) -> HttpResponse:
    """Take what a person said of the columns of a report whose headings are not known."""
    found = find_import(request, pk, report, change=True)
    form = _columns_form(found, request.POST)
    if not attendance_imports.needs_columns(found):
        messages.error(request, _("The columns of this report are known already."))
    elif form.is_valid():
        try:
            attendance_imports.choose_columns(
                imported=found, columns=form.columns, time_zone=form.cleaned_data["time_zone"], user=request.user
            )
        except DomainError as error:
            form.add_domain_error(error)
    if form.errors and attendance_imports.needs_columns(found):
        return _columns(request, found, form, status=422)
    return redirect("studio:attendance_report", pk=pk, report=report)


def _columns_form(found: AttendanceImport, data: Any = None) -> ColumnsForm:
    return ColumnsForm(
        data,
        webinar=found.webinar,
        headings=attendance_imports.headings_of(found),
        known=attendance_imports.known_columns(found),
    )


def _columns(request: StudioRequest, found: AttendanceImport, form: ColumnsForm, status: int = 200) -> HttpResponse:
    context = webinar_context(
        request,
        found.webinar,
        "attendance",
        report=found,
        form=form,
        headings=attendance_imports.headings_of(found),
        lines=attendance_imports.first_lines(found),
    )
    return render(request, "studio/webinar/attendance_columns.html", context, status=status)


def _count(request: StudioRequest, imported: AttendanceImport) -> HttpResponse:
    confirmed = attendance_imports.confirm_import(imported=imported, user=request.user)
    count = attendance_imports.outcome_of(confirmed).registrants
    text = ngettext("%(n)d registrant is being counted.", "%(n)d registrants are being counted.", count)
    messages.success(request, text % {"n": count})
    return redirect("studio:attendance", pk=imported.webinar_id)


def _choices(request: HttpRequest) -> dict[int, str]:
    """What was typed for each person, `person-<key>`; those whose field was left as it was are not decided."""
    found = {}
    for name, value in request.POST.items():
        key = name.removeprefix("person-")
        if name.startswith("person-") and key.isascii() and key.isdigit() and len(key) < 8:
            before = str(request.POST.get(f"before-{key}", ""))
            if str(value).strip() != before or request.POST.get(f"sure-{key}"):
                found[int(key)] = str(value)[:254]
    return found


@studio_page
@require_POST
def report_discard(request: StudioRequest, pk: UUID, report: UUID) -> HttpResponse:
    found = find_import(request, pk, report, change=True)
    attendance_imports.discard_import(imported=found, user=request.user)
    messages.success(request, _("The report was removed, and nothing of it is counted."))
    return redirect("studio:attendance", pk=pk)


# --- Corrections ---------------------------------------------------------------------------------------------------
@studio_page
def correction(request: StudioRequest, pk: UUID, registration: UUID) -> HttpResponse:
    """What is known of one person, and the form that says it better."""
    webinar = find_webinar(request, pk, change=True)
    found = webinar.registrations.filter(pk=registration).first()
    if found is None:
        raise Http404(_("There is no such registrant."))
    found.webinar = webinar
    presence = attendance.attendance_of(found)
    form = CorrectionForm(request.POST or None, webinar=webinar, presence=presence)
    if request.method == "POST":
        if "remove" in request.POST:
            attendance.remove_correction(registration=found, user=request.user)
            messages.success(request, _("The correction was removed; the reports count again."))
            return redirect("studio:attendance", pk=pk)
        if form.is_valid() and _corrected(form, found, request):
            messages.success(request, _("The attendance was corrected."))
            return redirect("studio:attendance", pk=pk)
    context: dict[str, Any] = webinar_context(
        request,
        webinar,
        "attendance",
        person=found,
        presence=presence,
        intervals=list(found.attendances.select_related("entered_by", "imported_with")),
        form=form,
    )
    return render(request, "studio/webinar/attendance_person.html", context, status=422 if form.errors else 200)


def _corrected(form: CorrectionForm, registration: Registration, request: StudioRequest) -> bool:
    try:
        attendance.correct_attendance(
            registration=registration,
            stays=form.stays(),
            reason=form.cleaned_data["reason"],
            user=request.user,
        )
    except DomainError as error:
        form.add_domain_error(error)
        return False
    return True
