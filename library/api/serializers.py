"""Recordings as the API shows them. Everything that is made of them is nested; services change them."""

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import TranslatedField, UtcField
from library import embeds, selectors
from library.models import EmbedLink, Recording
from library.structured import absolute
from library.viewings import Day, LanguageCount, Statistics
from media.models import Derivative, DerivativeKind, Rendition
from transcripts.models import TextTrack, TrackState


class RenditionSerializer(serializers.ModelSerializer[Rendition]):
    """One encoded stream. `bandwidth` is the peak, `average_bandwidth` the mean, in bits per second."""

    class Meta:
        model = Rendition
        fields = (
            "name",
            "kind",
            "language",
            "width",
            "height",
            "frame_rate",
            "codecs",
            "bandwidth",
            "average_bandwidth",
            "size",
            "duration_ms",
        )


class RecordingTrackSerializer(serializers.Serializer[TextTrack]):
    """Captions or subtitles in one language, and where to fetch them."""

    id = serializers.UUIDField()
    language = serializers.CharField()
    kind = serializers.CharField()
    origin = serializers.CharField(source="current_revision.origin", default="")
    cue_count = serializers.IntegerField(source="current_revision.cue_count", default=0)
    vtt_url = serializers.SerializerMethodField()
    srt_url = serializers.SerializerMethodField()
    txt_url = serializers.SerializerMethodField()
    html_url = serializers.SerializerMethodField()

    def get_vtt_url(self, track: TextTrack) -> str:
        return self._url(track, "vtt")

    def get_srt_url(self, track: TextTrack) -> str:
        return self._url(track, "srt")

    def get_txt_url(self, track: TextTrack) -> str:
        return self._url(track, "txt")

    def get_html_url(self, track: TextTrack) -> str:
        """The transcript as a page to read, with the titles of the slides."""
        return self._url(track, "html")

    def _url(self, track: TextTrack, text_format: str) -> str:
        slug = self.context["slug"]
        return absolute(reverse("library:download_track", args=[slug, track.language, text_format]))


class DownloadSerializer(serializers.Serializer[Derivative]):
    """A file to download; its address asks for the same right as the watch page."""

    kind = serializers.ChoiceField(choices=[DerivativeKind.MP4, DerivativeKind.MP4_SUBTITLED])
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.SerializerMethodField()

    def get_url(self, derivative: Derivative) -> str:
        name = selectors.download_name(derivative)
        return absolute(reverse("library:download_video", args=[self.context["slug"], name]))


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A webinar's recording: only `visibility` can be written; publishing and withdrawing are actions."""

    webinar_slug = serializers.CharField(source="webinar.slug", read_only=True)
    title = TranslatedField(source="webinar.title", read_only=True)
    spoken_language = serializers.CharField(source="webinar.spoken_language", read_only=True)
    duration_ms = serializers.IntegerField(source="asset.duration_ms", read_only=True)
    published_at = UtcField(read_only=True)
    created_at = UtcField(read_only=True)
    updated_at = UtcField(read_only=True)
    renditions = serializers.SerializerMethodField()
    tracks = serializers.SerializerMethodField()
    downloads = serializers.SerializerMethodField()
    watch_url = serializers.SerializerMethodField()

    class Meta:
        model = Recording
        fields = (
            "id",
            "webinar",
            "webinar_slug",
            "title",
            "spoken_language",
            "state",
            "visibility",
            "duration_ms",
            "published_at",
            "created_at",
            "updated_at",
            "watch_url",
            "renditions",
            "tracks",
            "downloads",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = ("id", "webinar", "state")

    @extend_schema_field(RenditionSerializer(many=True))
    def get_renditions(self, recording: Recording) -> Any:
        package = recording.asset.current_package
        rows = sorted(package.renditions.all(), key=lambda row: (row.kind, -row.bandwidth)) if package else []
        return RenditionSerializer(rows, many=True).data

    @extend_schema_field(RecordingTrackSerializer(many=True))
    def get_tracks(self, recording: Recording) -> Any:
        rows = [track for track in recording.asset.tracks.all() if track.state == TrackState.PUBLISHED]
        many: Any = RecordingTrackSerializer(many=True, context={"slug": recording.webinar.slug})
        return many.to_representation(rows)

    @extend_schema_field(DownloadSerializer(many=True))
    def get_downloads(self, recording: Recording) -> Any:
        package = recording.asset.current_package
        kinds = (DerivativeKind.MP4, DerivativeKind.MP4_SUBTITLED)
        rows = [row for row in package.derivatives.all() if row.kind in kinds] if package else []
        rows.sort(key=selectors.download_order)
        many: Any = DownloadSerializer(many=True, context={"slug": recording.webinar.slug})
        return many.to_representation(rows)

    def get_watch_url(self, recording: Recording) -> str:
        return absolute(reverse("library:watch", args=[recording.webinar.slug]))


class PlaybackSerializer(serializers.Serializer[Any]):
    """Where a player finds the recording, for a while."""

    hls_url = serializers.URLField()
    expires_in_s = serializers.IntegerField()


class EmbedLinkSerializer(serializers.ModelSerializer[EmbedLink]):
    """Permission for certain sites to show a recording; `url` and `code` are empty once it has ended, and for
    reviewers."""

    sites = serializers.ListField(child=serializers.CharField(max_length=300), min_length=1, max_length=20)
    ends_at = UtcField()
    created_at = UtcField(read_only=True)
    revoked_at = UtcField(read_only=True)
    url = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField()

    class Meta:
        model = EmbedLink
        fields = ("id", "name", "sites", "ends_at", "created_at", "revoked_at", "url", "code")

    def get_url(self, link: EmbedLink) -> str:
        return embeds.embed_url(link.recording, link) if self._is_shown(link) else ""

    def get_code(self, link: EmbedLink) -> str:
        return embeds.embed_code(link.recording, link) or "" if self._is_shown(link) else ""

    def _is_shown(self, link: EmbedLink) -> bool:
        return link.is_live and not self.context.get("hides_code", False)


class LanguageCountSerializer(serializers.Serializer[LanguageCount]):
    """`language` is empty for those that are too few to be told apart."""

    language = serializers.CharField()
    count = serializers.IntegerField()


class ViewingDaySerializer(serializers.Serializer[Day]):
    day = serializers.DateField()
    openings = serializers.IntegerField()
    watched_ms = serializers.IntegerField()
    completed = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer[Statistics]):
    """How a recording was watched. Where fewer than five viewings stand behind a figure, it is null or empty."""

    openings = serializers.IntegerField()
    watched_ms = serializers.IntegerField()
    completed = serializers.IntegerField(allow_null=True)
    median_startup_ms = serializers.IntegerField(allow_null=True)
    stalled = serializers.IntegerField(allow_null=True)
    curve = serializers.ListField(child=serializers.FloatField())
    curve_step_ms = serializers.IntegerField()
    captions = LanguageCountSerializer(many=True)
    audio = LanguageCountSerializer(many=True)
    days = ViewingDaySerializer(many=True)
