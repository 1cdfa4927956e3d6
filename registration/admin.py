"""What administrators see of registrations. They are made and cancelled on their own pages, which keep the count."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from registration.models import Announcement, Places, Registration


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin[Registration]):
    list_display = ("name", "email", "webinar", "state", "waitlist_position", "language", "country", "created_at")
    list_filter = ("state", "language", "country")
    list_select_related = ("webinar",)
    search_fields = ("email", "name", "webinar__slug")
    date_hierarchy = "created_at"
    # With it one could act as the registrant.
    exclude = ("link_nonce",)


@admin.register(Places)
class PlacesAdmin(ReadOnlyAdmin[Places]):
    list_display = ("webinar", "confirmed", "capacity", "last_position")
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnlyAdmin[Announcement]):
    list_display = ("webinar", "kind", "state", "created_at", "finished_at", "error_code")
    list_filter = ("kind", "state")
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)
