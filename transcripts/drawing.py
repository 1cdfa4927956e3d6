"""Cues as Advanced SubStation Alpha for ffmpeg, which draws them into a picture; formats/ass.py is for people's files.

A viewer's text is text here, whatever it looks like: braces and backslashes, which begin the format's own commands, are
taken from it (libass documents `\\\\{` as a literal brace; a backslash is kept apart from what follows).
"""

from collections import Counter
from collections.abc import Sequence

import pysubs2

from media.fonts import Font, font_for
from transcripts import languages
from transcripts.cues import Cue

SIZE, MARGIN, OUTLINE = 0.062, 0.05, 0.0045  # of the picture's height
NASTALIQ_SIZE = 0.8  # its words slope downwards, and take more height than other letters of the same size
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
    file.styles["Default"] = pysubs2.SSAStyle(
        fontname=font.family,
        fontsize=round(short * SIZE * (NASTALIQ_SIZE if font.family.startswith("Noto Nastaliq") else 1), 1),
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
        file.events.append(pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=escaped(cue.plain_text)))
    return file.to_string("ass", header_notice="Written by Rostrum")


def escaped(text: str) -> str:
    """Return plain text as it stands in an event: nothing in it is a command.

    >>> escaped("{C:\\\\new}")
    '\\\\{C:\\\\\\u2060new\\\\}'
    """
    text = text.replace("\\", f"\\{WORD_JOINER}")
    return text.replace("{", "\\{").replace("}", "\\}").replace("\r", "").replace("\n", "\\N")
