"""Webinars: the list, one webinar's overview, its form, publishing and cancelling."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import events.services
from accounts import rules
from accounts.models import Organisation, Role
from events.errors import EditConflict
from events.models import Webinar, WebinarState
from studio import overview, watching
from studio.forms import WebinarForm
from studio.views.access import StudioRequest, find, may_change, require_organiser, studio_page
from work.errors import DomainError

PAGE_SIZE = 25


def find_webinar(request: StudioRequest, pk: UUID, *, change: bool = False) -> Webinar:
    return find(Webinar.objects.select_related("organisation", "series"), request, pk, change=change)


def webinar_context(request: StudioRequest, webinar: Webinar, tab: str, **more: Any) -> dict[str, Any]:
    """What every page about one webinar needs: its heading, its tabs, and whether buttons are shown."""
    return {
        "webinar": webinar,
        "tab": tab,
        "may_change": may_change(request, webinar.organisation),
        "public_url": request.build_absolute_uri(events.services.public_path(webinar)),
        **more,
    }


@studio_page
@require_GET
def dashboard(request: StudioRequest) -> HttpResponse:
    organisations = list(rules.organisations_of(request.user).order_by("name"))
    if not organisations:
        return render(request, "studio/no_organisation.html")
    webinars = overview.webinars_for(request.user).select_related("organisation")
    context = {
        "organisations": organisations,
        "upcoming": page_of(webinars.upcoming(), request.GET.get("page")),
        "past": page_of(webinars.past(), request.GET.get("past")),
        "may_create": rules.organisations_of(request.user, Role.ORGANISER).exists(),
        "watched_failures": watching.failed_files_for(request.user).count(),
    }
    return render(request, "studio/dashboard.html", context)


def page_of(rows: "QuerySet[Any] | Sequence[Any]", number: str | None, size: int = PAGE_SIZE) -> "Page[Any]":
    """The page of that number; the first or last one for a number that is none."""
    return Paginator(rows, size).get_page(number)


@studio_page
@require_GET
def webinar(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_webinar(request, pk)
    context = webinar_context(request, found, "overview", tasks=overview.tasks_of(found))
    return render(request, "studio/webinar/overview.html", context)


@studio_page
def webinar_create(request: StudioRequest) -> HttpResponse:
    organisations = rules.organisations_of(request.user, Role.ORGANISER)
    if not organisations.exists():
        return render(request, "studio/no_organisation.html", status=403)
    form = WebinarForm(request.POST or None, organisations=organisations)
    if request.method == "POST" and form.is_valid():
        organisation: Organisation = form.cleaned_data.get("organisation") or organisations.get()
        try:
            made = events.services.create_webinar(organisation=organisation, user=request.user, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("The webinar was saved as a draft."))
            return redirect("studio:webinar", pk=made.pk)
    return render(request, "studio/webinar/form.html", {"form": form, "frame": "studio/webinar/new.html"})


@studio_page
def webinar_edit(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_webinar(request, pk, change=True)
    own = Organisation.objects.filter(pk=found.organisation_id)
    form = WebinarForm(request.POST or None, organisations=own, webinar=found)
    if request.method == "POST" and form.is_valid():
        try:
            events.services.update_webinar(
                webinar=found,
                user=request.user,
                expected_updated_at=form.cleaned_data["seen"],
                **form.values(),
            )
        except EditConflict as error:
            form.add_domain_error(error)
            form.accept_current(find_webinar(request, pk))
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Your changes were saved."))
            return redirect("studio:webinar", pk=found.pk)
    # A refused change may have touched the object in memory; the heading shows what is stored.
    shown = find_webinar(request, pk)
    context = webinar_context(
        request,
        shown,
        "edit",
        form=form,
        counts=overview.registrant_counts(shown),
        frame="studio/webinar/base.html",
    )
    return render(request, "studio/webinar/form.html", context)


@studio_page
@require_POST
def webinar_publish(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_webinar(request, pk, change=True)
    try:
        events.services.publish_webinar(webinar=found, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The webinar is published. People can register now."))
    return redirect("studio:webinar", pk=pk)


@studio_page
def webinar_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Ask first, and say who will be told."""
    found = find_webinar(request, pk, change=True)
    if request.method == "POST":
        try:
            events.services.cancel_webinar(webinar=found, user=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The webinar was cancelled."))
        return redirect("studio:webinar", pk=pk)
    require_organiser(request, found.organisation)
    context = webinar_context(
        request,
        found,
        "overview",
        counts=overview.registrant_counts(found),
        is_published=found.state == WebinarState.PUBLISHED,
    )
    return render(request, "studio/webinar/cancel.html", context)
