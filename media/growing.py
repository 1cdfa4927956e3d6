"""The index of a rendition that is watched while it is made: its pieces still lie in several files.

Every file holds whole segments at their final times, so a playlist may go from one to the next as if they were one
(RFC 8216, 4.3.2.2: a byte range belongs to the address after it). An index without `files` is of one finished file.
"""

from typing import Any

Index = dict[str, Any]


def begin(opening: Index, key: str) -> Index:
    """Return the index of a rung of which only the opening exists, in the file at `key`."""
    return _shown({"opening": {**opening, "key": key}, "parts": {}})


def add(index: Index, number: int, part: Index, key: str) -> Index:
    """Return the index with one more part. It is shown once all parts before it are there."""
    parts = {**index["parts"], str(number): {**part, "key": key}}
    return _shown({"opening": index["opening"], "parts": parts})


def is_growing(index: Index) -> bool:
    return "files" in index


def keys(index: Index) -> list[str]:
    """The stored files of what is growing, shown or not yet."""
    if not is_growing(index):
        return []
    return [index["opening"]["key"], *(part["key"] for part in index["parts"].values())]


def duration_ms(index: Index) -> int:
    return sum(duration for _offset, _size, duration in index["segments"])


def _shown(index: Index) -> Index:
    """Put together what can be played: the parts from the first one on, or the opening while it reaches further."""
    parts: list[Index] = []
    while (part := index["parts"].get(str(len(parts)))) is not None:
        parts.append(part)
    if sum(len(part["segments"]) for part in parts) < len(index["opening"]["segments"]):
        parts = [index["opening"]]
    return {
        **index,
        "init": parts[0]["init"],
        "segments": [segment for part in parts for segment in part["segments"]],
        "key_sizes": [size for part in parts for size in part["key_sizes"]],
        "files": [[part["key"], len(part["segments"])] for part in parts],
    }
