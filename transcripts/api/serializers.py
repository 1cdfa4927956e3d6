"""Tracks and cues as JSON."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import rules
from accounts.api.permissions import token_of
from media.models import Asset
from transcripts import languages, selectors
from transcripts.cues import MAX_CUE_CHARS, MAX_CUES, MAX_MS, Cue
from transcripts.models import TextTrack, TrackKind


@extend_schema_field(OpenApiTypes.UUID)
class AssetField(serializers.PrimaryKeyRelatedField[Asset]):
    """An asset of one of the caller's organisations."""

    def get_queryset(self) -> "QuerySet[Asset]":
        request = self.context.get("request")
        if request is None:  # while the schema is made
            return Asset.objects.none()
        found: QuerySet[Asset] = rules.visible_to(Asset.objects.all(), request.user, token=token_of(request))
        return found


class TrackSerializer(serializers.ModelSerializer[TextTrack]):
    """A track and what is known of its current revision; the cues have their own address."""

    autonym = serializers.SerializerMethodField(help_text="The language's name in itself.")
    direction = serializers.SerializerMethodField(help_text="`ltr` or `rtl`.")
    revision = serializers.IntegerField(source="current_revision.number", default=0, read_only=True)
    origin = serializers.CharField(source="current_revision.origin", default="", read_only=True)
    engine = serializers.CharField(source="current_revision.engine", default="", read_only=True)
    model = serializers.CharField(source="current_revision.model", default="", read_only=True)
    cue_count = serializers.IntegerField(source="current_revision.cue_count", default=0, read_only=True)
    notes = serializers.SerializerMethodField(help_text="What was left out, changed or guessed when it was made.")

    class Meta:
        model = TextTrack
        fields = (
            "id", "asset", "language", "autonym", "direction", "kind", "state", "source_track", "revision", "origin",
            "engine", "model", "cue_count", "notes", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_autonym(self, track: TextTrack) -> str:
        return selectors.autonym(track.language)

    def get_direction(self, track: TextTrack) -> str:
        return languages.get(track.language).direction if languages.is_known(track.language) else "ltr"

    def get_notes(self, track: TextTrack) -> list[str]:
        return selectors.notes_of(track.current_revision) if track.current_revision else []


class TrackUploadSerializer(serializers.Serializer[Any]):
    asset = AssetField()
    language = serializers.CharField(max_length=35, help_text="BCP 47, such as `fr` or `pt-BR`.")
    kind = serializers.ChoiceField(choices=TrackKind.choices)
    file = serializers.FileField(allow_empty_file=True, help_text="WebVTT or SubRip.")


class CueSerializer(serializers.Serializer[Any]):
    """`text` is WebVTT cue text: `&`, `<` and `>` as references, tags b, i, u, ruby, rt, v, c and lang."""

    id = serializers.CharField(max_length=40, allow_blank=True, default="")
    start_ms = serializers.IntegerField(min_value=0, max_value=MAX_MS)
    end_ms = serializers.IntegerField(min_value=1, max_value=MAX_MS)
    text = serializers.CharField(max_length=MAX_CUE_CHARS, allow_blank=True, trim_whitespace=False)
    speaker = serializers.CharField(max_length=100, allow_blank=True, default="")
    confidence = serializers.FloatField(min_value=0, max_value=1, allow_null=True, default=None)
    source_ids = serializers.ListField(child=serializers.CharField(max_length=40), max_length=1000, default=list)


class CuesSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField(
        min_value=0, help_text="Number of the revision that these cues are, or that an edit began from."
    )
    cues = CueSerializer(many=True, max_length=MAX_CUES)  # type: ignore[call-arg]  # many=True takes a list's arguments

    def as_cues(self) -> list[Cue]:
        return [Cue(**{**row, "source_ids": tuple(row["source_ids"])}) for row in self.validated_data["cues"]]


class ConflictSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457) with both versions, so that nobody's work is lost."""

    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    current_revision = serializers.IntegerField()
    theirs = CueSerializer(many=True)
    yours = CueSerializer(many=True)
