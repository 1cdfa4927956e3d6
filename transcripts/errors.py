"""What can go wrong with text tracks, in words for people."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from transcripts.formats import FormatError
from work.errors import DomainError


class TranscriptError(DomainError):
    """Base of this app's errors."""

    code = "transcript_error"


class ModelMissing(TranscriptError):
    """A model that the settings name is not here and could not be downloaded.

    `facts` hold `model`, `address` (as the library tried it; empty for a path) and `setting`.
    """

    code = "model_missing"
    status = 503


class ModelUnusable(TranscriptError):
    """The model's files are there, but cannot be loaded."""

    code = "model_unusable"
    status = 503


class EngineUnknown(TranscriptError):
    """A setting names an engine that does not exist, or none at all."""

    code = "engine_unknown"
    status = 503


class RecognitionFailed(TranscriptError):
    """The engine broke down over a sound; another engine or model may do better."""

    code = "recognition_failed"
    status = 503


class TranslationFailed(TranscriptError):
    """The translation server did not answer, or not with a translation."""

    code = "translation_failed"
    status = 503


class LanguageUnknown(TranscriptError):
    code = "language_unknown"

    def __init__(self, tag: str, *, field: str = "language") -> None:
        super().__init__(
            _("“%(tag)s” is not a known language. Use a tag such as en, fr or ar.") % {"tag": tag[:40]}, field=field
        )


class LanguageNotSupported(TranscriptError):
    """The configured engine cannot work in this language; a person can upload subtitles instead."""

    code = "language_not_supported"


class WrongScript(TranscriptError):
    """The text is written in letters that the language does not use."""

    code = "wrong_script"


class FileUnreadable(TranscriptError):
    """A subtitle file was refused; the code is the one of transcripts.formats."""

    code = "file_unreadable"

    @classmethod
    def from_format_error(cls, error: FormatError) -> "FileUnreadable":
        message = _(error.template) % error.facts
        if error.line is not None:
            message = _("Line %(line)s: %(message)s") % {"line": error.line, "message": message}
        refused = cls(message, code=error.code, field="file", line=error.line, **error.facts)
        if error.code in ("too_large", "too_many_cues", "cue_too_long"):
            refused.status = 413
        return refused


class FormatUnknown(TranscriptError):
    code = "format_unknown"
    status = 404


class CuesInvalid(TranscriptError):
    """Cues that a person wants to save break a rule; `facts["number"]` is the first such cue's, from 1."""

    code = "cues_invalid"


class NothingToPublish(TranscriptError):
    code = "nothing_to_publish"
    status = 409


class HasErrors(TranscriptError):
    """The quality report names errors, and nobody said "publish anyway"; `facts["findings"]` are these, as JSON."""

    code = "has_errors"
    status = 409


class EditConflict(TranscriptError):
    """Somebody saved this track since the person began; nothing was overwritten.

    Attributes:
        current_revision: number of the revision that is current now.
        theirs: its cues; yours: the cues that were not saved. Both as JSON rows.
    """

    code = "edit_conflict"
    status = 409

    def __init__(
        self, *, current_revision: int, theirs: Sequence[dict[str, Any]], yours: Sequence[dict[str, Any]]
    ) -> None:
        super().__init__(
            _("Somebody else has saved these subtitles since you opened them. Nothing was overwritten: compare both.")
        )
        self.current_revision = current_revision
        self.theirs = list(theirs)
        self.yours = list(yours)


class NothingToReview(TranscriptError):
    code = "nothing_to_review"
    status = 409


class LinkClosed(TranscriptError):
    """No more links to review this track can be made."""

    code = "too_many_links"
    status = 409


class TrackIsPublished(TranscriptError):
    """Whoever has only a link to review cannot change what viewers see."""

    code = "track_is_published"
    status = 409


class RevisionMissing(TranscriptError):
    code = "revision_missing"
    status = 404
