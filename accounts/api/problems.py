"""Errors as problem details (RFC 9457)."""

import logging
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.http import JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from work.errors import DomainError

logger = logging.getLogger(__name__)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate domain and framework errors into `application/problem+json`."""
    if isinstance(error, DomainError):
        body: dict[str, Any] = {"title": str(error), "status": error.status, "code": error.code}
        if error.field:
            body["errors"] = {error.field: [str(error)]}
        return Response(_encodable(body), status=error.status, content_type="application/problem+json")
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(
            error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        )
    if isinstance(error, DataError):
        # The database cannot even look for such a value (a year 117 with an odd offset, a NUL); nothing was written.
        logger.warning("refused by the database: %s", error)
        error = exceptions.ValidationError({"non_field_errors": [_("A value is out of range.")]})
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    code = error.default_code if isinstance(error, exceptions.APIException) else "not_found"
    body = {"title": _title(response.data), "status": response.status_code, "code": code}
    if isinstance(error, exceptions.ValidationError):
        body |= {"title": _first_message(error.detail), "errors": error.detail}
    response.data = _encodable(body)
    response.content_type = "application/problem+json"
    return response


def _title(data: Any) -> str:
    return str(data.get("detail", "")) if isinstance(data, dict) else _first_message(data)


def _first_message(detail: Any) -> str:
    while isinstance(detail, dict | list) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)


def _encodable(value: Any) -> Any:
    """The same without lone surrogates: messages repeat what the caller wrote, and JSON can carry those in escapes."""
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value if isinstance(value, int) else str(value).encode(errors="replace").decode()


def problem(*, title: str, status: int, code: str) -> JsonResponse:
    """A problem answer for views outside the API framework."""
    return JsonResponse(
        {"title": title, "status": status, "code": code}, status=status, content_type="application/problem+json"
    )
