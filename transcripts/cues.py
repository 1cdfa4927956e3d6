"""The arithmetic of cues: what the engine heard becomes what is shown on screen. Pure Python; times in milliseconds.

Reading rules: at most two lines, no line too long for its language, no faster than people read where the time allows,
1 to 7 s on screen, a short gap between cues (after the BBC's and Netflix's timed text guides).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from transcripts import languages, markup

MAX_MS = 100 * 3600 * 1000 - 1  # 99:59:59.999
MAX_CUES = 20_000
MAX_CUE_CHARS = 2_000


@dataclass(frozen=True)
class Word:
    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None


@dataclass(frozen=True)
class SpeechSegment:
    """What an engine heard in one go. `language` and `confidence` (0 to 1) are its own opinion."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    language: str = ""
    confidence: float | None = None


@dataclass(frozen=True)
class Cue:
    """A text shown from `start_ms` to `end_ms`.

    Attributes:
        id: tells a track's cues apart, and stays when a cue is edited.
        text: WebVTT cue text in the normal form of transcripts/markup.py.
        source_ids: the cues that this one was translated from.
    """

    id: str
    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    confidence: float | None = None
    source_ids: tuple[str, ...] = ()

    @property
    def plain_text(self) -> str:
        return markup.plain(self.text)


@dataclass(frozen=True)
class ReadingRules:
    line_chars: int = 42
    max_lines: int = 2
    chars_per_second: int = 17
    min_ms: int = 1000
    max_ms: int = 7000
    gap_ms: int = 80
    has_spaces: bool = True


def rules_for(language: str) -> ReadingRules:
    """Reading rules with the language's own values; the defaults for one that is not in the table."""
    if not languages.is_known(language):
        return ReadingRules()
    known = languages.get(language)
    return ReadingRules(
        line_chars=known.line_chars, chars_per_second=known.chars_per_second, has_spaces=known.has_spaces
    )


# --- Rows ----------------------------------------------------------------------------------------------------------


def to_rows(cues: Iterable[Cue]) -> list[dict[str, Any]]:
    """JSON values, as `Revision.cues` keeps them."""
    return [asdict(cue) | {"source_ids": list(cue.source_ids)} for cue in cues]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Cue]:
    return [Cue(**{**row, "source_ids": tuple(row.get("source_ids", ()))}) for row in rows]


def segments_to_rows(segments: Iterable[SpeechSegment]) -> list[dict[str, Any]]:
    return [asdict(segment) | {"words": [asdict(word) for word in segment.words]} for segment in segments]


def segments_from_rows(rows: Iterable[Mapping[str, Any]]) -> list[SpeechSegment]:
    return [SpeechSegment(**{**row, "words": tuple(Word(**word) for word in row.get("words", ()))}) for row in rows]


def with_ids(cues: Iterable[Cue]) -> list[Cue]:
    """Sort cues and give an id, made from time and text, to each that has none or one that was there before."""
    given: set[str] = set()
    done: list[Cue] = []
    for cue in sorted(cues, key=lambda one: (one.start_ms, one.end_ms)):
        name, number = cue.id, 0
        while not name or name in given:
            content = f"{cue.start_ms} {cue.end_ms} {cue.text} {number}"
            name, number = hashlib.blake2b(content.encode(), digest_size=5).hexdigest(), number + 1
        given.add(name)
        done.append(cue if name == cue.id else replace(cue, id=name))
    return done


# --- From speech to cues -------------------------------------------------------------------------------------------


def cues_from_segments(segments: Iterable[SpeechSegment], *, language: str) -> list[Cue]:
    """Make cues under the reading rules from what an engine heard.

    Nothing that was heard is lost: the cues' words in order are the segments' words. Long segments are divided, at
    sentences and clauses where possible, by the words' times if the engine gave them, else by length; very short ones
    join their neighbour. Cues come sorted, do not overlap and have start < end.
    """
    rules = rules_for(language)
    pieces: list[_Piece] = []
    for segment in sorted(segments, key=lambda one: (one.start_ms, one.end_ms)):
        tokens = _tokens(segment.text, rules)
        if tokens:
            start = max(0, segment.start_ms)
            end = max(segment.end_ms, start + 1)
            pieces.append(_Piece(tokens, start, end, segment.confidence, (), "", segment.words))
    return _shape(pieces, rules)


