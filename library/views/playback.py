"""What players fetch: playlists, subtitles and pictures, each under a grant that is checked again every time.

Only texts are made here. The bytes of sound and picture come from the store, by short-lived signed addresses.
"""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from library import selectors
from library.errors import GrantError
from library.playback import Playback, read_grant
from media import hls
from media.models import DerivativeKind, Rendition, RenditionKind
from media.storage import private_storage
from media.storyboard import storyboard_vtt
from transcripts import languages
from transcripts import selectors as transcripts_selectors
from transcripts import services as transcripts_services
from transcripts.models import TextTrack

_PLAYLIST = "application/vnd.apple.mpegurl"
_VTT = "text/vtt; charset=utf-8"


def granted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the Playback that its grant opens; 404 if it opens none. Answers are never stored."""

    @require_safe
    @wraps(view)
    def checked(request: HttpRequest, grant: str, **parts: str) -> HttpResponse:
        try:
            playback = read_grant(grant)
        except GrantError as error:
            raise Http404(str(error)) from error
        response = view(request, playback, **parts)
        response["Cache-Control"] = "private, no-store"
        return response

    return checked


@granted
def master(_request: HttpRequest, playback: Playback) -> HttpResponse:
    """The master playlist of what is ready now: rungs that are still being made join when it is fetched again."""
    renditions = list(playback.package.renditions.all())
    video = sorted((row for row in renditions if row.kind == RenditionKind.VIDEO), key=lambda row: row.bandwidth)
    audio = [row for row in renditions if row.kind == RenditionKind.AUDIO]
    if not renditions:
        raise Http404
    text = hls.master_playlist(
        video=[_video_variant(playback, row) for row in video],
        audio=[_audio_variant(playback, row, is_default=row is audio[0]) for row in audio],
        subtitles=[
            (track.language, _autonym(track.language), _address(playback, "subtitle_playlist", track.language), False)
            for track in _tracks(playback)
        ],
    )
    return HttpResponse(text, content_type=_PLAYLIST)


@granted
def media_playlist(_request: HttpRequest, playback: Playback, rendition: str) -> HttpResponse:
    found = playback.package.renditions.filter(name=rendition).first()
    if found is None:
        raise Http404
    url = private_storage().signed_url(found.key, content_type=f"{found.kind}/mp4")
    return HttpResponse(hls.media_playlist(found.index, url), content_type=_PLAYLIST)


@granted
def subtitle_playlist(_request: HttpRequest, playback: Playback, language: str) -> HttpResponse:
    track = _track(playback, language)
    text = hls.subtitle_playlist(
        url=_address(playback, "subtitles", track.language), duration_ms=playback.recording.asset.duration_ms or 0
    )
    return HttpResponse(text, content_type=_PLAYLIST)


@granted
def subtitles(_request: HttpRequest, playback: Playback, language: str) -> HttpResponse:
    text = transcripts_services.export_track(track=_track(playback, language), format="vtt")
    return HttpResponse(text, content_type=_VTT)


@granted
def storyboard(_request: HttpRequest, playback: Playback) -> HttpResponse:
    found = selectors.derivatives(playback.package, DerivativeKind.STORYBOARD)
    if not found:
        raise Http404
    sprite = found[0]
    url = private_storage().signed_url(sprite.key, content_type=sprite.content_type)
    return HttpResponse(storyboard_vtt(sprite.facts, url), content_type=_VTT)


@granted
def poster(_request: HttpRequest, playback: Playback) -> HttpResponse:
    found = selectors.derivatives(playback.package, DerivativeKind.POSTER)
    if not found:
        raise Http404
    return HttpResponseRedirect(private_storage().signed_url(found[0].key, content_type=found[0].content_type))


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


def _audio_variant(playback: Playback, row: Rendition, *, is_default: bool) -> hls.AudioVariant:
    language = row.language or playback.recording.webinar.spoken_language
    return hls.AudioVariant(
        uri=_address(playback, "media_playlist", row.name),
        codecs=row.codecs,
        bandwidth=row.bandwidth,
        average_bandwidth=row.average_bandwidth,
        name=_autonym(language),
        language=language,
        is_default=is_default,
    )


def _tracks(playback: Playback) -> list[TextTrack]:
    return transcripts_selectors.published_tracks(asset=playback.recording.asset)


def _track(playback: Playback, language: str) -> TextTrack:
    for track in _tracks(playback):
        if track.language == language:
            return track
    raise Http404


def _autonym(language: str) -> str:
    return languages.get(language).autonym if languages.is_known(language) else language
