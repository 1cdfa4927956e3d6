"""What readers share: notes with line numbers, errors, lines, times. Messages are English templates with facts.

They are translated where people see them (transcripts/selectors.py), which knows the person's language.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from transcripts import markup
from transcripts.cues import MAX_CUE_CHARS, MAX_CUES, MAX_MS, Cue

MAX_NOTES = 200


def gettext_noop(template: str) -> str:
    """Mark a template for translation without Django (makemessages knows this function's name)."""
    return template


class FormatError(ValueError):
    """The file cannot be read at all.

    Attributes:
        code: stable, for programs.
        template: English, with `%(name)s` places for `facts`.
        line: where, from 1, if it is about a line.
    """

    def __init__(self, code: str, template: str, *, line: int | None = None, **facts: Any) -> None:
        super().__init__(template % facts)
        self.code = code
        self.template = template
        self.line = line
        self.facts = facts


@dataclass(frozen=True)
class Note:
    """Something in the file that was left out or changed."""

    code: str
    template: str
    line: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadResult:
    cues: list[Cue]
    notes: list[Note]
    encoding: str


class Report:
    """Gathers notes; beyond a number that a person would read, they are only counted."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.more = 0
        self._once: set[str] = set()

    def add(self, code: str, template: str, *, line: int | None = None, once: bool = False, **facts: Any) -> None:
        """Add a note; `once` keeps only the first of its code."""
        if once:
            if code in self._once:
                return
            self._once.add(code)
        if len(self.notes) < MAX_NOTES:
            self.notes.append(Note(code, template, line, facts))
        else:
            self.more += 1

    def finished(self) -> list[Note]:
        if self.more:
            return [*self.notes, Note("more", gettext_noop("And %(count)s more."), None, {"count": self.more})]
        return self.notes


# Only CR LF, LF and CR end a line in both formats; U+2028 and U+0085 do not.
_LINE_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    return _LINE_END.split(text)


def blocks_of(lines: list[str], first: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Groups of lines between empty lines, each with its first line's number (from 1)."""
    block: list[str] = []
    for index in range(first, len(lines)):
        if lines[index].strip(" \t"):
            block.append(lines[index])
        elif block:
            yield index - len(block) + 1, block
            block = []
    if block:
        yield len(lines) - len(block) + 1, block


_STAMP = r"(-?)(?:([0-9]{1,9}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,3}))?"
_TIMING = re.compile(rf"[ \t]*{_STAMP}[ \t]*-->[ \t]*{_STAMP}(?:[ \t]+(.*))?$")


@dataclass(frozen=True)
class Timing:
    start_ms: int | None  # None: not a possible time
    end_ms: int | None
    settings: str


def timing_in(line: str) -> Timing | None:
    """Read `00:00:01,000 --> 00:00:02,000`, also sloppily written; None if the line is nothing like it."""
    if "-->" not in line or len(line) > 1000:
        return None
    match = _TIMING.match(line)
    if match is None:
        return None
    parts = match.groups()
    return Timing(_milliseconds(parts[:5]), _milliseconds(parts[5:10]), (parts[10] or "").strip())


def _milliseconds(parts: tuple[str | None, ...]) -> int | None:
    sign, hours, minutes, seconds, fraction = parts
    if sign or int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return None
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    milliseconds = whole * 1000 + int((fraction or "").ljust(3, "0"))
    return milliseconds if milliseconds <= MAX_MS else None


class CueReader:
    """Turns timing and text lines into cues, reporting what it leaves out."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.cues: list[Cue] = []
        self._latest_end = 0

    def bad_timing(self, line: int) -> None:
        self.report.add("bad_time", gettext_noop("The time cannot be read; this subtitle was left out."), line=line)

    def add(self, timing: Timing, text_lines: list[str], *, line: int, entities: bool = True) -> None:
        """Add one cue.

        Raises:
            FormatError: there are too many cues, or this one is too long.
        """
        start, end = timing.start_ms, timing.end_ms
        if start is None or end is None:
            self.bad_timing(line)
            return
        if start >= end:
            self.report.add(
                "ends_before_start",
                gettext_noop("The subtitle ends when or before it starts; it was left out."),
                line=line,
            )
            return
        if sum(len(one) for one in text_lines) > MAX_CUE_CHARS:
            raise FormatError(
                "cue_too_long",
                gettext_noop("The subtitle is longer than %(count)s characters."),
                line=line,
                count=MAX_CUE_CHARS,
            )
        cleaned = markup.clean("\n".join(text_lines), entities=entities)
        self._report_cleaning(cleaned, line)
        speaker, text = markup.split_voice(cleaned.text)
        if not markup.plain(text):
            self.report.add("no_text", gettext_noop("The subtitle has no text; it was left out."), line=line)
            return
        if start < self._latest_end:
            self.report.add(
                "overlap", gettext_noop("The subtitle starts before an earlier one ends; both were kept."), line=line
            )
        self._latest_end = max(self._latest_end, end)
        self.cues.append(Cue("", start, end, text, speaker))
        if len(self.cues) > MAX_CUES:
            raise FormatError(
                "too_many_cues",
                gettext_noop("The file has more than %(count)s subtitles."),
                line=line,
                count=MAX_CUES,
            )

    def _report_cleaning(self, cleaned: markup.Cleaned, line: int) -> None:
        if cleaned.removed_tags:
            self.report.add(
                "tags_removed",
                gettext_noop("These tags are not kept: %(tags)s."),
                line=line,
                tags=" ".join(dict.fromkeys(cleaned.removed_tags)),
            )
        if cleaned.removed_controls:
            self.report.add(
                "controls_removed",
                gettext_noop("%(count)s control characters were removed."),
                line=line,
                count=cleaned.removed_controls,
            )
        if cleaned.isolated_bidi:
            self.report.add(
                "bidi_isolated",
                gettext_noop("Characters that force a writing direction were replaced by ones that end with the cue."),
                line=line,
            )
