"""Tracks and cues as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import rules
from accounts.api.fields import OrganisationField
from accounts.api.permissions import token_of
from events.api.serializers import OwnField
from events.models import Webinar
from media.models import Asset
from transcripts import languages, selectors
from transcripts.cues import MAX_CUE_CHARS, MAX_CUES, MAX_MS, Cue
from transcripts.models import GlossaryTerm, Renewal, ReviewLink, Revision, TextTrack, TrackKind


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
    published_anyway_errors = serializers.IntegerField(
        read_only=True, help_text="How many errors the quality report had when somebody published it all the same."
    )
    notes = serializers.SerializerMethodField(help_text="What was left out, changed or guessed when it was made.")

    class Meta:
        model = TextTrack
        fields = (
            "id", "asset", "language", "autonym", "direction", "kind", "state", "source_track", "revision", "origin",
            "engine", "model", "cue_count", "published_anyway_at", "published_anyway_errors", "notes",
            "created_at", "updated_at",
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
    file = serializers.FileField(
        required=False,
        allow_empty_file=True,
        help_text="WebVTT, SubRip, TTML or ASS. Without one, a track to be written by a person is made.",
    )


class CueSerializer(serializers.Serializer[Any]):
    """`text` is WebVTT cue text: `&`, `<` and `>` as references, tags b, i, u, ruby, rt, v, c and lang."""

    id = serializers.CharField(max_length=40, allow_blank=True, default="")
    start_ms = serializers.IntegerField(min_value=0, max_value=MAX_MS)
    end_ms = serializers.IntegerField(min_value=1, max_value=MAX_MS)
    text = serializers.CharField(max_length=MAX_CUE_CHARS, allow_blank=True, trim_whitespace=False)
    speaker = serializers.CharField(max_length=100, allow_blank=True, default="")
    confidence = serializers.FloatField(min_value=0, max_value=1, allow_null=True, default=None)
    source_ids = serializers.ListField(child=serializers.CharField(max_length=40), max_length=1000, default=list)
    source_hash = serializers.CharField(read_only=True, help_text="Of the source cues' words when it was translated.")
    doubts = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="What the recognition's guards doubt."
    )
    is_corrected = serializers.BooleanField(read_only=True, help_text="A person changed its words.")


class CuesSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField(
        min_value=0, help_text="Number of the revision that these cues are, or that an edit began from."
    )
    cues = CueSerializer(many=True, max_length=MAX_CUES)  # type: ignore[call-arg]  # many=True takes a list's arguments

    def as_cues(self) -> list[Cue]:
        return _cues_of(self.validated_data["cues"])


def _cues_of(rows: Iterable[Mapping[str, Any]]) -> list[Cue]:
    return [Cue(**{**row, "source_ids": tuple(row["source_ids"])}) for row in rows]


class ChangesSerializer(serializers.Serializer[Any]):
    """What an editor changed since a revision."""

    revision = serializers.IntegerField(min_value=0, help_text="Number of the revision that the edit began from.")
    session = serializers.CharField(
        max_length=32,
        allow_blank=True,
        default="",
        help_text="Names one opened editor: what it saves within 15 minutes is one revision.",
    )
    changed = CueSerializer(many=True, max_length=MAX_CUES)  # type: ignore[call-arg]  # many=True takes a list's arguments
    removed = serializers.ListField(child=serializers.CharField(max_length=40), max_length=MAX_CUES, default=list)

    def as_cues(self) -> list[Cue]:
        return _cues_of(self.validated_data["changed"])


class ConflictSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457) with both versions, so that nobody's work is lost."""

    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    current_revision = serializers.IntegerField()
    theirs = CueSerializer(many=True)
    yours = CueSerializer(many=True)


class PublishSerializer(serializers.Serializer[Any]):
    anyway = serializers.BooleanField(default=False, help_text="In spite of errors in the quality report.")


