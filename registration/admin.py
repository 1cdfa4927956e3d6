"""What administrators see of registrations. They are made and cancelled on their own pages, which keep the count."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from registration.models import (
    Announcement,
    Attendance,
    AttendanceImport,
    CalendarFeed,
    Certificate,
    CertificateBatch,
    CertificateRule,
    ChoiceSeats,
    Consent,
    ConsentText,
    Group,
    Invitation,
    Places,
    Question,
    Questionnaire,
    Registration,
    RegistrationImport,
    Response,
)


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


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ("webinar", "email", "uses", "max_uses", "expires_at", "revoked_at")
    list_select_related = ("webinar",)
    search_fields = ("email", "webinar__slug")
    exclude = ("link_nonce",)


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin[Group]):
    list_display = ("name", "webinar", "coordinator_name", "coordinator_email", "created_at")
    list_select_related = ("webinar",)
    search_fields = ("name", "coordinator_email", "webinar__slug")
    exclude = ("link_nonce",)


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin[ConsentText]):
    list_display = ("organisation", "kind", "version", "created_at")
    list_filter = ("kind",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__name",)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin[Consent]):
    list_display = ("registration", "text", "created_at", "withdrawn_at")
    list_filter = ("text__kind",)
    list_select_related = ("registration", "text__organisation")
    search_fields = ("registration__email",)


@admin.register(Question)
class QuestionAdmin(ReadOnlyAdmin[Question]):
    list_display = ("label", "kind", "organisation", "is_retired")
    list_filter = ("kind", "is_retired")
    list_select_related = ("organisation",)
    search_fields = ("organisation__name",)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin[Questionnaire]):
    list_display = ("webinar", "purpose", "created_at")
    list_filter = ("purpose",)
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)


@admin.register(ChoiceSeats)
class ChoiceSeatsAdmin(ReadOnlyAdmin[ChoiceSeats]):
    list_display = ("item", "choice", "taken", "capacity")
    list_select_related = ("item__question",)
    search_fields = ("choice",)


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin[Response]):
    list_display = ("registration", "questionnaire", "score", "created_at")
    list_filter = ("questionnaire__purpose",)
    list_select_related = ("registration", "questionnaire__webinar")
    search_fields = ("registration__email",)


@admin.register(RegistrationImport)
class RegistrationImportAdmin(ReadOnlyAdmin[RegistrationImport]):
    list_display = ("file_name", "webinar", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("webinar",)
    search_fields = ("file_name", "webinar__slug")


@admin.register(AttendanceImport)
class AttendanceImportAdmin(ReadOnlyAdmin[AttendanceImport]):
    list_display = ("file_name", "system", "webinar", "state", "created_at")
    list_filter = ("system", "state")
    list_select_related = ("webinar",)
    search_fields = ("file_name", "webinar__slug")


@admin.register(Attendance)
class AttendanceAdmin(ReadOnlyAdmin[Attendance]):
    list_display = ("registration", "joined_at", "left_at", "source")
    list_filter = ("source",)
    list_select_related = ("registration",)
    search_fields = ("registration__email",)


@admin.register(CertificateRule)
class CertificateRuleAdmin(ReadOnlyAdmin[CertificateRule]):
    list_display = ("webinar", "min_minutes", "min_share", "min_score", "needs_survey")
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)


@admin.register(CertificateBatch)
class CertificateBatchAdmin(ReadOnlyAdmin[CertificateBatch]):
    list_display = ("webinar", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("webinar",)
    search_fields = ("webinar__slug",)


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin[Certificate]):
    list_display = ("number", "registration", "language", "minutes", "created_at", "revoked_at")
    list_filter = ("language",)
    list_select_related = ("registration",)
    search_fields = ("number", "registration__email")
    exclude = ("code",)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin[CalendarFeed]):
    list_display = ("email", "created_at")
    search_fields = ("email",)
    # With it one could read the person's calendar.
    exclude = ("link_nonce",)
