"""The watch page, its transcript, and what can be downloaded from it."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.links import LinkError
from events.models import Material, Webinar
from library import embeds, rules, selectors, structured
from library.chapters import shown_chapters
from library.download_counts import note_download
from library.downloads import find_file, languages_to_ask_for, offered_files
from library.light import light_size
from library.models import DownloadKind, Recording, RecordingState
from library.player import grant_data, player_data
from library.structured import absolute
from media.delivery import deliver
from media.models import DerivativeKind
from media.services.posters import poster_name
from media.timeline import Window
from registration.links import registration_by_token, remember_registration
from registration.models import RegistrationState
from transcripts import formats
from transcripts import selectors as transcripts_selectors
from transcripts import services as transcripts_services
from transcripts.models import TextTrack


@require_safe
@never_cache
def watch(request: HttpRequest, slug: str) -> HttpResponse:
    """Play a webinar's recording.

    `?registration=<token>` (from the follow-up mail) proves a registration; it is kept in the session and leaves the
    address at once, so that it reaches neither history nor Referer. `?subtitles=fr` starts with those subtitles,
    `?recording=<id>` shows that one where there are several.
    """
    if "registration" in request.GET:
        return _remember_registration(request, slug, address=reverse("library:watch", args=[slug]))
    webinar = _webinar_to_watch(request, slug)
    found = selectors.watchable_recording(webinar, request)
    if found is None:
        if selectors.is_for_registered(webinar):
            return render(request, "library/registered_only.html", {"webinar": webinar}, status=403)
        raise Http404
    recording, right = found
    query = selectors.query_for(recording, request)
    context = {
        "webinar": webinar,
        "recording": recording,
        "materials": selectors.public_materials(webinar) if rules.can_get_materials(webinar, request) else [],
        "structured": structured.recording_data(recording),
        "oembed_url": embeds.oembed_address(absolute(reverse("library:watch", args=[slug]))),
        # What is embedded is the newest one.
        "embed": embeds.embed_code(recording) if recording.state == RecordingState.PUBLISHED and not query else None,
        "recording_query": query,
        "parts": parts if len(parts := selectors.published_recordings(webinar, request)) > 1 else [],
        "is_member": right.kind == "member",
        "chapters": shown_chapters(recording, Window.of(recording.asset.current_package)),
        "light_size": light_size(recording.asset.current_package),
        **_player(request, recording, right),
    }
    return render(request, "library/watch.html", context)


@require_safe
@never_cache
def new_grant(request: HttpRequest, slug: str) -> JsonResponse:
    """A new grant for a player that stood open so long that its own ended; `base` is empty if nothing is ready."""
    found = _find(request, slug)
    if found is None:
        return JsonResponse({"code": "not_available"}, status=404)
    recording, right = found
    package = recording.asset.current_package
    if package is None:
        return JsonResponse({"base": "", "package": ""})
    registration_id = rules.own_registration(recording, request)
    return JsonResponse(grant_data(recording=recording, package=package, right=right, registration_id=registration_id))


@require_safe
@never_cache
def transcript(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """The cues of one track as a fragment of the watch page."""
    recording = _recording(request, slug)
    track = _track(recording, language)
    window = Window.of(recording.asset.current_package)
    return render(request, "library/includes/cues.html", _cues(track, window))


@require_safe
def poster(request: HttpRequest, slug: str, side: int = 0, ending: str = "jpg") -> HttpResponseBase:
    """The picture of a recording. Only that of one which anybody may watch is left to caches.

    Args:
        side: pixels of the longer side that are enough; without, or where that size was not made, the whole poster.
    """
    watchable = _find(request, slug)
    package = watchable[0].asset.current_package if watchable else None
    found = {row.name: row for row in selectors.derivatives(package, DerivativeKind.POSTER)} if package else {}
    row = found.get(poster_name(side, ending)) or found.get("")
    if watchable is None or row is None:
        raise Http404
    is_public = watchable[1].kind == "public"
    return deliver(request, row.key, content_type=row.content_type, is_public=is_public)


@require_safe
def download_video(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """Send a file of library/downloads.py, such as `<rung>.mp4`, or `subtitled.mp4` with every track inside."""
    recording = _recording(request, slug)
    package = recording.asset.current_package
    file = find_file(package, name) if package else None
    if file is None:
        raise Http404
    note_download(request, recording.webinar, DownloadKind.VIDEO)
    return deliver(request, file.key, file_name=f"{slug}-{name}", content_type=file.content_type)


@require_safe
@never_cache
def download_track(request: HttpRequest, slug: str, language: str, text_format: str) -> HttpResponse:
    """Hand out a track as a file. `?registration=<token>` works as for `watch`."""
    if "registration" in request.GET:
        return _remember_registration(request, slug, address=request.path)
    recording = _recording(request, slug)
    track = _track(recording, language)
    if text_format not in formats.MEDIA_TYPES:
        raise Http404
    text = transcripts_services.export_track(
        track=track, format=text_format, window=Window.of(recording.asset.current_package)
    )
    note_download(request, recording.webinar, DownloadKind.SUBTITLES)
    return HttpResponse(
        text,
        content_type=f"{formats.MEDIA_TYPES[text_format]}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{slug}.{track.language}.{formats.EXTENSIONS[text_format]}"'
        },
    )


@require_safe
def download_material(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponseBase:
    """Hand out slides or a handout. `?registration=<token>` works as for `watch`."""
    if "registration" in request.GET:
        return _remember_registration(request, slug, address=request.path)
    webinar = _webinar_to_watch(request, slug)
    if not rules.can_get_materials(webinar, request):
        raise Http404
    material = get_object_or_404(Material, pk=pk, webinar=webinar, is_public=True)
    key = material.file.name or ""
    note_download(request, webinar, DownloadKind.MATERIAL)
    return deliver(request, key, file_name=material.file_name, content_type=material.content_type)


def _player(request: HttpRequest, recording: Recording, right: rules.Right) -> dict[str, Any]:
    """What the player and its lists need; `package` is None while there is nothing to play."""
    package = recording.asset.current_package
    if package is None:
        return {"package": None}
    tracks = transcripts_selectors.published_tracks(asset=recording.asset)
    chosen = _chosen_track(request, recording, tracks)
    slug = recording.webinar.slug
    query = selectors.query_for(recording, request)
    data = player_data(
        recording=recording,
        package=package,
        right=right,
        tracks=tracks,
        registration_id=rules.own_registration(recording, request),
        renew_url=reverse("library:new_grant", args=[slug]) + query,
        share_url=absolute(reverse("library:watch", args=[slug])) + query,
    )
    files = offered_files(package)
    return {
        "package": package,
        "player": data,
        "has_video": data["has_video"],
        "downloads": files,
        "askable_tracks": languages_to_ask_for(recording, files),
        "tracks": tracks,
        "wanted_subtitles": request.GET.get("subtitles", "")[:35],
        **(_cues(chosen, Window.of(package)) if chosen else {"track": None}),
    }


def _chosen_track(request: HttpRequest, recording: Recording, tracks: list[TextTrack]) -> TextTrack | None:
    """The transcript to show first: asked for, else in the page's language, else as spoken."""
    wishes = [
        request.GET.get("transcript", ""),
        request.GET.get("subtitles", ""),
        translation.get_language() or "",
        recording.webinar.spoken_language,
    ]
    by_language = {track.language: track for track in reversed(tracks)}
    return next((by_language[wish] for wish in wishes if wish in by_language), tracks[0] if tracks else None)


