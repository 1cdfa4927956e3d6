"""A transcript as one web page that is read alone: no script, nothing fetched, made for screen readers and for paper.

HTML Living Standard; WCAG 2.2, 1.3.1 (headings), 1.3.2 (order), 2.4.5 (contents), 3.1.2 (languages of parts).
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from html import escape
from itertools import islice

from transcripts import languages, markup
from transcripts.cues import SENTENCE_PAUSE_MS, Cue
from transcripts.cues.breaking import ends_sentence

PARAGRAPH_MS = 40_000  # a longer one ends with its next sentence, so that there is a time to jump to
HEADING_MS = 10_000  # how far from its slide's coming a heading may stand, so that it cuts no sentence in two

_SPOKEN_IN = re.compile(r"<lang[^ >]* ([^>]+)>")
_SPOKEN_BY = re.compile(r"<v[^ >]* ([^>]+)>")
_KEPT = re.compile(r"<(/?(?:b|i|u|ruby|rt))[. >]")

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.65 system-ui, "Noto Sans", sans-serif; margin: 0; padding: 1.5rem 1rem 4rem; }
main { max-width: 42rem; margin-inline: auto; }
h1 { font-size: 1.75rem; line-height: 1.25; margin-block: 0 .5rem; }
h2 { font-size: 1.25rem; line-height: 1.35; margin-block: 2.25rem .5rem; }
html[dir="rtl"] :is(h1, h2, .facts) { text-align: right; }
p { margin-block: 0 1rem; overflow-wrap: anywhere; }
.facts { margin-block-end: .25rem; opacity: .85; }
nav { border-block: 1px solid; margin-block: 1.5rem; padding-block: 1rem; }
nav p { font-weight: 600; margin-block-end: .25rem; }
nav ol { margin: 0; padding-inline-start: 1.75rem; }
time { font-size: .875em; font-variant-numeric: tabular-nums; unicode-bidi: isolate; }
@media print {
  body { font-size: 11pt; padding: 0; }
  main { max-width: none; }
  nav { display: none; }
  a { color: inherit; text-decoration: none; }
  h2 { break-after: avoid; }
  p { orphans: 3; widows: 3; }
}
"""


@dataclass(frozen=True)
class Surroundings:
    """What stands around the words of a transcript; all of it is plain text.

    Attributes:
        title: of what was recorded.
        title_language: the language that the title is in; "" for the transcript's own.
        facts: lines below the title: who, when.
        words_language: the language of `facts`, `link_text` and `contents`.
        link: where the recording is watched; `#t=<seconds>` is added for a moment of it.
        link_text: the words of that link.
        headings: titles of the slides that were shown, with the milliseconds at which they came.
        headings_language: the language that they are in; "" where nobody knows.
        contents: what stands above the list of headings.
    """

    title: str = ""
    title_language: str = ""
    facts: tuple[str, ...] = ()
    words_language: str = ""
    link: str = ""
    link_text: str = ""
    headings: tuple[tuple[int, str], ...] = ()
    headings_language: str = ""
    contents: str = ""


