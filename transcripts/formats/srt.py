"""SubRip. There is no standard; the tags b, i and u are kept, character references are written only where needed."""

import re
from collections.abc import Sequence

from transcripts import markup
from transcripts.cues import Cue
from transcripts.formats.base import CueReader, Report, blocks_of, gettext_noop, lines_of, timing_in
from transcripts.formats.vtt import stamp

_POSITION = re.compile(r"\{\\[^{}\n]{1,100}\}")
_KEPT_TAG = re.compile(r"</?[biu]>")
# What the reader would take for a tag, a reference, a position or a time line.
_MISREAD = re.compile(
    r"<(?=[/A-Za-z0-9])|\{(?=\\)|(?<=--)>|&(?=(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
)
_REFERENCES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "{": "&lcub;"}


def read(text: str, report: Report) -> list[Cue]:
    """Read blocks of an optional number, a timing line and text.

    Raises:
        FormatError: too many or too long cues.
    """
    reader = CueReader(report)
    for first, block in blocks_of(lines_of(text)):
        at = 0 if "-->" in block[0] else 1
        if at >= len(block) or "-->" not in block[at]:
            report.add("no_time", gettext_noop("This text has no time; it was left out."), line=first)
            continue
        _read_block(block, at, first, reader)
    return reader.cues


def _read_block(block: list[str], at: int, first: int, reader: CueReader) -> None:
    """Read a cue; a further timing line, when the empty line between was forgotten, begins a new one."""
    while at < len(block):
        end = at + 1
        while end < len(block) and timing_in(block[end]) is None:
            end += 1
        text = block[at + 1 : end]
        if end < len(block) and text and text[-1].strip().isdecimal():
            text.pop()
        timing = timing_in(block[at])
        if timing is None:
            reader.bad_timing(first + at)
        else:
            kept = [_POSITION.sub("", line) for line in text]
            if kept != text:
                reader.report.add(
                    "settings_dropped",
                    gettext_noop("Positions and alignments are not kept."),
                    line=first + at,
                    once=True,
                )
            reader.add(timing, kept, line=first + at)
        at = end


def write(cues: Sequence[Cue]) -> str:
    """Return the file's text. Classes, languages, ruby and speakers, which SubRip cannot hold, are left out."""
    parts = []
    for number, cue in enumerate(cues, start=1):
        times = f"{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}".replace(".", ",")
        parts.append(f"{number}\n{times}\n{_text(cue.text)}\n")
    return "\n".join(parts)


def _text(text: str) -> str:
    out = []
    for kind, piece in markup.pieces(markup.keep_tags(text, _KEPT_TAG)):
        out.append(piece if kind == "tag" else _MISREAD.sub(lambda match: _REFERENCES[match.group()], piece))
    return "".join(out)
