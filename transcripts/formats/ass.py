"""ASS and SSA: the words, times, speakers, bold, italics and underlines of the dialogue lines.

There is no standard beyond the tools' own (Aegisub's manual). Fonts, places, colours and drawings are not kept.
"""

import re
from collections.abc import Sequence

from transcripts.cues import Cue
from transcripts.formats.base import CueReader, Report, Timing, gettext_noop, lines_of

_TIME = re.compile(r"\s*(\d{1,4}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})\s*")
_OVERRIDE = re.compile(r"\{([^{}]{0,2000})\}")
_STYLE = re.compile(r"\\(b|i|u)(\d{0,4})(?=\\|$|\s)")
_DRAWING = re.compile(r"\\p(\d{1,2})(?=\\|$)")
_ORDER = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]


def is_ass(text: str) -> bool:
    head = text[:4000].lstrip()
    return head.startswith(("[Script Info]", "[V4", "[Events]", "Dialogue:")) or "\n[Events]" in head


def read(text: str, report: Report) -> list[Cue]:
    """Read the dialogue lines of a script.

    Raises:
        FormatError: too many or too long cues.
    """
    reader = CueReader(report)
    order = _ORDER
    # Dialogue lines come in the order of layers, not of time; they are sorted afterwards.
    for number, line in enumerate(lines_of(text), start=1):
        kind, _colon, rest = line.partition(":")
        if kind == "Format" and "text" in rest.lower():
            order = [one.strip().lower() for one in rest.split(",")]
        elif kind == "Dialogue":
            _read_line(rest, order, number, reader)
        elif kind == "Comment":
            report.add("block_dropped", gettext_noop("Comments are not kept."), line=number, once=True)
    return reader.cues


def _read_line(rest: str, order: Sequence[str], number: int, reader: CueReader) -> None:
    values = dict(zip(order, rest.split(",", len(order) - 1), strict=False))
    start, end, text = _milliseconds(values.get("start", "")), _milliseconds(values.get("end", "")), values.get("text")
    if start is None or end is None or text is None:
        reader.bad_timing(number)
        return
    speaker = " ".join(values.get("name", values.get("actor", "")).split())
    tagged = _tagged(text, number, reader.report)
    if speaker:
        escaped = speaker.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        tagged = f"<v {escaped}>{tagged}</v>"
    reader.add(Timing(start, end, ""), tagged.split("\n"), line=number)


def _tagged(text: str, number: int, report: Report) -> str:
    """The text with our tags for the overrides `{\\i1}` and `{\\i0}`; what looks like a tag is text."""
    out: list[str] = []
    opened: list[str] = []
    at, is_drawing = 0, False
    for match in _OVERRIDE.finditer(text):
        if not is_drawing:
            out.append(_escaped(text[at : match.start()]))
        at = match.end()
        for scale in _DRAWING.findall(match.group(1)):
            is_drawing = scale != "0"
            report.add("drawing", gettext_noop("Drawings are not kept."), line=number, once=True)
        rest = _STYLE.sub("", match.group(1)).strip()
        if rest:
            report.add(
                "settings_dropped", gettext_noop("Positions and alignments are not kept."), line=number, once=True
            )
        for name, value in _STYLE.findall(match.group(1)):
            # \b700 is a weight: bold as \b1 is.
            if value not in ("", "0") and name not in opened:
                out.append(f"<{name}>")
                opened.append(name)
            elif value in ("", "0") and name in opened:
                while (inner := opened.pop()) != name:
                    out.append(f"</{inner}>")
                out.append(f"</{name}>")
    if not is_drawing:
        out.append(_escaped(text[at:]))
    return "".join(out)


def _escaped(text: str) -> str:
    text = text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\u00a0")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _milliseconds(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None or int(match.group(2)) > 59 or int(match.group(3)) > 59:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
