"""Uploads over HTTP: announce, ask where each part goes, send the parts there, complete."""

import re
from typing import Any, cast

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rules
from accounts.api.idempotency import IdempotencyMixin
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.models import Organisation, Role, User
from media import uploads
from media.api.serializers import (
    CompleteUploadSerializer,
    NewUploadSerializer,
    PartAddressSerializer,
    UploadSerializer,
)
from media.models import Upload
from work.models import WorkState


class UploadFilter(django_filters.FilterSet):
    # A text widget, because the usual one reads 1 as "unknown".
    open = django_filters.BooleanFilter(method="filter_open", widget=forms.TextInput, label="Still takes parts")
    mine = django_filters.BooleanFilter(method="filter_mine", widget=forms.TextInput, label="Started by who asks")

    unfinished = django_filters.BooleanFilter(
        method="filter_unfinished", widget=forms.TextInput, label="Can be gone on with, or is being checked"
    )

    class Meta:
        model = Upload
        fields = ("purpose", "file_name", "size", "organisation", "fingerprint")

    def filter_open(self, queryset: QuerySet[Upload], _name: str, value: bool) -> QuerySet[Upload]:
        return queryset.filter(state=WorkState.WAITING) if value else queryset.exclude(state=WorkState.WAITING)

    def filter_unfinished(self, queryset: QuerySet[Upload], _name: str, value: bool) -> QuerySet[Upload]:
        found = uploads.unfinished(queryset)
        return found if value else queryset.exclude(pk__in=found.values("pk"))

    def filter_mine(self, queryset: QuerySet[Upload], _name: str, value: bool) -> QuerySet[Upload]:
        user = self.request.user
        return queryset.filter(created_by=user) if value else queryset.exclude(created_by=user)


class UploadViewSet(
    IdempotencyMixin,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Upload],
):
    queryset = Upload.objects.none()  # for the schema; see get_queryset
    serializer_class = UploadSerializer
    permission_classes = (OrganisationPermission,)
    filterset_class = UploadFilter
    organisation_path = "organisation"

    def get_queryset(self) -> QuerySet[Upload]:
        found = Upload.objects.select_related("organisation").prefetch_related("parts")
        return rules.visible_to(found, self.request.user, token=token_of(self.request))

    @extend_schema(request=NewUploadSerializer, responses={201: UploadSerializer})
    def create(self, request: Request) -> Response:
        """Announce a file. Then send its parts, and complete it."""
        announced = NewUploadSerializer(data=request.data, context=self.get_serializer_context())
        announced.is_valid(raise_exception=True)
        data: dict[str, Any] = announced.validated_data
        upload = uploads.start_upload(
            organisation=data.get("organisation") or self._only_organisation(request),
            user=cast(User, request.user),
            file_name=data["file_name"],
            size=data["size"],
            purpose=data["purpose"],
            sha256=data["sha256"],
            fingerprint=data["fingerprint"],
            part_size=data.get("part_size"),
        )
        return Response(self.get_serializer(upload).data, status=status.HTTP_201_CREATED)

    def _only_organisation(self, request: Request) -> Organisation:
        found = rules.organisations_of(cast(User, request.user), Role.ORGANISER, token=token_of(request))[:2]
        if not found:
            raise exceptions.PermissionDenied(_("Only organisers can upload recordings."))
        if len(found) > 1:
            raise exceptions.ValidationError({"organisation": [_("Say for which organisation this file is.")]})
        return found[0]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An upload, with the parts that the store has by now."""
        upload = self.get_object()
        uploads.list_parts(upload=upload)
        return Response(self.get_serializer(self.get_queryset().get(pk=upload.pk)).data)

    def perform_destroy(self, instance: Upload) -> None:
        uploads.abort_upload(upload=instance, user=cast(User, self.request.user))

    @extend_schema(
        parameters=[OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses=PartAddressSerializer,
    )
    @action(detail=True, url_path=r"parts/(?P<number>[0-9]{1,6})", url_name="part")
    def part(self, request: Request, pk: str, number: str) -> Response:
        """Where to send one part."""
        return Response(self._addresses([int(number)])[0])

    @extend_schema(
        parameters=[OpenApiParameter("numbers", str, required=True, description="Up to 100 numbers, as `1,2,3`.")],
        responses=PartAddressSerializer(many=True),
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def parts(self, request: Request, pk: str) -> Response:
        """Where to send several parts."""
        numbers = request.query_params.get("numbers", "")
        if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6}){0,99}", numbers):
            raise exceptions.ValidationError({"numbers": [_("Name up to 100 parts, such as 1,2,3.")]})
        return Response(self._addresses([int(number) for number in numbers.split(",")]))

    def _addresses(self, numbers: list[int]) -> list[dict[str, Any]]:
        upload = self.get_object()
        if not rules.has_role(self.request.user, upload.organisation, Role.ORGANISER, token=token_of(self.request)):
            raise exceptions.PermissionDenied  # such an address allows writing, so reading rights are not enough
        return [
            {
                "number": number,
                "size": size,
                "method": address.method,
                "url": self.request.build_absolute_uri(address.url),
                "headers": address.headers,
            }
            for number, size, address in uploads.part_addresses(upload=upload, numbers=numbers)
        ]

    @extend_schema(request=CompleteUploadSerializer, responses={202: UploadSerializer})
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """All parts are sent: join and check them. Ask for the upload until its state is `done` or `failed`."""
        upload = self.get_object()
        said = CompleteUploadSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        upload = uploads.complete_upload(
            upload=upload, user=cast(User, request.user), sha256=said.validated_data["sha256"]
        )
        return Response(self.get_serializer(upload).data, status=status.HTTP_202_ACCEPTED)
