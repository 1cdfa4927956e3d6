"""What is done to a finished recording over the API: cutting, replacing, going back, videos with subtitles drawn in."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

import library.versions
from accounts.api.fields import UtcField
from accounts.api.viewsets import OrganisationViewSet
from library.models import FormerVersion, Recording
from studio import burn_in, cutting, replacement
from studio.api.serializers import ProductionSerializer, UploadField, known_language, own_organisations
from studio.models import BurnIn, Cut


@extend_schema_field(OpenApiTypes.UUID)
class RecordingField(serializers.PrimaryKeyRelatedField[Recording]):
    def get_queryset(self) -> "QuerySet[Recording]":
        return Recording.objects.filter(webinar__organisation__in=own_organisations(self.context))


WORK_FIELDS = ("state", "progress", "activity", "error", "error_code", "created_at")


class CutSerializer(serializers.ModelSerializer[Cut]):
    """Times are milliseconds of the source; `end_ms` of null means its end, 0 and null undo a cut."""

    recording = RecordingField()
    created_at = UtcField(read_only=True)

    class Meta:
        model = Cut
        fields = ("id", "recording", "start_ms", "end_ms", *WORK_FIELDS)
        read_only_fields = ("id", *WORK_FIELDS)


class CutViewSet(mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[Cut]):
    """Cuts of recordings at their start and end; the newest one that is done is what viewers see."""

    queryset = Cut.objects.select_related("recording__webinar__organisation")
    serializer_class = CutSerializer
    organisation_path = "recording__webinar__organisation"
    filterset_fields = ("recording",)

    def perform_create(self, serializer: "serializers.BaseSerializer[Cut]") -> None:
        data = serializer.validated_data
        serializer.instance = cutting.request_cut(
            recording=data["recording"],
            start_ms=data["start_ms"],
            end_ms=data.get("end_ms"),
            user=self.user,
        )

    @extend_schema(request=None, responses=CutSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop making it; viewers keep what they have."""
        cut = self.get_object()
        cutting.cancel_cut(cut=cut, user=self.user)
        return Response(self.get_serializer(cut).data)

    @extend_schema(request=None, responses=CutSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try a failed or cancelled one again."""
        cut = self.get_object()
        cutting.retry_cut(cut=cut, user=self.user)
        return Response(self.get_serializer(cut).data)


class BurnInSerializer(serializers.ModelSerializer[BurnIn]):
    """The video of one language; the recording's `downloads` have its address once it is made."""

    recording = RecordingField()
    language = serializers.CharField(validators=[known_language], max_length=35)
    created_at = UtcField(read_only=True)

    class Meta:
        model = BurnIn
        fields = ("id", "recording", "language", *WORK_FIELDS)
        read_only_fields = ("id", *WORK_FIELDS)


class BurnInViewSet(
    mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[BurnIn]
):
    """Videos with the subtitles of one language in the picture. Asking again for the same gives the same row."""

    queryset = BurnIn.objects.select_related("recording__webinar__organisation")
    serializer_class = BurnInSerializer
    organisation_path = "recording__webinar__organisation"
    filterset_fields = ("recording", "language")

    def perform_create(self, serializer: "serializers.BaseSerializer[BurnIn]") -> None:
        data = serializer.validated_data
        serializer.instance = burn_in.request_burn_in(
            recording=data["recording"], language=data["language"], user=self.user
        )

    @extend_schema(request=None, responses=BurnInSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop making it."""
        row = self.get_object()
        burn_in.cancel_burn_in(row=row, user=self.user)
        return Response(self.get_serializer(row).data)


class FormerVersionSerializer(serializers.ModelSerializer[FormerVersion]):
    file_name = serializers.CharField(source="asset.file_name", read_only=True)
    size = serializers.IntegerField(source="asset.size", read_only=True, help_text="Bytes.")
    duration_ms = serializers.IntegerField(source="asset.duration_ms", read_only=True, allow_null=True)
    replaced_at = UtcField(source="created_at", read_only=True)
    delete_after = UtcField(read_only=True)

    class Meta:
        model = FormerVersion
        fields = ("id", "recording", "file_name", "size", "duration_ms", "replaced_at", "delete_after")


class ReplacementSerializer(serializers.Serializer[Any]):
    """An upload of purpose `replacement:<recording>` that shall take the place of the recording's file."""

    recording = RecordingField()
    upload = UploadField()
    keeps_subtitles = serializers.BooleanField(default=True)
    subtitle_offset_ms = serializers.IntegerField(default=0, min_value=-86_400_000, max_value=86_400_000)
    spoken_language = serializers.CharField(required=False, validators=[known_language], max_length=35)
    other_languages = serializers.ListField(
        child=serializers.CharField(validators=[known_language], max_length=35), required=False, max_length=10
    )
    subtitle_languages = serializers.ListField(
        child=serializers.CharField(validators=[known_language], max_length=35), required=False, max_length=100
    )


class FormerVersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OrganisationViewSet[FormerVersion]):
    """Files that others took the place of, as long as they are kept."""

    queryset = FormerVersion.objects.select_related("recording__webinar__organisation", "asset")
    serializer_class = FormerVersionSerializer
    organisation_path = "recording__webinar__organisation"
    filterset_fields = ("recording",)

    @extend_schema(request=ReplacementSerializer, responses={201: ProductionSerializer})
    @action(detail=False, methods=["post"])
    def replace(self, request: Request) -> Response:
        """Prepare an uploaded file; viewers keep the present one until then. The same upload: the same answer."""
        serializer = ReplacementSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        production = replacement.replace_recording(user=self.user, **serializer.validated_data)
        body = ProductionSerializer(production, context=self.get_serializer_context()).data
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Show this file again; the present one becomes a former version."""
        library.versions.restore_version(version=self.get_object(), user=self.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
