"""Whom an organiser lets in: invitations, teams, and lists of people from elsewhere."""

import zoneinfo
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from events.models import Webinar
from notifications.rendering import interface_language
from registration import imports, services
from registration.links import invitation_link_for
from registration.list_forms import ColumnsForm, preview_facts
from registration.models import Invitation, RegistrationImport, RegistrationState
from studio import exports
from studio.forms import InviteForm, RegistrantsFileForm, SharedInvitationForm
from studio.views.access import StudioRequest, find, studio_page
from studio.views.webinars import find_webinar, page_of, webinar_context
from work.errors import DomainError

PAGE_SIZE = 50


# --- Invitations ---------------------------------------------------------------------------------------------------
@studio_page
def invitations(request: StudioRequest, pk: UUID) -> HttpResponse:
    """All invitations of a webinar; people to invite are pasted here."""
    webinar = find_webinar(request, pk, change=request.method == "POST")
    form = InviteForm(request.POST or None, initial={"language": interface_language(webinar.organisation.language)})
    if request.method == "POST" and form.is_valid():
        try:
            result = services.invite(
                webinar=webinar,
                people=form.lines(),
                user=request.user,
                language=form.cleaned_data["language"],
                expires_at=_end_of(form.cleaned_data["expires_on"], webinar),
            )
        except DomainError as error:
            form.add_domain_error(error)
        else:
            written = len(result.made) + len(result.again)
            if written:
                text = ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", written)
                messages.success(request, text % {"n": written})
            if not result.wrong:
                return redirect("studio:invitations", pk=pk)
            for line, reason in result.wrong[:50]:
                form.add_error("people", _("Line %(line)d: %(reason)s") % {"line": line, "reason": reason})
    return _invitations(request, webinar, form=form, shared_form=SharedInvitationForm())


@studio_page
@require_POST
def shared_invitation(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Makes a link that can be passed on."""
    webinar = find_webinar(request, pk, change=True)
    shared_form = SharedInvitationForm(request.POST)
    if shared_form.is_valid():
        try:
            services.make_shared_invitation(
                webinar=webinar,
                user=request.user,
                name=shared_form.cleaned_data["name"],
                max_uses=shared_form.cleaned_data["max_uses"],
                expires_at=_end_of(shared_form.cleaned_data["expires_on"], webinar),
            )
        except DomainError as error:
            shared_form.add_domain_error(error)
        else:
            messages.success(request, _("The link is made; copy it from the list."))
            return redirect("studio:invitations", pk=pk)
    return _invitations(request, webinar, form=InviteForm(), shared_form=shared_form)


@studio_page
@require_POST
def invitation_revoke(request: StudioRequest, pk: UUID) -> HttpResponse:
    rows = Invitation.objects.select_related("webinar__organisation")
    found = find(rows, request, pk, path="webinar__organisation", change=True)
    services.revoke_invitation(invitation=found, user=request.user)
    messages.success(request, _("The link no longer works. Who registered with it keeps their place."))
    return redirect("studio:invitations", pk=found.webinar_id)


def _invitations(
    request: StudioRequest, webinar: Webinar, *, form: InviteForm, shared_form: SharedInvitationForm
) -> HttpResponse:
    rows = Invitation.objects.filter(webinar=webinar)
    page = page_of(rows.exclude(email="").order_by("-created_at", "pk"), request.GET.get("page"), PAGE_SIZE)
    shared = [(row, invitation_link_for(row)) for row in rows.filter(email="").order_by("-created_at", "pk")[:100]]
    context = webinar_context(
        request, webinar, "registrants", page=page, shared=shared, form=form, shared_form=shared_form
    )
    is_wrong = bool(form.errors or shared_form.errors)
    return render(request, "studio/webinar/invitations.html", context, status=422 if is_wrong else 200)


def _end_of(day: date | None, webinar: Webinar) -> datetime | None:
    """The midnight after that day, on the webinar's clocks."""
    if day is None or day >= date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zoneinfo.ZoneInfo(webinar.time_zone))


