"""What administrators see of stored media. Uploads and production write these rows."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin, ReadOnlyInline
from media.models import Asset, Derivative, InterpretationChannel, Package, Rendition, Upload


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin[Asset]):
    list_display = ("file_name", "organisation", "size", "duration_ms", "has_video", "has_audio", "created_at")
    list_filter = ("has_video", "has_audio", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("file_name", "sha256", "source_key")
    date_hierarchy = "created_at"


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin[Upload]):
    list_display = ("file_name", "organisation", "created_by", "size", "state", "error_code", "expires_at")
    list_filter = ("state", "organisation")
    list_select_related = ("organisation", "created_by")
    search_fields = ("file_name", "purpose", "storage_key")
    date_hierarchy = "created_at"


class RenditionInline(ReadOnlyInline[Rendition, Package]):
    model = Rendition
    fields = ("name", "kind", "width", "height", "codecs", "average_bandwidth", "size", "duration_ms")


class DerivativeInline(ReadOnlyInline[Derivative, Package]):
    model = Derivative
    fields = ("kind", "name", "content_type", "size")


@admin.register(Package)
class PackageAdmin(ReadOnlyAdmin[Package]):
    list_display = ("asset", "state", "prefix", "created_at")
    list_filter = ("state",)
    list_select_related = ("asset",)
    search_fields = ("prefix", "asset__file_name")
    inlines = (RenditionInline, DerivativeInline)


@admin.register(InterpretationChannel)
class InterpretationChannelAdmin(ReadOnlyAdmin[InterpretationChannel]):
    list_display = ("asset", "language", "offset_ms", "match", "confirmed_at")
    list_filter = ("language",)
    list_select_related = ("asset",)
    search_fields = ("asset__file_name",)
