"""What changed between two states of a track: cue by cue, and word by word within a cue. Pure Python."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from transcripts.cues.model import Cue

ChangeKind = Literal["added", "removed", "changed", "moved"]
# Words, spaces, and single other characters; scripts that set no spaces between words by the character.
_TOKENS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|[^\w\s]")
MOST_TOKENS = 400  # comparing takes the square of it; longer texts are marked as a whole


@dataclass(frozen=True)
class Piece:
    """Some text of a cue, and whether the other state has it too."""

    text: str
    is_changed: bool


@dataclass(frozen=True)
class Change:
    """One cue that differs; `old` is None for an added and `new` for a removed one.

    Attributes:
        kind: "moved" if only its times or its speaker changed.
        before, after: its text in pieces, words that differ marked.
    """

    kind: ChangeKind
    old: Cue | None
    new: Cue | None
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()

    @property
    def start_ms(self) -> int:
        cue = self.new or self.old
        assert cue is not None
        return cue.start_ms


def changes(old: Iterable[Cue], new: Iterable[Cue]) -> list[Change]:
    """The cues that differ, in order of time.

    Cues are the same one by their id; of the rest by time and text, since a file that was imported anew has new ids.
    """
    before, after = {cue.id: cue for cue in old}, {cue.id: cue for cue in new}
    pairs = [(before.pop(name), after.pop(name)) for name in list(before) if name in after]
    alike = {(cue.start_ms, cue.end_ms): cue for cue in before.values()}
    for cue in list(after.values()):
        same = alike.pop((cue.start_ms, cue.end_ms), None)
        if same is not None:
            pairs.append((before.pop(same.id), after.pop(cue.id)))
    found = [change for pair in pairs for change in _of_pair(*pair)]
    found += [Change("removed", cue, None, before=(Piece(cue.plain_text, True),)) for cue in before.values()]
    found += [Change("added", None, cue, after=(Piece(cue.plain_text, True),)) for cue in after.values()]
    return sorted(found, key=lambda change: (change.start_ms, change.kind))


def _of_pair(old: Cue, new: Cue) -> Iterator[Change]:
    if old.text != new.text:
        before, after = pieces(old.plain_text, new.plain_text)
        yield Change("changed", old, new, before, after)
    elif (old.start_ms, old.end_ms, old.speaker) != (new.start_ms, new.end_ms, new.speaker):
        whole = (Piece(new.plain_text, False),)
        yield Change("moved", old, new, whole, whole)


def pieces(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces, those that the other does not have marked.

    >>> pieces("Good day", "Good night")[1]
    (Piece(text='Good ', is_changed=False), Piece(text='night', is_changed=True))
    """
    one, other = _TOKENS.findall(old), _TOKENS.findall(new)
    if len(one) > MOST_TOKENS or len(other) > MOST_TOKENS:
        return (Piece(old, True),), (Piece(new, True),)
    before: list[Piece] = []
    after: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        is_changed = kind != "equal"
        if a != b:
            before.append(Piece("".join(one[a:b]), is_changed))
        if c != d:
            after.append(Piece("".join(other[c:d]), is_changed))
    return tuple(before), tuple(after)


def patched(cues: Sequence[Cue], changed: Iterable[Cue], removed: Iterable[str]) -> list[Cue]:
    """A state with some cues changed or added, by their ids, and others removed."""
    now: Mapping[str, Cue] = {cue.id: cue for cue in changed}
    gone = set(removed)
    kept = [now.get(cue.id, cue) for cue in cues if cue.id not in gone]
    known = {cue.id for cue in cues}
    return [*kept, *(cue for cue in now.values() if cue.id not in known)]
