"""The version for slow connections: a page to read and to listen to, and its files."""

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from events.models import Visibility, Webinar
from library import light as light_version
from library import rules, selectors
from library.chapters import shown_chapters
from library.models import Recording, RecordingState
from library.structured import absolute
from media.delivery import deliver
from media.timeline import Window
from transcripts import selectors as transcripts_selectors


@require_safe
@never_cache
def light(request: HttpRequest, slug: str) -> HttpResponse:
    """Pictures, sound and words. `?language=fr` shows the words in that language."""
    webinar = get_object_or_404(Webinar.objects.select_related("organisation").prefetch_related("speakers"), slug=slug)
    found = selectors.watchable_recording(webinar, request)
    if found is None:
        if selectors.is_for_registered(webinar) and rules.can_see_webinar(webinar, request):
            return render(request, "library/registered_only.html", {"webinar": webinar}, status=403)
        raise Http404
    recording, right = found
    query = selectors.query_for(recording, request)
    package = recording.asset.current_package
    files = light_version.light_files(package) if package is not None else {}
    context = {
        "webinar": webinar,
        "recording": recording,
        "is_member": right.kind == "member",
        "is_listed": recording.state == RecordingState.PUBLISHED and recording.visibility == Visibility.PUBLIC,
        "canonical": absolute(reverse("library:watch", args=[slug])),
        "is_ready": bool(files),
        "recording_query": query,
    }
    if package is not None and files:
        tracks = transcripts_selectors.published_tracks(asset=recording.asset)
        wishes = [request.GET.get("language", ""), translation.get_language() or "", webinar.spoken_language]
        by_language = {track.language: track for track in tracks}
        track = next((by_language[wish] for wish in wishes if wish in by_language), tracks[0] if tracks else None)
        scenes = light_version.scenes_of(recording, package, track)
        context |= {
            "tracks": tracks,
            "track": track,
            "archive": light_version.light_archive(package),
            "chapters": shown_chapters(recording, Window.of(package)),
            "sound_url": reverse("library:light_file", args=[slug, "sound.m4a"]) + query
            if "sound.m4a" in files
            else "",
            "scenes": [
                (
                    scene,
                    reverse("library:light_file", args=[slug, f"{scene.picture.name}.jpg"]) + query
                    if scene.picture
                    else "",
                )
                for scene in scenes
            ],
        }
    return render(request, "library/light.html", context)


@require_safe
def light_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The small sound or one of the pictures, for those who may watch the recording."""
    webinar = get_object_or_404(Webinar.objects.select_related("organisation"), slug=slug)
    recording, right = selectors.watchable_recording(webinar, request) or (None, None)
    package = recording.asset.current_package if isinstance(recording, Recording) else None
    file = light_version.light_files(package).get(name) if package is not None else None
    if file is None or right is None:
        raise Http404
    return deliver(request, file.key, content_type=file.content_type, is_public=right.kind == "public")
