"""Interpreters' channels over the API."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

import media.services
from accounts.api.fields import UtcField
from accounts.api.viewsets import OrganisationViewSet
from media.models import InterpretationChannel
from studio import channels
from studio.api.serializers import UploadField
from studio.models import ChannelWork


class ChannelWorkSerializer(serializers.ModelSerializer[ChannelWork]):
    """How the work on a channel is going."""

    class Meta:
        model = ChannelWork
        fields = ("state", "progress", "activity", "error", "error_code")
        read_only_fields = fields


class ChannelSerializer(serializers.ModelSerializer[InterpretationChannel]):
    """The channel's place: what its file has at t is heard in the recording at offset + t * (1 + drift / 1,000,000).

    A `match` near 1 was found for certain; a weak one must be confirmed by somebody who has listened before viewers
    can choose the channel (`is_usable`).
    """

    recording = serializers.UUIDField(source="asset.recording.pk", read_only=True)
    file_name = serializers.CharField(source="source.file_name", read_only=True)
    offset_ms = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="How much later the channel begins than the recording."
    )
    is_usable = serializers.BooleanField(read_only=True)
    confirmed_at = UtcField(read_only=True, allow_null=True)
    created_at = UtcField(read_only=True)
    work = serializers.SerializerMethodField()

    class Meta:
        model = InterpretationChannel
        fields = (
            *("id", "recording", "language", "name", "file_name", "offset_ms", "drift_ppm", "match", "is_usable"),
            *("confirmed_at", "created_at", "work"),
        )
        read_only_fields = ("id", "language", "drift_ppm", "match")

    @extend_schema_field(ChannelWorkSerializer(allow_null=True))
    def get_work(self, channel: InterpretationChannel) -> dict[str, Any] | None:
        row = channels.latest_work(channel)
        return None if row is None else dict(ChannelWorkSerializer(row).data)


class NewChannelSerializer(serializers.Serializer[Any]):
    """A completed upload of purpose `channel:<recording>:<language tag>`."""

    upload = UploadField()
    name = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)


class OffsetSerializer(serializers.Serializer[Any]):
    offset_ms = serializers.IntegerField(
        min_value=-86_400_000, max_value=86_400_000, help_text="How much later the channel begins than the recording."
    )


class ChannelFilter(django_filters.FilterSet):
    recording = django_filters.UUIDFilter(field_name="asset__recording")

    class Meta:
        model = InterpretationChannel
        fields = ("language",)


class ChannelViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    OrganisationViewSet[InterpretationChannel],
):
    """Interpreters' channels of recordings."""

    queryset = InterpretationChannel.objects.filter(asset__recording__isnull=False).select_related(
        "asset__organisation", "asset__recording", "source"
    )
    serializer_class = ChannelSerializer
    organisation_path = "asset__organisation"
    filterset_class = ChannelFilter
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    @extend_schema(request=NewChannelSerializer, responses={201: ChannelSerializer})
    def create(self, request: Request) -> Response:
        """Make a channel of a completed upload and look for its place. The same upload again: the same answer."""
        serializer = NewChannelSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        channel = channels.receive_channel(upload=data["upload"], user=self.user, name=data["name"])
        return self._answer(channel, status.HTTP_201_CREATED)

    def perform_update(self, serializer: "serializers.BaseSerializer[InterpretationChannel]") -> None:
        channel = serializer.instance
        assert channel is not None
        if "name" in serializer.validated_data:
            media.services.rename_channel(channel=channel, name=serializer.validated_data["name"], user=self.user)

    def perform_destroy(self, instance: InterpretationChannel) -> None:
        channels.remove(channel=instance, user=self.user)

    @extend_schema(request=OffsetSerializer, responses=ChannelSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Somebody has listened: the channel begins there, and viewers may choose it."""
        channel = self.get_object()
        channels.confirm(channel=channel, offset_ms=self._offset_ms(request), user=self.user)
        return self._answer(channel)

    @extend_schema(request=OffsetSerializer, responses=ChannelSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Put the channel elsewhere, to listen there; viewers cannot choose it until that is confirmed."""
        channel = self.get_object()
        channels.move(channel=channel, offset_ms=self._offset_ms(request), user=self.user)
        return self._answer(channel)

    @extend_schema(request=None, responses=ChannelSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try failed work on the channel again."""
        channel = self.get_object()
        channels.retry(channel=channel, user=self.user)
        return self._answer(channel)

    def _offset_ms(self, request: Request) -> int:
        serializer = OffsetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return int(serializer.validated_data["offset_ms"])

    def _answer(self, channel: InterpretationChannel, status_code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=channel.pk)
        return Response(self.get_serializer(fresh).data, status=status_code)
