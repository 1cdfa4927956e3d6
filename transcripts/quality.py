"""What a reviewer should look at before a track is published. Pure Python; one function for page, API and command."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from transcripts import languages
from transcripts.cues import Cue, ReadingRules, reading_ms, rules_for, stale_cues, width
from transcripts.cues.sentences import language_of
from transcripts.formats.base import gettext_noop

Severity = Literal["error", "warning", "hint"]
Interval = tuple[int, int]

LOW_CONFIDENCE = 0.4
# A person reads a little faster now and then; a machine's own cues keep to the rule itself (benchmarks/subtitles.py).
TOLERANCE = 1.25
LONG_GAP_MS = 10_000
GAP_MS = 2000  # speech without a cue that is shorter than this is a cough, a laugh, an "um"
UNTRANSLATED_CHARS = 12  # names and numbers are the same in many languages

# code: severity, what is said of it
KINDS: dict[str, tuple[Severity, str]] = {
    "overlapping": ("error", gettext_noop("It begins before the one before it ends.")),
    "too_fast": ("warning", gettext_noop("%(speed)s characters a second; people read %(limit)s.")),
    "far_too_fast": ("error", gettext_noop("%(speed)s characters a second; people read %(limit)s.")),
    "too_short": ("warning", gettext_noop("It is shown for %(seconds)s s only.")),
    "too_long": ("warning", gettext_noop("It is shown for %(seconds)s s.")),
    "too_close": ("warning", gettext_noop("It begins %(milliseconds)s ms after the one before it ended.")),
    "too_many_lines": ("warning", gettext_noop("It has %(count)s lines; there is room for %(limit)s.")),
    "line_too_long": ("warning", gettext_noop("A line of %(count)s characters; there is room for %(limit)s.")),
    "after_end": ("error", gettext_noop("It begins after the end of the recording.")),
    "low_confidence": ("warning", gettext_noop("The speech recognition is not sure of it (%(percent)s %%).")),
    "over_silence": ("warning", gettext_noop("Nobody seems to speak here.")),
    "rushed": ("warning", gettext_noop("Nobody can have said so much in so short a time.")),
    "repeated": ("warning", gettext_noop("The speech recognition may have repeated itself.")),
    "credits": ("warning", gettext_noop("This looks like a film's credits, which speech recognition may invent.")),
    "wrong_script": ("error", gettext_noop("It is in letters that the language does not use.")),
    "other_language": ("hint", gettext_noop("It is in another language: %(language)s.")),
    "gap": ("warning", gettext_noop("Somebody speaks here for %(seconds)s s, but there are no subtitles.")),
    "long_gap": ("error", gettext_noop("Somebody speaks here for %(seconds)s s, but there are no subtitles.")),
    "untranslated": ("warning", gettext_noop("It is the same as in the language that it was translated from.")),
    "missing": ("error", gettext_noop("Nothing was translated of what is said here.")),
    "term_lost": ("warning", gettext_noop("A term of the glossary was translated otherwise.")),
    "stale": ("warning", gettext_noop("What it was translated from was changed since.")),
}
_DOUBTS = frozenset({"over_silence", "repeated", "credits", "wrong_script", "low_confidence", "term_lost", "rushed"})


@dataclass(frozen=True)
class Finding:
    """Something about one cue, or about a time without one.

    Attributes:
        code: a key of `KINDS`.
        cue_id: the cue it is about; "" for a gap.
        facts: what its text says, among it always `start_ms` and `end_ms`.
    """

    code: str
    cue_id: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return KINDS[self.code][0]

    @property
    def template(self) -> str:
        return KINDS[self.code][1]


def report(
    cues: Sequence[Cue],
    *,
    language: str,
    speech: Sequence[Interval] | None = None,
    source: Sequence[Cue] | None = None,
    duration_ms: int | None = None,
    rules: ReadingRules | None = None,
    tolerance: float = TOLERANCE,
) -> list[Finding]:
    """Everything that is or may be wrong with a track's cues, in order of time. [] for a flawless track.

    Args:
        cues: sorted by start.
        speech: when somebody speaks, as voice activity detection found it; None if it is not known.
        source: the cues that these were translated from; None for captions.
        tolerance: how many times the reading speed is still a warning only from; below it nothing is said.
    """
    rules = rules or rules_for(language)
    found: list[Finding] = []
    latest: Cue | None = None
    for cue in cues:
        found.extend(_of_text(cue, language, rules))
        found.extend(_of_time(cue, latest, duration_ms, rules, tolerance))
        if latest is None or cue.end_ms > latest.end_ms:
            latest = cue
    if speech is not None:
        for gap in gaps(cues, speech):
            code = "long_gap" if gap[1] - gap[0] >= LONG_GAP_MS else "gap"
            found.append(_finding(code, "", *gap, seconds=_seconds(gap)))
    if source is not None:
        found.extend(_of_source(cues, source, language))
    return sorted(found, key=lambda one: (one.facts["start_ms"], one.facts["end_ms"], one.code))


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _finding(code: str, cue_id: str, start_ms: int, end_ms: int, **facts: Any) -> Finding:
    return Finding(code, cue_id, {"start_ms": start_ms, "end_ms": end_ms, **facts})


def _about(cue: Cue) -> Callable[..., Finding]:
    def about(code: str, **facts: Any) -> Finding:
        return _finding(code, cue.id, cue.start_ms, cue.end_ms, **facts)

    return about


def _seconds(interval: Interval) -> str:
    return f"{(interval[1] - interval[0]) / 1000:.1f}"


def _of_time(
    cue: Cue, before: Cue | None, duration_ms: int | None, rules: ReadingRules, tolerance: float
) -> Iterable[Finding]:
    about = _about(cue)
    shown = cue.end_ms - cue.start_ms
    if before is not None and cue.start_ms < before.end_ms:
        yield about("overlapping")
    elif before is not None and cue.start_ms - before.end_ms < rules.gap_ms:
        yield about("too_close", milliseconds=cue.start_ms - before.end_ms)
    wide = width(cue.plain_text.replace("\n", " "), rules)
    speed = wide * 1000 / max(1, shown)
    if speed > rules.chars_per_second * tolerance and reading_ms(cue.plain_text, rules) > shown:
        is_far = speed > 2 * rules.chars_per_second
        yield about("far_too_fast" if is_far else "too_fast", speed=round(speed), limit=rules.chars_per_second)
    if shown < rules.min_ms / tolerance:
        yield about("too_short", seconds=_seconds((0, shown)))
    if shown > rules.max_ms:
        yield about("too_long", seconds=_seconds((0, shown)))
    if duration_ms and cue.start_ms >= duration_ms:
        yield about("after_end")


def _of_text(cue: Cue, language: str, rules: ReadingRules) -> Iterable[Finding]:
    about = _about(cue)
    lines = cue.plain_text.split("\n")
    if len(lines) > rules.max_lines:
        yield about("too_many_lines", count=len(lines), limit=rules.max_lines)
    longest = max(width(line, rules) for line in lines)
    if longest > rules.line_chars:
        yield about("line_too_long", count=round(longest), limit=rules.line_chars)
    if cue.confidence is not None and cue.confidence < LOW_CONFIDENCE:
        yield about("low_confidence", percent=round(100 * cue.confidence))
    other = language_of(cue)
    if other:
        yield about("other_language", language=languages.get(other).autonym)
    elif languages.is_known(language) and not languages.is_written_in(languages.get(language), cue.plain_text):
        yield about("wrong_script")
    for doubt in cue.doubts:
        if doubt in _DOUBTS - {"low_confidence", "wrong_script"}:
            yield about(doubt)


def gaps(cues: Iterable[Cue], speech: Iterable[Interval], *, least_ms: int = GAP_MS) -> list[Interval]:
    """Speech that no cue covers, where it is longer than a cough."""
    covered = merged((cue.start_ms, cue.end_ms) for cue in cues)
    found: list[Interval] = []
    at = 0
    for start, end in merged(speech):
        while at < len(covered) and covered[at][1] <= start:
            at += 1
        open_from, index = start, at
        while index < len(covered) and covered[index][0] < end:
            found.append((open_from, covered[index][0]))
            open_from = max(open_from, covered[index][1])
            index += 1
        found.append((open_from, end))
    return [gap for gap in found if gap[1] - gap[0] >= least_ms]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted intervals that do not touch."""
    done: list[Interval] = []
    for start, end in sorted(intervals):
        if done and start <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], end))
        elif end > start:
            done.append((start, end))
    return done


