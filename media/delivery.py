"""Sending stored files to viewers. Their bytes never pass through Python.

On S3 the answer is a redirect to a short-lived signed address; on local storage the web server sends the file itself
(nginx by X-Accel-Redirect, gunicorn by sendfile), with ranges. Whoever calls `deliver` has checked the right already.
"""

import hashlib
import io
import mimetypes
import os
import re
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.db import connections
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe
from django.utils.translation import gettext as _

from media.storage import LocalPrivateStorage, private_storage

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

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Only for `socket.sendfile`, which moves the file behind what it sent; it fails without."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()
        super().close()


def deliver(
    request: HttpRequest,
    key: str,
    *,
    content_type: str | None = None,
    file_name: str | None = None,
    is_public: bool = False,
) -> HttpResponseBase:
    """Answer with a stored file.

    Args:
        content_type: the type to declare; None decides by the key's ending.
        file_name: makes the answer a download under that name (RFC 6266).
        is_public: whether caches that many people share may keep it; else only this visitor's browser may. Neither
            keeps it longer than MEDIA_LINK_LIFE_S.

    Raises:
        Http404: the local store does not have it.
    """
    storage = private_storage()
    if isinstance(storage, LocalPrivateStorage):
        life_s = settings.MEDIA_LINK_LIFE_S
        sent = send_local(request, storage, key, content_type=content_type, file_name=file_name, max_age_s=life_s)
        if is_public:
            # The address stays while what is behind it may change, unlike a player's.
            sent["Cache-Control"] = f"public, max-age={min(300, life_s)}"
        return sent
    response = HttpResponseRedirect(storage.signed_url(key, file_name=file_name, content_type=content_type))
    # A player that fetches one range after the other need not ask each time. The signature's own end stays.
    scope = "public" if is_public else "private"
    response["Cache-Control"] = f"{scope}, max-age={settings.MEDIA_LINK_LIFE_S // 10}"
    return response


def send_local(
    request: HttpRequest,
    storage: LocalPrivateStorage,
    key: str,
    *,
    content_type: str | None,
    file_name: str | None,
    max_age_s: int,
) -> HttpResponseBase:
    """Send a file of the local store, or the range of it that was asked for (RFC 9110, section 14).

    Raises:
        Http404: there is no such file.
    """
    try:
        file = open(storage.path(key), "rb")  # noqa: SIM115  (the response closes it)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Http404(_("This file is no longer there.")) from error
    status = os.fstat(file.fileno())
    etag = f'"{hashlib.sha256(f"{key} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:32]}"'
    response: HttpResponseBase
    if etag in request.headers.get("If-None-Match", ""):
        file.close()
        response = HttpResponse(status=304)
    elif settings.SENDFILE == "nginx":
        file.close()
        response = HttpResponse()
        response["X-Accel-Redirect"] = INTERNAL_LOCATION + quote(key)
    else:
        response = _ranged(request, file, status.st_size, etag, status.st_mtime)
    _add_headers(response, key, content_type, file_name)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(status.st_mtime)
    # Keys are never used again, so a copy stays right for as long as the address works.
    response["Cache-Control"] = f"private, max-age={max(0, max_age_s)}, immutable"
    return response


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
        _let_go_of_database()
        response = FileResponse(FileSlice(file, part.size), content_type="application/octet-stream")
        response.block_size = 256 * 1024
    response["Content-Length"] = str(part.size)
    if wanted:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.end}/{size}"
    response["Accept-Ranges"] = "bytes"
    return response


def _let_go_of_database() -> None:
    """Nothing more is asked of it. Kept until a slow client has everything, a connection would be missing to others:
    a pool has few."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


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


def _add_headers(response: HttpResponseBase, key: str, content_type: str | None, file_name: str | None) -> None:
    ending = os.path.splitext(key)[1]
    content_type = content_type or _TYPES.get(ending) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    is_download = file_name is not None or content_type.partition(";")[0] not in SHOWN
    response["Content-Type"] = content_type
    if is_download:
        response["Content-Disposition"] = content_disposition_header(True, file_name or f"file{ending}") or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
