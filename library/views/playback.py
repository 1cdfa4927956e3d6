"""Playlists, media, subtitles and pictures, each under a grant that is checked again every time.

Texts are made here. The bytes of sound and picture are sent by the web server or the store (media/delivery.py).
"""

import hashlib
from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from library import selectors
from library.chapters import chapters_vtt, shown_chapters
from library.errors import GrantError
from library.playback import Playback, read_grant, shown_duration_ms
from media import hls
from media.delivery import deliver
from media.models import MAIN_SOUND, DerivativeKind, PackageState, Rendition, RenditionKind
from media.storyboard import storyboard_vtt
from media.timeline import Window
from transcripts import selectors as transcripts_selectors
from transcripts import services as transcripts_services
from transcripts.models import TextTrack

_PLAYLIST = "application/vnd.apple.mpegurl"
_VTT = "text/vtt; charset=utf-8"
STATE_HEADER = "Rostrum-Package"  # "building" while qualities are still being made, then "complete"


def granted(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give the view the Playback that its grant opens; 404 if it opens none.

    What anybody may watch may be fetched by the pages of other sites too (Fetch standard, "CORS protocol"), without
    cookies, which play no part here. Everything else stays with pages of our own.
    """

    @require_http_methods(["GET", "HEAD", "OPTIONS"])
    @wraps(view)
    def checked(request: HttpRequest, grant: str, **parts: str) -> HttpResponseBase:
        try:
            playback = read_grant(grant)
        except GrantError as error:
            raise Http404(str(error)) from error
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        else:
            response = view(request, playback, **parts)
        if playback.right.kind == "public":
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = f"Content-Length, Content-Range, {STATE_HEADER}"
            if request.method == "OPTIONS":
                response["Access-Control-Allow-Methods"] = "GET, HEAD"
                response["Access-Control-Allow-Headers"] = "Range, If-None-Match"
                response["Access-Control-Max-Age"] = "600"
        return response

    return checked


def text_answer(request: HttpRequest, text: str, content_type: str) -> HttpResponse:
    """A text that this browser may keep if it asks each time whether it still may (304): the right is checked then."""
    etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(text, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@gzip_page
@granted
def master(request: HttpRequest, playback: Playback) -> HttpResponse:
    """The master playlist of what is ready now: rungs that are still being made join when it is fetched again."""
    renditions = list(playback.package.renditions.defer("index"))
    video = sorted((row for row in renditions if row.kind == RenditionKind.VIDEO), key=lambda row: row.bandwidth)
    audio = sorted(
        (row for row in renditions if row.kind == RenditionKind.AUDIO),
        key=lambda row: (row.name != MAIN_SOUND, row.language),
    )
    names = dict(playback.package.asset.channels.exclude(name="").values_list("language", "name"))
    if not renditions:
        raise Http404
    text = hls.master_playlist(
        video=[_video_variant(playback, row) for row in video],
        audio=[_audio_variant(playback, row, names, is_default=row is audio[0]) for row in audio],
        subtitles=[
            (track.language, _autonym(track.language), _address(playback, "subtitle_playlist", track.language), False)
            for track in _tracks(playback)
        ],
        iframes=_iframes(playback, video),
    )
    response = text_answer(request, text, _PLAYLIST)
    response[STATE_HEADER] = PackageState(playback.package.state).value
    return response


@gzip_page
@granted
def media_playlist(request: HttpRequest, playback: Playback, rendition: str) -> HttpResponse:
    """One rendition's playlist. Its addresses are relative, which keeps the text of a long recording short."""
    found = playback.package.renditions.filter(name=rendition).first()
    if found is None:
        raise Http404
    return text_answer(request, hls.media_playlist(found.index, f"files/{_file_name(found.key)}"), _PLAYLIST)


@gzip_page
@granted
def iframe_playlist(request: HttpRequest, playback: Playback, rendition: str) -> HttpResponse:
    """One rendition's key frames alone: players show them while somebody searches."""
    found = playback.package.renditions.filter(name=rendition).first()
    if found is None or not hls.has_key_frames(found.index):
        raise Http404
    return text_answer(request, hls.iframe_playlist(found.index, f"../files/{_file_name(found.key)}"), _PLAYLIST)


@granted
def media_file(request: HttpRequest, playback: Playback, name: str) -> HttpResponseBase:
    """A file of the package, or a range of it.

    Files are asked for by their own names, which are never used again: a viewer never gets bytes of a new version by
    the ranges of an old playlist (promise D4). What was replaced meanwhile is served until it is deleted.
    """
    found = selectors.package_file(playback.package, name)
    if found is None:
        raise Http404
    return deliver(request, found.key, content_type=found.content_type)


@gzip_page
@granted
def subtitle_playlist(request: HttpRequest, playback: Playback, language: str) -> HttpResponse:
    track = _track(playback, language)
    text = hls.subtitle_playlist(
        url=_address(playback, "subtitles", track.language), duration_ms=shown_duration_ms(playback.package)
    )
    return text_answer(request, text, _PLAYLIST)


@gzip_page
@granted
def subtitles(request: HttpRequest, playback: Playback, language: str) -> HttpResponse:
    text = transcripts_services.export_track(
        track=_track(playback, language), format="vtt", window=Window.of(playback.package)
    )
    return text_answer(request, text, _VTT)


@gzip_page
@granted
def storyboard(request: HttpRequest, playback: Playback) -> HttpResponse:
    found = selectors.derivatives(playback.package, DerivativeKind.STORYBOARD)
    if not found:
        raise Http404
    sprite = found[0]
    return text_answer(request, storyboard_vtt(sprite.facts, f"files/{_file_name(sprite.key)}"), _VTT)


@gzip_page
@granted
def chapters(request: HttpRequest, playback: Playback) -> HttpResponse:
    """Chapters as this version shows them. A version from before a replacement has none: they are the new file's."""
    if playback.recording.asset_id != playback.package.asset_id:
        raise Http404
    marks = shown_chapters(playback.recording, Window.of(playback.package))
    return text_answer(request, chapters_vtt(marks, duration_ms=shown_duration_ms(playback.package)), _VTT)


@granted
def poster(request: HttpRequest, playback: Playback) -> HttpResponseBase:
    found = selectors.derivatives(playback.package, DerivativeKind.POSTER)
    if not found:
        raise Http404
    return deliver(request, found[0].key, content_type=found[0].content_type)


def _file_name(key: str) -> str:
    return key.rpartition("/")[2]


def _address(playback: Playback, view: str, *parts: str) -> str:
    return reverse(f"library:{view}", args=[playback.grant, *parts])


def _video_variant(playback: Playback, row: Rendition) -> hls.VideoVariant:
    return hls.VideoVariant(
        uri=_address(playback, "media_playlist", row.name),
        codecs=row.codecs,
        width=row.width or 0,
        height=row.height or 0,
        frame_rate=row.frame_rate or 0,
        bandwidth=row.bandwidth,
        average_bandwidth=row.average_bandwidth,
    )


def _iframes(playback: Playback, video: list[Rendition]) -> list[hls.IFrameVariant]:
    """The smallest finished picture's key frames; of AV1 fewer players know what to do with them."""
    for row in sorted((row for row in video if row.codecs.startswith("avc1")), key=lambda row: row.height or 0):
        if hls.has_key_frames(row.index):
            return [
                hls.IFrameVariant(
                    uri=_address(playback, "iframe_playlist", row.name),
                    codecs=row.codecs,
                    width=row.width or 0,
                    height=row.height or 0,
                    bandwidth=hls.iframe_bandwidth(row.index),
                )
            ]
    return []


def _audio_variant(playback: Playback, row: Rendition, names: dict[str, str], *, is_default: bool) -> hls.AudioVariant:
    language = row.language or playback.recording.webinar.spoken_language
    given = names.get(language, "") if row.name != MAIN_SOUND else ""
    return hls.AudioVariant(
        uri=_address(playback, "media_playlist", row.name),
        codecs=row.codecs,
        bandwidth=row.bandwidth,
        average_bandwidth=row.average_bandwidth,
        name=given or _autonym(language),
        language=language,
        is_default=is_default,
    )


def _tracks(playback: Playback) -> list[TextTrack]:
    return transcripts_selectors.published_tracks(asset=playback.asset)


def _track(playback: Playback, language: str) -> TextTrack:
    for track in _tracks(playback):
        if track.language == language:
            return track
    raise Http404


def _autonym(language: str) -> str:
    return transcripts_selectors.autonym(language)
