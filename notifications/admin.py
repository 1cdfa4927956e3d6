"""What administrators see of mail. Addresses that get none may be added and removed by hand."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin, RecordedAdmin
from notifications.models import Bounce, MailTemplate, Message, OptOut, Suppression


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    list_display = ("subject", "recipient_email", "purpose", "version", "delivery", "created_at", "sent_at")
    list_filter = ("delivery", "purpose", "language", "organisation")
    search_fields = ("recipient_email", "about", "message_id", "subject")
    date_hierarchy = "created_at"
    # They hold personal links, with which one could act as the recipient.
    exclude = ("text", "html", "calendar")


@admin.register(Suppression)
class SuppressionAdmin(RecordedAdmin[Suppression]):
    list_display = ("email", "reason", "created_at")
    search_fields = ("email", "reason")


@admin.register(MailTemplate)
class MailTemplateAdmin(ReadOnlyAdmin[MailTemplate]):
    list_display = ("template", "language", "organisation", "about", "updated_at")
    list_filter = ("language", "template")
    list_select_related = ("organisation",)
    search_fields = ("template", "organisation__name")


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin[OptOut]):
    list_display = ("email", "organisation", "scope", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("email",)


@admin.register(Bounce)
class BounceAdmin(ReadOnlyAdmin[Bounce]):
    list_display = ("email", "kind", "detail", "created_at")
    list_filter = ("kind",)
    search_fields = ("email",)
