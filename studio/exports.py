"""Tables that people open in a spreadsheet."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from accounts.models import User
from accounts.services import record_action
from notifications.models import Suppression

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


CELL_MAX = 32_767  # characters; what Excel can hold
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def xlsx_bytes(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """The table as a workbook. Numbers stay numbers; everything else is text, which nothing runs (promise W6)."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for row in itertools.chain([header], rows):
        cells = []
        for value in row:
            if isinstance(value, int | float) and not isinstance(value, bool):
                cells.append(WriteOnlyCell(sheet, value=value))
                continue
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", safe_cell(value))[:CELL_MAX])
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def table_response(
    header: Iterable[str], rows: Iterable[Iterable[object]], *, name: str, format: str
) -> HttpResponse | StreamingHttpResponse:
    """The table as a download, `format` being csv or xlsx.

    Args:
        name: of the file, without its ending; ASCII.

    Raises:
        Http404: there is no such format.
    """
    response: HttpResponse | StreamingHttpResponse
    if format == "csv":
        response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    elif format == "xlsx":
        response = HttpResponse(xlsx_bytes(header, rows), content_type=XLSX)
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def suppressions_table(*, user: User) -> HttpResponseBase:
    """All addresses without mail as CSV. It holds personal data, so who took it is recorded."""
    record_action(action="suppressions.export", target=user, organisation=None, user=user)
    rows = Suppression.objects.order_by("created_at").values_list("email", "reason", "created_at")
    table = ([email, reason, created_at.strftime("%Y-%m-%d %H:%M")] for email, reason, created_at in rows.iterator())
    header = [_("E-mail address"), _("Reason"), _("Since (UTC)")]
    return table_response(header, table, name="suppressed", format="csv")