# --- Teams ---------------------------------------------------------------------------------------------------------
@studio_page
@require_GET
def groups(request: StudioRequest, pk: UUID) -> HttpResponse:
    webinar = find_webinar(request, pk)
    rows = webinar.groups.annotate(
        confirmed=Count("members", filter=Q(members__state=RegistrationState.CONFIRMED)), count=Count("members")
    ).order_by("name", "pk")
    page = page_of(rows, request.GET.get("page"), PAGE_SIZE)
    return render(request, "studio/webinar/groups.html", webinar_context(request, webinar, "registrants", page=page))


# --- Lists of people -----------------------------------------------------------------------------------------------
@studio_page
def registrants_import(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Reads a list; what would become of each line is shown before anything is written."""
    webinar = find_webinar(request, pk, change=True)
    form = RegistrantsFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = imports.prepare(webinar=webinar, file=form.cleaned_data["file"], user=request.user)
        except DomainError as error:
            form.add_error("file", str(error))
        else:
            return redirect("studio:import", pk=made.pk)
    earlier = webinar.imports.defer("rows").order_by("-created_at")[:20]
    context = webinar_context(request, webinar, "registrants", form=form, earlier=earlier)
    return render(request, "studio/webinar/import_new.html", context, status=422 if form.errors else 200)


def _find_import(request: StudioRequest, pk: UUID, *, change: bool = False) -> RegistrationImport:
    rows = RegistrationImport.objects.select_related("webinar__organisation", "webinar__series", "group")
    return find(rows, request, pk, path="webinar__organisation", change=change)


@studio_page
def import_page(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The lines of a list with their outcomes, and which column holds what; on POST they are registered."""
    found = _find_import(request, pk, change=True)
    columns_form = ColumnsForm(request.POST if "columns" in request.POST else None, imported=found)
    if columns_form.is_bound:
        if columns_form.is_stored():
            return redirect("studio:import", pk=pk)
    elif request.method == "POST":
        if request.POST.get("privacy"):
            _try(request, lambda: imports.confirm(imported=found, user=request.user))
        else:
            messages.error(request, _("Confirm that these people know that you register them."))
        return redirect("studio:import", pk=pk)
    outcomes = [row["outcome"] for row in found.rows]
    context = webinar_context(
        request,
        found.webinar,
        "registrants",
        imported=found,
        columns_form=columns_form,
        count_new=outcomes.count(imports.NEW),
        count_again=outcomes.count(imports.AGAIN),
        count_out=sum(outcome in (imports.WRONG, imports.DOUBLE, imports.FAILED) for outcome in outcomes),
        count_done=outcomes.count(imports.DONE),
        **preview_facts(found),
    )
    return render(request, "studio/webinar/import.html", context, status=422 if columns_form.errors else 200)


@studio_page
@require_POST
def import_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = _find_import(request, pk, change=True)
    imports.cancel(imported=found, user=request.user)
    return redirect("studio:import", pk=pk)


@studio_page
@require_POST
def import_retry(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = _find_import(request, pk, change=True)
    _try(request, lambda: imports.retry(imported=found, user=request.user))
    return redirect("studio:import", pk=pk)


@studio_page
@require_GET
def import_report(request: StudioRequest, pk: UUID) -> StreamingHttpResponse:
    """The lines with their outcomes as CSV, to correct and send again what was left out."""
    found = _find_import(request, pk, change=True)
    header = [_("Line"), _("Name"), _("E-mail address"), _("Outcome"), _("Reason"), _("Still to be answered")]
    response = StreamingHttpResponse(
        exports.csv_lines(header, _report(found.rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="import.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _report(rows: list[dict[str, Any]]) -> Iterable[list[object]]:
    for row in rows:
        yield [
            row["line"],
            row["values"].get("name"),
            row["values"].get("email"),
            row["outcome"],
            row["error"],
            row.get("open", ""),
        ]


def _try(request: StudioRequest, do: Any) -> None:
    try:
        do()
    except DomainError as error:
        messages.error(request, str(error))
