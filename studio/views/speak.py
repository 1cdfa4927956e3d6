"""A speaker's own page, opened by a personal link: no account, nothing but this one webinar.

The token is in the address, so the pages are kept by no cache and their address is told to nobody: with
`strict-origin` neither other sites nor our own logs of referrers see the path. (`no-referrer` would make browsers send
`Origin: null` with forms, which the protection against forged requests refuses.)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

import events.services
import events.slides
from accounts.links import LinkError
from events.models import MaterialKind, Speaker
from notifications.rendering import interface_language
from studio.forms import MaterialForm, ProfileForm
from studio.views.materials import materials_context
from work.errors import DomainError

P = ParamSpec("P")
SpeakerView = Callable[Concatenate[HttpRequest, Speaker, P], HttpResponse]


def personal_page(view: SpeakerView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
    """Find the speaker by the link's token, or say clearly that the link does not work."""

    @never_cache
    @wraps(view)
    def opened(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            speaker = events.services.speaker_by_token(token)
        except LinkError as error:
            context = {"message": str(error), "is_expired": error.status == 410}
            response = render(request, "studio/speak/broken_link.html", context, status=error.status)
        else:
            with _language_of(request, speaker):
                response = view(request, speaker, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return cast("Callable[Concatenate[HttpRequest, str, P], HttpResponse]", opened)


def _language_of(request: HttpRequest, speaker: Speaker) -> Any:
    """The speaker's language, unless they chose one in this browser."""
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return translation.override(translation.get_language() if chosen else interface_language(speaker.language))


@personal_page
def portal(request: HttpRequest, speaker: Speaker) -> HttpResponse:
    """The page itself; POST changes the speaker's own lines."""
    form = ProfileForm(
        request.POST or None, initial={"affiliation": speaker.affiliation, "biography": speaker.biography}
    )
    if request.method == "POST" and form.is_valid():
        try:
            events.services.update_speaker(speaker=speaker, user=None, **form.cleaned_data)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("Thank you, your lines were saved."))
            return redirect(request.path)
    return _page(request, speaker, profile_form=form)


def _page(
    request: HttpRequest,
    speaker: Speaker,
    *,
    profile_form: ProfileForm | None = None,
    material_form: MaterialForm | None = None,
    status: int = 200,
) -> HttpResponse:
    initial = {"affiliation": speaker.affiliation, "biography": speaker.biography}
    context = {
        **_materials_context(request, speaker),
        "profile_form": profile_form or ProfileForm(initial=initial),
        "material_form": material_form or MaterialForm(),
    }
    return render(request, "studio/speak/portal.html", context, status=status)


def _materials_context(request: HttpRequest, speaker: Speaker) -> dict[str, Any]:
    token = _token(request)
    own = speaker.materials.prefetch_related("pages")
    return {
        "speaker": speaker,
        "webinar": speaker.webinar,
        "token": token,
        **materials_context(own, poll_url=reverse("studio:speak_materials", args=[token])),
    }


def _token(request: HttpRequest) -> str:
    assert request.resolver_match is not None  # a view was found for this address
    return str(request.resolver_match.kwargs["token"])


@personal_page
def materials(request: HttpRequest, speaker: Speaker) -> HttpResponse:
    """GET: the speaker's files, for a page that waits for their pages. POST: one more file."""
    if request.method != "POST":
        if "HX-Request" not in request.headers:  # somebody came here by reloading a form
            return redirect("studio:speak", _token(request))
        return render(request, "studio/includes/materials.html", _materials_context(request, speaker))
    form = MaterialForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, speaker, material_form=form, status=400)
    file: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        events.slides.add_material(
            webinar=speaker.webinar,
            speaker=speaker,
            user=None,
            file=file,
            kind=form.cleaned_data["kind"] or MaterialKind.SLIDES,
            title=form.cleaned_data["title"],
        )
    except DomainError as error:
        form.add_domain_error(error)
        return _page(request, speaker, material_form=form, status=error.status)
    messages.success(request, _("Thank you, the file was received. Its pages appear below in a moment."))
    return redirect(reverse("studio:speak", args=[_token(request)]) + "#materials")


@personal_page
def material_remove(request: HttpRequest, speaker: Speaker, pk: UUID) -> HttpResponse:
    material = get_object_or_404(speaker.materials, pk=pk)
    back = reverse("studio:speak", args=[_token(request)]) + "#materials"
    if request.method == "POST":
        events.slides.remove_material(material=material, user=None)
        messages.success(request, _("%(file)s was removed.") % {"file": material.file_name})
        return redirect(back)
    context = {
        "question": _("Remove %(file)s?") % {"file": material.file_name},
        "effects": [_("The file and the pictures of its pages are deleted. They cannot be brought back.")],
        "confirm": _("Remove the file"),
        "back": back,
    }
    return render(request, "studio/confirm.html", context)
