"""TTML (W3C TTML1, sections 7 to 10): read as most tools write it, written in the IMSC 1 text profile.

The parser is expat behind defusedxml: no document type, no entities, nothing is fetched. Places on the screen, colours
and fonts are not kept; bold, italics, underlines, languages and speakers are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from transcripts import markup
from transcripts.cues import MAX_MS, Cue
from transcripts.formats.base import CueReader, FormatError, Report, Timing, gettext_noop
from transcripts.formats.vtt import stamp

TT = "http://www.w3.org/ns/ttml"
_XML = "http://www.w3.org/XML/1998/namespace"
_OLD_TT = re.compile(r"http://www\.w3\.org/(?:ns|2004/11|2006/04|2006/10)/ttml?(?:af1)?")
MAX_DEPTH = 40

_CLOCK = re.compile(r"(\d{1,5}):([0-5]?\d):([0-5]?\d)(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d+)?)?")
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")


def is_ttml(text: str) -> bool:
    """True if the text is XML whose root is a `tt` of one of TTML's namespaces, or of none."""
    head = text[:4000]
    return re.search(r"<(?:\w+:)?tt[\s>/]", head) is not None and head.lstrip().startswith("<")


def read(text: str, report: Report) -> list[Cue]:
    """Read a document.

    Raises:
        FormatError: it is not well-formed or declares entities; too many or too long cues.
    """
    parser: Any = make_parser()
    handler = _Handler(report, parser)
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(handler)
    try:
        # The text is decoded already, whatever its declaration says.
        parser.feed(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text, count=1))
        parser.close()
    except SAXParseException as error:
        raise FormatError(
            "not_well_formed", gettext_noop("The XML is not well-formed here."), line=error.getLineNumber()
        ) from error
    except DefusedXmlException as error:
        raise FormatError(
            "unsafe_xml", gettext_noop("The file declares a document type or entities, which is not accepted.")
        ) from error
    return handler.reader.cues


@dataclass
class _Element:
    """An open element: what it inherits and what it began."""

    name: str
    start_ms: int = 0
    end_ms: int | None = None
    closing: str = ""  # tags to close with it
    keeps_space: bool = False
    speaker: str = ""
    cue: "_Open | None" = None


@dataclass
class _Open:
    """A cue whose text is being read."""

    timing: Timing
    line: int
    speaker: str
    keeps_space: bool
    parts: list[str] = field(default_factory=list)


