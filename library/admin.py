"""What administrators see of recordings. The studio publishes and withdraws them."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from library.models import Recording


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin[Recording]):
    list_display = ("webinar", "asset", "state", "visibility", "published_at", "published_by")
    list_filter = ("state", "visibility")
    list_select_related = ("webinar", "asset", "published_by")
    search_fields = ("webinar__slug", "asset__file_name")
    date_hierarchy = "created_at"
