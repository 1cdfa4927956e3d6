"""What administrators see of recordings. The studio publishes and withdraws them."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from library.models import (
    Chapter,
    DownloadDay,
    EmbedLink,
    FormerVersion,
    Recording,
    RecordingUpdate,
    SlideInterval,
    Viewing,
    ViewingDay,
)


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin[Recording]):
    list_display = ("webinar", "asset", "state", "visibility", "published_at", "published_by")
    list_filter = ("state", "visibility")
    list_select_related = ("webinar", "asset", "published_by")
    search_fields = ("webinar__slug", "asset__file_name")
    date_hierarchy = "created_at"


@admin.register(Chapter)
class ChapterAdmin(ReadOnlyAdmin[Chapter]):
    list_display = ("title", "recording", "start_ms")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("title", "recording__webinar__slug")


@admin.register(SlideInterval)
class SlideIntervalAdmin(ReadOnlyAdmin[SlideInterval]):
    list_display = ("recording", "page", "start_ms", "end_ms", "certainty")
    list_select_related = ("recording__webinar", "recording__asset", "page__material")
    search_fields = ("recording__webinar__slug",)


@admin.register(Viewing)
class ViewingAdmin(ReadOnlyAdmin[Viewing]):
    list_display = ("recording", "created_at", "watched_ms", "startup_ms", "stalls")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("recording__webinar__slug",)


@admin.register(RecordingUpdate)
class RecordingUpdateAdmin(ReadOnlyAdmin[RecordingUpdate]):
    list_display = ("recording", "task", "state", "progress", "created_at")
    list_filter = ("task", "state")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("recording__webinar__slug",)


@admin.register(FormerVersion)
class FormerVersionAdmin(ReadOnlyAdmin[FormerVersion]):
    list_display = ("recording", "asset", "replaced_by", "delete_after")
    list_select_related = ("recording__webinar", "recording__asset", "asset", "replaced_by")
    search_fields = ("asset__file_name",)


@admin.register(ViewingDay)
class ViewingDayAdmin(ReadOnlyAdmin[ViewingDay]):
    list_display = ("recording", "day", "openings", "completed")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("recording__webinar__slug",)


@admin.register(EmbedLink)
class EmbedLinkAdmin(ReadOnlyAdmin[EmbedLink]):
    list_display = ("name", "recording", "ends_at", "revoked_at")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("name", "recording__webinar__slug")
    exclude = ("link_nonce",)


@admin.register(DownloadDay)
class DownloadDayAdmin(ReadOnlyAdmin[DownloadDay]):
    list_display = ("webinar", "kind", "day", "count")
    list_filter = ("kind",)
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)
