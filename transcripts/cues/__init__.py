"""The arithmetic of cues: what the engine heard becomes what is shown on screen. Pure Python; times in milliseconds.

`model` says what a cue is, `rules` how much of one a reader takes in, `breaking` where text may be cut, `shaping` makes
cues under the rules, and `sentences` joins cues for a translator and lays its text back over them.
"""

from transcripts.cues.comparing import Change, changes, patched
from transcripts.cues.model import (
    MAX_CUE_CHARS,
    MAX_CUES,
    MAX_MS,
    Cue,
    SpeechSegment,
    Word,
    content_hash,
    from_rows,
    segments_from_rows,
    segments_to_rows,
    to_rows,
    with_ids,
)
from transcripts.cues.rules import ReadingRules, reading_ms, rules_for, width
from transcripts.cues.sentences import SENTENCE_PAUSE_MS, Sentence, Slot, lay_back, sentences, stale_cues
from transcripts.cues.shaping import cues_from_segments

__all__ = [
    "MAX_CUES",
    "MAX_CUE_CHARS",
    "MAX_MS",
    "SENTENCE_PAUSE_MS",
    "Change",
    "Cue",
    "ReadingRules",
    "Sentence",
    "Slot",
    "SpeechSegment",
    "Word",
    "changes",
    "content_hash",
    "cues_from_segments",
    "from_rows",
    "lay_back",
    "patched",
    "reading_ms",
    "rules_for",
    "segments_from_rows",
    "segments_to_rows",
    "sentences",
    "stale_cues",
    "to_rows",
    "width",
    "with_ids",
]
