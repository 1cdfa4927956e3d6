"""What administrators see of people and organisations, and the bases of the other apps' pages."""

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model, QuerySet, URLField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from i18nfield.forms import I18nTextarea, I18nTextInput

from accounts.models import ApiToken, AuditEntry, ErasedPerson, IdempotentAnswer, Membership, Organisation, Purge, User
from accounts.services import record_action

M = TypeVar("M", bound=Model)
Parent = TypeVar("Parent", bound=Model)

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin
    BaseInline = admin.TabularInline
else:
    # The library's types take the model as a parameter, its classes do not.
    class BaseAdmin(Generic[M], admin.ModelAdmin):
        pass

    class BaseInline(Generic[M, Parent], admin.TabularInline):
        pass


FIELDS: dict[Any, dict[str, Any]] = {
    URLField: {"assume_scheme": "https"},
    # The site's own widgets do not know texts by language.
    I18nCharField: {"widget": I18nTextInput},
    I18nTextField: {"widget": I18nTextarea},
}


class ReadOnlyAdmin(BaseAdmin[M]):
    """Rows that the services write: a change here would skip their rules. They are changed in the studio."""

    formfield_overrides: ClassVar[Any] = FIELDS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyInline(BaseInline[M, Parent]):
    """Such rows inside the page of the row that they belong to."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordedAdmin(BaseAdmin[M]):
    """Rows that administrators do change; every change goes into the log of who did what."""

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._record(request, obj, "changed" if change else "added", changes=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        self._record(request, obj, "deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[M]") -> None:
        for row in queryset:
            self._record(request, row, "deleted")
        super().delete_queryset(request, queryset)

    def _record(self, request: HttpRequest, row: M, what: str, **detail: Any) -> None:
        assert isinstance(request.user, User)  # the admin site lets nobody else in
        organisation = row if isinstance(row, Organisation) else getattr(row, "organisation", None)
        # A row that is being deleted may be the organisation itself.
        kept = None if what == "deleted" and organisation is row else organisation
        record_action(
            action=f"{row._meta.model_name}.{what}", target=row, organisation=kept, user=request.user, **detail
        )


class UserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # see BaseAdmin
    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(RecordedAdmin[User], auth_admin.UserAdmin):  # type: ignore[type-arg]  # see BaseAdmin
    add_form = UserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("email", "password", "name", "language", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets: Any = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )


class MembershipInline(BaseInline[Membership, Organisation]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Organisation)
class OrganisationAdmin(RecordedAdmin[Organisation]):
    list_display = ("name", "slug", "language", "time_zone", "created_at")
    search_fields = ("name", "slug")
    formfield_overrides: ClassVar[Any] = FIELDS
    prepopulated_fields: ClassVar[Any] = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Roles are given and taken in the inline table; each is recorded too."""
        super().save_formset(request, form, formset, change)
        for rows, what in ((formset.new_objects, "added"), (formset.deleted_objects, "deleted")):
            for row in rows:
                self._record(request, row, what, role=row.role)
        for row, fields in formset.changed_objects:
            self._record(request, row, "changed", changes=fields, role=row.role)


@admin.register(Membership)
class MembershipAdmin(RecordedAdmin[Membership]):
    list_display = ("user", "organisation", "role", "created_at")
    list_filter = ("role", "organisation")
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__name", "organisation__name")
    autocomplete_fields = ("user", "organisation")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    list_display = ("name", "prefix", "organisation", "created_by", "can_write", "expires_at", "last_used_at")
    list_filter = ("can_write", "organisation")
    list_select_related = ("organisation", "created_by")
    search_fields = ("name", "prefix")
    exclude = ("token_hash",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("at", "actor", "user", "action", "target_type", "target_id", "organisation")
    list_filter = ("action", "actor", "organisation")
    list_select_related = ("user", "organisation")
    search_fields = ("target_id", "user__email")
    date_hierarchy = "at"


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnlyAdmin[IdempotentAnswer]):
    list_display = ("started_at", "status")
    exclude = ("body",)


@admin.register(ErasedPerson)
class ErasedPersonAdmin(ReadOnlyAdmin[ErasedPerson]):
    list_display = ("digest", "at")
    search_fields = ("digest",)


@admin.register(Purge)
class PurgeAdmin(ReadOnlyAdmin[Purge]):
    list_display = ("day", "state", "counts", "finished_at")
    list_filter = ("state",)
