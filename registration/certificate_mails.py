"""Telling people that their certificate is there, once each, after a batch of them was made."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from notifications import purposes
from notifications.models import Message
from registration import announcements, certificates, messages
from registration.models import Announcement, AnnouncementKind, Certificate, CertificateBatch, Registration
from work import services as work
from work.models import FINISHED_STATES, WorkState


def tell(batch: CertificateBatch) -> None:
    """Announce what the batch made; runs in the transaction in which it ends. Failed ones made some as well."""
    if batch.state not in (WorkState.DONE, WorkState.FAILED):
        return
    known = batch.webinar.announcements.filter(kind=AnnouncementKind.CERTIFICATE)
    if known.exclude(state__in=[*FINISHED_STATES, WorkState.RUNNING]).exists():
        return
    row = Announcement.objects.create(
        webinar=batch.webinar,
        kind=AnnouncementKind.CERTIFICATE,
        version=announcements.next_version(batch.webinar, AnnouncementKind.CERTIFICATE),
    )
    work.enqueue(row, due_at=timezone.now())


def _holders(announcement: Announcement) -> "QuerySet[Registration]":
    valid = Certificate.objects.filter(registration=OuterRef("pk"), revoked_at=None)
    return Registration.objects.filter(Exists(valid), webinar=announcement.webinar_id).select_related(
        "webinar__organisation"
    )


def _write(registration: Registration, _announcement: Announcement) -> Message | None:
    return messages.send_certificate(registration)


def _is_wanted(message: Message) -> bool:
    registration = messages.registration_of(message)
    return registration is not None and certificates.valid_certificate(registration) is not None


def register() -> None:
    """Make this kind known, when the app is ready."""
    announcements.register(AnnouncementKind.CERTIFICATE, announcements.Writing(_holders, _write))
    purposes.register(messages.CERTIFICATE, _is_wanted)
