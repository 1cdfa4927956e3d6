"""Text tracks over HTTP."""

from typing import cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, parsers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import require_organiser
from accounts.api.viewsets import OrganisationViewSet
from transcripts import cues as arithmetic
from transcripts import formats, selectors, services
from transcripts.api.filters import TrackFilter
from transcripts.api.serializers import (
    ConflictSerializer,
    CuesSerializer,
    TrackSerializer,
    TrackUploadSerializer,
)
from transcripts.errors import EditConflict
from transcripts.models import TextTrack


class TrackViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[TextTrack],
):
    """Captions and subtitles of the caller's organisations."""

    queryset = TextTrack.objects.select_related("current_revision", "asset__organisation")
    serializer_class = TrackSerializer
    organisation_path = "asset__organisation"
    filterset_class = TrackFilter
    parser_classes = (parsers.JSONParser, parsers.MultiPartParser)

    @extend_schema(
        request={"multipart/form-data": TrackUploadSerializer}, responses={status.HTTP_201_CREATED: TrackSerializer}
    )
    def create(self, request: Request) -> Response:
        """Upload a subtitle file as the current revision of the track in its language and kind."""
        form = TrackUploadSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        asset, file = form.validated_data["asset"], form.validated_data["file"]
        require_organiser(request, asset.organisation)
        track = services.import_track(
            asset=asset,
            language=form.validated_data["language"],
            kind=form.validated_data["kind"],
            data=file.read(formats.MAX_BYTES + 1),
            file_name=file.name,
            user=self.user,
        )
        return Response(self.get_serializer(track).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: TextTrack) -> None:
        services.delete_track(track=instance, user=self.user)

    @extend_schema(request=None, responses=TrackSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Show the track to viewers."""
        track = services.publish_track(track=self.get_object(), user=self.user)
        return Response(self.get_serializer(track).data)

    @extend_schema(request=None, responses=TrackSerializer)
    @action(detail=True, methods=["post"])
    def unpublish(self, request: Request, pk: str) -> Response:
        """Hide the track from viewers."""
        track = services.unpublish_track(track=self.get_object(), user=self.user)
        return Response(self.get_serializer(track).data)

    @extend_schema(responses=CuesSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def cues(self, request: Request, pk: str) -> Response:
        """The cues of the current revision."""
        return Response(_cues(self.get_object()))

    @extend_schema(
        request=CuesSerializer, responses={200: CuesSerializer, status.HTTP_409_CONFLICT: ConflictSerializer}
    )
    @cues.mapping.put
    def save_cues(self, request: Request, pk: str) -> Response:
        """Store an edited version; 409 with both versions if somebody else saved since `revision`."""
        track = self.get_object()
        form = CuesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            services.save_cues(
                track=track, base_revision=form.validated_data["revision"], cues=form.as_cues(), user=self.user
            )
        except EditConflict as error:
            body = {
                "title": str(error),
                "status": error.status,
                "code": error.code,
                "current_revision": error.current_revision,
                "theirs": error.theirs,
                "yours": error.yours,
            }
            return Response(body, status=error.status, content_type="application/problem+json")
        return Response(_cues(track))

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "file_format", str, OpenApiParameter.PATH, enum=list(formats.WRITERS), description="Format"
            )
        ],
        responses={(200, media_type): OpenApiTypes.STR for media_type in formats.MEDIA_TYPES.values()},
    )
    @action(
        detail=True,
        methods=["get"],
        url_path=r"files/(?P<file_format>[a-z0-9]{1,8})",
        filterset_class=None,
        pagination_class=None,
    )
    def file(self, request: Request, pk: str, file_format: str) -> Response:
        """The current revision as a file."""
        track = self.get_object()
        text = services.export_track(track=track, format=file_format)
        answer = HttpResponse(
            text,
            content_type=f"{formats.MEDIA_TYPES[file_format]}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{track.language}.{file_format}"'},
        )
        return cast(Response, answer)  # a plain text answer needs none of the framework's negotiation


def _cues(track: TextTrack) -> dict[str, object]:
    current = track.current_revision
    return {"revision": current.number if current else 0, "cues": arithmetic.to_rows(selectors.cues_of(track))}
