"""The page on which the poster of a recording is chosen."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

import media.services
from library import updates
from library.models import Recording, RecordingUpdate, UpdateTask
from media.models import DerivativeKind
from media.storage import private_storage
from media.timeline import Window
from studio.slide_forms import PosterMomentForm, PosterUploadForm
from studio.views.access import StudioRequest, find_recording, studio_page
from studio.views.recordings import recording_context
from work.errors import DomainError
from work.models import FINISHED_STATES


@studio_page
def poster(request: StudioRequest, pk: UUID) -> HttpResponse:
    """GET: the poster and other candidates. POST: a moment, or a picture of one's own."""
    if request.method != "POST":
        return _page(request, find_recording(request, pk), PosterMomentForm(), PosterUploadForm())
    recording = find_recording(request, pk, change=True)
    package = recording.asset.current_package
    moment_form, upload_form = PosterMomentForm(), PosterUploadForm()
    form: PosterMomentForm | PosterUploadForm
    if "picture" in request.FILES:
        form = upload_form = PosterUploadForm(request.POST, request.FILES)
    else:
        form = moment_form = PosterMomentForm(request.POST)
    if package is None or not form.is_valid():
        return _page(request, recording, moment_form, upload_form, status=400)
    try:
        if isinstance(form, PosterUploadForm):
            media.services.upload_poster(
                package=package, chunks=form.cleaned_data["picture"].chunks(), user=request.user
            )
            messages.success(request, _("Your picture is the poster now."))
        else:
            media.services.set_poster_moment(
                asset=recording.asset, at_ms=form.cleaned_data["moment"], user=request.user
            )
            updates.request_update(recording=recording, task=UpdateTask.POSTER, wait_s=0)
            messages.success(request, _("The poster is being drawn. This takes some seconds."))
    except DomainError as error:
        form.add_domain_error(error)
        return _page(request, recording, moment_form, upload_form, status=error.status)
    return redirect("studio:poster", pk=pk)


def _page(
    request: StudioRequest,
    recording: Recording,
    moment_form: PosterMomentForm,
    upload_form: PosterUploadForm,
    *,
    status: int = 200,
) -> HttpResponse:
    package = recording.asset.current_package
    rows = list(package.derivatives.filter(kind=DerivativeKind.POSTER_CANDIDATE)) if package else []
    main = package.derivatives.filter(kind=DerivativeKind.POSTER, name="").first() if package else None
    storage = private_storage()
    shown = recording.asset.poster_at_ms if main is None else main.facts.get("at_ms")
    update = RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.POSTER).order_by("created_at").last()
    window = Window.of(package)
    context = recording_context(
        request,
        recording,
        "poster",
        poster_url=storage.signed_url(main.key, content_type=main.content_type) if main else "",
        is_uploaded=bool(main and main.facts.get("is_uploaded")),
        candidates=[
            {
                "url": storage.signed_url(row.key, content_type=row.content_type),
                "at_ms": row.facts["at_ms"],
                "is_chosen": row.facts["at_ms"] == shown,
            }
            for row in sorted(rows, key=lambda row: int(row.facts.get("place", 0)))
            if window.moment(row.facts["at_ms"]) is not None
        ],
        moment_form=moment_form,
        upload_form=upload_form,
        update=update if update is not None and update.state not in FINISHED_STATES else None,
        failed=update.error if update is not None and update.state in FINISHED_STATES else "",
    )
    return render(request, "studio/recording/poster.html", context, status=status)
