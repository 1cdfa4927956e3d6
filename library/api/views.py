"""Recordings over HTTP."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, permissions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.viewsets import OrganisationViewSet
from events.api.views import ReadAnnouncedOrMember
from library import playback, rules, selectors, services
from library.api.filters import RecordingFilter
from library.api.serializers import PlaybackSerializer, RecordingSerializer
from library.models import Recording
from library.structured import absolute


class RecordingViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    OrganisationViewSet[Recording],
):
    """Published recordings for everybody, and drafts too of the caller's organisations."""

    queryset = Recording.objects.select_related("webinar__organisation", "asset")
    serializer_class = RecordingSerializer
    permission_classes = (ReadAnnouncedOrMember,)
    filterset_class = RecordingFilter
    organisation_path = "webinar__organisation"
    http_method_names = ("get", "patch", "post", "head", "options")

    def get_queryset(self) -> "QuerySet[Recording]":
        if self.request.method in permissions.SAFE_METHODS:
            return selectors.recordings_visible_to(self.request)
        return super().get_queryset()

    def perform_update(self, serializer: "serializers.BaseSerializer[Recording]") -> None:
        recording = serializer.instance
        assert recording is not None
        visibility = serializer.validated_data.get("visibility", recording.visibility)
        serializer.instance = services.change_visibility(recording=recording, visibility=visibility, user=self.user)

    @extend_schema(request=None, responses=RecordingSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Let everyone who may watch it, watch it."""
        recording = services.publish_recording(recording=self.get_object(), user=self.user)
        return Response(self.get_serializer(recording).data)

    @extend_schema(request=None, responses=RecordingSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Close every door to a published recording."""
        recording = services.withdraw_recording(recording=self.get_object(), user=self.user)
        return Response(self.get_serializer(recording).data)

    @extend_schema(responses=PlaybackSerializer)
    @action(detail=True, methods=["get"])
    def playback(self, request: Request, pk: str) -> Response:
        """A short-lived address for a player."""
        recording = self.get_object()
        right = rules.viewing_right(recording, request)
        package = recording.asset.current_package
        if right is None or package is None:
            raise Http404
        grant = playback.make_grant(recording=recording, package=package, right=right)
        url = absolute(reverse("library:master", args=[grant]))
        # Grants end at round times, up to an eighth of their life early.
        return Response({"hls_url": url, "expires_in_s": settings.PLAYBACK_GRANT_LIFE_S * 7 // 8})
