"""schema.org descriptions of pages, for search engines and calendars (JSON-LD)."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from events.models import Webinar, WebinarState
from library.chapters import shown_chapters
from library.models import Recording
from media.timeline import Window


def absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


def webinar_data(webinar: Webinar) -> dict[str, Any]:
    """A webinar as schema.org/EducationEvent. The live room's address is personal and never stands here."""
    zone = ZoneInfo(webinar.time_zone)
    url = absolute(reverse("library:webinar", args=[webinar.slug]))
    is_cancelled = webinar.state == WebinarState.CANCELLED
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "EducationEvent",
        "name": str(webinar.title),
        "url": url,
        "startDate": webinar.starts_at.astimezone(zone).isoformat(),
        "endDate": webinar.ends_at.astimezone(zone).isoformat(),
        "eventStatus": f"https://schema.org/{'EventCancelled' if is_cancelled else 'EventScheduled'}",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": url},
        "inLanguage": webinar.spoken_language,
        "isAccessibleForFree": True,
        "organizer": {"@type": "Organization", "name": webinar.organisation.name},
        "performer": [
            {"@type": "Person", "name": speaker.name}
            | ({"affiliation": {"@type": "Organization", "name": speaker.affiliation}} if speaker.affiliation else {})
            for speaker in webinar.speakers.all()
        ],
    }
    optional = {"description": str(webinar.summary), "about": webinar.topic, "audience": _audience(webinar)}
    return data | {key: value for key, value in optional.items() if value}


def recording_data(recording: Recording) -> dict[str, Any]:
    """A recording as schema.org/VideoObject, with addresses that last."""
    webinar = recording.webinar
    published = recording.published_at or recording.created_at
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": str(webinar.title),
        "description": str(webinar.summary) or str(webinar.title),
        "url": absolute(reverse("library:watch", args=[webinar.slug])),
        "thumbnailUrl": absolute(reverse("library:poster", args=[webinar.slug])),
        "uploadDate": published.isoformat(),
        "inLanguage": webinar.spoken_language,
        "isAccessibleForFree": True,
    }
    if clips := _clips(recording, data["url"]):
        data["hasPart"] = clips
    if recording.asset.duration_ms:
        data["duration"] = iso_duration(recording.asset.duration_ms)
    return data


def _clips(recording: Recording, url: str) -> list[dict[str, Any]]:
    """Chapters as schema.org/Clip, by which search engines lead to key moments."""
    window = Window.of(recording.asset.current_package)
    marks = shown_chapters(recording, window)
    ends = [*(start_ms for start_ms, _title in marks), window.duration_ms(recording.asset.duration_ms or 0)][1:]
    return [
        {
            "@type": "Clip",
            "name": title,
            "startOffset": start_ms / 1000,
            "endOffset": end_ms / 1000,
            "url": f"{url}?t={start_ms // 1000}",
        }
        for (start_ms, title), end_ms in zip(marks, ends, strict=True)
    ]


def iso_duration(duration_ms: int) -> str:
    """Milliseconds as an ISO 8601 duration.

    >>> iso_duration(3_723_000)
    'PT1H2M3S'
    """
    hours, rest = divmod(duration_ms // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{seconds}S"


def _audience(webinar: Webinar) -> dict[str, str] | None:
    return {"@type": "Audience", "audienceType": webinar.audience} if webinar.audience else None
