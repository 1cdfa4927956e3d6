"""Plain text to read: paragraphs that begin where there was a pause or another speaker."""

from collections.abc import Sequence

from transcripts.cues import SENTENCE_PAUSE_MS, Cue


def write(cues: Sequence[Cue]) -> str:
    """Return the words without times, one paragraph per speaker and stretch of speech."""
    paragraphs: list[list[str]] = []
    speaker, last_end = "", 0
    for cue in cues:
        is_new = not paragraphs or cue.speaker != speaker or cue.start_ms - last_end > SENTENCE_PAUSE_MS
        words = " ".join(cue.plain_text.split())
        if is_new:
            paragraphs.append([f"{cue.speaker}: {words}" if cue.speaker else words])
        else:
            paragraphs[-1].append(words)
        speaker, last_end = cue.speaker, cue.end_ms
    return "".join(f"{' '.join(paragraph)}\n\n" for paragraph in paragraphs).rstrip("\n") + "\n"
