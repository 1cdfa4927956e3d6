"""Subtitle files in and out."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from media.models import Asset
from media.timeline import WHOLE, Window
from transcripts import formats, languages, selectors
from transcripts.errors import FileUnreadable, FormatUnknown, LanguageUnknown, TranscriptError, WrongScript
from transcripts.formats import FormatError, Note, Surroundings
from transcripts.formats.base import gettext_noop
from transcripts.models import TextTrack, TrackKind, TrackOrigin
from transcripts.services.revisions import add_revision, find_or_create_track
from transcripts.signals import surroundings_wanted


def import_track(
    *, asset: Asset, language: str, kind: str, data: bytes, file_name: str, user: User | None
) -> TextTrack:
    """Read a subtitle file and make it the current revision of the track in that language and kind.

    What had to be left out or changed is kept with the revision: `selectors.notes_of(track.current_revision)`.

    Raises:
        LanguageUnknown: the tag is not of a known language.
        TranscriptError: the kind is unknown (code `kind_unknown`).
        FileUnreadable: the file is not usable, with the line where that can be said.
        WrongScript: its text is in letters that the language does not use.
    """
    if not languages.is_known(language):
        raise LanguageUnknown(language)
    if kind not in TrackKind.values:
        raise TranscriptError(_("Choose captions or subtitles."), code="kind_unknown", field="kind")
    try:
        result = formats.read(data, file_name=file_name, language=language)
    except FormatError as error:
        raise FileUnreadable.from_format_error(error) from error
    _check_script(" ".join(cue.plain_text for cue in result.cues), language)
    notes = [*result.notes, *_late_notes(result, asset)]
    with transaction.atomic():
        track = find_or_create_track(asset=asset, language=language, kind=kind)
        revision = add_revision(track=track, cues=result.cues, origin=TrackOrigin.UPLOADED, author=user, notes=notes)
        record_action(
            action="track.imported",
            target=track,
            organisation=asset.organisation,
            user=user,
            language=track.language,
            revision=revision.number,
            cues=revision.cue_count,
        )
    return track


def _check_script(text: str, language: str) -> None:
    chosen = languages.get(language)
    if not languages.is_written_in(chosen, text):
        raise WrongScript(
            _("The text is not in the letters of %(language)s. Check that the right language is chosen.")
            % {"language": chosen.autonym},
            field="language",
        )


def _late_notes(result: formats.ReadResult, asset: Asset) -> list[Note]:
    late = sum(cue.start_ms >= asset.duration_ms for cue in result.cues) if asset.duration_ms else 0
    if not late:
        return []
    return [
        Note(
            "after_end",
            gettext_noop("%(count)s subtitles start after the end of the recording."),
            facts={"count": late},
        )
    ]


def export_track(*, track: TextTrack, format: str, window: Window | None = None) -> str:
    """Return the current revision as the text of a file: `vtt`, `srt`, `ttml`, `txt`, `timedtxt` or `html`.

    Args:
        window: the stretch of the source that the version beside it shows; the times count from its start. Without,
            they are the source's, but for a page, whose times lead to what viewers see.

    Raises:
        FormatUnknown: another format was asked for.
    """
    if format not in formats.WRITERS:
        raise FormatUnknown(
            _("Subtitles come as %(formats)s.") % {"formats": ", ".join(formats.WRITERS)}, field="format"
        )
    if format != "html":
        return formats.write(selectors.cues_of(track, window=window or WHOLE), format, track.language)
    window = window or Window.of(track.asset.current_package)
    # The stubs say that receivers answer with text; they answer with anything.
    answers: list[object] = [
        answer for _receiver, answer in surroundings_wanted.send(sender=TextTrack, track=track, window=window)
    ]
    around = next((answer for answer in answers if isinstance(answer, Surroundings)), None)
    return formats.write(selectors.cues_of(track, window=window), format, track.language, around)
