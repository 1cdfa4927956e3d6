"""Productions over the API: start, watch, try again, cancel, publish."""

from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins, permissions, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rules
from accounts.api.idempotency import IdempotencyMixin
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.models import Role, User
from events.models import Webinar
from studio import services, watching
from studio.api.serializers import ProductionSerializer, WatchedFileSerializer
from studio.models import Production, WatchedFile


class ProductionViewSet(
    IdempotencyMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Production],
):
    """Productions of the organisations that the person belongs to."""

    serializer_class = ProductionSerializer
    permission_classes = [OrganisationPermission]
    organisation_path = "recording__webinar__organisation"
    queryset = Production.objects.select_related("recording__webinar__organisation")
    filterset_fields = ["recording", "recording__webinar"]

    def get_queryset(self) -> Any:
        return rules.visible_to(
            super().get_queryset(), self.request.user, path=self.organisation_path, token=token_of(self.request)
        )

    @extend_schema(request=ProductionSerializer, responses={201: ProductionSerializer})
    def create(self, request: Request) -> Response:
        """Make a recording of a completed upload and start its production. The same upload again: the same answer."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        webinar: Webinar = data["webinar"]
        production = services.receive_recording(
            upload=data["upload"],
            webinar=webinar,
            user=self._user,
            spoken_language=data.get("spoken_language", webinar.spoken_language),
            subtitle_languages=data.get("subtitle_languages", webinar.subtitle_languages),
            publish_when_ready=data.get("publish_when_ready", False),
            send_follow_up=data.get("send_follow_up", True),
            other_languages=data.get("other_languages", []),
        )
        return Response(self.get_serializer(production).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ProductionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish as soon as the recording is ready."""
        production = self.get_object()
        services.request_publication(production=production, user=self._user)
        return Response(self.get_serializer(production).data)

    @extend_schema(request=None, responses=ProductionSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop what is waiting or running; what is published stays."""
        production = self.get_object()
        services.cancel_production(production=production, user=self._user)
        return Response(self.get_serializer(production).data)

    @extend_schema(request=None, responses=ProductionSerializer)
    @action(detail=True, methods=["post"], url_path=r"steps/(?P<step_name>[a-z0-9_:A-Z-]+)/retry")
    def retry(self, request: Request, pk: str, step_name: str) -> Response:
        """Try a failed, skipped or cancelled step again."""
        production = self.get_object()
        step = get_object_or_404(production.steps, name=step_name)
        services.retry_step(step=step, user=self._user)
        return Response(self.get_serializer(production).data)

    @property
    def _user(self) -> Any:
        return self.request.user


class WatchedFileViewSet(
    IdempotencyMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[WatchedFile],
):
    """Files of the watched folder, in the folders of the organisations that the person belongs to."""

    serializer_class = WatchedFileSerializer
    permission_classes = [permissions.IsAuthenticated]
    queryset = WatchedFile.objects.none()  # for the schema; see get_queryset
    filterset_fields = ["state", "path"]

    def get_queryset(self) -> Any:
        return watching.files_for(cast(User, self.request.user), token=token_of(self.request))

    @extend_schema(request=None, responses=WatchedFileSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Take a file once more that was refused."""
        row = self.get_object()
        organisation = watching.organisation_of(row)
        user = cast(User, request.user)
        if organisation is not None and not rules.has_role(user, organisation, Role.ORGANISER, token=token_of(request)):
            raise exceptions.PermissionDenied
        watching.retry(row=row, user=user)
        return Response(self.get_serializer(row).data)
