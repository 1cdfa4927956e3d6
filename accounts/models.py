"""People, organisations, roles, API tokens, and who did what."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from work.models import Record, WorkRow


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account; they sign in with their e-mail address. Registrants need none."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=35, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email


class Organisation(Record):
    """A body that runs webinars; every webinar, file and role belongs to one."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(unique=True)
    language = models.CharField(_("language"), max_length=35, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    contact_email = models.EmailField(_("contact address"), blank=True)
    privacy_url = models.URLField(_("privacy notice"), blank=True)
    # Days that differ from the settings, per kind of data of `accounts.keeping`: {"answers": 180}
    keeping_days = models.JSONField(_("keeping times"), default=dict, blank=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    REVIEWER = "reviewer", _("reviewer")
    ORGANISER = "organiser", _("organiser")
    OWNER = "owner", _("owner")


class Membership(Record):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=12, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="one_role_per_organisation")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} in {self.organisation}"


class ApiToken(Record):
    """A program's key to one organisation. Only its SHA-256 is stored; the token itself is shown once."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_tokens")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    can_write = models.BooleanField(_("may change things"), default=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """Who did what. Written once, by `accounts.services.record_action`; never changed or deleted by hand."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.SET_NULL, related_name="audit_entries")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=40)  # "user", "registrant", "speaker", "token", "system"
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["target_type", "target_id"], name="audit_target")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.target_type} {self.target_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, once.

        Raises:
            TypeError: it was written before. Erasing a person takes their address out in another way.
        """
        if not self._state.adding:
            raise TypeError("What was done stays written as it is.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> Any:
        """Never; the nightly purge deletes what has been kept long enough.

        Raises:
            TypeError: always.
        """
        raise TypeError("What was done stays written.")


class IdempotentAnswer(models.Model):
    """The answer to a POST that carried an `Idempotency-Key`, kept for a day so that a repeated call gets it again."""

    KEPT_FOR = timedelta(hours=24)

    caller = models.CharField(max_length=64)  # SHA-256 of who called
    key = models.CharField(max_length=64)  # SHA-256 of the header
    request_hash = models.CharField(max_length=64)  # SHA-256 of method, path and body
    started_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)  # null while the first call is still working
    body = models.TextField(blank=True)  # JSON

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.status or '…'}"


class ErasedPerson(models.Model):
    """That a person was erased: a keyed hash of their address, so that a restored backup can forget them again."""

    digest = models.CharField(max_length=64, primary_key=True)  # HMAC-SHA-256
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "erased people"

    def __str__(self) -> str:
        return self.digest[:8]


class Purge(WorkRow):
    """One night's deletion of what has been kept long enough; `counts` says how much of each kind went."""

    day = models.DateField(unique=True)  # so that however many schedulers make one
    counts = models.JSONField(default=dict)

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"purge of {self.day}"
