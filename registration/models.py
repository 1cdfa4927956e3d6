"""Who has a place at a webinar, and who waits for one."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from events.models import Webinar, random_nonce
from work.models import Record, WorkRow


class Places(models.Model):
    """The counter that guards capacity, one row per webinar.

    A place is taken by a conditional UPDATE of this row, which holds on PostgreSQL and SQLite alike; counting in
    Python, or `select_for_update` on SQLite, would not. `capacity` is a copy of the webinar's, because the
    condition must read the row that it locks.
    """

    webinar = models.OneToOneField(Webinar, on_delete=models.CASCADE, primary_key=True, related_name="places")
    capacity = models.PositiveIntegerField(null=True)  # null: unlimited
    confirmed = models.PositiveIntegerField(default=0)
    last_position = models.PositiveIntegerField(default=0)  # last number given on the waiting list

    class Meta:
        verbose_name_plural = "places"

    def __str__(self) -> str:
        return f"{self.confirmed}/{self.capacity or '∞'}"


class RegistrationState(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    WAITLISTED = "waitlisted", _("on the waiting list")
    CANCELLED = "cancelled", _("cancelled")


class Registration(Record):
    """A registrant: one per webinar and address."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="registrations")
    state = models.CharField(_("state"), max_length=10, choices=RegistrationState)
    email = models.EmailField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=150)
    language = models.CharField(_("language"), max_length=35, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166-1 alpha-2
    profession = models.CharField(_("profession"), max_length=100, blank=True)
    affiliation = models.CharField(_("organisation"), max_length=200, blank=True)
    # Which text of the privacy notice was agreed to, and when: {"privacy": {"version": "1", "at": "..."}}
    consents = models.JSONField(default=dict)
    waitlist_position = models.PositiveIntegerField(null=True, blank=True)  # order only; not what is shown
    calendar_sequence = models.PositiveIntegerField(default=0)
    link_nonce = models.CharField(max_length=32, default=random_nonce)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(F("webinar"), Lower("email"), name="one_registration_per_address"),
        ]
        indexes = [
            models.Index(
                fields=["webinar", "waitlist_position"], name="waitlist_order", condition=Q(state="waitlisted")
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def sequence(self) -> int:
        """SEQUENCE of this person's calendar entry: it grows when the webinar or the registration changes."""
        return self.webinar.calendar_sequence + self.calendar_sequence


class AnnouncementKind(models.TextChoices):
    CHANGED = "changed", _("changed")
    CANCELLED = "cancelled", _("cancelled")


class Announcement(WorkRow):
    """Something that every registrant of a webinar is told. As a work row it is the writing of all these mails."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="announcements")
    kind = models.CharField(max_length=10, choices=AnnouncementKind)
    version = models.PositiveIntegerField()  # the webinar's calendar_sequence
    changes = models.JSONField(default=list)  # names of the changed fields

    class Meta(WorkRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["webinar", "kind", "version"], name="one_announcement_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.webinar} {self.kind} ({self.version})"
