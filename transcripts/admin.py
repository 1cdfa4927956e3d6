"""What administrators see of subtitles. Revisions are never changed once written."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from transcripts.models import GlossaryTerm, Renewal, ReviewLink, Revision, SpeechMap, TextTrack, TrackText, Waveform


@admin.register(TextTrack)
class TextTrackAdmin(ReadOnlyAdmin[TextTrack]):
    list_display = ("asset", "language", "kind", "state", "current_revision", "updated_at")
    list_filter = ("state", "kind", "language")
    list_select_related = ("asset", "current_revision__track")
    search_fields = ("asset__file_name", "language")


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    list_display = ("track", "number", "origin", "engine", "model", "author", "cue_count", "created_at")
    list_filter = ("origin", "engine")
    list_select_related = ("track", "author")
    search_fields = ("track__asset__file_name", "author__email")


@admin.register(SpeechMap)
class SpeechMapAdmin(ReadOnlyAdmin[SpeechMap]):
    list_display = ("asset", "detector", "created_at")
    list_select_related = ("asset",)
    search_fields = ("asset__file_name",)


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(ReadOnlyAdmin[GlossaryTerm]):
    list_display = ("term", "organisation", "webinar", "is_kept")
    list_filter = ("is_kept",)
    list_select_related = ("organisation", "webinar")
    search_fields = ("term",)


@admin.register(Renewal)
class RenewalAdmin(ReadOnlyAdmin[Renewal]):
    list_display = ("track", "state", "progress", "created_at")
    list_filter = ("state",)
    list_select_related = ("track__asset",)
    search_fields = ("track__asset__file_name",)


@admin.register(TrackText)
class TrackTextAdmin(ReadOnlyAdmin[TrackText]):
    list_display = ("track",)
    list_select_related = ("track__asset",)
    search_fields = ("track__asset__file_name",)


@admin.register(ReviewLink)
class ReviewLinkAdmin(ReadOnlyAdmin[ReviewLink]):
    list_display = ("email", "track", "expires_at", "revoked_at", "done_at")
    list_select_related = ("track__asset",)
    search_fields = ("email", "name", "track__asset__file_name")
    exclude = ("link_nonce",)


@admin.register(Waveform)
class WaveformAdmin(ReadOnlyAdmin[Waveform]):
    list_display = ("package", "state", "progress", "created_at")
    list_filter = ("state",)
    list_select_related = ("package",)
    search_fields = ("package__asset__file_name",)
