"""Addresses that get no mail, for administrators, and who asked for no more, for organisers."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, permissions, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import notifications.services
from accounts.api.fields import UtcField
from accounts.api.idempotency import IdempotencyMixin
from accounts.api.permissions import token_of
from accounts.api.viewsets import OrganisationViewSet, organised_by
from accounts.models import User
from notifications.models import OptOut, Suppression
from studio.exports import suppressions_table


class AdministratorPermission(permissions.BasePermission):
    """Administrators themselves: a token belongs to one organisation, and these rows to none."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        return isinstance(user, User) and user.is_superuser and token_of(request) is None


class SuppressionSerializer(serializers.ModelSerializer[Suppression]):
    """An address that gets no mail, and why."""

    email = serializers.CharField(max_length=1000)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    created_at = UtcField(read_only=True)

    class Meta:
        model = Suppression
        fields = ("id", "email", "reason", "created_at")
        read_only_fields = ("id",)


class TableSerializer(serializers.Serializer[Any]):
    table = serializers.CharField(max_length=2_000_000, help_text="One address a line; a reason may follow a comma.")


class ImportedSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    refused = serializers.ListField(child=serializers.CharField(), help_text="Lines that hold no address.")


class SuppressionFilter(django_filters.FilterSet):
    email = django_filters.CharFilter(field_name="email", lookup_expr="icontains", label="a part of the address")

    class Meta:
        model = Suppression
        fields = ("email",)


class SuppressionViewSet(
    IdempotencyMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Suppression],
):
    """Addresses without mail, whichever organisation writes. DELETE lets mail go there again."""

    queryset = Suppression.objects.all()
    serializer_class = SuppressionSerializer
    filterset_class = SuppressionFilter
    permission_classes = (AdministratorPermission,)

    def create(self, request: Request) -> Response:
        """Write to this address no more. Twice is once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        row = notifications.services.suppress(
            email=data["email"], reason=data.get("reason", ""), user=_administrator(request)
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Suppression) -> None:
        notifications.services.allow_again(suppression=instance, user=_administrator(self.request))

    @extend_schema(request=TableSerializer, responses=ImportedSerializer)
    @action(detail=False, methods=["post"], url_path="import")
    def import_table(self, request: Request) -> Response:
        """Add the addresses of a table, such as the one that `export` gives."""
        data = TableSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        added, refused = notifications.services.import_suppressions(
            text=data.validated_data["table"], user=_administrator(request)
        )
        return Response({"added": added, "refused": refused})

    @extend_schema(request=None, responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=False, methods=["post"])
    def export(self, request: Request) -> HttpResponseBase:
        """All of them as a table (CSV). It holds personal data, so who took it is recorded: POST."""
        return suppressions_table(user=_administrator(request))


def _administrator(request: Request) -> User:
    assert isinstance(request.user, User)  # the permission lets nobody else in
    return request.user


class OptOutSerializer(serializers.ModelSerializer[OptOut]):
    """Somebody who asked for no more optional mail: about a webinar, or of the organisation's news."""

    created_at = UtcField(read_only=True)

    class Meta:
        model = OptOut
        fields = ("id", "organisation", "email", "scope", "created_at")
        read_only_fields = fields


class OptOutFilter(django_filters.FilterSet):
    email = django_filters.CharFilter(field_name="email", lookup_expr="iexact", label="the whole address")

    class Meta:
        model = OptOut
        fields = ("organisation", "email", "scope")


class OptOutViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[OptOut]):
    """Who asked for no more. To be read only: each can be taken back by its reader alone, with the link in the mail."""

    queryset = OptOut.objects.all()
    serializer_class = OptOutSerializer
    filterset_class = OptOutFilter

    def get_queryset(self) -> "QuerySet[OptOut]":
        return super().get_queryset().filter(organisation__in=organised_by(self.request))
