"""What stands around a transcript that is read alone: title, date, people, slide headings, links to the watch page."""

from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from library.chapters import shown_chapters
from library.models import Recording
from library.selectors import slides_at
from library.structured import absolute
from media.timeline import Window
from notifications.rendering import interface_language
from transcripts.formats import Surroundings
from transcripts.models import TextTrack


def surroundings(recording: Recording, track: TextTrack, window: Window) -> Surroundings:
    """Describe a recording around one of its tracks, in the track's language as far as the interface knows it.

    Headings are the titles of the slides that were shown; where none has one, the chapters.
    """
    webinar = recording.webinar
    words = interface_language(track.language)
    titles = webinar.title.data if isinstance(webinar.title.data, dict) else {}
    with translation.override(words):
        starts_at = webinar.starts_at.astimezone(ZoneInfo(webinar.time_zone))
        people = ", ".join(speaker.name for speaker in webinar.speakers.all())
        return Surroundings(
            title=str(webinar.title),
            title_language=words if titles.get(words) else webinar.spoken_language,
            facts=tuple(
                fact
                for fact in (people, f"{date_format(starts_at, 'DATE_FORMAT')} · {webinar.organisation.name}")
                if fact
            ),
            words_language=words,
            link=_link(recording, track),
            link_text=_("Watch the recording"),
            headings=tuple(_headings(recording, window)),
            headings_language=webinar.spoken_language,
            contents=_("Contents"),
        )


def _link(recording: Recording, track: TextTrack) -> str:
    query = {"transcript": track.language, "subtitles": track.language}
    others = Recording.objects.filter(webinar=recording.webinar_id).exclude(pk=recording.pk)
    if others.exists():  # the page may show another one unless this is asked for
        query["recording"] = str(recording.pk)
    return f"{absolute(reverse('library:watch', args=[recording.webinar.slug]))}?{urlencode(query)}"


def _headings(recording: Recording, window: Window) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for slide in slides_at(recording):
        if slide.title and (not found or found[-1][1] != slide.title):
            found.append((slide.start_ms, slide.title))
    return found or shown_chapters(recording, window)
