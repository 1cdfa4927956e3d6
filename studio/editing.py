"""The subtitle editor's two doors, the studio's and a reviewer's link: what its page is told, and what it may do."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

import media.services
import transcripts.services
from accounts.models import User
from library.models import Recording
from library.player import player_data
from library.rules import Right
from library.structured import absolute
from media.models import Package
from studio.editor_labels import editor_labels
from transcripts import cues as arithmetic
from transcripts import languages, quality, selectors
from transcripts.api.serializers import ChangesSerializer
from transcripts.api.views import conflict_of
from transcripts.errors import EditConflict
from transcripts.models import ReviewLink, TextTrack, TrackState
from transcripts.services.waveform import STATUS, peaks_for
from work.errors import DomainError

MAX_BODY = 16 * 1024**2  # all cues of the longest track at once


@dataclass(frozen=True)
class Door:
    """How somebody came to the editor of a track."""

    track: TextTrack
    recording: Recording
    may_edit: bool
    user: User | None = None
    link: ReviewLink | None = None
    token: str = ""

    def address(self, page: str) -> str:
        """The address of one of the editor's own addresses: "data", "save", "peaks" or "grant"."""
        if self.link is not None:
            return reverse(f"studio:review_{page}", args=[self.token])
        return reverse(f"studio:track_{page}", args=[self.track.pk])

    @property
    def right(self) -> Right:
        if self.link is not None:
            return Right("review", str(self.link.pk))
        assert self.user is not None
        return Right("member", str(self.user.pk))


def editor_context(door: Door) -> dict[str, Any]:
    """What the editor's page shows, and what its script is told."""
    track, asset = door.track, door.recording.asset
    package = media.services.whole_package(asset) or asset.current_package
    rules = selectors.reading_rules(track.language)
    context: dict[str, Any] = {
        "track": track,
        "recording": door.recording,
        "webinar": door.recording.webinar,
        "wanted_subtitles": "",
        "may_edit": door.may_edit,
        "is_published": track.state == TrackState.PUBLISHED,
        "editor": {
            "dataUrl": door.address("data"),
            "saveUrl": door.address("save"),
            "peaksUrl": door.address("peaks") if package is not None else "",
            "language": track.language,
            "mayEdit": door.may_edit,
            # What is saved of a published track is seen at once: there nothing is saved by itself.
            "savesItself": track.state != TrackState.PUBLISHED,
            "durationMs": asset.duration_ms or 0,
            "rules": {
                "lineChars": rules.line_chars,
                "maxLines": rules.max_lines,
                "charsPerSecond": rules.chars_per_second,
                "minMs": rules.min_ms,
                "maxMs": rules.max_ms,
                "gapMs": rules.gap_ms,
                "isFullWidth": rules.is_full_width,
                "tolerance": quality.TOLERANCE,
                "lowConfidence": quality.LOW_CONFIDENCE,
                "scripts": sorted(languages.own_scripts(languages.get(track.language))),
            },
            "maxChars": arithmetic.MAX_CUE_CHARS,
            "labels": editor_labels(),
        },
    }
    if package is not None:
        context["player"] = player_data(
            recording=door.recording,
            package=package,
            right=door.right,
            tracks=[],
            renew_url=door.address("grant"),
            share_url=absolute(reverse("library:watch", args=[door.recording.webinar.slug])),
        )
    return context


def shown_package(recording: Recording) -> Package | None:
    """The version that the editor plays: times of subtitles are those of the whole recording."""
    return media.services.whole_package(recording.asset) or recording.asset.current_package


def data(door: Door) -> JsonResponse:
    """The cues, and for a translation what they were translated from."""
    track = door.track
    current, source = track.current_revision, track.source_track
    body: dict[str, Any] = {
        "revision": current.number if current else 0,
        "cues": arithmetic.to_rows(selectors.cues_of(track)),
        "source": None,
        "speech": selectors.speech_of(track.asset),
    }
    if source is not None:
        body["source"] = {
            "language": source.language,
            "cues": [
                {"id": cue.id, "start_ms": cue.start_ms, "end_ms": cue.end_ms, "text": cue.plain_text}
                for cue in selectors.cues_of(source)
            ],
        }
        body["stale"] = [cue.id for cue in selectors.stale_cues_of(track)]
    return JsonResponse(body)


def save(request: HttpRequest, door: Door) -> JsonResponse:
    """Store what was changed; 409 with what somebody else saved meanwhile."""
    raw = request.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        return _problem(_("This is too much to be saved at once."), "too_large", 413)
    try:
        form = ChangesSerializer(data=json.loads(raw))
    except (ValueError, RecursionError):
        return _problem(_("This could not be read. Load the page again."), "unreadable", 400)
    if not form.is_valid():
        return _problem(_first_message(form.errors), "invalid", 400)
    changed, removed = form.as_cues(), form.validated_data["removed"]
    base, session = form.validated_data["revision"], form.validated_data["session"]
    try:
        if door.link is not None:
            revision = transcripts.services.change_as_reviewer(
                link=door.link, base_revision=base, changed=changed, removed=removed, session=session
            )
        else:
            revision = transcripts.services.change_cues(
                track=door.track,
                base_revision=base,
                changed=changed,
                removed=removed,
                session=session,
                user=door.user,
            )
    except EditConflict as error:
        return JsonResponse({**conflict_of(error), "yours": []}, status=error.status)
    except DomainError as error:
        return _problem(str(error), error.code, error.status, **error.facts)
    ids = {cue.id for cue in changed}
    return JsonResponse({"revision": revision.number, "cues": [row for row in revision.cues if row["id"] in ids]})


def _problem(title: str, code: str, status: int, **facts: Any) -> JsonResponse:
    return JsonResponse({"title": title, "code": code, "status": status, **facts}, status=status)


def _first_message(errors: Any) -> str:
    """The first of a serializer's nested messages."""
    while isinstance(errors, dict | list) and errors:
        errors = next(iter(errors.values())) if isinstance(errors, dict) else next(filter(None, errors), "")
    return str(errors)


def peaks(door: Door, *, again: bool = False) -> JsonResponse:
    """Loudness over time; 202 while a worker measures it; 404 if there is no sound, or it failed ("failed")."""
    found = peaks_for(asset=door.recording.asset, again=again)
    return JsonResponse({"state": found.state, **found.content}, status=STATUS[found.state])
