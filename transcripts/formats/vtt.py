"""WebVTT (W3C Candidate Recommendation of 4 April 2019). Positions, styles and regions are not kept."""

from collections.abc import Sequence

from transcripts import markup
from transcripts.cues import Cue
from transcripts.formats.base import CueReader, Report, blocks_of, gettext_noop, lines_of, timing_in

_SIGNATURE = "WEBVTT"


def has_signature(text: str) -> bool:
    """True if the text begins as section 4.1 demands: `WEBVTT`, then a blank or the end of the line."""
    return text.startswith(_SIGNATURE) and text[6:7] in ("", " ", "\t", "\n", "\r")


def read(text: str, report: Report) -> list[Cue]:
    """Read a text that has the signature.

    Raises:
        FormatError: too many or too long cues.
    """
    lines = lines_of(text)
    reader = CueReader(report)
    header_end = _read_header(lines, report)
    for first, block in blocks_of(lines, header_end):
        word = (block[0].split(maxsplit=1) or [""])[0]
        if "-->" not in block[0] and word in ("NOTE", "STYLE", "REGION") and not _has_timing_second(block):
            report.add(
                "block_dropped",
                gettext_noop("Comments, styles and regions are not kept: %(block)s."),
                line=first,
                block=word,
            )
            continue
        _read_block(block, first, reader)
    return reader.cues


def _has_timing_second(block: list[str]) -> bool:
    return len(block) > 1 and timing_in(block[1]) is not None


def _read_header(lines: list[str], report: Report) -> int:
    """Pass over the header's lines; return the index of the first line after it."""
    for index in range(1, len(lines)):
        if not lines[index].strip(" \t"):
            return index
        if timing_in(lines[index]) is not None:
            return index
        if lines[index].startswith("X-TIMESTAMP-MAP"):
            report.add(
                "timestamp_map_dropped",
                gettext_noop("The time stamp map is not kept; times count from the start of the recording."),
                line=index + 1,
            )
    return len(lines)


def _read_block(block: list[str], first: int, reader: CueReader) -> None:
    """Read one block: an identifier line perhaps, a timing line, text. A further timing line begins a new cue."""
    at = 0 if "-->" in block[0] else 1
    if at >= len(block) or "-->" not in block[at]:
        reader.report.add("no_time", gettext_noop("This text has no time; it was left out."), line=first)
        return
    while at < len(block):
        timing = timing_in(block[at])
        end = at + 1
        while end < len(block) and timing_in(block[end]) is None:
            end += 1
        if timing is None:
            reader.bad_timing(first + at)
        else:
            if timing.settings:
                reader.report.add(
                    "settings_dropped",
                    gettext_noop("Positions and alignments are not kept."),
                    line=first + at,
                    once=True,
                )
            reader.add(timing, block[at + 1 : end], line=first + at)
        at = end


def write(cues: Sequence[Cue]) -> str:
    """Return the file's text; cue texts are in their normal form already."""
    parts = ["WEBVTT\n"]
    for cue in cues:
        text = cue.text
        if cue.speaker:
            text = f"<v {markup.escape(markup.voice_name(cue.speaker))}>{text}</v>"
        parts.append(f"{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}\n{text}\n")
    return "\n".join(parts)


def stamp(milliseconds: int) -> str:
    """00:00:01.000"""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{rest:03d}"
