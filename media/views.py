"""Doors of the local store: signed addresses to read a file or send a part, without cookies or login."""

import hashlib
import io
import mimetypes
import os
import re
import time
from dataclasses import dataclass
from typing import BinaryIO, cast
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.api.problems import problem
from media import uploads
from media.storage import AddressInvalid, LocalPrivateStorage, private_storage
from media.storage.local import FileGrant
from work.errors import DomainError

# Shown in place; anything else is only ever offered for download, whatever an uploaded file claims to be (promise U3).
SHOWN = {
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "audio/mp4",
    "text/vtt",
}
_TYPES = {".vtt": "text/vtt", ".m4a": "audio/mp4", ".mp4": "video/mp4", ".flac": "audio/flac", ".webp": "image/webp"}
# With X-Accel-Redirect, the name of nginx's internal location for MEDIA_ROOT (deploy/).
INTERNAL_LOCATION = "/protected-files/"


@dataclass(frozen=True)
class ByteRange:
    start: int
    end: int  # last byte, included

    @property
    def size(self) -> int:
        return self.end - self.start + 1


class Unsatisfiable(Exception):
    """The range lies outside the file (RFC 9110, section 15.5.17)."""


class FileSlice(io.RawIOBase):
    """A part of an open file, for the web server to send; with a descriptor, so that it can use sendfile."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self._left = left

    def fileno(self) -> int:
        return self._file.fileno()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


@require_safe
def file_view(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send a file of the local store, or the range of it that was asked for (RFC 9110, section 14)."""
    storage = _local_storage()
    try:
        grant = storage.open_address(token)
        path = storage.path(grant.key)
    except AddressInvalid as error:
        response: HttpResponseBase = HttpResponse(
            str(error), status=error.status, content_type="text/plain; charset=utf-8"
        )
        response.headers["Cache-Control"] = "no-store"
        return response
    try:
        file = open(path, "rb")  # noqa: SIM115  (the response closes it)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Http404(_("This file is no longer there.")) from error
    status = os.fstat(file.fileno())
    etag = f'"{hashlib.sha256(f"{grant.key} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:32]}"'
    if etag in request.headers.get("If-None-Match", ""):
        file.close()
        response = HttpResponse(status=304)
    elif settings.SENDFILE == "nginx":
        file.close()
        response = HttpResponse()
        response["X-Accel-Redirect"] = INTERNAL_LOCATION + quote(grant.key)
    else:
        response = _ranged(request, file, status.st_size, etag, status.st_mtime)
    _add_headers(response, grant)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(status.st_mtime)
    return response


def _local_storage() -> LocalPrivateStorage:
    storage = private_storage()
    if not isinstance(storage, LocalPrivateStorage):
        raise Http404(_("Files are not kept here."))
    return storage


def _ranged(request: HttpRequest, file: BinaryIO, size: int, etag: str, modified: float) -> HttpResponseBase:
    header = request.headers.get("Range", "")
    if header and not _still_matches(request.headers.get("If-Range", ""), etag, modified):
        header = ""
    try:
        wanted = parse_range(header, size)
    except Unsatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = wanted or ByteRange(0, size - 1)
    if request.method == "HEAD":
        file.close()
        response: HttpResponseBase = HttpResponse()
    else:
        file.seek(part.start)
        response = FileResponse(FileSlice(file, part.size), content_type="application/octet-stream")
        response.block_size = 256 * 1024
    response["Content-Length"] = str(part.size)
    if wanted:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.end}/{size}"
    response["Accept-Ranges"] = "bytes"
    return response


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the one range asked for, or None to send everything (RFC 9110, section 14.2).

    Anything but a single range of bytes may be ignored, and is.

    Raises:
        Unsatisfiable: it begins behind the end.

    >>> parse_range("bytes=-500", 2000)
    ByteRange(start=1500, end=1999)
    """
    matched = re.fullmatch(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", header)
    if not matched or matched[1] == matched[2] == "":
        return None
    if matched[1] == "":
        if int(matched[2]) == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(0, size - int(matched[2])), size - 1)
    start, end = int(matched[1]), int(matched[2] or size - 1)
    if matched[2] and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return ByteRange(start, min(end, size - 1))


def _still_matches(condition: str, etag: str, modified: float) -> bool:
    """Whether a range may be sent (RFC 9110, section 13.1.5): the file is the one the client has a part of."""
    if not condition:
        return True
    if condition.startswith('"'):
        return condition == etag
    return parse_http_date_safe(condition) == int(modified)


def _add_headers(response: HttpResponseBase, grant: FileGrant) -> None:
    ending = os.path.splitext(grant.key)[1]
    content_type = grant.content_type or _TYPES.get(ending) or mimetypes.guess_type(grant.key)[0]
    content_type = content_type or "application/octet-stream"
    is_download = grant.file_name is not None or content_type.partition(";")[0] not in SHOWN
    response["Content-Type"] = content_type
    if is_download:
        response["Content-Disposition"] = content_disposition_header(True, grant.file_name or f"file{ending}") or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Keys are never used again, so a copy stays right for as long as the address works.
    response["Cache-Control"] = f"private, max-age={max(0, int(grant.expires_at - time.time()))}, immutable"


@csrf_exempt  # no cookie counts here, only the signed address
@require_http_methods(["PUT"])
def part_view(request: HttpRequest, token: str) -> HttpResponse:
    """Take one part of an upload. The body goes to disk as it comes; it is never held whole."""
    storage = _local_storage()
    try:
        grant = storage.open_part_address(token)
        length = request.headers.get("Content-Length", "")
        if not length.isdigit():
            return problem(title=_("Send the part's Content-Length."), status=411, code="length_required")
        if int(length) != grant.size:
            return problem(
                title=_("Part %(number)s must have %(size)s bytes.") % {"number": grant.number, "size": grant.size},
                status=413 if int(length) > grant.size else 400,
                code="part_size",
            )
        part = uploads.receive_part(grant=grant, stream=cast(BinaryIO, _Body(request)))
    except DomainError as error:
        return problem(title=str(error), status=error.status, code=error.code)
    return HttpResponse(headers={"ETag": f'"{part.etag}"'})


class _Body:
    """A request's body as a stream, in which a cut connection is an early end."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def read(self, size: int) -> bytes:
        try:
            return self._request.read(size)
        except OSError:
            return b""
