"""Webinars, series, speakers and materials over HTTP."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, parsers, permissions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.fields import only_organisation, require_organiser
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.api.viewsets import OrganisationViewSet
from events import selectors, services, slides
from events.api import filters
from events.api.serializers import MaterialSerializer, SeriesSerializer, SpeakerSerializer, WebinarSerializer
from events.models import Material, Series, Speaker, Webinar

M = TypeVar("M", bound=Model)


class ReadAnnouncedOrMember(OrganisationPermission):
    """Everybody reads what is announced (the queryset holds nothing else); members do the rest."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in permissions.SAFE_METHODS or super().has_permission(request, view)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or super().has_object_permission(request, view, obj)


class WebinarViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[Webinar],
):
    """Announced webinars for everybody, and all of the caller's organisations."""

    queryset = Webinar.objects.select_related("organisation", "series").prefetch_related("speakers")
    serializer_class = WebinarSerializer
    permission_classes = (ReadAnnouncedOrMember,)
    filterset_class = filters.WebinarFilter

    def get_queryset(self) -> "QuerySet[Webinar]":
        if self.request.method in permissions.SAFE_METHODS:
            found = selectors.webinars_readable_by(self.request.user, token=token_of(self.request))
            return found.prefetch_related("speakers")
        return super().get_queryset()

    def perform_create(self, serializer: "serializers.BaseSerializer[Webinar]") -> None:
        data = serializer.validated_data
        organisation = data.pop("organisation", None) or only_organisation(self.request)
        require_organiser(self.request, organisation)
        data.pop("zone_change", None)  # there is no earlier zone
        serializer.instance = services.create_webinar(organisation=organisation, user=self.user, **data)

    def perform_update(self, serializer: "serializers.BaseSerializer[Webinar]") -> None:
        assert serializer.instance is not None
        serializer.instance = services.update_webinar(
            webinar=serializer.instance, user=self.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Webinar) -> None:
        services.delete_webinar(webinar=instance, user=self.user)

    @extend_schema(request=None, responses=WebinarSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Show a draft, and open its registration."""
        webinar = services.publish_webinar(webinar=self.get_object(), user=self.user)
        return Response(self.get_serializer(webinar).data)

    @extend_schema(request=None, responses=WebinarSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call a webinar off; everybody who registered is told."""
        webinar = services.cancel_webinar(webinar=self.get_object(), user=self.user)
        return Response(self.get_serializer(webinar).data)


class SeriesViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[Series],
):
    """Series of the caller's organisations."""

    queryset = Series.objects.select_related("organisation")
    serializer_class = SeriesSerializer
    filterset_class = filters.SeriesFilter

    def perform_create(self, serializer: "serializers.BaseSerializer[Series]") -> None:
        data = serializer.validated_data
        organisation = data.pop("organisation", None) or only_organisation(self.request)
        require_organiser(self.request, organisation)
        serializer.instance = services.create_series(organisation=organisation, user=self.user, **data)

    def perform_update(self, serializer: "serializers.BaseSerializer[Series]") -> None:
        assert serializer.instance is not None
        serializer.instance = services.update_series(
            series=serializer.instance, user=self.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Series) -> None:
        services.delete_series(series=instance, user=self.user)


class SpeakerViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[Speaker],
):
    """Speakers of the caller's organisations' webinars."""

    queryset = Speaker.objects.select_related("webinar__organisation")
    serializer_class = SpeakerSerializer
    filterset_class = filters.SpeakerFilter
    organisation_path = "webinar__organisation"

    def perform_create(self, serializer: "serializers.BaseSerializer[Speaker]") -> None:
        data = serializer.validated_data
        require_organiser(self.request, data["webinar"].organisation)
        serializer.instance = services.add_speaker(user=self.user, **data)

    def perform_update(self, serializer: "serializers.BaseSerializer[Speaker]") -> None:
        assert serializer.instance is not None
        serializer.instance = services.update_speaker(
            speaker=serializer.instance, user=self.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Speaker) -> None:
        services.remove_speaker(speaker=instance, user=self.user)

    @extend_schema(request=None, responses=SpeakerSerializer)
    @action(detail=True, methods=["post"])
    def invite(self, request: Request, pk: str) -> Response:
        """Send the speaker the personal link, again if it was sent before."""
        speaker = services.invite_speaker(speaker=self.get_object(), user=self.user)
        return Response(self.get_serializer(speaker).data)


class MaterialViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[Material],
):
    """Slides and handouts of the caller's organisations' webinars. Send the file as multipart/form-data."""

    queryset = Material.objects.select_related("webinar__organisation")
    serializer_class = MaterialSerializer
    filterset_class = filters.MaterialFilter
    parser_classes = (parsers.MultiPartParser,)
    organisation_path = "webinar__organisation"

    def perform_create(self, serializer: "serializers.BaseSerializer[Material]") -> None:
        data = serializer.validated_data
        require_organiser(self.request, data["webinar"].organisation)
        serializer.instance = slides.add_material(
            webinar=data["webinar"],
            speaker=data.get("speaker"),
            user=self.user,
            file=data["file"],
            kind=data["kind"],
            title=data.get("title", ""),
        )

    def perform_destroy(self, instance: Material) -> None:
        slides.remove_material(material=instance, user=self.user)
