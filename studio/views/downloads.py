"""The page about a recording's files to download, and about videos with the subtitles in the picture."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from events.models import Webinar
from library import selectors as library_selectors
from library.downloads import offered_files
from library.models import Recording
from media.models import DerivativeKind
from studio import burn_in
from studio.models import BurnIn
from studio.recording_forms import BurnInForm, BurnInsAllowedForm
from studio.views.access import StudioRequest, find, find_recording, studio_page
from studio.views.recordings import recording_context
from transcripts.models import TrackState
from transcripts.selectors import autonym
from work.errors import DomainError
from work.models import FINISHED_STATES


def burn_in_context(recording: Recording) -> dict[str, Any]:
    """One entry per language in which there are subtitles."""
    package = recording.asset.current_package
    rows = {row.revision_id: row for row in recording.burn_ins.filter(package=package)} if package else {}
    burned = library_selectors.derivatives(package, DerivativeKind.MP4_BURNED) if package else []
    files = {file.name: file for file in burned}
    entries: list[dict[str, Any]] = []
    for track in burn_in.tracks_to_burn(recording):
        file = files.get(track.language)
        is_current = file is not None and file.facts.get("revision") == str(track.current_revision_id)
        entries.append(
            {
                "language": track.language,
                "name": autonym(track.language),
                "row": rows.get(track.current_revision_id) if track.current_revision_id else None,
                "file": file if is_current else None,
                "is_outdated": file is not None and not is_current,
                "is_published": track.state == TrackState.PUBLISHED,
            }
        )
    is_live = any(entry["row"] and entry["row"].state not in FINISHED_STATES for entry in entries)
    return {"burn_ins": entries, "is_live": is_live}


@studio_page
@require_GET
def downloads(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk)
    package = found.asset.current_package
    context = recording_context(
        request,
        found,
        "downloads",
        files=offered_files(package) if package else [],
        allowed_form=BurnInsAllowedForm(initial={"is_allowed": found.may_viewers_request_burn_in}),
        **burn_in_context(found),
    )
    return render(request, "studio/recording/downloads.html", context)


@studio_page
@require_GET
def burn_in_rows(request: StudioRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes while a video is made."""
    found = find_recording(request, pk)
    if "HX-Request" not in request.headers:
        return redirect("studio:recording_downloads", pk=pk)
    context = recording_context(request, found, "downloads", **burn_in_context(found))
    return render(request, "studio/includes/burn_ins.html", context)


@studio_page
@require_POST
def burn_in_request(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk, change=True)
    form = BurnInForm(request.POST)
    language = form.cleaned_data["language"] if form.is_valid() else ""
    try:
        burn_in.request_burn_in(recording=found, language=language, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:recording_downloads", pk=pk)


@studio_page
@require_POST
def burn_ins_allowed(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk, change=True)
    form = BurnInsAllowedForm(request.POST)
    if form.is_valid():
        burn_in.allow_viewers(recording=found, is_allowed=form.cleaned_data["is_allowed"], user=request.user)
    return redirect("studio:recording_downloads", pk=pk)


@studio_page
@require_POST
def burn_in_cancel(request: StudioRequest, pk: UUID) -> HttpResponse:
    row = _find_row(request, pk)
    burn_in.cancel_burn_in(row=row, user=request.user)
    return redirect("studio:recording_downloads", pk=row.recording_id)


@studio_page
@require_POST
def burn_in_retry(request: StudioRequest, pk: UUID) -> HttpResponse:
    row = _find_row(request, pk)
    try:
        burn_in.request_burn_in(recording=row.recording, language=row.language, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("studio:recording_downloads", pk=row.recording_id)


def _find_row(request: StudioRequest, pk: UUID) -> BurnIn:
    rows = BurnIn.objects.select_related("recording__webinar__organisation", "recording__asset__current_package")
    return find(rows, request, pk, path="recording__webinar__organisation", change=True)


@require_POST
def burn_in_ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Somebody who watches asks for the video of one language; see `Recording.may_viewers_request_burn_in`."""
    webinar = get_object_or_404(Webinar.objects.select_related("organisation"), slug=slug)
    watchable = library_selectors.watchable_recording(webinar, request)
    if watchable is None:
        raise Http404
    form = BurnInForm(request.POST)
    language = form.cleaned_data["language"] if form.is_valid() else ""
    user = request.user if request.user.is_authenticated else None
    try:
        row = burn_in.request_burn_in(recording=watchable[0], language=language, user=user, by_viewer=True)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        if row.state in FINISHED_STATES:
            messages.success(request, _("The video is ready: see below."))
        else:
            messages.success(request, _("The video is being made. Look here again in a while."))
    query = library_selectors.query_for(watchable[0], request)
    return redirect(f"{reverse('library:watch', args=[slug])}{query}#downloads")
