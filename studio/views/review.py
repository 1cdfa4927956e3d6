"""A reviewer's own page, opened by a personal link: no account, nothing but the subtitles of one recording.

As with a speaker's page the token is in the address: no cache keeps it, and no other site is told.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import transcripts.services
from accounts.links import LinkError
from library.models import Recording
from library.player import grant_data
from notifications.rendering import interface_language
from studio import editing
from studio.editing import Door
from transcripts.models import ReviewLink, TrackState
from work.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
DoorView = Callable[Concatenate[HttpRequest, Door, P], HttpResponseBase]


def review_page(view: DoorView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
    """Find the track by the link's token, or say clearly that the link does not work."""

    @never_cache
    @wraps(view)
    def opened(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            link = transcripts.services.review_by_token(token)
        except LinkError as error:
            context = {"message": str(error), "is_expired": error.status == 410}
            response = render(request, "studio/speak/broken_link.html", context, status=error.status)
        else:
            with translation.override(_language(request, link)):
                response = _answer(view, request, link, token, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return cast("Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]", opened)


def _answer(
    view: DoorView[P], request: HttpRequest, link: ReviewLink, token: str, *args: P.args, **kwargs: P.kwargs
) -> HttpResponseBase:
    recording: Recording | None = getattr(link.track.asset, "recording", None)
    if recording is None:
        context = {"message": _("This recording is not here any more."), "is_expired": True}
        return render(request, "studio/speak/broken_link.html", context, status=410)
    may_edit = link.track.state != TrackState.PUBLISHED
    return view(
        request, Door(track=link.track, recording=recording, may_edit=may_edit, link=link, token=token), *args, **kwargs
    )


def _language(request: HttpRequest, link: ReviewLink) -> str:
    """The reviewer's language, unless they chose one in this browser."""
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return translation.get_language() or "en" if chosen else interface_language(link.language)


@review_page
def edit(request: HttpRequest, door: Door) -> HttpResponse:
    if request.method == "POST":
        try:
            transcripts.services.mark_reviewed(track=door.track, link=door.link)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Thank you! The subtitles are marked as reviewed."))
        return redirect("studio:review", door.token)
    return render(
        request, "studio/track/review.html", {**editing.editor_context(door), "link": door.link, "token": door.token}
    )


@review_page
@require_GET
def data(_request: HttpRequest, door: Door) -> JsonResponse:
    return editing.data(door)


@review_page
@require_POST
def save(request: HttpRequest, door: Door) -> JsonResponse:
    return editing.save(request, door)


@review_page
@require_http_methods(["GET", "POST"])
def peaks(request: HttpRequest, door: Door) -> JsonResponse:
    """GET: the picture of the sound. POST: try once more to make it."""
    return editing.peaks(door, again=request.method == "POST")


@review_page
@require_GET
def grant(_request: HttpRequest, door: Door) -> JsonResponse:
    package = editing.shown_package(door.recording)
    if package is None:
        return JsonResponse({"base": "", "package": ""})
    data = grant_data(recording=door.recording, package=package, right=door.right, registration_id=None)
    return JsonResponse(data)
