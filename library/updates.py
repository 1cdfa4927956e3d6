"""By-products of a recording made anew when slides or subtitles change, each wish a work row."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import media.services
import work.services
from accounts.models import User
from accounts.services import record_action
from library import chapters, light, slides
from library.models import Recording, RecordingUpdate, UpdateTask
from work.errors import Skip, TemporaryFailure
from work.folders import working_folder
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

WORK_KIND = "library.update"
WAIT_S = 30  # an editor who saves again and again causes one update, not twenty


def request_update(
    *, recording: Recording, task: str, user: User | None = None, wait_s: int = WAIT_S
) -> RecordingUpdate:
    """Have a by-product made anew soon. A wish that nobody has begun yet is enough for all who ask."""
    with transaction.atomic():
        rows = RecordingUpdate.objects.filter(recording=recording, task=task)
        waiting = rows.filter(state__in=[WorkState.WAITING, WorkState.QUEUED]).first()
        if user is not None:
            record_action(
                action=f"recording.{task}_again",
                target=recording,
                organisation=recording.webinar.organisation,
                user=user,
            )
        if waiting is not None:
            return waiting
        rows.filter(state__in=FINISHED_STATES).delete()
        row: RecordingUpdate = RecordingUpdate.objects.create(recording=recording, task=task)
        work.services.enqueue(row, due_at=timezone.now() + timedelta(seconds=wait_s) if wait_s else None)
    return row


def slides_changed(*, webinar_id: UUID) -> None:
    """Pages of a webinar's slides came or went: look for them again in its recordings."""
    for recording in Recording.objects.filter(webinar=webinar_id, asset__current_package__isnull=False):
        request_update(recording=recording, task=UpdateTask.SLIDES)


def run_update(lease: Lease[RecordingUpdate]) -> None:
    """Make the by-product. May run twice.

    Raises:
        Skip: there is nothing to make it from.
        TemporaryFailure: an earlier wish for the same is still being worked on.
    """
    row = lease.row
    recording = Recording.objects.select_related("webinar", "asset__current_package").get(pk=row.recording_id)
    same = RecordingUpdate.objects.filter(recording=recording, task=row.task, state=WorkState.RUNNING)
    if same.exclude(pk=row.pk).exists():
        raise TemporaryFailure(_("The one before is still under way."), delay_s=20, costs_try=False)
    package = recording.asset.current_package
    if package is None:
        raise Skip(_("There is nothing to work on."))
    with working_folder(lease) as workdir:
        if row.task == UpdateTask.SLIDES:
            slides.find_slides(
                recording=recording,
                package=package,
                workdir=workdir,
                progress=lease.report,
                should_stop=lambda: lease.should_stop,
                fenced=lease.fenced,
            )
            with lease.fenced():
                chapters.make_chapters(recording=recording)
        elif row.task == UpdateTask.POSTER:
            media.services.draw_poster(
                package=package,
                workdir=workdir,
                progress=lease.report,
                should_stop=lambda: lease.should_stop,
                fenced=lease.fenced,
            )
        else:
            light.make_light(
                recording=recording,
                package=package,
                workdir=workdir,
                progress=lease.report,
                should_stop=lambda: lease.should_stop,
                fenced=lease.fenced,
            )


def after_update(row: RecordingUpdate) -> None:
    """New slides make a new version for slow connections."""
    if row.task == UpdateTask.SLIDES and row.state == WorkState.DONE:
        light.renew(row.recording)
