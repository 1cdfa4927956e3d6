"""The mail that everybody who registered gets once the recording is there."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import translation

from accounts.text import without_links
from events.models import Material, Visibility
from library import selectors
from library.models import Recording, RecordingState
from library.structured import absolute
from notifications import purposes
from notifications.models import Message
from notifications.rendering import interface_language
from notifications.services import send
from registration.links import link_for, token_for
from registration.models import Registration, RegistrationState
from transcripts import languages
from transcripts import selectors as transcripts_selectors

FOLLOW_UP = "follow_up"


def send_follow_up(*, recording: Recording) -> int:
    """Tell each confirmed registrant, in their language, where the recording, its subtitles and the slides are.

    Each gets it once, however often this runs. Return how many mails were queued now.
    """
    webinar = recording.webinar
    spoken = [track.language for track in transcripts_selectors.published_tracks(asset=recording.asset)]
    materials = list(selectors.public_materials(webinar))
    registrants = Registration.objects.filter(webinar=webinar, state=RegistrationState.CONFIRMED).order_by("created_at")
    queued = 0
    for registration in registrants.iterator(chunk_size=500):
        message = send(
            purpose=FOLLOW_UP,
            about=f"registration:{registration.pk}",
            recipient_email=registration.email,
            recipient_name=registration.name,
            language=registration.language,
            template="follow_up",
            context=_context(recording, registration, spoken, materials),
            organisation=webinar.organisation,
            is_bulk=True,
        )
        queued += message is not None
    return queued


def register_purposes() -> None:
    purposes.register(FOLLOW_UP, _is_still_wanted)


def _context(
    recording: Recording, registration: Registration, tracks: list[str], materials: list[Material]
) -> dict[str, Any]:
    webinar = recording.webinar
    subtitles = _best(registration.language, tracks)
    with translation.override(interface_language(registration.language)):
        title = str(webinar.title)
    # What only registrants may have is linked with their own token, which the page takes out of the address.
    token = {"registration": token_for(registration)}
    for_recording = token if recording.visibility == Visibility.REGISTERED else {}
    for_materials = token if webinar.visibility == Visibility.REGISTERED else {}
    chosen = {"subtitles": subtitles} if subtitles else {}
    return {
        "title": without_links(title),
        "watch_url": _address("watch", webinar.slug, query={**chosen, **for_recording}),
        "subtitles_name": languages.get(subtitles).autonym if subtitles else "",
        "subtitles_url": _address("download_track", webinar.slug, subtitles, "vtt", query=for_recording)
        if subtitles
        else "",
        "other_languages": [
            languages.get(tag).autonym for tag in tracks if tag != subtitles and languages.is_known(tag)
        ],
        "needs_link": bool(for_recording),
        "materials": [
            {
                "title": without_links(str(material)),
                "url": _address("download_material", webinar.slug, material.pk, query=for_materials),
            }
            for material in materials
        ],
        "own_url": link_for(registration),
    }


def _address(page: str, *parts: Any, query: dict[str, str]) -> str:
    url = absolute(reverse(f"library:{page}", args=parts))
    return f"{url}?{urlencode(query)}" if query else url


def _best(wanted: str, tracks: list[str]) -> str:
    """The track for a reader of `wanted`: the same tag, else the same language, else none."""
    if wanted in tracks:
        return wanted
    primary = wanted.partition("-")[0].lower()
    return next((tag for tag in tracks if tag.partition("-")[0].lower() == primary), "")


def _is_still_wanted(message: Message) -> bool:
    """Not after the registration was cancelled or the recording withdrawn."""
    registration = Registration.objects.filter(pk=message.about.removeprefix("registration:")).first()
    if registration is None or registration.state != RegistrationState.CONFIRMED:
        return False
    return Recording.objects.filter(webinar=registration.webinar_id, state=RecordingState.PUBLISHED).exists()