class _Handler(ContentHandler):
    def __init__(self, report: Report, parser: Any) -> None:
        super().__init__()
        self._parser = parser  # which says at which line it is
        self.report = report
        self.reader = CueReader(report)
        self._stack: list[_Element] = []
        self._cue: _Open | None = None
        self._styles: dict[str, dict[str, str]] = {}
        self._agents: dict[str, str] = {}
        self._agent = ""
        self._in_name = False
        self._frame_rate, self._tick_rate = 30.0, 1.0

    # --- Elements

    def startElementNS(self, name: tuple[str | None, str], _qname: str | None, attrs: Any) -> None:
        space, local = name
        if len(self._stack) >= MAX_DEPTH:
            raise FormatError("too_deep", gettext_noop("The elements are nested too deeply."), line=self._line)
        is_text = space is None or _OLD_TT.match(space) is not None
        known = {key[1]: attrs.getValue(key) for key in attrs.keys()}  # noqa: SIM118  # not a dict
        parent = self._stack[-1] if self._stack else _Element("")
        element = _Element(local, parent.start_ms, parent.end_ms, "", parent.keeps_space, parent.speaker)
        element.keeps_space = {"preserve": True, "default": False}.get(known.get("space", ""), parent.keeps_space)
        self._stack.append(element)
        if not is_text:
            return
        match local:
            case "tt":
                self._read_rates(known)
            case "style":
                self._styles[known.get("id", "")] = known
            case "agent":
                self._agent = known.get("id", "")
            case "name" if self._agent:
                self._in_name = True
            case "br" if self._cue is not None:
                self._cue.parts.append("\n")
            case "body" | "div" | "p" | "span":
                self._begin(local, element, parent, known)

    def endElementNS(self, _name: tuple[str | None, str], _qname: str | None) -> None:
        element = self._stack.pop()
        self._in_name = False
        if element.name == "agent":
            self._agent = ""
        if self._cue is None:
            return
        self._cue.parts.append(element.closing)
        if element.cue is self._cue:
            self._finish(self._cue)
            self._cue = None

    def characters(self, content: str) -> None:
        if self._in_name:
            self._agents[self._agent] = self._agents.get(self._agent, "") + content
        elif self._cue is not None and self._stack[-1].name in ("p", "span"):
            if not self._stack[-1].keeps_space:
                content = re.sub(r"\s+", " ", content)
            self._cue.parts.append(escape(content))

    @property
    def _line(self) -> int:
        return int(self._parser.getLineNumber())

    # --- Content

    def _begin(self, local: str, element: _Element, parent: _Element, known: dict[str, str]) -> None:
        has_times = any(name in known for name in ("begin", "end", "dur"))
        if "agent" in known:
            element.speaker = " ".join(self._agents.get(known["agent"].split(" ")[0], "").split())
        if known.get("timeContainer") == "seq":
            self.report.add(
                "sequence", gettext_noop("Elements that follow each other in time are not understood."), line=self._line
            )
        if has_times and self._cue is None:
            self._time(element, parent, known)
        elif has_times:
            self.report.add(
                "settings_dropped", gettext_noop("Times of single words are not kept."), line=self._line, once=True
            )
        is_cue = local == "p" or (local == "span" and has_times)
        if is_cue and self._cue is None and (has_times or local == "span" or self._has_inherited(element)):
            timing = Timing(element.start_ms, element.end_ms, "")
            self._cue = element.cue = _Open(timing, self._line, element.speaker, element.keeps_space)
        if self._cue is not None:
            opening, element.closing = self._tags(known, is_paragraph=local == "p")
            self._cue.parts.append(opening)

    @staticmethod
    def _has_inherited(element: _Element) -> bool:
        return element.end_ms is not None

    def _time(self, element: _Element, parent: _Element, known: dict[str, str]) -> None:
        begin = self._milliseconds(known.get("begin", "0s"))
        end = self._milliseconds(known["end"]) if "end" in known else None
        duration = self._milliseconds(known["dur"]) if "dur" in known else None
        if begin is None or ("end" in known and end is None) or ("dur" in known and duration is None):
            element.start_ms, element.end_ms = -1, None  # reported when the cue is finished
            return
        element.start_ms = parent.start_ms + begin
        ends = [parent.end_ms] if parent.end_ms is not None else []
        ends += [parent.start_ms + end] if end is not None else []
        ends += [element.start_ms + duration] if duration is not None else []
        element.end_ms = min(ends, default=None)

    def _finish(self, cue: _Open) -> None:
        start, end = cue.timing.start_ms, cue.timing.end_ms
        if start is None or start < 0 or end is None or end > MAX_MS:
            self.reader.bad_timing(cue.line)
            return
        text = "".join(cue.parts)
        if not cue.keeps_space:
            text = re.sub(" {2,}", " ", text)  # the parser hands a text over in pieces
        if cue.speaker:
            text = f"<v {markup.escape(markup.voice_name(cue.speaker))}>{text}</v>"
        self.reader.add(cue.timing, text.split("\n"), line=cue.line)

    def _tags(self, known: dict[str, str], *, is_paragraph: bool) -> tuple[str, str]:
        """Opening and closing tags for what an element's own and referenced styles say."""
        style: dict[str, str] = {}
        for name in known.get("style", "").split():
            style |= self._styles.get(name, {})
        style |= known
        opening = closing = ""
        for tag, is_set in (
            ("b", style.get("fontWeight") == "bold"),
            ("i", style.get("fontStyle") in ("italic", "oblique")),
            ("u", "underline" in style.get("textDecoration", "").split()),
        ):
            if is_set:
                opening, closing = f"{opening}<{tag}>", f"</{tag}>{closing}"
        if "lang" in known and not is_paragraph:
            opening, closing = f"{opening}<lang {known['lang']}>", f"</lang>{closing}"
        if style.get("unicodeBidi") in ("embed", "bidiOverride", "isolate") and not is_paragraph:
            opening += "\u2067" if style.get("direction") == "rtl" else "\u2066"
            closing = "\u2069" + closing
        return opening, closing

    # --- Times

    def _read_rates(self, known: dict[str, str]) -> None:
        try:
            rate = float(known.get("frameRate", "30"))
            over, _blank, under = known.get("frameRateMultiplier", "1 1").replace(":", " ").partition(" ")
            self._frame_rate = rate * float(over) / float(under or 1)
            self._tick_rate = float(known.get("tickRate", "0")) or (self._frame_rate if "frameRate" in known else 1.0)
        except (ValueError, ZeroDivisionError):
            self.report.add("bad_rate", gettext_noop("The frame rate cannot be read."), line=self._line)
        if not (0 < self._frame_rate <= 1000 and 0 < self._tick_rate <= 1e12):
            self._frame_rate, self._tick_rate = 30.0, 1.0

    def _milliseconds(self, text: str) -> int | None:
        """A clock time or an offset (TTML1, section 10.3.1); None if it is neither."""
        clock = _CLOCK.fullmatch(text.strip())
        if clock is not None:
            hours, minutes, seconds, fraction, frames = clock.groups()
            whole = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000
            if frames is not None:
                return whole + round(int(frames) * 1000 / self._frame_rate)
            return whole + round(float(f"0.{fraction or 0}") * 1000)
        offset = _OFFSET.fullmatch(text.strip())
        if offset is None:
            return None
        count, unit = float(offset.group(1)), offset.group(2)
        factor = {"h": 3.6e6, "m": 6e4, "s": 1e3, "ms": 1.0, "f": 1e3 / self._frame_rate, "t": 1e3 / self._tick_rate}
        return round(count * factor[unit])


