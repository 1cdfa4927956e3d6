"""Serializer fields that several resources use."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from i18nfield.strings import LazyI18nString
from rest_framework import exceptions, serializers
from rest_framework.request import Request

from accounts import rules
from accounts.api.permissions import token_of
from accounts.models import Organisation, Role


@extend_schema_field(OpenApiTypes.UUID)
class OrganisationField(serializers.PrimaryKeyRelatedField[Organisation]):
    """One of the caller's organisations."""

    def get_queryset(self) -> "QuerySet[Organisation]":
        request = self.context.get("request")
        if request is None:  # while the schema is made
            return Organisation.objects.none()
        return rules.organisations_of(request.user, token=token_of(request))


def require_organiser(request: Request, organisation: Organisation) -> None:
    """Check that the caller may change things there.

    Raises:
        PermissionDenied: they may only read.
    """
    if not rules.has_role(request.user, organisation, Role.ORGANISER, token=token_of(request)):
        raise exceptions.PermissionDenied


def only_organisation(request: Request) -> Organisation:
    """The organisation meant by a caller who names none: the only one they have.

    Raises:
        ValidationError: they have several.
        PermissionDenied: they have none.
    """
    organisations = list(rules.organisations_of(request.user, token=token_of(request))[:2])
    if not organisations:
        raise exceptions.PermissionDenied
    if len(organisations) > 1:
        raise serializers.ValidationError({"organisation": ["Say for which of your organisations."]}, code="required")
    return organisations[0]


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]})
class TranslatedField(serializers.Field[Any, Any, Any, Any]):
    """A text, or texts by language tag: `{"en": "Welcome", "fr": "Bienvenue"}`. Answers are always by language."""

    default_error_messages = {"invalid": "Give a text, or texts by language tag."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | dict):
            self.fail("invalid")
        return data

    def to_representation(self, value: LazyI18nString | str) -> dict[str, str]:
        data = value.data if isinstance(value, LazyI18nString) else value
        return dict(data) if isinstance(data, dict) else {"en": str(data)} if data else {}


class MomentField(serializers.DateTimeField):
    """A moment with its offset, or a local time without one; the service knows in which zone. Answers are in UTC."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value.astimezone(UTC) if isinstance(value, datetime) else value)


class UtcField(serializers.DateTimeField):
    """A moment; answers are in UTC whatever the caller's own zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)
