"""What a cue is, what an engine heard, and both as JSON rows."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from transcripts import markup

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
    """What an engine heard in one go. `language` and `confidence` (0 to 1) are its own opinion.

    Attributes:
        doubts: why the guards (transcripts/guards.py) do not trust it.
    """

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    language: str = ""
    confidence: float | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cue:
    """A text shown from `start_ms` to `end_ms`.

    Attributes:
        id: tells a track's cues apart, and stays when a cue is edited.
        text: WebVTT cue text in the normal form of transcripts/markup.py.
        source_ids: the cues that this one was translated from.
        source_hash: of their words at that time, so that a later change of theirs is seen.
        doubts: what a reviewer should listen to again; codes of transcripts/guards.py.
        is_corrected: a person changed its words; no machine changes them again.
    """

    id: str
    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    confidence: float | None = None
    source_ids: tuple[str, ...] = ()
    source_hash: str = ""
    doubts: tuple[str, ...] = ()
    is_corrected: bool = False

    @property
    def plain_text(self) -> str:
        return markup.plain(self.text)


def to_rows(cues: Iterable[Cue]) -> list[dict[str, Any]]:
    """JSON values, as `Revision.cues` keeps them."""
    return [asdict(cue) | {"source_ids": list(cue.source_ids), "doubts": list(cue.doubts)} for cue in cues]


_CUE_FIELDS = frozenset(field.name for field in fields(Cue))


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Cue]:
    """Cues of rows, also of rows written before a field was added or after one was."""
    return [Cue(**_tuples({name: value for name, value in row.items() if name in _CUE_FIELDS})) for row in rows]


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def segments_to_rows(segments: Iterable[SpeechSegment]) -> list[dict[str, Any]]:
    """JSON values, as a part of the recognition keeps them."""
    return [
        asdict(segment) | {"words": [asdict(word) for word in segment.words], "doubts": list(segment.doubts)}
        for segment in segments
    ]


def segments_from_rows(rows: Iterable[Mapping[str, Any]]) -> list[SpeechSegment]:
    return [SpeechSegment(**_tuples({**row, "words": [Word(**word) for word in row.get("words", ())]})) for row in rows]


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


def content_hash(cues: Iterable[Cue]) -> str:
    """A short hash of the words of some cues, whatever their lines, tags and times."""
    words = " ".join(" ".join(cue.plain_text.split()) for cue in cues)
    return hashlib.blake2b(words.encode(), digest_size=6).hexdigest()
