"""The watch page, its transcript, and what can be downloaded from it."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.links import LinkError
from events.models import Material, Webinar
from library import playback, rules, selectors, structured
from library.models import Recording
from library.player import player_labels
from media.models import DerivativeKind
from media.storage import private_storage
from registration.links import registration_by_token, remember_registration
from registration.models import RegistrationState
from transcripts import selectors as transcripts_selectors
from transcripts import services as transcripts_services
from transcripts.markup import plain
from transcripts.models import TextTrack

_TEXT_FORMATS = {"vtt": "text/vtt", "srt": "application/x-subrip", "txt": "text/plain"}


@require_safe
@never_cache
def watch(request: HttpRequest, slug: str) -> HttpResponse:
    """Play a webinar's recording.

    `?registration=<token>` (from the follow-up mail) proves a registration; it is kept in the session and leaves the
    address at once, so that it reaches neither history nor Referer. `?subtitles=fr` starts with those subtitles.
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
    context = {
        "webinar": webinar,
        "recording": recording,
        "materials": selectors.public_materials(webinar) if rules.can_get_materials(webinar, request) else [],
        "structured": structured.recording_data(recording),
        "is_member": right.kind == "member",
        **_player(request, recording, right),
    }
    return render(request, "library/watch.html", context)


@require_safe
@never_cache
def transcript(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """The cues of one track as a fragment of the watch page."""
    recording = _recording(request, slug)
    track = _track(recording, language)
    return render(request, "library/includes/cues.html", _cues(track))


@require_safe
def poster(request: HttpRequest, slug: str) -> HttpResponse:
    recording = _recording(request, slug)
    package = recording.asset.current_package
    found = selectors.derivatives(package, DerivativeKind.POSTER) if package else []
    if not found:
        raise Http404
    return _to_file(found[0].key, content_type=found[0].content_type)


@require_safe
@never_cache
def download_video(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Redirect to an MP4 file: `<rung>.mp4`, or `subtitled.mp4` with every track inside."""
    recording = _recording(request, slug)
    package = recording.asset.current_package
    for derivative in selectors.downloads(package) if package else []:
        if selectors.download_name(derivative) == name:
            return _to_file(derivative.key, file_name=f"{slug}-{name}", content_type="video/mp4")
    raise Http404


@require_safe
@never_cache
def download_track(request: HttpRequest, slug: str, language: str, text_format: str) -> HttpResponse:
    """Hand out a track as a file. `?registration=<token>` works as for `watch`."""
    if "registration" in request.GET:
        return _remember_registration(request, slug, address=request.path)
    track = _track(_recording(request, slug), language)
    if text_format not in _TEXT_FORMATS:
        raise Http404
    text = transcripts_services.export_track(track=track, format=text_format)
    return HttpResponse(
        text,
        content_type=f"{_TEXT_FORMATS[text_format]}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{slug}.{track.language}.{text_format}"'},
    )


@require_safe
@never_cache
def download_material(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Hand out slides or a handout. `?registration=<token>` works as for `watch`."""
    if "registration" in request.GET:
        return _remember_registration(request, slug, address=request.path)
    webinar = _webinar_to_watch(request, slug)
    if not rules.can_get_materials(webinar, request):
        raise Http404
    material = get_object_or_404(Material, pk=pk, webinar=webinar, is_public=True)
    return _to_file(material.file.name or "", file_name=material.file_name, content_type=material.content_type)


def _player(request: HttpRequest, recording: Recording, right: rules.Right) -> dict[str, Any]:
    """What the player and its lists need; `package` is None while there is nothing to play."""
    package = recording.asset.current_package
    if package is None:
        return {"package": None}
    grant = playback.make_grant(recording=recording, package=package, right=right)
    tracks = transcripts_selectors.published_tracks(asset=recording.asset)
    chosen = _chosen_track(request, recording, tracks)
    storage = private_storage()
    files = selectors.downloads(package)
    plain_files = [file for file in files if file.kind == DerivativeKind.MP4]
    posters = selectors.derivatives(package, DerivativeKind.POSTER)
    return {
        "package": package,
        "grant": grant,
        "has_video": selectors.has_video(package),
        "has_storyboard": bool(selectors.derivatives(package, DerivativeKind.STORYBOARD)),
        "poster_url": storage.signed_url(posters[0].key, content_type=posters[0].content_type) if posters else "",
        # Without scripts the page plays one file: the smallest, since such visitors rarely have a fast line.
        "fallback_url": storage.signed_url(plain_files[-1].key) if plain_files else "",
        "downloads": [{"derivative": file, "name": selectors.download_name(file)} for file in files],
        "tracks": tracks,
        "player_labels": player_labels(),
        "wanted_subtitles": request.GET.get("subtitles", "")[:35],
        **(_cues(chosen) if chosen else {"track": None}),
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


def _cues(track: TextTrack) -> dict[str, Any]:
    revision = track.current_revision
    cues = [{**cue, "plain": plain(cue["text"])} for cue in revision.cues] if revision else []
    return {"track": track, "cues": cues}


def _webinar_to_watch(request: HttpRequest, slug: str) -> Webinar:
    """A webinar whose page or whose recording this visitor may see, or may after registering."""
    webinar = get_object_or_404(
        Webinar.objects.select_related("organisation", "series").prefetch_related("speakers"), slug=slug
    )
    is_known = rules.can_see_webinar(webinar, request) or selectors.watchable_recording(webinar, request) is not None
    if not is_known:
        raise Http404
    return webinar


def _recording(request: HttpRequest, slug: str) -> Recording:
    webinar = get_object_or_404(Webinar.objects.select_related("organisation"), slug=slug)
    found = selectors.watchable_recording(webinar, request)
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
    rest = {name: request.GET[name] for name in ("subtitles", "transcript") if name in request.GET}
    return redirect(f"{address}?{urlencode(rest)}" if rest else address)


def _to_file(key: str, *, file_name: str | None = None, content_type: str | None = None) -> HttpResponse:
    """Send the visitor on to the store's own short-lived address; the bytes never pass through here."""
    return HttpResponseRedirect(private_storage().signed_url(key, file_name=file_name, content_type=content_type))
