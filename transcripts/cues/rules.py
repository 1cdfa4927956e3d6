"""Reading rules: how much text people take in, where, and in what time.

Sources: Netflix Timed Text Style Guides (general requirements: 2 lines, at most 7 s; per language: characters per line
and per second, which are in transcripts/languages.py) and the BBC Subtitle Guidelines (at least a second for a word or
two, a visible gap between cues). Where the two differ the more cautious value is taken; every value can be set
(SUBTITLE_RULES, docs/settings.md).
"""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from transcripts import languages


@dataclass(frozen=True)
class ReadingRules:
    """The rules for one language.

    Attributes:
        line_chars: the longest line, counted by `width`.
        chars_per_second: how fast people read, counted by `width`.
        gap_ms: least time between two cues, so that the eye sees the change.
        has_spaces: False where words are not separated by spaces.
        is_full_width: characters are counted by the square: a Latin letter is half of one.
    """

    line_chars: int = 42
    max_lines: int = 2
    chars_per_second: int = 17
    min_ms: int = 1000
    max_ms: int = 7000
    gap_ms: int = 80
    has_spaces: bool = True
    is_full_width: bool = False
    language: str = ""


# What SUBTITLE_RULES may set, and the range that makes sense.
SETTABLE = {
    "line_chars": (8, 80), "max_lines": (1, 3), "chars_per_second": (3, 40), "min_ms": (200, 3000),
    "max_ms": (3000, 15_000), "gap_ms": (0, 500),
}  # fmt: skip
Overrides = Mapping[str, Mapping[str, int]]


def rules_for(language: str, overrides: Overrides | None = None) -> ReadingRules:
    """Reading rules with the language's own values; the defaults for one that is not in the table.

    Args:
        overrides: values by language tag; those under "*" are for all, a language's own come after them.
    """
    rules = ReadingRules(language=language)
    names = ["*"]
    if languages.is_known(language):
        known = languages.get(language)
        rules = replace(
            rules,
            line_chars=known.line_chars,
            chars_per_second=known.chars_per_second,
            has_spaces=known.has_spaces,
            is_full_width=known.is_full_width,
        )
        names += [languages.primary(language), known.tag]
    for name in dict.fromkeys(names):
        rules = replace(rules, **(overrides or {}).get(name, {}))  # type: ignore[arg-type]  # names checked below
    return rules


def check_overrides(overrides: object) -> str | None:
    """What is wrong with a value of SUBTITLE_RULES; None if nothing is."""
    if not isinstance(overrides, Mapping):
        return "it must be a JSON object"
    for language, values in overrides.items():
        if language != "*" and not languages.is_known(str(language)):
            return f"“{language}” is not a known language (or *)"
        if not isinstance(values, Mapping):
            return f"the value of “{language}” must be a JSON object"
        for name, value in values.items():
            if name not in SETTABLE:
                return f"“{name}” is not one of {', '.join(SETTABLE)}"
            low, high = SETTABLE[name]
            if not isinstance(value, int) or not low <= value <= high:
                return f"{name} of “{language}” must be a whole number from {low} to {high}"
    return None


def width(text: str, rules: ReadingRules) -> float:
    """How many characters a text counts for: marks over and under letters, and invisible ones, take no place.

    >>> width("健康 WHO", ReadingRules(is_full_width=True))
    4.0
    """
    if text.isascii():
        return len(text) / 2 if rules.is_full_width else float(len(text))
    total = 0.0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        is_half = rules.is_full_width and unicodedata.east_asian_width(character) not in ("W", "F", "A")
        total += 0.5 if is_half else 1
    return total


def reading_ms(text: str, rules: ReadingRules) -> int:
    """The least time that a text must be shown for."""
    return max(rules.min_ms, math.ceil(width(text.replace("\n", " "), rules) * 1000 / rules.chars_per_second))