def coverage(cues: Iterable[Cue], speech: Iterable[Interval]) -> float:
    """The share of speech during which a cue is shown; 1 if there is no speech."""
    spoken = merged(speech)
    total = sum(end - start for start, end in spoken)
    missing = sum(end - start for start, end in gaps(cues, spoken, least_ms=1))
    return 1 - missing / total if total else 1.0


def _of_source(cues: Sequence[Cue], source: Sequence[Cue], language: str) -> Iterable[Finding]:
    for cue in stale_cues(cues, source):
        yield _about(cue)("stale")
    by_id = {cue.id: cue for cue in source}
    named: set[str] = set()
    for cue in cues:
        named.update(cue.source_ids)
        words = _words(cue)
        said = " ".join(_words(by_id[name]) for name in cue.source_ids if name in by_id)
        if len(words) >= UNTRANSLATED_CHARS and words == said and language_of(cue) == "":
            yield _about(cue)("untranslated")
    # Tracks that a person uploaded name no sources; for these time tells.
    shown = merged((cue.start_ms, cue.end_ms) for cue in cues)
    for cue in source:
        if cue.id not in named and not any(start < cue.end_ms and cue.start_ms < end for start, end in shown):
            yield _finding("missing", "", cue.start_ms, cue.end_ms)


def _words(cue: Cue) -> str:
    return " ".join(cue.plain_text.split()).casefold()
