"""From speech to cues: cut, broken and timed under the reading rules.

All tokens (words) of a stretch of speech get a time; then the cheapest way to cut them into cues is looked for, by
dynamic programming over the places where a cue may end. What costs: a cue more, a cut inside a clause or a name, the
end of a sentence beside a part of the next, a cue that is too short or too fast, lines of unlike length. What is
forbidden where there is a way round it: a line or a cue that is too long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transcripts import languages, markup
from transcripts.cues.breaking import BREAK_COST, Layout, tokens_of
from transcripts.cues.model import MAX_MS, Cue, SpeechSegment, with_ids
from transcripts.cues.rules import ReadingRules, reading_ms, rules_for

PAUSE_MS = 700  # a pause like this is a good place to cut
LONG_PAUSE_MS = 2000  # and over this one no cue goes
SHIFT_MS = 800  # how far a cue may begin before or after its first word when it could not be read otherwise
MOST_TOKENS = 60  # in one cue


@dataclass(frozen=True)
class Token:
    """A word with its time and where it comes from."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None
    speaker: str = ""
    language: str = ""  # if another than the track's
    doubts: tuple[str, ...] = ()
    group: int = 0  # the segment or sentence that it belongs to
    joins_next: bool = True  # False: the next token must not be in the same cue


def cues_from_segments(
    segments: Iterable[SpeechSegment], *, language: str, rules: ReadingRules | None = None, terms: Sequence[str] = ()
) -> list[Cue]:
    """Make cues under the reading rules from what an engine heard.

    Nothing that was heard is lost: the cues' words in order are the segments' words. Cues are cut at sentences, clauses
    and pauses, by the words' times if the engine gave them, else by length. They come sorted, do not overlap and have
    start < end. Text in another language than the track's is marked with WebVTT's `lang` tag.

    Args:
        terms: names and terms whose words stay on one line.
    """
    rules = rules or rules_for(language)
    tokens: list[Token] = []
    for number, segment in enumerate(sorted(segments, key=lambda one: (one.start_ms, one.end_ms))):
        tokens.extend(_tokens_of_segment(segment, number, language, rules))
    return shape(tokens, rules, terms)


def _tokens_of_segment(segment: SpeechSegment, number: int, language: str, rules: ReadingRules) -> list[Token]:
    other = _other_language(segment.language, language)
    texts = tokens_of(segment.text, replace(rules_for(other), language=other) if other else rules)
    start = min(max(0, segment.start_ms), MAX_MS - 1)
    end = min(max(segment.end_ms, start + 1), MAX_MS)
    times = _word_times(texts, segment) or spread(texts, start, end)
    return [
        Token(text, first, last, segment.confidence, "", other, segment.doubts, number)
        for text, (first, last) in zip(texts, times, strict=True)
    ]


def _other_language(heard: str, language: str) -> str:
    if not heard or not languages.is_known(heard) or not languages.is_known(language):
        return ""
    return "" if languages.primary(heard) == languages.primary(language) else heard


