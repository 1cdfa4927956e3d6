"""Recordings over HTTP."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, permissions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rules as accounts_rules
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.api.viewsets import OrganisationViewSet
from accounts.models import Role
from events.api.views import ReadAnnouncedOrMember
from library import deletion, embeds, playback, rules, selectors, services, viewings
from library.api.filters import RecordingFilter
from library.api.serializers import (
    EmbedLinkSerializer,
    PlaybackSerializer,
    RecordingSerializer,
    StatisticsSerializer,
)
from library.api.timeline import TimelineActions
from library.models import EmbedLink, Recording
from library.structured import absolute


class RecordingViewSet(
    TimelineActions,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[Recording],
):
    """Published recordings for everybody, and drafts too of the caller's organisations."""

    queryset = Recording.objects.select_related("webinar__organisation", "asset")
    serializer_class = RecordingSerializer
    permission_classes = (ReadAnnouncedOrMember,)
    filterset_class = RecordingFilter
    organisation_path = "webinar__organisation"
    http_method_names = ("get", "patch", "post", "delete", "head", "options")

    def get_queryset(self) -> "QuerySet[Recording]":
        is_for_everybody = self.action in ("list", "retrieve", "playback", None)
        if self.request.method in permissions.SAFE_METHODS and is_for_everybody:
            return selectors.recordings_visible_to(self.request)
        return super().get_queryset()

    def perform_update(self, serializer: "serializers.BaseSerializer[Recording]") -> None:
        recording = serializer.instance
        assert recording is not None
        visibility = serializer.validated_data.get("visibility", recording.visibility)
        serializer.instance = services.change_visibility(recording=recording, visibility=visibility, user=self.user)

    def perform_destroy(self, instance: Recording) -> None:
        """Delete the recording for good, with everything that was made of it."""
        deletion.delete_recording(recording=instance, user=self.user)

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

    @extend_schema(responses=StatisticsSerializer)
    @action(detail=True, methods=["get"], permission_classes=(OrganisationPermission,))
    def viewers(self, request: Request, pk: str) -> Response:
        """How the recording is watched. Figures behind which few viewings stand are left out."""
        found = viewings.statistics(self.get_object())
        serializer: Any = StatisticsSerializer(found)
        return Response(serializer.data)

    @extend_schema(methods=["GET"], responses=EmbedLinkSerializer(many=True))
    @extend_schema(methods=["POST"], request=EmbedLinkSerializer, responses={201: EmbedLinkSerializer})
    @action(
        detail=True,
        methods=["get", "post"],
        url_path="embed_links",
        permission_classes=(OrganisationPermission,),
        pagination_class=None,
    )
    def embed_links(self, request: Request, pk: str) -> Response:
        """Links by which certain sites may show a recording that is not public; the newest first, at most 100."""
        recording = self.get_object()
        if request.method == "GET":
            # Whoever has a link's address can pass the recording on: reviewers do not get it.
            is_organiser = accounts_rules.has_role(
                request.user, recording.webinar.organisation, Role.ORGANISER, token=token_of(request)
            )
            context = {"hides_code": not is_organiser}
            rows: Any = EmbedLinkSerializer(recording.embed_links.all()[:100], many=True, context=context)
            return Response(rows.data)
        serializer: Any = EmbedLinkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        link = embeds.create_embed_link(recording=recording, user=self.user, **serializer.validated_data)
        return Response(EmbedLinkSerializer(link).data, status=201)

    @extend_schema(request=None, responses=EmbedLinkSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="embed_links/(?P<link>[0-9a-f-]{36})/revoke",
        permission_classes=(OrganisationPermission,),
    )
    def revoke_embed_link(self, request: Request, pk: str, link: str) -> Response:
        """End a link: pages that show the recording with it stop at once."""
        found = get_object_or_404(EmbedLink, pk=link, recording=self.get_object())
        embeds.revoke_embed_link(link=found, user=self.user)
        found.refresh_from_db()
        return Response(EmbedLinkSerializer(found).data)
