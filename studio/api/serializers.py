"""Productions as the API shows and accepts them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

import transcripts.languages
from accounts import rules
from accounts.api.permissions import token_of
from accounts.models import Organisation, Role
from events.models import Webinar
from media.models import Upload
from studio import selectors
from studio.models import Production, WatchedFile


class StepSerializer(serializers.Serializer[dict[str, Any]]):
    """One step with its progress in percent and what a person can act on."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    progress = serializers.IntegerField(read_only=True)
    activity = serializers.CharField(read_only=True)
    is_optional = serializers.BooleanField(read_only=True)
    is_stalled = serializers.BooleanField(read_only=True)
    parts = serializers.IntegerField(read_only=True)
    parts_done = serializers.IntegerField(read_only=True)
    attempt = serializers.IntegerField(read_only=True)
    seconds = serializers.FloatField(read_only=True, allow_null=True)
    error = serializers.CharField(read_only=True)
    error_code = serializers.CharField(read_only=True)


class ProgressSerializer(serializers.Serializer[dict[str, Any]]):
    state = serializers.ChoiceField(
        choices=["waiting", "running", "ready", "published", "failed", "cancelled"], read_only=True
    )
    percent = serializers.IntegerField(read_only=True)
    is_finished = serializers.BooleanField(read_only=True)
    steps = StepSerializer(many=True, read_only=True)


def known_language(tag: str) -> None:
    if not transcripts.languages.is_known(tag):
        raise serializers.ValidationError(f"{tag!r} is not a language that Rostrum knows; use a BCP 47 tag.")


def own_organisations(context: Mapping[str, Any]) -> QuerySet[Organisation]:
    """Those for which the person asking may produce."""
    request = context.get("request")
    if request is None:  # while the schema is made
        return Organisation.objects.none()
    return rules.organisations_of(request.user, Role.ORGANISER, token=token_of(request))


@extend_schema_field(OpenApiTypes.UUID)
class UploadField(serializers.PrimaryKeyRelatedField[Upload]):
    def get_queryset(self) -> QuerySet[Upload]:
        return Upload.objects.filter(organisation__in=own_organisations(self.context))


@extend_schema_field(OpenApiTypes.UUID)
class WebinarField(serializers.PrimaryKeyRelatedField[Webinar]):
    def get_queryset(self) -> QuerySet[Webinar]:
        return Webinar.objects.filter(organisation__in=own_organisations(self.context))


class WatchedFileSerializer(serializers.ModelSerializer[WatchedFile]):
    """A file of the watched folder. `path` is `<organisation>/<webinar>/<file>`."""

    class Meta:
        model = WatchedFile
        fields = (
            "id",
            "path",
            "size",
            "modified_at",
            "state",
            "progress",
            "activity",
            "error_code",
            "error",
            "recording",
            "created_at",
        )
        read_only_fields = fields


class ProductionSerializer(serializers.ModelSerializer[Production]):
    """A new production is made from a completed upload and the webinar it belongs to."""

    upload = UploadField(write_only=True)
    webinar = WebinarField(write_only=True)
    spoken_language = serializers.CharField(max_length=35, required=False, validators=[known_language])
    other_languages = serializers.ListField(
        child=serializers.CharField(max_length=35, validators=[known_language]),
        max_length=10,
        required=False,
        help_text="Spoken too, by some: what they say is written in these.",
    )
    subtitle_languages = serializers.ListField(
        child=serializers.CharField(max_length=35, validators=[known_language]), max_length=60, required=False
    )
    recording = serializers.UUIDField(source="recording_id", read_only=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Production
        fields = [
            "id",
            "recording",
            "upload",
            "webinar",
            "spoken_language",
            "other_languages",
            "subtitle_languages",
            "publish_when_ready",
            "send_follow_up",
            "created_at",
            "progress",
        ]

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, production: Production) -> dict[str, Any]:
        progress: dict[str, Any] = ProgressSerializer(selectors.production_progress(production)).data
        return progress