def spread(texts: Sequence[str], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Share a time out over words by their lengths."""
    total, done = sum(len(text) + 1 for text in texts), 0
    times = []
    for text in texts:
        first = start_ms + (end_ms - start_ms) * done // total
        done += len(text) + 1
        times.append((first, start_ms + (end_ms - start_ms) * done // total))
    return times


def _word_times(texts: Sequence[str], segment: SpeechSegment) -> list[tuple[int, int]] | None:
    """Times of tokens from the engine's words, which may be cut elsewhere; None if they do not spell the same text."""
    edges: list[tuple[int, int, int]] = []  # characters before, start, end
    spelled = ""
    for word in segment.words:
        text = "".join(word.text.split())
        if text:
            edges.append((len(spelled), word.start_ms, max(word.end_ms, word.start_ms)))
            spelled += text
    if not edges or spelled != "".join("".join(text.split()) for text in texts):
        return None
    times: list[tuple[int, int]] = []
    at = position = 0
    for text in texts:
        while position + 1 < len(edges) and edges[position + 1][0] <= at:
            position += 1
        start = edges[position][1]
        at += len("".join(text.split()))
        last = position
        while last + 1 < len(edges) and edges[last + 1][0] < at:
            last += 1
        times.append((start, max(edges[last][2], start)))
    return times


# --- Cutting -------------------------------------------------------------------------------------------------------


def shape(tokens: Sequence[Token], rules: ReadingRules, terms: Sequence[str] = ()) -> list[Cue]:
    """Cut tokens into cues and time these so that they follow the rules as far as the speech allows."""
    return with_ids(finished([cue for cue, _tokens in cut(tokens, rules, terms)], rules))


def cut(tokens: Sequence[Token], rules: ReadingRules, terms: Sequence[str] = ()) -> list[tuple[Cue, Sequence[Token]]]:
    """Cues at the times of their words, without ids, each with its tokens."""
    cues: list[tuple[Cue, Sequence[Token]]] = []
    for stretch in _stretches(_in_order(tokens)):
        layout_rules = (
            replace(rules_for(stretch[0].language), language=stretch[0].language) if stretch[0].language else rules
        )
        layout = Layout([token.text for token in stretch], layout_rules, terms)
        cues.extend(
            (_cue(stretch[first:last], layout.text(first, last)), stretch[first:last])
            for first, last in _cuts(stretch, layout, layout_rules)
        )
    return cues


def _in_order(tokens: Sequence[Token]) -> list[Token]:
    """Make times follow each other: a word cannot begin before the one before it, nor end after the next begins."""
    done: list[Token] = []
    latest = 0
    for token in tokens:
        start = max(token.start_ms, latest)
        done.append(replace(token, start_ms=start, end_ms=max(token.end_ms, start)))
        latest = start
    for index in range(len(done) - 1):
        if done[index].end_ms > done[index + 1].start_ms:
            done[index] = replace(done[index], end_ms=done[index + 1].start_ms)
    return done


def _stretches(tokens: Sequence[Token]) -> list[list[Token]]:
    """Speech without a long pause, of one person in one language."""
    stretches: list[list[Token]] = []
    for token in tokens:
        before = stretches[-1][-1] if stretches else None
        if (
            before is None
            or token.start_ms - before.end_ms > LONG_PAUSE_MS
            or not before.joins_next
            or (token.speaker, token.language) != (before.speaker, before.language)
        ):
            stretches.append([])
        stretches[-1].append(token)
    return stretches


def _cuts(stretch: Sequence[Token], layout: Layout, rules: ReadingRules) -> list[tuple[int, int]]:
    """The cheapest cues for a stretch, as ranges of its tokens."""
    count = len(stretch)
    costs = [0.0] + [float("inf")] * count
    origins = [0] * (count + 1)
    most_width = rules.line_chars * rules.max_lines
    for last in range(1, count + 1):
        for first in range(last - 1, max(-1, last - 1 - MOST_TOKENS), -1):
            if last - first > 1 and (
                layout.width(first, last) > most_width
                or stretch[last - 1].end_ms - stretch[first].start_ms > rules.max_ms
            ):
                break
            cost = costs[first] + _cue_cost(stretch, first, last, layout, rules)
            if cost < costs[last]:
                costs[last], origins[last] = cost, first
    ranges: list[tuple[int, int]] = []
    last = count
    while last:
        ranges.append((origins[last], last))
        last = origins[last]
    return ranges[::-1]


def _cue_cost(stretch: Sequence[Token], first: int, last: int, layout: Layout, rules: ReadingRules) -> float:
    start, end = stretch[first].start_ms, stretch[last - 1].end_ms
    line_cost, lines = layout.lines(first, last)
    wide = layout.width(first, last)
    # The time that the cue can have: up to the next one, and at most what it needs.
    until = stretch[last].start_ms - rules.gap_ms if last < len(stretch) else end + LONG_PAUSE_MS
    needed = max(rules.min_ms, wide * 1000 / rules.chars_per_second)
    shown = min(until - start, rules.max_ms)
    cost = 1.0 + line_cost / 2 + 0.1 * len(lines)
    if shown < needed:
        cost += 8 * (1 - max(shown, 1) / needed)
    if shown < rules.min_ms:
        cost += 4
    if last < len(stretch):
        pause = stretch[last].start_ms - end
        after = BREAK_COST[layout.breaks[last - 1]]
        is_pause = pause >= PAUSE_MS
        cost += after * (0.4 if is_pause and after < 1 else 2.0)
        if stretch[last].group != stretch[last - 1].group:
            cost -= 0.25
    # A pause inside a cue; a piece of a sentence beside another one; and a word or two alone, which are no sentence.
    is_whole = layout.breaks[last - 1] == "sentence" and (first == 0 or layout.breaks[first - 1] == "sentence")
    for index in range(first + 1, last):
        if stretch[index].start_ms - stretch[index - 1].end_ms >= PAUSE_MS:
            cost += 0.7
        if layout.breaks[index - 1] == "sentence" and not is_whole:
            cost += 0.7
    if wide < rules.line_chars / 4 and not is_whole:
        cost += 1.5
    return cost


def _cue(tokens: Sequence[Token], text: str) -> Cue:
    language = tokens[0].language
    text = markup.escape(text)
    confidences = [token.confidence for token in tokens if token.confidence is not None]
    return Cue(
        "",
        tokens[0].start_ms,
        max(tokens[-1].end_ms, tokens[0].start_ms + 1),
        f"<lang {language}>{text}</lang>" if language else text,
        tokens[0].speaker,
        min(confidences, default=None),
        doubts=tuple(dict.fromkeys(doubt for token in tokens for doubt in token.doubts)),
    )


# --- Timing --------------------------------------------------------------------------------------------------------


def finished(cues: Sequence[Cue], rules: ReadingRules) -> list[Cue]:
    """Give cues in order the time that reading them needs, from the silence around them and from idle neighbours."""
    starts = [cue.start_ms for cue in cues]
    ends = [cue.end_ms for cue in cues]
    needs = [min(reading_ms(cue.plain_text, rules), rules.max_ms) for cue in cues]
    count = len(cues)
    for index in range(count):
        if index:
            starts[index] = max(starts[index], starts[index - 1] + 1)
        limit = starts[index + 1] - rules.gap_ms if index + 1 < count else MAX_MS
        ends[index] = min(max(ends[index], starts[index] + needs[index]), starts[index] + rules.max_ms, limit)
    for index in range(count):
        missing = needs[index] - (ends[index] - starts[index])
        if missing > 0 and index + 1 < count:
            # The next cue begins a little later, if it has time to spare.
            spare = ends[index + 1] - starts[index + 1] - needs[index + 1]
            room = ends[index + 1] + _silence_after(index + 1, starts, ends, rules)
            spare = max(spare, min(room - starts[index + 1], rules.max_ms) - needs[index + 1])
            moved = max(0, min(missing, spare, SHIFT_MS))
            starts[index + 1] += moved
            ends[index + 1] = min(max(ends[index + 1], starts[index + 1] + needs[index + 1]), room)
            ends[index] = max(ends[index], min(starts[index] + needs[index], starts[index + 1] - rules.gap_ms))
            missing = needs[index] - (ends[index] - starts[index])
        if missing > 0:
            # It begins a little earlier: in silence, or when the one before has time to spare.
            earliest = 0
            if index:
                earliest = starts[index - 1] + needs[index - 1] + rules.gap_ms
            moved = max(0, min(missing, SHIFT_MS, starts[index] - earliest))
            starts[index] -= moved
            if index and moved:
                ends[index - 1] = min(ends[index - 1], starts[index] - rules.gap_ms)
    done: list[Cue] = []
    for index, cue in enumerate(cues):
        # Words of no length at all: order and start < end come before every other rule.
        start = max(starts[index], done[-1].end_ms if done else 0)
        end = max(ends[index], start + 1)
        if index + 1 < count and starts[index + 1] < end:
            end = max(start + 1, starts[index + 1])
        done.append(replace(cue, start_ms=start, end_ms=end))
    return done


def _silence_after(index: int, starts: Sequence[int], ends: Sequence[int], rules: ReadingRules) -> int:
    if index + 1 >= len(starts):
        return LONG_PAUSE_MS
    return max(0, starts[index + 1] - rules.gap_ms - ends[index])