def write(cues: Sequence[Cue], language: str, around: Surroundings | None = None) -> str:
    """Return a complete page: title, facts, contents, and under each slide's title what was said while it was shown."""
    around = around or Surroundings()
    known = languages.get(language) if languages.is_known(language) else None
    title = around.title or (known.autonym if known else language)
    out = [
        "<!doctype html>",
        f'<html lang="{escape(language)}" dir="{known.direction if known else "auto"}">',
        "<head>",
        '<meta charset="utf-8">',
        # What is opened from a disk has no headers; nothing of a cue could run, and this says so to the browser too.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f'<h1 dir="auto"{_in(around.title_language, language)}>{escape(title)}</h1>',
        *_facts(around, language),
        *_contents(around, language),
        *_body(cues, language, around),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(out) + "\n"


def _facts(around: Surroundings, language: str) -> Iterator[str]:
    own = _in(around.words_language, language)
    for fact in around.facts:
        yield f'<p class="facts" dir="auto"{own}>{escape(fact)}</p>'
    if around.link:
        yield f'<p dir="auto"{own}><a href="{escape(around.link)}">{escape(around.link_text or around.link)}</a></p>'


def _contents(around: Surroundings, language: str) -> Iterator[str]:
    if len(around.headings) < 2:
        return
    own, theirs = _in(around.words_language, language), _in(around.headings_language, language)
    yield f'<nav aria-labelledby="contents"><p id="contents" dir="auto"{own}>{escape(around.contents)}</p><ol>'
    for number, (_at_ms, text) in enumerate(around.headings):
        yield f'<li><a href="#h{number}" dir="auto"{theirs}>{escape(text)}</a></li>'
    yield "</ol></nav>"


def _body(cues: Sequence[Cue], language: str, around: Surroundings) -> Iterator[str]:
    theirs = _in(around.headings_language, language)
    headings = [
        f'<h2 id="h{number}" dir="auto"{theirs}>{escape(text)}</h2>'
        for number, (_at_ms, text) in enumerate(around.headings)
    ]
    places = _places(cues, [at_ms for at_ms, _text in around.headings])
    speaker, written, passed = "", 0, 0
    for paragraph in _paragraphs(cues, set(places)):
        while passed < len(places) and places[passed] <= written:
            yield headings[passed]
            passed += 1
            speaker = ""  # said again under each heading
        yield _paragraph(paragraph, language, around.link, names=paragraph[0].speaker != speaker)
        speaker = paragraph[0].speaker
        written += len(paragraph)
    yield from headings[passed:]  # of slides that came after the last word


def _in(part: str, whole: str) -> str:
    return f' lang="{escape(part)}"' if part and part != whole else ""


def _places(cues: Sequence[Cue], marks: Sequence[int]) -> list[int]:
    """Before which cue each heading stands: where something new begins near its time, else the first cue after it."""
    middles = [(cue.start_ms + cue.end_ms) / 2 for cue in cues]
    begins = [
        at for at in range(1, len(cues)) if _is_apart(cues[at - 1], cues[at]) or ends_sentence(cues[at - 1].plain_text)
    ]
    gaps = [(0, -math.inf, cues[0].start_ms), (len(cues), cues[-1].end_ms, math.inf)] if cues else []
    gaps[1:1] = [(at, cues[at - 1].end_ms, cues[at].start_ms) for at in begins]
    ends = [to_ms for _at, _from_ms, to_ms in gaps]
    places = [0]
    for at_ms in marks:
        place, away_ms = bisect_left(middles, at_ms), float(HEADING_MS)
        for at, from_ms, to_ms in islice(gaps, bisect_left(ends, at_ms - HEADING_MS), None):
            if from_ms > at_ms + HEADING_MS:
                break
            if (gap_ms := max(from_ms - at_ms, at_ms - to_ms, 0)) < away_ms:
                place, away_ms = at, gap_ms
        places.append(max(place, places[-1]))
    return places[1:]


def _is_apart(last: Cue, cue: Cue) -> bool:
    return cue.speaker != last.speaker or cue.start_ms - last.end_ms > SENTENCE_PAUSE_MS


def _paragraphs(cues: Sequence[Cue], places: Set[int]) -> Iterator[list[Cue]]:
    """Cues of one speaker without a long pause between them, under one heading, and not too many of them."""
    paragraph: list[Cue] = []
    for at, cue in enumerate(cues):
        if paragraph:
            last = paragraph[-1]
            is_long = cue.start_ms - paragraph[0].start_ms > PARAGRAPH_MS and ends_sentence(last.plain_text)
            if at in places or is_long or _is_apart(last, cue):
                yield paragraph
                paragraph = []
        paragraph.append(cue)
    if paragraph:
        yield paragraph


def _paragraph(cues: Sequence[Cue], language: str, link: str, *, names: bool) -> str:
    seconds = cues[0].start_ms // 1000
    shown = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    time = f'<time datetime="PT{seconds}S" dir="ltr">{shown}</time>'
    if link:
        time = f'<a href="{escape(link)}#t={seconds}" dir="ltr">{time}</a>'
    # A name inside bdi does not count when the browser looks for the paragraph's direction.
    name = f"<strong><bdi>{escape(cues[0].speaker)}:</bdi></strong> " if names and cues[0].speaker else ""
    words = languages.joined((_words(cue.text, language) for cue in cues), language)
    return f'<p dir="auto">{time} {name}{words}</p>'


def _words(text: str, language: str) -> str:
    """A cue's text in normal form (transcripts/markup.py) as HTML."""
    out: list[str] = []
    for kind, piece in markup.pieces(text):
        if kind == "data":
            out.append(escape(languages.joined(piece.split("\n"), language)))
        elif kept := _KEPT.match(piece):
            out.append(f"<{kept[1]}>")
        elif piece.startswith("<lang"):
            spoken_in = _SPOKEN_IN.match(piece)
            out.append(f'<span lang="{escape(spoken_in[1])}">' if spoken_in else "<span>")
        elif piece == "</lang>":
            out.append("</span>")
        elif spoken_by := _SPOKEN_BY.match(piece):
            out.append(f" <strong><bdi>{spoken_by[1]}:</bdi></strong> ")
    return "".join(out)
