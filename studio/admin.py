"""What administrators see of productions. The studio starts, repeats and cancels them."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin, ReadOnlyInline
from studio.models import BurnIn, ChannelWork, Cut, Production, StepPart, StepRow, WatchedFile


class StepInline(ReadOnlyInline[StepRow, Production]):
    model = StepRow
    fields = ("name", "state", "progress", "attempt", "error_code", "started_at", "finished_at")
    show_change_link = True


@admin.register(Production)
class ProductionAdmin(ReadOnlyAdmin[Production]):
    list_display = ("recording", "created_by", "spoken_language", "publish_when_ready", "created_at", "cancelled_at")
    list_filter = ("spoken_language", "publish_when_ready")
    list_select_related = ("recording__webinar", "recording__asset", "created_by")
    search_fields = ("recording__webinar__slug", "recording__asset__file_name")
    inlines = (StepInline,)
    date_hierarchy = "created_at"


class PartInline(ReadOnlyInline[StepPart, StepRow]):
    model = StepPart
    fields = ("number", "state", "progress", "attempt", "error_code", "started_at", "finished_at")


@admin.register(StepRow)
class StepAdmin(ReadOnlyAdmin[StepRow]):
    list_display = ("name", "production", "state", "progress", "attempt", "error_code", "started_at", "finished_at")
    list_filter = ("state", "is_optional", "name")
    list_select_related = ("production__recording__webinar", "production__recording__asset")
    search_fields = ("production__recording__webinar__slug", "name", "error")
    inlines = (PartInline,)


@admin.register(BurnIn)
class BurnInAdmin(ReadOnlyAdmin[BurnIn]):
    list_display = ("recording", "language", "state", "progress", "created_at")
    list_filter = ("state", "language")
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("recording__webinar__slug",)


@admin.register(WatchedFile)
class WatchedFileAdmin(ReadOnlyAdmin[WatchedFile]):
    list_display = ("path", "size", "state", "created_at")
    list_filter = ("state",)
    search_fields = ("path",)


@admin.register(Cut)
class CutAdmin(ReadOnlyAdmin[Cut]):
    list_display = ("recording", "start_ms", "end_ms", "state", "progress", "created_at")
    list_filter = ("state",)
    list_select_related = ("recording__webinar", "recording__asset")
    search_fields = ("recording__webinar__slug",)


@admin.register(ChannelWork)
class ChannelWorkAdmin(ReadOnlyAdmin[ChannelWork]):
    list_display = ("recording", "channel", "state", "progress", "created_at")
    list_filter = ("state",)
    list_select_related = ("recording__webinar", "recording__asset", "channel__asset")
    search_fields = ("recording__webinar__slug",)
