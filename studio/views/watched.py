"""What became of the files in the watched folder, and another try for those that failed."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from studio import watching
from studio.views.access import StudioRequest, require_organiser, studio_page
from studio.views.webinars import page_of
from work.errors import DomainError


@studio_page
@require_GET
def watched_files(request: StudioRequest) -> HttpResponse:
    context = {
        "files": page_of(watching.files_for(request.user), request.GET.get("page")),
        "is_watched": watching.watched_place() is not None,
    }
    return render(request, "studio/watched_files.html", context)


@studio_page
@require_POST
def watched_file_retry(request: StudioRequest, pk: UUID) -> HttpResponse:
    row = watching.files_for(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404(_("There is no such file, or it belongs to another organisation."))
    organisation = watching.organisation_of(row)
    if organisation is not None:
        require_organiser(request, organisation)
    try:
        watching.retry(row=row, user=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The file is being taken once more."))
    webinar = watching.webinar_of(row)
    return redirect("studio:recordings", webinar.pk) if webinar is not None else redirect("studio:watched_files")
