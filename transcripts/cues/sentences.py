"""Sentences out of cues for a translator, its text laid back over their times, and what became stale since."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from transcripts import languages
from transcripts.cues.breaking import ends_sentence, joined_text, tokens_of
from transcripts.cues.model import Cue, content_hash, with_ids
from transcripts.cues.rules import ReadingRules, rules_for
from transcripts.cues.shaping import Token, cut, finished, spread

MAX_SENTENCE_CHARS = 400
SENTENCE_PAUSE_MS = 2000
SNAP_MS = 1200  # a translated cue that would begin this near to the start of a source cue begins with it
SHARED_MS = 300  # a translated cue that shares less time than this with a source cue is not of it

_WHOLE_LANGUAGE = re.compile(r"<lang(?:\.\S*)? ([A-Za-z-]+)>(.*)</lang>", re.DOTALL)


@dataclass(frozen=True)
class Slot:
    """The part of a cue's time that a sentence takes."""

    cue_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Sentence:
    """A sentence and the cues that it was said in.

    Attributes:
        language: if it is in another language than the track.
    """

    text: str
    slots: tuple[Slot, ...]
    speaker: str = ""
    language: str = ""


def language_of(cue: Cue) -> str:
    """The language of a cue that is marked as a whole to be in another one than its track; else ""."""
    match = _WHOLE_LANGUAGE.fullmatch(cue.text)
    return match.group(1) if match and "<lang" not in match.group(2) and languages.is_known(match.group(1)) else ""


def sentences(cues: Iterable[Cue], *, language: str) -> list[Sentence]:
    """Join cues to sentences, which is what a translator understands.

    A sentence ends at its punctuation, at a pause of two seconds, where another speaker or language begins, and when
    it grows beyond what a translator takes. A cue may hold parts of several sentences; its time is shared by their
    lengths.
    """
    own_rules = rules_for(language)
    done: list[Sentence] = []
    tokens: list[str] = []
    slots: list[Slot] = []
    speaker, other, last_end = "", "", 0

    def finish() -> None:
        if tokens:
            rules = rules_for(other) if other else own_rules
            done.append(Sentence(joined_text(tokens, rules), tuple(slots), speaker, other))
            tokens.clear()
            slots.clear()

    for cue in cues:
        cue_language = language_of(cue)
        if (cue.speaker, cue_language) != (speaker, other) or cue.start_ms - last_end > SENTENCE_PAUSE_MS:
            finish()
        speaker, other, last_end = cue.speaker, cue_language, cue.end_ms
        parts = _sentence_parts(cue.plain_text, rules_for(other) if other else own_rules)
        total, said = sum(len(token) for part in parts for token in part) or 1, 0
        for part in parts:
            start = cue.start_ms + (cue.end_ms - cue.start_ms) * said // total
            said += sum(len(token) for token in part)
            end = cue.start_ms + (cue.end_ms - cue.start_ms) * said // total
            if sum(len(token) + 1 for token in tokens) + sum(len(token) + 1 for token in part) > MAX_SENTENCE_CHARS:
                finish()
            tokens.extend(part)
            slots.append(Slot(cue.id, start, max(end, start + 1)))
            if ends_sentence(part[-1]):
                finish()
    finish()
    return done


def _sentence_parts(text: str, rules: ReadingRules) -> list[list[str]]:
    parts: list[list[str]] = []
    is_open = False
    for token in tokens_of(text, rules):
        if is_open:
            parts[-1].append(token)
        else:
            parts.append([token])
        is_open = not ends_sentence(token)
    return parts


# --- Laying back ---------------------------------------------------------------------------------------------------


def lay_back(
    translated: Iterable[tuple[Sentence, str]],
    *,
    language: str,
    source: Sequence[Cue] = (),
    rules: ReadingRules | None = None,
    terms: Sequence[str] = (),
) -> list[Cue]:
    """Lay translated sentences over the times of the cues that they came from, under the reading rules.

    Every cue names its source cues; each source cue whose sentence has a translation is named by at least one.

    Args:
        source: the cues that the sentences were made of; with them each cue keeps the hash of its source cues' words.
        terms: names and terms whose words stay on one line.
    """
    rules = rules or rules_for(language)
    said: list[Sentence] = []
    tokens: list[Token] = []
    for sentence, text in sorted(translated, key=lambda pair: pair[0].slots[0].start_ms if pair[0].slots else 0):
        texts = tokens_of(text, rules)
        if texts and sentence.slots:
            tokens.extend(_over_slots(texts, sentence, len(said)))
            said.append(sentence)
    by_id = {cue.id: cue for cue in source}
    pieces = [(_snapped(cue, said[used[0].group]), used) for cue, used in cut(tokens, rules, terms)]
    named = _named(_spans(pieces), said)
    cues = []
    for (cue, _used), ids in zip(pieces, named, strict=True):
        known = [by_id[name] for name in ids if name in by_id]
        cues.append(replace(cue, source_ids=ids, source_hash=content_hash(known) if known else ""))
    return with_ids(finished(_apart(cues), rules))


