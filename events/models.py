"""A webinar: its series, schedule, speakers, slides and materials."""

import secrets
import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from accounts.models import Organisation
from work.models import Record, WorkRow


def random_key(folder: str, name: str) -> str:
    """A storage key that gives away nothing: `folder/xx/<random>`, whatever the file was called."""
    token = secrets.token_urlsafe(24)
    suffix = name.rpartition(".")[2].lower() if "." in name else "bin"
    return f"{folder}/{token[:2]}/{token}.{suffix if suffix.isalnum() and suffix.isascii() else 'bin'}"


def material_key(_material: models.Model, name: str) -> str:
    return random_key("materials", name)


def page_key(_page: models.Model, name: str) -> str:
    return random_key("pages", name)


def random_nonce() -> str:
    return secrets.token_urlsafe(16)


class Series(Record):
    """Webinars that belong together."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="series")
    slug = models.SlugField(_("address"), unique=True, max_length=80)
    title = I18nCharField(_("title"), max_length=200)
    description = I18nTextField(_("description"), blank=True)
    is_public = models.BooleanField(_("shown in the catalogue"), default=False)

    class Meta:
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return str(self.title)


class WebinarState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    CANCELLED = "cancelled", _("cancelled")


class Visibility(models.TextChoices):
    """Who may see a page or watch a recording."""

    PUBLIC = "public", _("everyone")
    UNLISTED = "unlisted", _("everyone who has the address")
    REGISTERED = "registered", _("people who registered")
    ORGANISATION = "organisation", _("members of the organisation")


class WebinarQuerySet(models.QuerySet["Webinar"]):
    def announced(self) -> Self:
        """Those that strangers may know of: published or cancelled, and listed."""
        return self.exclude(state=WebinarState.DRAFT).filter(visibility=Visibility.PUBLIC)

    def upcoming(self) -> Self:
        return self.filter(ends_at__gt=timezone.now()).order_by("starts_at")

    def past(self) -> Self:
        return self.filter(ends_at__lte=timezone.now()).order_by("-starts_at")


def default_reminders() -> list[int]:
    """A day and an hour before the start, in minutes."""
    return [24 * 60, 60]


class Webinar(Record):
    """One event with its own time. Times are stored in UTC; `time_zone` is the organiser's."""

    State = WebinarState

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="webinars")
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="webinars")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    slug = models.SlugField(_("address"), unique=True, max_length=80)
    title = I18nCharField(_("title"), max_length=200)
    summary = I18nTextField(_("summary"), blank=True)
    topic = models.CharField(_("topic"), max_length=100, blank=True)
    audience = models.CharField(_("audience"), max_length=200, blank=True)
    spoken_language = models.CharField(_("spoken language"), max_length=35, default="en")
    subtitle_languages = models.JSONField(_("subtitles"), default=list, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    time_zone = models.CharField(_("time zone"), max_length=64)
    capacity = models.PositiveIntegerField(_("places"), null=True, blank=True)
    registration_opens_at = models.DateTimeField(_("registration opens"), null=True, blank=True)
    registration_closes_at = models.DateTimeField(_("registration closes"), null=True, blank=True)
    # Each narrows further who may register; none of them: everybody.
    needs_approval = models.BooleanField(_("registrations need approval"), default=False)
    needs_invitation = models.BooleanField(_("only invited people may register"), default=False)
    email_domains = models.JSONField(_("only addresses of these institutions"), default=list, blank=True)
    reminder_minutes = models.JSONField(_("reminders"), default=default_reminders, blank=True)
    join_url = models.URLField(_("address of the live room"), max_length=1000, blank=True)
    visibility = models.CharField(_("visible to"), max_length=12, choices=Visibility, default=Visibility.PUBLIC)
    state = models.CharField(_("state"), max_length=10, choices=WebinarState, default=WebinarState.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    calendar_uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Grows with every change that calendars must learn of (RFC 5545, section 3.8.7.4).
    calendar_sequence = models.PositiveIntegerField(default=0)

    objects = WebinarQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "visibility", "starts_at"], name="webinar_listing")]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="webinar_ends_after_start")]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def is_over(self) -> bool:
        return self.ends_at <= timezone.now()

    @property
    def is_registration_to_come(self) -> bool:
        opens_at = self.registration_opens_at
        return self.state == WebinarState.PUBLISHED and opens_at is not None and timezone.now() < opens_at

    @property
    def is_registration_open(self) -> bool:
        opens_at, closes_at = self.registration_opens_at, self.registration_closes_at or self.ends_at
        now = timezone.now()
        return self.state == WebinarState.PUBLISHED and now < closes_at and (opens_at is None or opens_at <= now)


class Speaker(Record):
    """A person who presents at one webinar; they reach their page by a personal link, without an account."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="speakers")
    name = models.CharField(_("name"), max_length=150)
    email = models.EmailField(_("e-mail address"), blank=True)
    affiliation = models.CharField(_("affiliation"), max_length=200, blank=True)
    biography = models.TextField(_("biography"), max_length=4000, blank=True)
    language = models.CharField(_("language"), max_length=35, default="en")
    position = models.PositiveSmallIntegerField(default=0)
    link_nonce = models.CharField(max_length=32, default=random_nonce)
    invited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "created_at"]

    def __str__(self) -> str:
        return self.name


class MaterialKind(models.TextChoices):
    SLIDES = "slides", _("slides")
    HANDOUT = "handout", _("handout")


class Material(WorkRow):
    """A file given to the audience. As a work row it is the drawing of its pages as pictures."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="materials")
    speaker = models.ForeignKey(Speaker, null=True, blank=True, on_delete=models.SET_NULL, related_name="materials")
    kind = models.CharField(_("kind"), max_length=10, choices=MaterialKind, default=MaterialKind.SLIDES)
    title = models.CharField(_("title"), max_length=200, blank=True)
    file_name = models.CharField(max_length=255)
    file = models.FileField(upload_to=material_key, max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    page_count = models.PositiveIntegerField(null=True)
    # What is unusual, as stable codes with facts: [{"code": "outside_links", "count": 2}]
    warnings = models.JSONField(default=list)
    is_public = models.BooleanField(_("offered to the audience"), default=True)

    class Meta(WorkRow.Meta):
        ordering: ClassVar[list[str]] = ["created_at"]

    def __str__(self) -> str:
        return self.title or self.file_name


class MaterialPage(Record):
    """One page of a material as a picture, with the words on it."""

    material = models.ForeignKey(Material, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()  # from 1
    image = models.ImageField(upload_to=page_key, width_field="width", height_field="height", max_length=200)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    text = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints = [models.UniqueConstraint(fields=["material", "number"], name="one_row_per_page")]

    def __str__(self) -> str:
        return f"{self.material}, page {self.number}"