@dataclass(frozen=True)
class _Piece:
    """Tokens (plain words, or characters where a language has no spaces) with their time."""

    tokens: tuple[str, ...]
    start_ms: int
    end_ms: int
    confidence: float | None
    source_ids: tuple[str, ...]
    speaker: str
    words: tuple[Word, ...] = ()


def _shape(pieces: Sequence[_Piece], rules: ReadingRules) -> list[Cue]:
    """Divide, join and time pieces so that they follow the rules as far as their times allow."""
    shaped = [part for piece in _joined(_apart(pieces), rules) for part in _divided(piece, rules)]
    cues: list[Cue] = []
    for index, piece in enumerate(shaped):
        # A piece of a few milliseconds may have been divided into more cues than it has milliseconds.
        start = max(piece.start_ms, cues[-1].end_ms if cues else 0)
        text = _joined_text(piece.tokens, rules)
        # Reading time may be taken from the silence that follows, never from the next cue.
        reading_ms = max(rules.min_ms, len(text) * 1000 // rules.chars_per_second)
        end = min(max(piece.end_ms, start + reading_ms), start + rules.max_ms)
        if index + 1 < len(shaped):
            next_start = shaped[index + 1].start_ms
            end = min(end, next_start - rules.gap_ms if next_start - start > 2 * rules.gap_ms else next_start)
        lines = markup.escape(_lines(piece.tokens, rules))
        end = max(end, start + 1)
        cues.append(Cue("", start, end, lines, piece.speaker, piece.confidence, piece.source_ids))
    return with_ids(cues)


MIN_SHOWN_MS = 300  # overlapping pieces that start closer together than this share their time instead


def _apart(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Make sorted pieces follow each other: an overlap goes to the later one, or is shared by length of text."""
    done: list[_Piece] = []
    for piece in pieces:
        if not done or piece.start_ms >= done[-1].end_ms:
            done.append(piece)
            continue
        before = done[-1]
        end = max(before.end_ms, piece.end_ms, before.start_ms + 2)
        edge = piece.start_ms
        if edge - before.start_ms < MIN_SHOWN_MS or end - edge < MIN_SHOWN_MS:
            sizes = [sum(map(len, one.tokens)) for one in (before, piece)]
            edge = before.start_ms + (end - before.start_ms) * sizes[0] // sum(sizes)
        edge = min(max(edge, before.start_ms + 1), end - 1)
        done[-1] = replace(before, end_ms=edge, words=())
        done.append(replace(piece, start_ms=edge, end_ms=end, words=()))
    return done


def _joined(pieces: Sequence[_Piece], rules: ReadingRules) -> Iterator[_Piece]:
    """Join a piece that is too short to read with the one after it, when both fit into one cue."""
    held: _Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
            continue
        both = held.tokens + piece.tokens
        is_short = min(held.end_ms - held.start_ms, piece.end_ms - piece.start_ms) < rules.min_ms
        fits = piece.end_ms - held.start_ms <= rules.max_ms and _fits(both, rules)
        is_near = piece.start_ms - held.end_ms < rules.min_ms and held.speaker == piece.speaker
        if is_short and fits and is_near:
            held = _Piece(
                both,
                held.start_ms,
                max(held.end_ms, piece.end_ms),
                _lower(held.confidence, piece.confidence),
                tuple(dict.fromkeys(held.source_ids + piece.source_ids)),
                held.speaker,
                held.words + piece.words if held.words and piece.words else (),
            )
        else:
            yield held
            held = piece
    if held is not None:
        yield held


def _divided(piece: _Piece, rules: ReadingRules) -> list[_Piece]:
    """Divide a piece into ones that fit a cue, cut where a reader would pause."""
    chunks = _chunks(piece.tokens, piece.end_ms - piece.start_ms, rules)
    if len(chunks) == 1:
        return [piece]
    times = _times(piece, chunks)
    return [
        replace(piece, tokens=chunk, start_ms=start, end_ms=end, words=())
        for chunk, (start, end) in zip(chunks, times, strict=True)
    ]


def _chunks(tokens: tuple[str, ...], duration_ms: int, rules: ReadingRules) -> list[tuple[str, ...]]:
    """As few chunks as fit a cue; the best break near the middle is taken, then again in both halves."""
    text = _joined_text(tokens, rules)
    is_long = duration_ms > rules.max_ms and len(text) > rules.line_chars
    if len(tokens) == 1 or (_fits(tokens, rules) and not is_long):
        return [tokens]
    cut = _best_cut(tokens, rules)
    share = len(_joined_text(tokens[:cut], rules)) / len(text)
    return [
        *_chunks(tokens[:cut], int(duration_ms * share), rules),
        *_chunks(tokens[cut:], int(duration_ms * (1 - share)), rules),
    ]


def _best_cut(tokens: Sequence[str], rules: ReadingRules) -> int:
    """The index before which to cut: near the middle, after the strongest punctuation."""
    lengths = [len(token) + rules.has_spaces for token in tokens]
    total = sum(lengths)
    best, best_cost, before = 1, float("inf"), 0
    for index in range(1, len(tokens)):
        before += lengths[index - 1]
        cost = abs(before / total - 0.5) + _BREAK_COST[_break_after(tokens[index - 1])]
        if cost < best_cost:
            best, best_cost = index, cost
    return best


def _times(piece: _Piece, chunks: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    if len(piece.words) == len(piece.tokens):
        times, at = [], 0
        for chunk in chunks:
            words = piece.words[at : at + len(chunk)]
            at += len(chunk)
            times.append((words[0].start_ms, max(words[-1].end_ms, words[0].start_ms + 1)))
        return times
    sizes = [sum(len(token) + 1 for token in chunk) for chunk in chunks]
    total, done = sum(sizes), 0
    duration = piece.end_ms - piece.start_ms
    edges = [piece.start_ms]
    for size in sizes:
        done += size
        edges.append(piece.start_ms + duration * done // total)
    return [(edges[index], edges[index + 1]) for index in range(len(chunks))]


def _lower(one: float | None, other: float | None) -> float | None:
    return min(one, other) if one is not None and other is not None else one if other is None else other


# --- Words and lines -----------------------------------------------------------------------------------------------

_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।॥።]+[\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:،؛、，；：–—-][\"'”’»)\]]*$")
# An initial or a usual short form does not end a sentence; neither does "1." at the start of a list.
_SHORT_FORM = re.compile(
    r"(?:^|\W)(?:[A-ZА-ЯΑ-Ω]|[0-9]{1,3}|Dr|Mr|Mrs|Ms|Prof|St|e\.g|i\.e|etc|vs|No|Nr|Sr|Sra|bzw|ca)\.$"
)
_BREAK_COST = {"sentence": 0.0, "clause": 0.12, "": 0.3}


def _break_after(token: str) -> str:
    if _SENTENCE_END.search(token) and not _SHORT_FORM.search(token):
        return "sentence"
    return "clause" if _CLAUSE_END.search(token) else ""


def _tokens(text: str, rules: ReadingRules) -> tuple[str, ...]:
    """Words, which are never cut. Where there are no spaces: characters, marks and punctuation held to them."""
    words = text.split()
    if rules.has_spaces:
        return tuple(words)
    tokens: list[str] = []
    for character in " ".join(words):
        category = unicodedata.category(character)
        last = tokens[-1][-1] if tokens else " "
        in_latin_word = (last + character).isascii() and last.isalnum() and character.isalnum()
        holds_on = category[0] in "MPZ" or category == "Cf" or in_latin_word
        if tokens and holds_on and len(tokens[-1]) < rules.line_chars:
            tokens[-1] += character
        else:
            tokens.append(character)
    return tuple(tokens)


def _joined_text(tokens: Sequence[str], rules: ReadingRules) -> str:
    return (" " if rules.has_spaces else "").join(tokens).strip()


def _fits(tokens: Sequence[str], rules: ReadingRules) -> bool:
    lines, used = 1, 0
    for token in tokens:
        length = len(token.rstrip()) + (1 if used and rules.has_spaces else 0)
        if used and used + length > rules.line_chars:
            lines, used = lines + 1, 0
            length = len(token)
        used += length
    return lines <= rules.max_lines


def _lines(tokens: Sequence[str], rules: ReadingRules) -> str:
    """One line if the text fits on it, else two of like length, broken after a clause where that is near."""
    text = _joined_text(tokens, rules)
    if len(text) <= rules.line_chars or len(tokens) == 1:
        return text
    best, best_cost = "", float("inf")
    for index in range(1, len(tokens)):
        first, second = _joined_text(tokens[:index], rules), _joined_text(tokens[index:], rules)
        longest = max(len(first), len(second))
        cost = abs(len(first) - len(second)) / len(text) + _BREAK_COST[_break_after(tokens[index - 1])]
        if longest > rules.line_chars:
            cost += 10 + longest
        if cost < best_cost:
            best, best_cost = f"{first}\n{second}", cost
    return best


# --- Sentences and translation -------------------------------------------------------------------------------------

MAX_SENTENCE_CHARS = 400
SENTENCE_PAUSE_MS = 2000


@dataclass(frozen=True)
class Slot:
    """The part of a cue's time that a sentence takes."""

    cue_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Sentence:
    """A sentence and the cues that it was said in."""

    text: str
    slots: tuple[Slot, ...]
    speaker: str = ""


def sentences(cues: Iterable[Cue], *, language: str) -> list[Sentence]:
    """Join cues to sentences, which is what a translator understands.

    A sentence ends at its punctuation, at a pause of two seconds, where another speaker begins, and when it grows
    beyond what a translator takes. A cue may hold parts of several sentences; its time is shared by their lengths.
    """
    rules = rules_for(language)
    done: list[Sentence] = []
    tokens: list[str] = []
    slots: list[Slot] = []
    speaker, last_end = "", 0

    def finish() -> None:
        if tokens:
            done.append(Sentence(_joined_text(tokens, rules), tuple(slots), speaker))
            tokens.clear()
            slots.clear()

    for cue in cues:
        if cue.speaker != speaker or cue.start_ms - last_end > SENTENCE_PAUSE_MS:
            finish()
        speaker, last_end = cue.speaker, cue.end_ms
        parts = _sentence_parts(cue.plain_text, rules)
        total, said = sum(len(token) for part in parts for token in part) or 1, 0
        for part in parts:
            start = cue.start_ms + (cue.end_ms - cue.start_ms) * said // total
            said += sum(len(token) for token in part)
            end = cue.start_ms + (cue.end_ms - cue.start_ms) * said // total
            if sum(len(token) + 1 for token in tokens) + sum(len(token) + 1 for token in part) > MAX_SENTENCE_CHARS:
                finish()
            tokens.extend(part)
            slots.append(Slot(cue.id, start, max(end, start + 1)))
            if _break_after(part[-1]) == "sentence":
                finish()
    finish()
    return done


def _sentence_parts(text: str, rules: ReadingRules) -> list[list[str]]:
    parts: list[list[str]] = []
    is_open = False
    for token in _tokens(text, rules):
        if is_open:
            parts[-1].append(token)
        else:
            parts.append([token])
        is_open = _break_after(token) != "sentence"
    return parts


def lay_back(translated: Iterable[tuple[Sentence, str]], *, language: str) -> list[Cue]:
    """Lay translated sentences over the times of the cues that they came from, under the reading rules.

    Every cue names its source cues; each source cue whose sentence has a translation is named by at least one.
    """
    rules = rules_for(language)
    pieces: list[_Piece] = []
    for sentence, text in translated:
        tokens = _tokens(text, rules)
        if tokens and sentence.slots:
            pieces.extend(_over_slots(tokens, sentence, rules))
    pieces.sort(key=lambda piece: (piece.start_ms, piece.end_ms))
    return _shape(pieces, rules)


def _over_slots(tokens: tuple[str, ...], sentence: Sentence, rules: ReadingRules) -> Iterator[_Piece]:
    """Share the words out over the slots by their durations, cutting at clauses where one is near."""
    if _fits(tokens, rules) and sentence.slots[-1].end_ms - sentence.slots[0].start_ms <= rules.max_ms:
        slots = [sentence.slots]
    else:
        slots = [(slot,) for slot in sentence.slots]
    while slots:
        rest = sum(_span(one) for one in slots)
        cut = len(tokens)
        if len(slots) > 1 and len(tokens) > 1:
            cut = _cut_near(tokens, _span(slots[0]) / rest, rules)
        elif len(slots) > 1:
            slots = [tuple(slot for one in slots for slot in one)]
        first, tokens, taken = tokens[:cut], tokens[cut:], slots.pop(0)
        ids = tuple(dict.fromkeys(slot.cue_id for slot in taken))
        yield _Piece(first, taken[0].start_ms, taken[-1].end_ms, None, ids, sentence.speaker)


def _span(slots: Sequence[Slot]) -> int:
    return max(1, slots[-1].end_ms - slots[0].start_ms)


def _cut_near(tokens: Sequence[str], share: float, rules: ReadingRules) -> int:
    lengths = [len(token) + rules.has_spaces for token in tokens]
    total, before = sum(lengths), 0
    best, best_cost = 1, float("inf")
    for index in range(1, len(tokens)):
        before += lengths[index - 1]
        cost = abs(before / total - share) + _BREAK_COST[_break_after(tokens[index - 1])] / 2
        if cost < best_cost:
            best, best_cost = index, cost
    return best
