"""The page that cuts a recording at its start and end."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import media.services
from library.models import Recording
from library.player import player_data
from library.rules import Right
from library.structured import absolute
from media.timeline import Window
from studio import cutting
from studio.models import Cut
from studio.recording_forms import CutForm, moment_text
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context
from work.errors import DomainError


def cut_context(recording: Recording) -> dict[str, Any]:
    """What tells how far the latest cut is, and what viewers see now."""
    shown = Window.of(recording.asset.current_package)
    return {
        "cut": cutting.latest_cut(recording),
        "is_cut": not shown.is_whole,
        "shown_ms": shown.duration_ms(recording.asset.duration_ms or 0),
    }


@studio_page
def cut(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: the whole recording in a player, and the ends that are wished. POST: other ends, or none."""
    found = find_recording(request, pk, change=request.method == "POST")
    if request.method == "POST":
        form = CutForm({"start": "0", "end": ""} if "undo" in request.POST else request.POST)
        if form.is_valid():
            start_ms, end_ms = form.cleaned_data["start"] or 0, form.cleaned_data["end"]
            try:
                cutting.request_cut(recording=found, start_ms=start_ms, end_ms=end_ms, user=request.user)
            except DomainError as error:
                form.add_domain_error(error)
                return _page(request, found, form, status=error.status)
            messages.success(request, _("The cut is being made. Viewers see it as soon as it is ready."))
            return redirect("studio:cut", pk=pk)
        return _page(request, found, form, status=400)
    asset = found.asset
    end = "" if asset.trim_end_ms is None else moment_text(asset.trim_end_ms)
    return _page(request, found, CutForm(initial={"start": moment_text(asset.trim_start_ms), "end": end}))


def _page(request: StudioRequest, recording: Recording, form: CutForm, *, status: int = 200) -> HttpResponse:
    whole = media.services.whole_package(recording.asset)
    context = recording_context(
        request, recording, "cut", form=form, is_ready=whole is not None, wanted_subtitles="", **cut_context(recording)
    )
    if whole is not None:
        context["player"] = player_data(
            recording=recording,
            package=whole,
            right=Right("member", str(request.user.pk)),
            tracks=[],
            renew_url="",  # an address of today's whole version is of no use once there is another one
            share_url=absolute(reverse("library:watch", args=[recording.webinar.slug])),
        )
    return render(request, "studio/recording/cut.html", context, status=status)


@studio_page
@require_GET
def cut_state(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes while a cut is made."""
    found = find_recording(request, pk)
    if "HX-Request" not in request.headers:
        return redirect("studio:cut", pk=pk)
    context = recording_context(request, found, "cut", **cut_context(found))
    return render(request, "studio/includes/cut_state.html", context)


@studio_page
@require_POST
def cut_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    cutting.cancel_cut(cut=_latest(find_recording(request, pk, change=True)), user=request.user)
    return redirect("studio:cut", pk=pk)


@studio_page
@require_POST
def cut_retry(request: StudioRequest, pk: UUID) -> HttpResponse:
    try:
        cutting.retry_cut(cut=_latest(find_recording(request, pk, change=True)), user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:cut", pk=pk)


def _latest(recording: Recording) -> Cut:
    found = cutting.latest_cut(recording)
    if found is None:
        raise Http404(_("This recording was not cut."))
    return found
