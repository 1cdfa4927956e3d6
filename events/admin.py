"""What administrators see of webinars. These are changed in the studio, whose services tell calendars and people."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin, ReadOnlyInline
from events.models import Material, MaterialPage, Series, Speaker, Webinar


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin[Series]):
    list_display = ("title", "slug", "organisation", "is_public", "created_at")
    list_filter = ("is_public", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("slug", "title")


class SpeakerInline(ReadOnlyInline[Speaker, Webinar]):
    model = Speaker
    fields = ("name", "email", "affiliation", "language", "invited_at")


@admin.register(Webinar)
class WebinarAdmin(ReadOnlyAdmin[Webinar]):
    list_display = ("title", "slug", "organisation", "state", "visibility", "starts_at", "time_zone", "capacity")
    list_filter = ("state", "visibility", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("slug", "title", "topic")
    date_hierarchy = "starts_at"
    inlines = (SpeakerInline,)


@admin.register(Speaker)
class SpeakerAdmin(ReadOnlyAdmin[Speaker]):
    list_display = ("name", "email", "webinar", "language", "invited_at")
    list_select_related = ("webinar",)
    search_fields = ("name", "email", "webinar__slug")
    # With it one could act as the speaker.
    exclude = ("link_nonce",)


@admin.register(Material)
class MaterialAdmin(ReadOnlyAdmin[Material]):
    list_display = ("__str__", "webinar", "kind", "content_type", "size", "page_count", "state", "error_code")
    list_filter = ("state", "kind", "content_type")
    list_select_related = ("webinar",)
    search_fields = ("title", "file_name", "sha256", "webinar__slug")


@admin.register(MaterialPage)
class MaterialPageAdmin(ReadOnlyAdmin[MaterialPage]):
    list_display = ("material", "number", "width", "height")
    list_select_related = ("material",)
    search_fields = ("text", "material__file_name")
