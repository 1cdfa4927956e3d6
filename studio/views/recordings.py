"""Recordings: uploading one, what is known of it, who may watch it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

import library.services
import studio.services
import transcripts.selectors
from library.models import Recording, RecordingState
from media.models import Upload
from media.timeline import Window
from studio.forms import (
    ReceiveRecordingForm,
    RecordingOptionsForm,
    RecordingVisibilityForm,
    TrackForm,
)
from studio.models import Production
from studio.replacement import spoken_in
from studio.uploads import purpose_for, unused_uploads
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.productions import production_publish
from studio.views.webinars import find_webinar, webinar_context
from studio.watching import watched_files_of_webinar
from transcripts.models import TextTrack
from work.errors import DomainError


@dataclass(frozen=True)
class RecordingTab:
    """One of the pages about a recording. `title` is translated when it is shown."""

    name: str
    view: str
    title: Any


RECORDING_TABS = (
    RecordingTab("overview", "studio:recording", gettext_lazy("Recording")),
    RecordingTab("cut", "studio:cut", gettext_lazy("Cut")),
    RecordingTab("poster", "studio:poster", gettext_lazy("Poster")),
    RecordingTab("slides", "studio:slides", gettext_lazy("Slides and chapters")),
    RecordingTab("sound", "studio:sound", gettext_lazy("Sound")),
    RecordingTab("downloads", "studio:recording_downloads", gettext_lazy("Downloads")),
    RecordingTab("versions", "studio:versions", gettext_lazy("Versions")),
    RecordingTab("share", "studio:share", gettext_lazy("Share")),
    RecordingTab("viewers", "studio:viewers", gettext_lazy("Viewers")),
)


def recording_context(request: StudioRequest, recording: Recording, tab: str, **more: Any) -> dict[str, Any]:
    """What every page about a recording needs; templates extend studio/recording/base.html."""
    return webinar_context(
        request,
        recording.webinar,
        "recordings",
        recording=recording,
        asset=recording.asset,
        recording_tab=tab,
        recording_tabs=RECORDING_TABS,
        **more,
    )


@studio_page
def recordings(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: the webinar's recordings. POST: one more, of a finished upload."""
    if request.method == "POST":
        return _receive(request, pk)
    webinar = find_webinar(request, pk)
    rows = webinar.recordings.select_related("asset").order_by("-created_at")
    latest = Production.objects.filter(recording=OuterRef("pk")).order_by("-created_at").values("pk")
    rows = rows.annotate(latest_production=Subquery(latest[:1]))
    context = webinar_context(
        request,
        webinar,
        "recordings",
        recordings=list(rows),
        unused_uploads=unused_uploads(webinar)[:20],
        watched_files=watched_files_of_webinar(webinar)[:20],
    )
    return render(request, "studio/webinar/recordings.html", context)


