"""Pages that replace a recording's file, go back to a former one, and delete a recording or a draft webinar."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

import events.services
import library.deletion
import library.versions
from library.models import FormerVersion, Recording
from media.models import Upload
from studio import replacement
from studio.recording_forms import DeletionForm, ReplacementForm
from studio.uploads import replacement_purpose, unused_uploads_for
from studio.views.access import StudioRequest, find, find_recording, studio_page
from studio.views.recordings import recording_context
from studio.views.webinars import find_webinar, webinar_context
from work.errors import DomainError


@studio_page
def versions(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: the file in use and the former ones. POST: an uploaded file shall take its place."""
    found = find_recording(request, pk, change=request.method == "POST")
    if request.method != "POST":
        spoken, others = replacement.spoken_in(found)
        initial = {
            "subtitles": "keep",
            "offset": 0,
            "spoken_language": spoken,
            "other_languages": others,
            "subtitle_languages": found.webinar.subtitle_languages,
        }
        return _versions_page(request, found, ReplacementForm(initial=initial))
    form = ReplacementForm(request.POST)
    if not form.is_valid():
        return _versions_page(request, found, form, status=400)
    upload = Upload.objects.filter(
        pk=form.cleaned_data["upload"], organisation=found.webinar.organisation, purpose=replacement_purpose(found)
    ).first()
    if upload is None:
        raise Http404(_("There is no such upload for this recording."))
    try:
        production = replacement.replace_recording(recording=found, upload=upload, user=request.user, **form.options())
    except DomainError as error:
        form.add_domain_error(error)
        return _versions_page(request, found, form, status=error.status)
    return redirect("studio:production", pk=production.pk)


def _versions_page(
    request: StudioRequest, recording: Recording, form: ReplacementForm, *, status: int = 200
) -> HttpResponse:
    purpose = replacement_purpose(recording)
    context = recording_context(
        request,
        recording,
        "versions",
        form=form,
        purpose=purpose,
        upload=unused_uploads_for(purpose).first(),
        under_way=replacement.replacement_under_way(recording),
        versions=recording.former_versions.select_related("asset", "replaced_by"),
        kept_days=settings.FORMER_VERSION_KEPT_DAYS,
    )
    return render(request, "studio/recording/versions.html", context, status=status)


@studio_page
@require_POST
def version_restore(request: StudioRequest, pk: UUID) -> HttpResponse:
    rows = FormerVersion.objects.select_related("recording__webinar__organisation", "asset")
    version = find(rows, request, pk, path="recording__webinar__organisation", change=True)
    try:
        library.versions.restore_version(version=version, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Viewers see the former file again."))
    return redirect("studio:versions", pk=version.recording_id)


@studio_page
def recording_delete(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: what will be deleted. POST with the file's name typed: it is."""
    found = find_recording(request, pk, change=True)
    form = DeletionForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                library.deletion.confirm_by_name(found, form.cleaned_data["confirmation"])
                library.deletion.delete_recording(recording=found, user=request.user)
            except DomainError as error:
                form.add_domain_error(error)
                status = error.status
            else:
                messages.success(request, _("The recording was deleted."))
                return redirect("studio:recordings", pk=found.webinar_id)
    context = recording_context(request, found, "", form=form, goes=library.deletion.what_goes(found))
    return render(request, "studio/recording/delete.html", context, status=status)


@studio_page
def webinar_delete(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: what goes with a draft webinar. POST with its title typed: it is deleted."""
    webinar = find_webinar(request, pk, change=True)
    form = DeletionForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 400
        title = " ".join(str(webinar.title).split())
        if form.is_valid() and " ".join(form.cleaned_data["confirmation"].split()).casefold() == title.casefold():
            try:
                events.services.delete_webinar(webinar=webinar, user=request.user)
            except DomainError as error:
                form.add_domain_error(error)
                status = error.status
            else:
                messages.success(request, _("The draft was deleted."))
                return redirect("studio:dashboard")
        elif not form.errors:
            form.add_error("confirmation", _("Type the title exactly as it is shown."))
    context = webinar_context(
        request,
        webinar,
        "edit",
        form=form,
        speakers=webinar.speakers.count(),
        materials=webinar.materials.count(),
    )
    return render(request, "studio/webinar/delete.html", context, status=status)
