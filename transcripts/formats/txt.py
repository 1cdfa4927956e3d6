"""Plain text to read: paragraphs that begin where there was a pause or another speaker, or lines with their times."""

from collections.abc import Sequence

from transcripts import languages
from transcripts.cues import SENTENCE_PAUSE_MS, Cue


def write(cues: Sequence[Cue], language: str = "") -> str:
    """Return the words without times, one paragraph per speaker and stretch of speech."""
    paragraphs: list[list[str]] = []
    speaker, last_end = "", 0
    for cue in cues:
        is_new = not paragraphs or cue.speaker != speaker or cue.start_ms - last_end > SENTENCE_PAUSE_MS
        words = _on_one_line(cue, language)
        if is_new:
            paragraphs.append([f"{cue.speaker}: {words}" if cue.speaker else words])
        else:
            paragraphs[-1].append(words)
        speaker, last_end = cue.speaker, cue.end_ms
    return "".join(f"{languages.joined(paragraph, language)}\n\n" for paragraph in paragraphs).rstrip("\n") + "\n"


def write_timed(cues: Sequence[Cue], language: str = "") -> str:
    """Return one line per cue: when it begins, who speaks, and the words."""
    lines = []
    for cue in cues:
        seconds = cue.start_ms // 1000
        words = _on_one_line(cue, language)
        shown = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        lines.append(f"[{shown}] {cue.speaker}: {words}\n" if cue.speaker else f"[{shown}] {words}\n")
    return "".join(lines)


def _on_one_line(cue: Cue, language: str) -> str:
    return languages.joined((" ".join(line.split()) for line in cue.plain_text.splitlines() if line.strip()), language)