# --- Writing -------------------------------------------------------------------------------------------------------

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    ttp:profile="http://www.w3.org/ns/ttml/profile/imsc1/text" ttp:timeBase="media" xml:lang={language}>
  <head>
    <metadata>{agents}</metadata>
    <styling>
      <style xml:id="shown" tts:fontFamily="proportionalSansSerif" tts:fontSize="100%" tts:lineHeight="125%"
        tts:textAlign="center" tts:color="white" tts:backgroundColor="#000000c0"/>
    </styling>
    <layout>
      <region xml:id="bottom" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after"/>
    </layout>
  </head>
  <body style="shown" region="bottom">
    <div>
"""
_STYLES = {"b": 'tts:fontWeight="bold"', "i": 'tts:fontStyle="italic"', "u": 'tts:textDecoration="underline"'}
# What XML 1.0, section 2.2, does not allow even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(cues: Sequence[Cue], language: str = "") -> str:
    """Return an IMSC 1 text document. Classes and ruby, which players of that profile do not know, become text."""
    speakers = list(dict.fromkeys(cue.speaker for cue in cues if cue.speaker))
    agents = "".join(
        f'<ttm:agent xml:id="s{number}" type="person"><ttm:name type="full">{_text(name)}</ttm:name></ttm:agent>'
        for number, name in enumerate(speakers, start=1)
    )
    numbers = {name: number for number, name in enumerate(speakers, start=1)}
    parts = [_HEAD.format(language=quoteattr(language), agents=agents)]
    for cue in cues:
        agent = f' ttm:agent="s{numbers[cue.speaker]}"' if cue.speaker else ""
        times = f'begin="{stamp(cue.start_ms)}" end="{stamp(cue.end_ms)}"'
        parts.append(f'      <p {times}{agent} xml:space="preserve">{_content(cue.text)}</p>\n')
    parts.append("    </div>\n  </body>\n</tt>\n")
    return "".join(parts)


def _content(text: str) -> str:
    out: list[str] = []
    opened: list[bool] = []
    for kind, piece in markup.pieces(text):
        if kind == "data":
            out.append(_text(piece).replace("\n", "<br/>"))
        elif piece.startswith("</"):
            if opened and opened.pop():
                out.append("</span>")
        else:
            name = re.split(r"[.\s>]", piece[1:], maxsplit=1)[0]
            tagged = re.search(r" ([A-Za-z-]+)>$", piece) if name == "lang" else None
            style = f'xml:lang="{tagged.group(1)}"' if tagged else _STYLES.get(name)
            opened.append(style is not None)
            if style is not None:
                out.append(f"<span {style}>")
    return "".join(out)


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))
