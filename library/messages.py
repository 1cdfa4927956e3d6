"""The mail that everybody who registered gets once the recording is there."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.text import without_links
from events.models import Visibility, Webinar
from library import selectors
from library.models import Recording, RecordingState, Viewing
from library.structured import absolute
from notifications import purposes, wording
from notifications.models import Message
from notifications.rendering import interface_language
from notifications.services import send
from registration import announcements, segments
from registration.attendance import attendance_of
from registration.links import link_for, token_for
from registration.messages import about, scope_of
from registration.models import Announcement, AnnouncementKind, Attendance, Registration, RegistrationState
from transcripts import languages
from transcripts import selectors as transcripts_selectors
from work import services as work
from work.errors import Skip
from work.models import FINISHED_STATES

FOLLOW_UP = "follow_up"


def send_follow_up(*, recording: Recording) -> int:
    """Have each confirmed registrant told, in their language, where the recording, its subtitles and the slides are.

    Each gets it once, however often this runs. The mails are written in steps by an announcement of its own. Returns
    how many people have not been told yet.
    """
    webinar = recording.webinar
    everybody = segments.people(webinar, "confirmed").count()
    told = Message.objects.filter(purpose=FOLLOW_UP, scope=scope_of(webinar)).count()
    left = max(0, everybody - told)
    is_being_written = (
        webinar.announcements.filter(kind=AnnouncementKind.RECORDING).exclude(state__in=FINISHED_STATES).exists()
    )
    if left and not is_being_written:
        with transaction.atomic():
            row = Announcement.objects.create(
                webinar=webinar,
                kind=AnnouncementKind.RECORDING,
                version=announcements.next_version(webinar, AnnouncementKind.RECORDING),
            )
            work.enqueue(row)
    return left


def _confirmed(announcement: Announcement) -> "QuerySet[Registration]":
    return segments.people(announcement.webinar, "confirmed")


def _check_is_published(announcement: Announcement) -> None:
    if not Recording.objects.filter(webinar=announcement.webinar_id, state=RecordingState.PUBLISHED).exists():
        raise Skip(_("The recording is not published any more."))


def _write_follow_up(registration: Registration, announcement: Announcement) -> Message | None:
    facts = _facts(announcement.pk)
    return send(
        purpose=FOLLOW_UP,
        about=about(registration),
        recipient_email=registration.email,
        recipient_name=registration.name,
        language=registration.language,
        template="follow_up",
        context=_context(facts, registration),
        organisation=announcement.webinar.organisation,
        is_bulk=True,
        scope=scope_of(announcement.webinar),
        is_optional=True,
    )


@dataclass(frozen=True)
class _Facts:
    """What all mails of one follow-up have in common."""

    recording: Recording
    tracks: list[str]
    materials: list[tuple[UUID, str]]  # id and title
    is_attendance_known: bool


@lru_cache(maxsize=4)
def _facts(announcement: UUID) -> _Facts:
    """Read once per process and announcement; a later one of the same webinar reads again."""
    row = Announcement.objects.select_related("webinar__organisation").get(pk=announcement)
    published = Recording.objects.filter(webinar=row.webinar, state=RecordingState.PUBLISHED)
    recording = published.select_related("asset", "webinar__organisation").order_by("published_at")[0]
    return _Facts(
        recording=recording,
        tracks=[track.language for track in transcripts_selectors.published_tracks(asset=recording.asset)],
        materials=[(material.pk, str(material)) for material in selectors.public_materials(row.webinar)],
        is_attendance_known=Attendance.objects.filter(registration__webinar=row.webinar).exists(),
    )


def _what_happened(facts: _Facts, registration: Registration) -> str:
    """How the mail begins: "watched", "attended", "left_early", "not_attended", or nothing when nothing is known."""
    if facts.recording.viewings.filter(registration=registration, watched_ms__gt=0).exists():
        return "watched"
    return str(attendance_of(registration).segment) if facts.is_attendance_known else ""


def _watched(webinar: Webinar) -> "QuerySet[Registration]":
    seen = Viewing.objects.filter(registration=OuterRef("pk"), recording__webinar=webinar, watched_ms__gt=0)
    return Registration.objects.filter(Exists(seen), webinar=webinar, state=RegistrationState.CONFIRMED)


def _context(facts: _Facts, registration: Registration) -> dict[str, Any]:
    recording, webinar = facts.recording, facts.recording.webinar
    subtitles = _best(registration.language, facts.tracks)
    with translation.override(interface_language(registration.language)):
        title = str(webinar.title)
    # What only registrants may have is linked with their own token, which the page takes out of the address.
    token = {"registration": token_for(registration)}
    for_recording = token if recording.visibility == Visibility.REGISTERED else {}
    for_materials = token if webinar.visibility == Visibility.REGISTERED else {}
    chosen = {"subtitles": subtitles} if subtitles else {}
    return {
        "title": without_links(title),
        "what_happened": _what_happened(facts, registration),
        "watch_url": _address("watch", webinar.slug, query={**chosen, **for_recording}),
        "page_url": _address("webinar", webinar.slug, query={}),
        "subtitles_name": languages.get(subtitles).autonym if subtitles else "",
        "subtitles_url": _address("download_track", webinar.slug, subtitles, "vtt", query=for_recording)
        if subtitles
        else "",
        "other_languages": [
            languages.get(tag).autonym for tag in facts.tracks if tag != subtitles and languages.is_known(tag)
        ],
        "needs_link": bool(for_recording),
        "materials": [
            {
                "title": without_links(name),
                "url": _address("download_material", webinar.slug, pk, query=for_materials),
            }
            for pk, name in facts.materials
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


def register() -> None:
    """Make the follow-up, its words, and whom it lets organisers write to known, when the app is ready."""
    purposes.register(FOLLOW_UP, _is_still_wanted)
    announcements.register(
        AnnouncementKind.RECORDING, announcements.Writing(_confirmed, _write_follow_up, _check_is_published)
    )
    segments.register(segments.Segment("watched", gettext_lazy("Those who have watched the recording"), _watched))
    wording.register(
        wording.MailKind(
            FOLLOW_UP,
            gettext_lazy("The recording is ready"),
            ("name", "title", "organisation", "watch_link", "own_link", "page_link"),
            ("watch_link",),
        )
    )