class FindingSerializer(serializers.Serializer[Any]):
    """Something about one cue, or about a time without one."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["error", "warning", "hint"])
    cue_id = serializers.CharField(help_text="Empty for a time without a cue.")
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField(help_text="In the reader's language.")
    facts = serializers.DictField()


class ReportSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    findings = FindingSerializer(many=True)


class ErrorsSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457) with the errors that publishing would let through."""

    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    findings = FindingSerializer(many=True)


class RenewSerializer(serializers.Serializer[Any]):
    cue_ids = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=MAX_CUES, default=list, help_text="None: all stale ones."
    )


class RenewalSerializer(serializers.ModelSerializer[Renewal]):
    """The state of a renewal; `result` has how many cues are new and which of a person's were kept."""

    class Meta:
        model = Renewal
        fields = ("id", "track", "cue_ids", "state", "progress", "error", "result", "created_at")
        read_only_fields = fields


class RevisionSerializer(serializers.ModelSerializer[Revision]):
    """One state of a track, without its cues."""

    author = serializers.SerializerMethodField(help_text="Who wrote it; empty for a machine.")

    class Meta:
        model = Revision
        fields = ("number", "origin", "engine", "model", "author", "cue_count", "created_at")
        read_only_fields = fields

    def get_author(self, revision: Revision) -> str:
        return selectors.author_of(revision)


class RestoreSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField(min_value=1, help_text="Number of the revision to bring back, as a new one.")


class ReviewLinkSerializer(serializers.ModelSerializer[ReviewLink]):
    """A person who was asked by mail to review the track; the link itself is told to nobody else."""

    class Meta:
        model = ReviewLink
        fields = ("id", "email", "name", "language", "created_at", "expires_at", "revoked_at", "done_at")
        read_only_fields = ("id", "created_at", "expires_at", "revoked_at", "done_at")


class StaleCueSerializer(serializers.Serializer[Any]):
    """A translated cue whose source was changed since."""

    cue_id = serializers.CharField()
    start_ms = serializers.IntegerField()
    text = serializers.CharField()
    was = serializers.CharField(help_text="What the source said then; empty if that is not kept any more.")
    now = serializers.CharField(help_text="What it says now; empty if it is gone.")
    is_corrected = serializers.BooleanField(help_text="A person wrote it, so renewing leaves it as it is.")


class TermSerializer(serializers.ModelSerializer[GlossaryTerm]):
    """A term in the language that is spoken, and what it must be in others."""

    organisation = OrganisationField(help_text="Cannot be changed later.")
    webinar = OwnField(
        rows=Webinar.objects.all(),
        allow_null=True,
        default=None,
        help_text="Null: for all webinars of the organisation.",
    )
    renderings = serializers.DictField(
        child=serializers.CharField(max_length=120, allow_blank=True), default=dict, help_text="By BCP 47 tag."
    )

    class Meta:
        model = GlossaryTerm
        fields = ("id", "organisation", "webinar", "term", "is_kept", "renderings", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")
        validators = ()  # the service checks what is unique, with its own words


class AbilitySerializer(serializers.Serializer[Any]):
    """A language, how its subtitles are read, and what the configured engines can do with it."""

    tag = serializers.CharField(source="language.tag", help_text="BCP 47.")
    autonym = serializers.CharField(source="language.autonym")
    english = serializers.CharField(source="language.english")
    direction = serializers.CharField(source="language.direction")
    scripts = serializers.ListField(source="language.scripts", child=serializers.CharField(), help_text="ISO 15924.")
    iso639_2 = serializers.CharField(source="language.iso639_2")
    chars_per_second = serializers.IntegerField(source="language.chars_per_second")
    line_chars = serializers.IntegerField(source="language.line_chars")
    can_recognise = serializers.BooleanField()
    can_translate_from = serializers.BooleanField()
    can_translate_into = serializers.BooleanField()


class PeaksSerializer(serializers.Serializer[Any]):
    """How loud a recording is over time."""

    state = serializers.ChoiceField(choices=["ready", "coming", "failed", "none"])
    per_second = serializers.IntegerField(required=False, help_text="How many values a second.")
    peaks = serializers.CharField(required=False, help_text="A byte for each value, from 0 to 255, in Base64.")
