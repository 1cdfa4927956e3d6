"""The cells of a spreadsheet (XLSX, ISO/IEC 29500) that a stranger sent, within limits. Knows nothing of Django."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from openpyxl import load_workbook

MAX_UNPACKED_BYTES: Final = 100 * 1024 * 1024  # a small XLSX can hold gigabytes of one repeated letter
MAX_CELLS: Final = 100  # in a row
MAX_SHEETS: Final = 10


class WorkbookUnreadable(Exception):
    """No spreadsheet. `is_too_large`: it may be one, but is refused unread."""

    def __init__(self, *, is_too_large: bool = False) -> None:
        super().__init__("too large" if is_too_large else "no spreadsheet")
        self.is_too_large = is_too_large


def sheets(content: bytes, *, max_rows: int) -> Iterator[Iterator[tuple[int, tuple[Any, ...]]]]:
    """Yield each sheet's rows: their number, from 1, and their values. Each sheet is read before the next is asked for.

    Raises:
        WorkbookUnreadable: also while rows are read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise WorkbookUnreadable(is_too_large=True)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets[:MAX_SHEETS]:
            yield _rows(sheet, max_rows)
    except WorkbookUnreadable:
        raise
    except Exception as error:  # openpyxl has no common error for what strangers' files can be
        raise WorkbookUnreadable from error


def _rows(sheet: Any, max_rows: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    try:
        # The size that a file claims of itself may be wrong, and millions of empty rows.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_CELLS), start=1):
            if number > max_rows:
                break
            yield number, row
    except Exception as error:  # as above
        raise WorkbookUnreadable from error
