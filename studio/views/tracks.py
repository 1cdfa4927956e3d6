"""Subtitles of a recording: uploading, publishing, deleting, downloading."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

import transcripts.selectors
import transcripts.services
from library.models import Recording
from studio.forms import TrackForm
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_page
from studio.views.webinars import webinar_context
from transcripts import formats, languages
from transcripts.errors import HasErrors
from transcripts.models import TextTrack, TrackKind
from transcripts.services.recognition import shown_time
from work.errors import DomainError

MOST_SHOWN = 20  # errors on the page that asks whether to publish anyway


def find_track(request: StudioRequest, pk: UUID, *, change: bool = False) -> tuple[TextTrack, Recording]:
    """A track knows its asset only; the asset's recording says whose it is."""
    track = get_object_or_404(TextTrack.objects.select_related("current_revision", "asset__recording"), pk=pk)
    recording = getattr(track.asset, "recording", None)
    if recording is None:
        raise Http404
    return track, find_recording(request, recording.pk, change=change)


def _back(recording: Recording) -> str:
    return reverse("studio:recording", args=[recording.pk]) + "#tracks"


@studio_page
@require_POST
def track_upload(request: StudioRequest, pk: UUID) -> HttpResponse:
    recording = find_recording(request, pk, change=True)
    form = TrackForm(request.POST, request.FILES)
    if not form.is_valid():
        return recording_page(request, recording, form, status=400)
    file, language = form.cleaned_data["file"], form.cleaned_data["language"]
    is_spoken = languages.primary(language) == languages.primary(_spoken_language(recording))
    kind = TrackKind.CAPTIONS if is_spoken else TrackKind.SUBTITLES
    if form.cleaned_data["begin"]:
        begun = transcripts.services.begin_track(asset=recording.asset, language=language, kind=kind, user=request.user)
        return redirect("studio:track_edit", begun.pk)
    try:
        track = transcripts.services.import_track(
            asset=recording.asset,
            language=language,
            kind=kind,
            data=file.read(formats.MAX_BYTES + 1),
            file_name=file.name,
            user=request.user,
        )
    except DomainError as error:
        form.add_domain_error(error)
        return recording_page(request, recording, form, status=error.status)
    messages.success(request, _("The subtitles were read. Publish them when they are right."))
    if track.current_revision is not None:
        for note in transcripts.selectors.notes_of(track.current_revision):
            messages.warning(request, note)
    return redirect(_back(recording))


def _spoken_language(recording: Recording) -> str:
    production = recording.productions.order_by("-created_at").first()
    return production.spoken_language if production else recording.webinar.spoken_language


@studio_page
@require_POST
def track_publish(request: StudioRequest, pk: UUID) -> HttpResponse:
    track, recording = find_track(request, pk, change=True)
    try:
        transcripts.services.publish_track(track=track, user=request.user, anyway="anyway" in request.POST)
    except HasErrors as error:
        return _ask_anyway(request, recording, error)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(_back(recording))


def _ask_anyway(request: StudioRequest, recording: Recording, error: HasErrors) -> HttpResponse:
    """Show the errors, and let the person publish in spite of them, under their name."""
    findings = error.facts["findings"]
    effects = [f"{shown_time(one['start_ms'])}: {one['text']}" for one in findings[:MOST_SHOWN]]
    if len(findings) > MOST_SHOWN:
        effects.append(_("And %(count)s more.") % {"count": len(findings) - MOST_SHOWN})
    context = webinar_context(
        request,
        recording.webinar,
        "recordings",
        question=str(error),
        effects=effects,
        confirm=_("Publish anyway, under my name"),
        confirm_name="anyway",
        back=_back(recording),
    )
    return render(request, "studio/webinar/confirm.html", context, status=error.status)


@studio_page
@require_POST
def track_unpublish(request: StudioRequest, pk: UUID) -> HttpResponse:
    track, recording = find_track(request, pk, change=True)
    try:
        transcripts.services.unpublish_track(track=track, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(_back(recording))


@studio_page
def track_delete(request: StudioRequest, pk: UUID) -> HttpResponse:
    track, recording = find_track(request, pk, change=True)
    if request.method == "POST":
        transcripts.services.delete_track(track=track, user=request.user)
        messages.success(request, _("The subtitles were deleted."))
        return redirect(_back(recording))
    name = languages.get(track.language).autonym if languages.is_known(track.language) else track.language
    context = webinar_context(
        request,
        recording.webinar,
        "recordings",
        question=_("Delete the subtitles in this language: %(language)s?") % {"language": name},
        effects=[
            _("All versions of them are deleted, with every correction that people made."),
            _("Download them first if you may need them again."),
        ],
        confirm=_("Delete the subtitles"),
        back=_back(recording),
    )
    return render(request, "studio/webinar/confirm.html", context)


@studio_page
@require_GET
def track_download(request: StudioRequest, pk: UUID, format: str) -> HttpResponse:
    track, recording = find_track(request, pk)
    if format not in formats.MEDIA_TYPES:
        raise Http404
    text = transcripts.services.export_track(track=track, format=format)
    response = HttpResponse(text, content_type=f"{formats.MEDIA_TYPES[format]}; charset=utf-8")
    name = f"{recording.webinar.slug}.{track.language}.{formats.EXTENSIONS[format]}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
