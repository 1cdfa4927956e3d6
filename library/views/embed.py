"""The player alone, for pages of other sites, and how these find it (oEmbed)."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from library import embeds, selectors
from library.models import Recording
from library.player import grant_data, player_data
from library.rules import Right
from library.structured import absolute
from transcripts import selectors as transcripts_selectors


@require_safe
@never_cache
@xframe_options_exempt  # frame-ancestors of the content security policy says which sites may
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """A page that holds only the player. It reads and sets no cookie: in other sites' pages browsers keep none.

    `?lang=fr` sets its language, `?subtitles=fr` the subtitles to start with, `?grant=` opens what is not public.
    """
    recording, right, sites = _allowed(request, slug)
    with translation.override(_language(request)):
        response = _page(request, recording, right)
        response.headers["Content-Language"] = translation.get_language() or ""
    response._csp_replace = {"frame-ancestors": sites}  # type: ignore[attr-defined]  # django-csp looks for it
    return response


@require_safe
@never_cache
def embed_grant(request: HttpRequest, slug: str) -> JsonResponse:
    """A new grant for an embedded player that stood open so long that its own ended."""
    try:
        recording, right, _sites = _allowed(request, slug)
    except Http404:
        return JsonResponse({"code": "not_available"}, status=404)
    package = recording.asset.current_package
    assert package is not None
    return JsonResponse(grant_data(recording=recording, package=package, right=right, registration_id=None))


@require_safe
def oembed(request: HttpRequest) -> JsonResponse:
    """oEmbed (oembed.com, 2.2 and 2.3). What not everybody may watch answers as if it did not exist."""
    if request.GET.get("format", "json") != "json":
        return JsonResponse({"error": "Only format=json is offered."}, status=501)
    sizes = [request.GET.get(name, "") for name in ("maxwidth", "maxheight")]
    width, height = (int(size) if size.isascii() and size.isdigit() and 0 < len(size) < 6 else None for size in sizes)
    answer = embeds.oembed(request.GET.get("url", "")[:500], max_width=width or None, max_height=height or None)
    if answer is None:
        return JsonResponse({"error": "There is no recording to embed at this address."}, status=404)
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
    return JsonResponse(answer, headers=headers)


def _allowed(request: HttpRequest, slug: str) -> tuple[Recording, Right, list[str]]:
    """The recording, why it may be watched, and the sites that may show it.

    Raises:
        Http404: there is nothing to show to strangers, and the embed link, if one is in the address, opens nothing.
    """
    token = request.GET.get("grant", "")
    linked = embeds.recording_for_link(slug, token) if token else None
    if linked is not None:
        recording, right, link = linked
        return recording, right, list(link.sites)
    found = embeds.embeddable_recording(slug)
    if found is None:
        raise Http404
    return found, Right("public"), ["*"]


def _page(request: HttpRequest, recording: Recording, right: Right) -> HttpResponse:
    package = recording.asset.current_package
    assert package is not None  # what has none is not embeddable
    slug = recording.webinar.slug
    token = request.GET.get("grant", "")
    renew_url = reverse("library:embed_grant", args=[slug])
    data = player_data(
        recording=recording,
        package=package,
        right=right,
        tracks=transcripts_selectors.published_tracks(asset=recording.asset),
        renew_url=f"{renew_url}?{urlencode({'grant': token})}" if right.kind == "embed" else renew_url,
        share_url=absolute(reverse("library:watch", args=[slug])),
    )
    context = {
        "webinar": recording.webinar,
        "player": data,
        "has_video": selectors.has_video(package),
        "wanted_subtitles": request.GET.get("subtitles", "")[:35],
    }
    return render(request, "library/embed.html", context)


def _language(request: HttpRequest) -> str:
    """The asked language if there are texts in it, else what the browser prefers; never a cookie's."""
    try:
        return translation.get_supported_language_variant(request.GET.get("lang", "")[:35])
    except LookupError:
        return translation.get_language_from_request(request)
