"""What viewers can download of a recording, ordered for people on slow lines: small files first, with their sizes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from library.models import Recording
from media.models import Derivative, DerivativeKind, Package
from transcripts.models import TextTrack
from transcripts.selectors import autonym, published_tracks

LIGHT, SOUND, VIDEO, SUBTITLED, BURNED = "light", "sound", "video", "subtitled", "burned"
_ORDER = (LIGHT, SOUND, VIDEO, SUBTITLED, BURNED)
_KINDS = (
    DerivativeKind.LIGHT_ZIP,
    DerivativeKind.MP4,
    DerivativeKind.MP4_SUBTITLED,
    DerivativeKind.MP4_BURNED,
)


@dataclass(frozen=True)
class OfferedFile:
    """A file to download.

    Attributes:
        name: the last part of its address.
        group: light, sound, video, subtitled or burned.
        language: of sound or subtitles that only some understand; empty otherwise.
        is_suggested: the one for slow connections.
    """

    name: str
    label: str
    group: str
    size: int
    key: str
    content_type: str
    language: str = ""
    is_suggested: bool = False


def offered_files(package: Package) -> list[OfferedFile]:
    """Everything that can be downloaded of this version, in the order in which to show it."""
    tracks = published_tracks(asset=package.asset)
    rows = [_offered(row, tracks) for row in Derivative.objects.filter(package=package, kind__in=_KINDS)]
    found = sorted(
        (row for row in rows if row is not None), key=lambda one: (_ORDER.index(one.group), one.size, one.name)
    )
    return _with_suggestion(found)


def find_file(package: Package, name: str) -> OfferedFile | None:
    """The file of that name, if it is offered."""
    return next((file for file in offered_files(package) if file.name == name), None)


def languages_to_ask_for(recording: Recording, files: Iterable[OfferedFile]) -> list[TextTrack]:
    """Published subtitles of which there is no video yet, and viewers may ask for one."""
    if not recording.may_viewers_request_burn_in or not recording.asset.has_video:
        return []
    made = {file.language for file in files if file.group == BURNED}
    return [track for track in published_tracks(asset=recording.asset) if track.language not in made]


def _offered(row: Derivative, tracks: list[TextTrack]) -> OfferedFile | None:
    facts: dict[str, Any] = {"size": row.size, "key": row.key, "content_type": row.content_type}
    if row.kind == DerivativeKind.LIGHT_ZIP:
        return OfferedFile("light.zip", _("Slides and sound, for slow connections"), LIGHT, **facts)
    if row.kind == DerivativeKind.MP4_SUBTITLED:
        return OfferedFile("subtitled.mp4", _("Video with all subtitles, to switch on in a player"), SUBTITLED, **facts)
    if row.kind == DerivativeKind.MP4_BURNED:
        return _burned(row, tracks, facts)
    if row.content_type.startswith("audio/"):
        language = row.facts.get("language", "")
        label = _("Sound only: %(language)s") % {"language": autonym(language)} if language else _("Sound only")
        return OfferedFile(f"{row.name}.m4a", label, SOUND, language=language, **facts)
    spoken = row.facts.get("language", "")
    if spoken:
        label = _("Video in %(language)s, %(quality)s") % {
            "language": autonym(spoken),
            "quality": row.facts.get("rung", row.name),
        }
        return OfferedFile(f"{row.name}.mp4", label, VIDEO, language=spoken, **facts)
    return OfferedFile(f"{row.name}.mp4", _("Video, %(quality)s") % {"quality": row.name}, VIDEO, **facts)


def _burned(row: Derivative, tracks: list[TextTrack], facts: dict[str, Any]) -> OfferedFile | None:
    """Only while it shows what is published: subtitles that were changed or hidden since take it away."""
    shown = next((track for track in tracks if track.language == row.name), None)
    if shown is None or row.facts.get("revision") != str(shown.current_revision_id):
        return None
    label = _("Video with subtitles in the picture: %(language)s") % {"language": autonym(row.name)}
    return OfferedFile(f"burned-{row.name}.mp4", label, BURNED, language=row.name, **facts)


def _with_suggestion(files: list[OfferedFile]) -> list[OfferedFile]:
    """Where there is a choice, the smallest way to see the recording is suggested."""
    to_see = [file for file in files if file.group in (LIGHT, VIDEO) and not file.language]
    if len(to_see) < 2:
        return files
    return [replace(file, is_suggested=file is to_see[0]) for file in files]
