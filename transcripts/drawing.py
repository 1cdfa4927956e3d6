"""Cues as Advanced SubStation Alpha for ffmpeg, which draws them into a picture; formats/ass.py is for people's files.

A viewer's text is text here, whatever it looks like: braces and backslashes, which begin the format's own commands, are
taken from it (libass documents `\\\\{` as a literal brace; a backslash is kept apart from what follows).
"""

import re
from collections import Counter
from collections.abc import Sequence

import pysubs2

from media.fonts import DEFAULT, FONTS, Font, font_for
from transcripts import languages
from transcripts.cues import Cue

EM, MARGIN, OUTLINE = 0.046, 0.05, 0.0045  # of the picture's shorter side
NASTALIQ_EM = 0.8  # its words slope downwards, and take more height than other letters of the same size
# Words in Latin letters within a text of another script, digits and signs between them included.
_WORD = "[A-Za-z\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f .,'’/&+-]*[A-Za-z0-9\u00c0-\u024f])?"
_LATIN = re.compile(rf"(?P<word>{_WORD}(?: \({_WORD}\))?)|[()\[\]]+")  # brackets: other fonts may have none
RLM = "\u200f"
_RIGHT_TO_LEFT = {FONTS[script] for script in ("Arab", "Aran", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm")}
WORD_JOINER = "\u2060"  # drawn as nothing (Unicode Standard, 23.2)
SAMPLE_CHARS = 20_000
BASELINE_OF_NAMES = {"ur": "Aran", "ks": "Aran"}


def font_of(cues: Sequence[Cue], language: str) -> Font:
    """The font of the script that most of the text is in; where there is no text to ask, of the language's first."""
    known = languages.get(language) if languages.is_known(language) else None
    counts = languages.letters_by_script("".join(cue.plain_text for cue in cues)[:SAMPLE_CHARS])
    script = counts.most_common(1)[0][0] if counts else (known.scripts[0] if known else "Latn")
    if script == "Arab" and language.partition("-")[0] in BASELINE_OF_NAMES:
        script = BASELINE_OF_NAMES[language.partition("-")[0]]
    if script == "Hani":
        script = _variant_of_hani(language, counts)
    return font_for(script)


def _variant_of_hani(language: str, counts: Counter[str]) -> str:
    primary, _dash, rest = language.partition("-")
    if primary == "ja" or counts["Jpan"]:
        return "Jpan"
    if primary == "ko" or counts["Kore"]:
        return "Kore"
    return "Hant" if {"Hant", "TW", "HK", "MO"} & set(rest.split("-")) else "Hani"


def write(cues: Sequence[Cue], *, language: str, width: int, height: int) -> str:
    """Return an ASS file for a picture of that size."""
    font = font_of(cues, language)
    file = pysubs2.SSAFile()
    # Without these an old renderer stretches letters, or breaks lines that fit.
    file.info |= {"PlayResX": str(width), "PlayResY": str(height), "WrapStyle": "0", "ScaledBorderAndShadow": "yes"}
    short = min(width, height)
    em = short * EM * (NASTALIQ_EM if font.family.startswith("Noto Nastaliq") else 1)
    file.styles["Default"] = pysubs2.SSAStyle(
        fontname=font.family,
        fontsize=round(em * font.line, 1),
        primarycolor=pysubs2.Color(255, 255, 255),
        outlinecolor=pysubs2.Color(0, 0, 0),
        backcolor=pysubs2.Color(0, 0, 0, 128),
        outline=max(1.0, round(short * OUTLINE, 1)),
        shadow=max(0.5, round(short * OUTLINE / 2, 1)),
        marginl=round(width * MARGIN),
        marginr=round(width * MARGIN),
        marginv=round(height * MARGIN),
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        encoding=-1,  # libass: each line's direction from its own letters (UAX 9, P2 and P3)
    )
    for cue in cues:
        file.events.append(
            pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=_drawn(cue.plain_text, font, short * EM))
        )
    return file.to_string("ass", header_notice="Written by Rostrum")


def _drawn(text: str, font: Font, em: float) -> str:
    """The text of an event. Latin words within another script get their own font, at the size that they have alone.

    In a line from right to left they stand between marks: ffmpeg does not switch on libass's rule for paired brackets
    (UAX 9, N0), without which the bracket after such a word would land on its other side.
    """
    if font == DEFAULT:
        return escaped(text)
    latin = f"{{\\fn{DEFAULT.family}\\fs{round(em * DEFAULT.line, 1)}}}"
    mark = RLM if font in _RIGHT_TO_LEFT else ""
    drawn, at = "", 0
    for match in _LATIN.finditer(text):
        around = mark if match["word"] else ""
        drawn += escaped(text[at : match.start()]) + f"{around}{latin}{escaped(match.group())}{{\\r}}{around}"
        at = match.end()
    return drawn + escaped(text[at:])


def escaped(text: str) -> str:
    """Return plain text as it stands in an event: nothing in it is a command.

    >>> escaped("{C:\\\\new}")
    '\\\\{C:\\\\\\u2060new\\\\}'
    """
    text = text.replace("\\", f"\\{WORD_JOINER}")
    return text.replace("{", "\\{").replace("}", "\\}").replace("\r", "").replace("\n", "\\N")
