"""Doors of the local store: signed addresses to read a file or send a part, without cookies or login."""

import time
from typing import BinaryIO, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.api.problems import problem
from media import uploads
from media.delivery import send_local
from media.storage import AddressInvalid, LocalPrivateStorage, private_storage
from work.errors import DomainError


@require_safe
def file_view(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send a file of the local store, or the range of it that was asked for, to whoever has a signed address of it."""
    storage = _local_storage()
    try:
        grant = storage.open_address(token)
    except AddressInvalid as error:
        response = HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        return response
    return send_local(
        request,
        storage,
        grant.key,
        content_type=grant.content_type,
        file_name=grant.file_name,
        max_age_s=int(grant.expires_at - time.time()),
    )


def _local_storage() -> LocalPrivateStorage:
    storage = private_storage()
    if not isinstance(storage, LocalPrivateStorage):
        raise Http404(_("Files are not kept here."))
    return storage


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
