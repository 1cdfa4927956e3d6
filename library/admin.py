"""What administrators see of recordings. The studio publishes and withdraws them."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from library.models import Chapter, Recording, SlideInterval, Viewing


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