@studio_page
@require_GET
def recording_upload(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Options and the file chooser; `?upload=` goes on with a file that has arrived before."""
    webinar = find_webinar(request, pk, change=True)
    arrived = {str(upload.pk): upload for upload in unused_uploads(webinar)[:20]}
    form = RecordingOptionsForm(
        initial={
            "spoken_language": webinar.spoken_language,
            "subtitle_languages": webinar.subtitle_languages,
            "send_follow_up": True,
        }
    )
    context = webinar_context(
        request,
        webinar,
        "recordings",
        form=form,
        purpose=purpose_for(webinar),
        upload=arrived.get(request.GET.get("upload", "")),
    )
    return render(request, "studio/webinar/upload.html", context)


def _receive(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Posting the same upload twice leads to the same production."""
    webinar = find_webinar(request, pk, change=True)
    form = ReceiveRecordingForm(request.POST)
    if not form.is_valid():
        return _upload_page_again(request, webinar, form, status=400)
    options = dict(form.cleaned_data)
    upload = Upload.objects.filter(
        pk=options.pop("upload"), organisation=webinar.organisation, purpose=purpose_for(webinar)
    ).first()
    if upload is None:
        raise Http404(_("There is no such upload for this webinar."))
    try:
        production = studio.services.receive_recording(upload=upload, webinar=webinar, user=request.user, **options)
    except DomainError as error:
        form.add_domain_error(error)
        return _upload_page_again(request, webinar, form, status=error.status, upload=upload)
    return redirect("studio:production", pk=production.pk)


def _upload_page_again(
    request: StudioRequest, webinar: Any, form: ReceiveRecordingForm, *, status: int, upload: Upload | None = None
) -> HttpResponse:
    context = webinar_context(request, webinar, "recordings", form=form, purpose=purpose_for(webinar), upload=upload)
    return render(request, "studio/webinar/upload.html", context, status=status)


@studio_page
@require_GET
def recording(request: StudioRequest, pk: UUID) -> HttpResponse:
    return recording_page(request, find_recording(request, pk), TrackForm())


def recording_page(
    request: StudioRequest, recording: Recording, track_form: TrackForm, *, status: int = 200
) -> HttpResponse:
    """The page about one recording; also shown again when an upload of subtitles was refused."""
    # The cues themselves may be megabytes, and are not shown here.
    tracks = transcripts.selectors.tracks_of(asset=recording.asset).defer("current_revision__cues")
    package = recording.asset.current_package
    shown = Window.of(package)
    context = recording_context(
        request,
        recording,
        "overview",
        renditions=package.renditions.order_by("kind", "-height") if package else [],
        is_cut=not shown.is_whole,
        shown_ms=shown.duration_ms(recording.asset.duration_ms or 0),
        former_versions=recording.former_versions.count(),
        productions=recording.productions.order_by("-created_at"),
        tracks=[(track, _notes(track)) for track in tracks],
        track_form=track_form,
        by_hand=transcripts.selectors.beyond_engines(
            asset=recording.asset,
            spoken=recording.webinar.spoken_language,
            wanted=recording.webinar.subtitle_languages,
        ),
        visibility_form=RecordingVisibilityForm(initial={"visibility": recording.visibility}),
    )
    return render(request, "studio/recording/overview.html", context, status=status)


def _notes(track: TextTrack) -> list[str]:
    return transcripts.selectors.notes_of(track.current_revision) if track.current_revision else []


@studio_page
@require_POST
def recording_publish(request: StudioRequest, pk: UUID) -> HttpResponseBase:
    """Publish now; or, while the recording is being prepared, as soon as it is ready, with its subtitles."""
    found = find_recording(request, pk, change=True)
    production = found.productions.filter(cancelled_at__isnull=True).order_by("-created_at").first()
    if found.state == RecordingState.DRAFT and production is not None:
        return production_publish(request, pk=production.pk)
    try:
        library.services.publish_recording(recording=found, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The recording is published."))
    return redirect("studio:recording", pk=pk)


@studio_page
@require_POST
def recording_withdraw(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk, change=True)
    try:
        library.services.withdraw_recording(recording=found, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The recording was withdrawn. Nobody outside your organisation can watch it."))
    return redirect("studio:recording", pk=pk)


@studio_page
@require_POST
def recording_visibility(request: StudioRequest, pk: UUID) -> HttpResponse:
    found = find_recording(request, pk, change=True)
    form = RecordingVisibilityForm(request.POST)
    if form.is_valid():
        library.services.change_visibility(
            recording=found, visibility=form.cleaned_data["visibility"], user=request.user
        )
        messages.success(request, _("Your changes were saved."))
    else:
        messages.error(request, _("Choose who may watch the recording."))
    return redirect("studio:recording", pk=pk)


@studio_page
def production_start(request: StudioRequest, pk: UUID) -> HttpResponse:
    """Prepare a recording once more: with other languages, or after a cancelled production."""
    found = find_recording(request, pk, change=True)
    spoken, others = spoken_in(found)
    form = RecordingOptionsForm(
        request.POST or None,
        initial={
            "spoken_language": spoken,
            "other_languages": others,
            "subtitle_languages": found.webinar.subtitle_languages,
            "send_follow_up": False,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            production = studio.services.start_production(recording=found, user=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            return redirect("studio:production", pk=production.pk)
    context = webinar_context(request, found.webinar, "recordings", recording=found, form=form)
    return render(request, "studio/production_form.html", context)
