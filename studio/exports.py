"""Tables that people open in a spreadsheet."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

# A cell that begins with one of these may be taken for a formula by a spreadsheet (OWASP, "CSV injection"); the
# full-width forms are turned into the plain ones by some.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def safe_cell(value: object) -> str:
    """The value as text that no spreadsheet runs: an apostrophe goes before what might be a formula.

    Spaces, line breaks and quotation marks in front do not hide one. Some programs also cut lines at semicolons or
    commas on import, so a formula after one of these counts as well.
    """
    text = "" if value is None else str(value)
    pieces = [text, *text.replace(";", ",").replace("\n", ",").replace("\r", ",").split(",")]
    for piece in pieces:
        bare = piece.lstrip(" \u00a0\"'")
        if bare.startswith(FORMULA_STARTS) or piece.startswith(FORMULA_STARTS):
            return f"'{text}"
    return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """The table line by line (RFC 4180), in UTF-8 with the mark by which Excel recognises it."""
    yield b"\xef\xbb\xbf"
    for row in itertools.chain([header], rows):
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow([safe_cell(value) for value in row])
        yield line.getvalue().encode()
