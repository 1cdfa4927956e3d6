"""What every kind of background work has in common: a row that says what must happen and how far it is."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Record(models.Model):
    """A row with an identifier that says nothing and its times of creation and change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class WorkState(models.TextChoices):
    WAITING = "waiting", _("waiting")  # something else must be finished first
    QUEUED = "queued", _("queued")  # a worker may claim it, once `due_at` has passed
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    SKIPPED = "skipped", _("skipped")  # nothing to do (no sound, say); counts as finished
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


FINISHED_STATES = (WorkState.DONE, WorkState.SKIPPED, WorkState.FAILED, WorkState.CANCELLED)
MAX_TRIES = 3


class WorkRow(Record):
    """Work that Celery moves. Only `work.services` and a `work.leases.Lease` write these fields.

    `attempt` counts claims and is never reset: it is the fencing token that every write of a worker repeats.
    `tries_left` is what a person's retry sets back to three.
    """

    State = WorkState

    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    tries_left = models.PositiveSmallIntegerField(default=MAX_TRIES)
    due_at = models.DateTimeField(null=True, blank=True)
    hinted_at = models.DateTimeField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False)
    progress = models.PositiveSmallIntegerField(default=0)  # percent
    activity = models.CharField(max_length=200, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    log_tail = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        indexes = [
            # The sweeper's questions; finished rows, by far the most, are not in this index.
            models.Index(
                fields=["state", "due_at", "lease_expires_at"],
                name="%(class)s_live",
                condition=Q(state__in=["queued", "running"]),
            )
        ]

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED_STATES

    @property
    def is_stalled(self) -> bool:
        """True when a running row has missed two heartbeats."""
        if self.state != WorkState.RUNNING or self.lease_expires_at is None:
            return False
        last_heartbeat = self.lease_expires_at - timedelta(seconds=settings.WORK_LEASE_S)
        return timezone.now() - last_heartbeat > timedelta(seconds=2 * settings.WORK_HEARTBEAT_S)

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