def _cues(track: TextTrack, window: Window) -> dict[str, Any]:
    return {"track": track, "cues": transcripts_selectors.cues_of(track, window=window)}


def _webinar_to_watch(request: HttpRequest, slug: str) -> Webinar:
    """A webinar whose page or whose recording this visitor may see, or may after registering."""
    webinar = get_object_or_404(
        Webinar.objects.select_related("organisation", "series").prefetch_related("speakers"), slug=slug
    )
    is_known = rules.can_see_webinar(webinar, request) or selectors.watchable_recording(webinar, request) is not None
    if not is_known:
        raise Http404
    return webinar


def _find(request: HttpRequest, slug: str) -> tuple[Recording, rules.Right] | None:
    webinar = Webinar.objects.select_related("organisation").filter(slug=slug).first()
    return selectors.watchable_recording(webinar, request) if webinar else None


def _recording(request: HttpRequest, slug: str) -> Recording:
    found = _find(request, slug)
    if found is None:
        raise Http404
    return found[0]


def _track(recording: Recording, language: str) -> TextTrack:
    for track in transcripts_selectors.published_tracks(asset=recording.asset):
        if track.language == language:
            return track
    raise Http404


def _remember_registration(request: HttpRequest, slug: str, *, address: str) -> HttpResponse:
    """Keep a registration in the session and go on to the address, which no longer shows it."""
    try:
        found = registration_by_token(request.GET["registration"])
    except LinkError:
        found = None
    if found is not None and found.webinar.slug == slug and found.state == RegistrationState.CONFIRMED:
        remember_registration(request, found)
    rest = {name: request.GET[name] for name in ("recording", "subtitles", "transcript") if name in request.GET}
    return redirect(f"{address}?{urlencode(rest)}" if rest else address)
