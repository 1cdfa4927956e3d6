"""A production: what is being made of a recording, step by step."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import studio.services
from studio.models import Production, StepRow
from studio.selectors import production_progress
from studio.steps import shown_steps
from studio.views.access import StudioRequest, find, find_production, studio_page
from studio.views.webinars import webinar_context
from work.errors import DomainError


def production_context(request: StudioRequest, production: Production) -> dict[str, Any]:
    progress = production_progress(production)
    return webinar_context(
        request,
        production.recording.webinar,
        "recordings",
        production=production,
        recording=production.recording,
        progress=progress,
        steps=shown_steps(progress["steps"]),
        is_watchable=production.recording.asset.current_package_id is not None,
        is_live=not progress["is_idle"],
        may_publish=production.publish_requested_at is None and production.cancelled_at is None,
    )


@studio_page
@require_GET
def production(request: StudioRequest, pk: UUID) -> HttpResponse:
    return render(request, "studio/production.html", production_context(request, find_production(request, pk)))


@studio_page
@require_GET
def production_steps(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes, for a page that asks every two seconds."""
    production = find_production(request, pk)
    if "HX-Request" not in request.headers:  # somebody came here by reloading a form
        return redirect("studio:production", pk=production.pk)
    return render(request, "studio/includes/production.html", production_context(request, production))


@studio_page
@require_POST
def production_publish(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_production(request, pk, change=True)
    try:
        studio.services.request_publication(production=found, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The recording is published as soon as everything it needs is ready."))
    return redirect("studio:production", pk=pk)


@studio_page
def production_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_production(request, pk, change=True)
    if request.method == "POST":
        studio.services.cancel_production(production=found, user=request.user)
        messages.success(request, _("The work was stopped. What is already published stays."))
        return redirect("studio:production", pk=pk)
    context = webinar_context(
        request,
        found.recording.webinar,
        "recordings",
        question=_("Stop preparing this recording?"),
        effects=[
            _("Everything that is running or waiting stops within seconds."),
            _("The uploaded file is kept, and what is already published stays."),
            _("You can have the recording prepared again later."),
        ],
        confirm=_("Stop the work"),
        back=reverse("studio:production", args=[pk]),
    )
    return render(request, "studio/webinar/confirm.html", context)


def find_step(request: StudioRequest, pk: UUID) -> StepRow:
    rows = StepRow.objects.select_related("production__recording__webinar__organisation")
    return find(rows, request, pk, path="production__recording__webinar__organisation", change=True)


@studio_page
@require_POST
def step_retry(request: StudioRequest, pk: UUID) -> HttpResponse:
    step = find_step(request, pk)
    try:
        studio.services.retry_step(step=step, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:production", pk=step.production_id)


@studio_page
@require_POST
def step_skip(request: StudioRequest, pk: UUID) -> HttpResponse:
    step = find_step(request, pk)
    try:
        studio.services.skip_step(step=step, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:production", pk=step.production_id)
