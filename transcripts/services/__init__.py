"""What changes text tracks: recognising, translating, importing, editing, publishing."""

from transcripts.engines import can_transcribe
from transcripts.selectors import published_tracks
from transcripts.services.files import export_track, import_track
from transcripts.services.recognition import plan_transcription, transcribe_part, write_captions
from transcripts.services.tracks import delete_track, publish_track, save_cues, unpublish_track
from transcripts.services.translation import translate_track
from transcripts.translators import can_translate

__all__ = [
    "can_transcribe",
    "can_translate",
    "delete_track",
    "export_track",
    "import_track",
    "plan_transcription",
    "publish_track",
    "published_tracks",
    "save_cues",
    "transcribe_part",
    "translate_track",
    "unpublish_track",
    "write_captions",
]
