"""What changes text tracks: recognising, translating, importing, editing, publishing."""

from transcripts.engines import can_transcribe
from transcripts.selectors import published_tracks
from transcripts.selectors import translation_is_possible as can_translate
from transcripts.services.files import export_track, import_track
from transcripts.services.glossary import delete_term, save_term
from transcripts.services.recognition import plan_transcription, transcribe_part, write_captions
from transcripts.services.renewal import renew_cues, request_renewal
from transcripts.services.reviewing import (
    assign_reviewer,
    change_as_reviewer,
    mark_reviewed,
    restore_revision,
    review_address,
    review_by_token,
    revoke_review,
)
from transcripts.services.tracks import (
    begin_track,
    change_cues,
    copy_tracks,
    delete_track,
    publish_track,
    save_cues,
    unpublish_track,
)
from transcripts.services.translation import translate_track
from transcripts.services.waveform import request_waveform

__all__ = [
    "assign_reviewer",
    "begin_track",
    "can_transcribe",
    "can_translate",
    "change_as_reviewer",
    "change_cues",
    "copy_tracks",
    "delete_term",
    "delete_track",
    "export_track",
    "import_track",
    "mark_reviewed",
    "plan_transcription",
    "publish_track",
    "published_tracks",
    "renew_cues",
    "request_renewal",
    "request_waveform",
    "restore_revision",
    "review_address",
    "review_by_token",
    "revoke_review",
    "save_cues",
    "save_term",
    "transcribe_part",
    "translate_track",
    "unpublish_track",
    "write_captions",
]
