"""`Idempotency-Key` on POST: a call repeated after a lost connection does its work once.

After draft-ietf-httpapi-idempotency-key-header: the same key with the same request gets the first answer again, with
another request 422, and 409 while the first call still works. Refusals are not kept, as nothing was done.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.permissions import token_of
from accounts.client import client_address
from accounts.models import IdempotentAnswer, User
from work.errors import DomainError

HEADER = "Idempotency-Key"
ABANDONED_AFTER = timedelta(minutes=10)  # a call that takes longer has lost its process
MAX_KEY = 255


class BadKey(DomainError):
    code = "idempotency_key_invalid"


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422


class StillWorking(DomainError):
    code = "idempotency_in_progress"
    status = 409


class _Replay(Exception):
    """Carries the kept answer past the view's own handler."""

    def __init__(self, answer: IdempotentAnswer) -> None:
        self.answer = answer


class IdempotencyMixin:
    """For API views: put it before the view class. Calls without the header are not touched."""

    _claimed: IdempotentAnswer | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # the view class that follows has it
        key = request.headers.get(HEADER, "")
        if request.method == "POST" and key:
            self._claimed = claim(caller=_caller(request), key=key, request_hash=_hash_of(request))

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replay):
            body = json.loads(exc.answer.body) if exc.answer.body else None
            return Response(body, status=exc.answer.status, headers={"Idempotency-Replayed": "true"})
        response: Response = super().handle_exception(exc)  # type: ignore[misc]  # as above
        return response

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]  # as above
        if self._claimed is not None:
            settle(self._claimed, status=final.status_code, data=getattr(final, "data", None))
            self._claimed = None
        return final


def claim(*, caller: str, key: str, request_hash: str) -> IdempotentAnswer:
    """Take a key for one call. A unique constraint decides between calls at the same time.

    Raises:
        BadKey: the key is too long.
        KeyReused: it was used for another request.
        StillWorking: the first call has not ended.
        _Replay: it has, and this is its answer.
    """
    if len(key) > MAX_KEY:
        raise BadKey(_("An idempotency key may have at most %(max)s characters.") % {"max": MAX_KEY})
    now = timezone.now()
    fields = {"caller": caller, "key": _sha256([key.encode(errors="replace")])}
    IdempotentAnswer.objects.filter(**fields, started_at__lt=now - IdempotentAnswer.KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(**fields, request_hash=request_hash, started_at=now)
    except IntegrityError:
        kept = IdempotentAnswer.objects.filter(**fields).first()
    if kept is None:
        raise StillWorking(_("A call with this idempotency key is being worked on. Try again in a moment."))
    if kept.request_hash != request_hash:
        raise KeyReused(_("This idempotency key was used for another request. Use a new one for each request."))
    if kept.status is not None:
        raise _Replay(kept)
    abandoned = IdempotentAnswer.objects.filter(pk=kept.pk, status=None, started_at__lt=now - ABANDONED_AFTER)
    if abandoned.update(started_at=now) == 1:
        return kept
    raise StillWorking(_("A call with this idempotency key is being worked on. Try again in a moment."))


def settle(answer: IdempotentAnswer, *, status: int, data: Any) -> None:
    """Keep the answer of a call that did something; free the key of one that did not."""
    row = IdempotentAnswer.objects.filter(pk=answer.pk)
    if status >= 400:
        row.delete()
    else:
        body = "" if data is None else JSONRenderer().render(data).decode()
        row.update(status=status, body=body)


def _caller(request: Request) -> str:
    token = token_of(request)
    if token is not None:
        who = f"token:{token.pk}"
    elif isinstance(request.user, User):
        who = f"user:{request.user.pk}"
    else:
        who = f"client:{client_address(request)}"
    return _sha256([who.encode()])


def _hash_of(request: Request) -> str:
    parts = [request.method or "", request.get_full_path(), json.dumps(_plain(request.data), sort_keys=True)]
    return _sha256(part.encode(errors="replace") for part in parts)


def _plain(data: Any) -> Any:
    """The request's data as JSON; files count by name, size and content."""
    if isinstance(data, UploadedFile):
        digest = hashlib.sha256()
        for chunk in data.chunks():
            digest.update(chunk)
        data.seek(0)
        return [data.name, data.size, digest.hexdigest()]
    if hasattr(data, "lists"):
        return {name: [_plain(value) for value in values] for name, values in data.lists()}
    return data


def _sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part + b"\0")
    return digest.hexdigest()