def _over_slots(texts: Sequence[str], sentence: Sentence, group: int) -> list[Token]:
    """Share the words out over the slots, as if there were no silence between these."""
    lengths = [slot.end_ms - slot.start_ms for slot in sentence.slots]
    times = spread(texts, 0, sum(lengths))
    return [
        Token(
            text, _in_slots(start, sentence, False), _in_slots(end, sentence, True), None, sentence.speaker, group=group
        )
        for text, (start, end) in zip(texts, times, strict=True)
    ]


def _in_slots(elapsed_ms: int, sentence: Sentence, is_end: bool) -> int:
    """The moment after so much of the slots' time."""
    for slot in sentence.slots:
        length = slot.end_ms - slot.start_ms
        if elapsed_ms < length or (is_end and elapsed_ms == length):
            return slot.start_ms + elapsed_ms
        elapsed_ms -= length
    return sentence.slots[-1].end_ms


def _snapped(cue: Cue, sentence: Sentence) -> Cue:
    """Begin with a source cue that begins nearly then: what is heard and what is read change together."""
    nearest = min((slot.start_ms for slot in sentence.slots), key=lambda start: abs(start - cue.start_ms))
    if abs(nearest - cue.start_ms) <= SNAP_MS:
        return replace(cue, start_ms=nearest, end_ms=max(cue.end_ms, nearest + 1))
    return cue


def _apart(cues: Sequence[Cue]) -> list[Cue]:
    """Undo what snapping may have done to the order."""
    done: list[Cue] = []
    for cue in cues:
        start = max(cue.start_ms, done[-1].start_ms + 1 if done else 0)
        if done and done[-1].end_ms > start:
            done[-1] = replace(done[-1], end_ms=max(done[-1].start_ms + 1, start))
        done.append(replace(cue, start_ms=start, end_ms=max(cue.end_ms, start + 1)))
    return done


Span = tuple[int, int, frozenset[int]]


def _spans(pieces: Sequence[tuple[Cue, Sequence[Token]]]) -> list[Span]:
    """Start, end and sentences of each cue; one ends where the next begins."""
    spans: list[Span] = []
    for number, (cue, tokens) in enumerate(pieces):
        end = tokens[-1].end_ms
        if number + 1 < len(pieces):
            end = min(end, pieces[number + 1][0].start_ms)
        spans.append((cue.start_ms, max(end, cue.start_ms + 1), frozenset(token.group for token in tokens)))
    return spans


def _named(spans: Sequence[Span], said: Sequence[Sentence]) -> list[tuple[str, ...]]:
    """The source cues of each cue: those that it shares time with, and each one for the cue that shares most."""
    names: list[list[Slot]] = [[] for _span in spans]
    cues_of: dict[int, list[int]] = {}
    for number, (_start, _end, groups) in enumerate(spans):
        for group in groups:
            cues_of.setdefault(group, []).append(number)
    for group, numbers in cues_of.items():
        for slot in said[group].slots:
            shares = [min(slot.end_ms, spans[at][1]) - max(slot.start_ms, spans[at][0]) for at in numbers]
            best = max(range(len(shares)), key=shares.__getitem__)
            for place, at in enumerate(numbers):
                if place == best or shares[place] >= SHARED_MS:
                    names[at].append(slot)
    for number, (start, _end, groups) in enumerate(spans):
        if not names[number]:
            slots = [slot for group in groups for slot in said[group].slots]
            names[number].append(min(slots, key=lambda slot: abs(slot.start_ms - start)))
    return [tuple(dict.fromkeys(slot.cue_id for slot in sorted(one, key=lambda s: s.start_ms))) for one in names]


# --- Stale ---------------------------------------------------------------------------------------------------------


def stale_cues(translated: Iterable[Cue], source: Iterable[Cue]) -> list[Cue]:
    """The translated cues whose source cues say something else by now, or are gone.

    Cues that name no source cues (added by a person) or were made before hashes were kept are never stale; moving a
    cue in time or breaking its lines otherwise changes no words.
    """
    by_id: Mapping[str, Cue] = {cue.id: cue for cue in source}
    return [
        cue for cue in translated if cue.source_ids and cue.source_hash and _hash_now(cue, by_id) != cue.source_hash
    ]


def _hash_now(cue: Cue, by_id: Mapping[str, Cue]) -> str:
    return content_hash(by_id[name] for name in cue.source_ids if name in by_id)
