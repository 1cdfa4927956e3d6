"""Productions: starting, moving on, trying again, cancelling, publishing."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import library.services
import library.versions
import work.services
from accounts.models import User
from accounts.services import record_action
from library.models import FormerVersion, Recording
from media.models import Asset, Upload
from studio import channels, pipeline
from studio.errors import ProductionOver, UploadNotReady, WrongPurpose
from studio.models import Production, StepPart, StepRow
from studio.uploads import is_for_something_else
from work.errors import Parked, PermanentFailure, StaleState
from work.folders import working_folder
from work.leases import Lease
from work.models import WorkState


def receive_recording(
    *,
    upload: Upload,
    webinar: Any,
    user: User | None,
    spoken_language: str,
    subtitle_languages: Sequence[str],
    publish_when_ready: bool = False,
    send_follow_up: bool = True,
    other_languages: Sequence[str] = (),
) -> Production:
    """Turn a completed upload into a recording of the webinar and start its production.

    Posting the same upload twice returns the production that the first one started.

    Raises:
        UploadNotReady: the upload has no asset yet.
        WrongPurpose: the file was uploaded for something else.
    """
    if upload.asset is None:
        raise UploadNotReady(_("The upload is not complete yet."))
    if is_for_something_else(upload, webinar):
        raise WrongPurpose(_("This file was uploaded for something else. Upload it once more for this webinar."))
    with transaction.atomic():
        Upload.objects.select_for_update().get(pk=upload.pk)
        recording = Recording.objects.filter(asset=upload.asset).first()
        if recording is not None:
            existing = recording.productions.order_by("created_at").first()
            if existing is not None:
                return existing
        else:
            recording = library.services.create_recording(webinar=webinar, asset=upload.asset, user=user)
        return start_production(
            recording=recording,
            user=user,
            spoken_language=spoken_language,
            subtitle_languages=subtitle_languages,
            publish_when_ready=publish_when_ready,
            send_follow_up=send_follow_up,
            other_languages=other_languages,
        )


def start_production(
    *,
    recording: Recording,
    user: User | None,
    spoken_language: str,
    subtitle_languages: Sequence[str],
    publish_when_ready: bool = False,
    send_follow_up: bool = True,
    replacement: Asset | None = None,
    keeps_subtitles: bool = False,
    subtitle_offset_ms: int = 0,
    other_languages: Sequence[str] = (),
) -> Production:
    """Create a production with its steps and queue those that can begin.

    With `replacement` it works on that file, and lets it take the place of the recording's at its end; see
    studio/replacement.py.

    The spoken language needs no translation, so it is dropped from the languages to translate into; doubles too.
    """
    languages = [tag for tag in dict.fromkeys(subtitle_languages) if tag != spoken_language]
    with transaction.atomic():
        production = Production.objects.create(
            recording=recording,
            created_by=user,
            spoken_language=spoken_language,
            other_languages=[tag for tag in dict.fromkeys(other_languages) if tag != spoken_language],
            subtitle_languages=languages,
            publish_when_ready=publish_when_ready,
            send_follow_up=send_follow_up,
            replacement=replacement,
            keeps_subtitles=keeps_subtitles,
            subtitle_offset_ms=subtitle_offset_ms,
        )
        StepRow.objects.bulk_create(pipeline.rows_for(production))
        record_action(
            action="production.start", target=production, organisation=recording.webinar.organisation, user=user
        )
        advance(production_id=production.pk)
    return production


def advance(*, production_id: UUID) -> None:
    """Queue each step whose predecessors are done. Safe to call at any moment, any number of times.

    The production's row is locked, so of two steps (or parts) that finish at the same time the second one sees what
    the first one did.
    """
    with transaction.atomic():
        production = Production.objects.select_for_update().filter(pk=production_id).first()
        if production is None or production.cancelled_at is not None:
            return
        for row in pipeline.ready_rows(production, production.steps.all()):
            work.services.enqueue(row)


def retry_step(*, step: StepRow, user: User | None) -> None:
    """Try a failed, skipped or cancelled step again, and what had to wait for it. Finished parts are kept.

    Raises:
        StaleState: the step is not finished, or is done.
        ProductionOver: the production was cancelled.
    """
    production = step.production
    _refuse_if_cancelled(production)
    with transaction.atomic():
        work.services.retry(step)
        for part in step.parts.filter(state__in=[WorkState.FAILED, WorkState.CANCELLED]):
            work.services.retry(part)
            work.services.enqueue(part)
        # Optional steps that gave up because this one had failed get a new chance too.
        for later in production.steps.filter(position__gt=step.position, state=WorkState.SKIPPED):
            if _comes_after(pipeline.step_of(later).name, pipeline.step_of(step).name):
                work.services.retry(later)
        record_action(
            action="production.retry",
            target=production,
            organisation=production.recording.webinar.organisation,
            user=user,
            step=step.name,
        )
        advance(production_id=production.pk)


def _comes_after(name: str, other: str) -> bool:
    after = pipeline.STEPS_BY_NAME[name].after
    return other in after or any(_comes_after(before, other) for before in after)


def skip_step(*, step: StepRow, user: User | None) -> None:
    """Go on without a failed step (subtitles, say), as a person decided.

    Raises:
        StaleState: the step has not failed, or the recording cannot do without it.
    """
    _refuse_if_cancelled(step.production)
    if not pipeline.step_of(step).can_be_skipped:
        raise StaleState(_("The recording cannot be finished without this step."))
    with transaction.atomic():
        changed = StepRow.objects.filter(pk=step.pk, state=WorkState.FAILED).update(
            state=WorkState.SKIPPED, updated_at=timezone.now()
        )
        if not changed:
            raise StaleState(_("Only a failed step can be left out."))
        record_action(
            action="production.skip",
            target=step.production,
            organisation=step.production.recording.webinar.organisation,
            user=user,
            step=step.name,
        )
        advance(production_id=step.production_id)


def request_publication(*, production: Production, user: User | None) -> None:
    """Publish as soon as the recording is ready; at once if it already is. Asking twice changes nothing.

    Raises:
        ProductionOver: the production was cancelled.
    """
    _refuse_if_cancelled(production)
    with transaction.atomic():
        now = timezone.now()
        changed = Production.objects.filter(pk=production.pk, publish_requested_at__isnull=True).update(
            publish_requested_at=now, updated_at=now
        )
        if changed:
            record_action(
                action="production.publish",
                target=production,
                organisation=production.recording.webinar.organisation,
                user=user,
            )
        advance(production_id=production.pk)
    production.refresh_from_db()


def cancel_production(*, production: Production, user: User | None) -> None:
    """Stop everything that is waiting or running. What is already published stays."""
    with transaction.atomic():
        now = timezone.now()
        changed = Production.objects.filter(pk=production.pk, cancelled_at__isnull=True).update(
            cancelled_at=now, updated_at=now
        )
        if not changed:
            return
        for part in StepPart.objects.filter(step__production=production):
            work.services.request_cancel(part)
        for step in production.steps.all():
            work.services.request_cancel(step)
        record_action(
            action="production.cancel",
            target=production,
            organisation=production.recording.webinar.organisation,
            user=user,
        )
        _discard_replacement(production, user)
    production.refresh_from_db()


def _discard_replacement(production: Production, user: User | None) -> None:
    """A new file that will not take the former one's place is of no use: it is deleted with what was made of it."""
    asset = production.replacement
    if asset is None or Recording.objects.filter(asset=asset).exists():
        return
    if not FormerVersion.objects.filter(asset=asset).exists():
        library.versions.delete_asset_with_channels(asset=asset, user=user)


def _refuse_if_cancelled(production: Production) -> None:
    if production.cancelled_at is not None:
        raise ProductionOver(_("This production was cancelled. Start a new one."))


# --- What workers do -----------------------------------------------------------------------------------------------


def run_step(lease: Lease[StepRow]) -> None:
    """Do one step, or see its parts through.

    Raises:
        Parked: the step waits for its parts.
        PermanentFailure: one of its parts failed for good.
    """
    row = lease.row
    step = pipeline.step_of(row)
    with _run(lease, row.production) as run:
        run = pipeline.with_language(run, row)
        if step.run is not None:
            result = step.run(run)
        else:
            assert step.join is not None
            result = step.join(run, _results_of_parts(lease, step, row))
        if result:
            lease.write(result=result)


def _results_of_parts(lease: Lease[StepRow], step: pipeline.Step, row: StepRow) -> list[dict[str, Any]]:
    assert step.plan is not None
    if not row.parts.exists():
        payloads = step.plan(row.production)
        with lease.fenced():
            StepPart.objects.bulk_create(
                StepPart(step=row, number=number, payload=payload) for number, payload in enumerate(payloads)
            )
    parts = list(row.parts.all())
    failed = next((part for part in parts if part.state in (WorkState.FAILED, WorkState.CANCELLED)), None)
    if failed is not None:
        raise PermanentFailure(failed.error or _("A part was cancelled."), code=failed.error_code)
    if any(not part.is_finished for part in parts):
        for part in parts:
            work.services.enqueue(part)
        raise Parked(_("Waiting for the parts."))
    return [part.result for part in parts]


def run_part(lease: Lease[StepPart]) -> None:
    """Do one part of a step; its result is stored only if the lease still holds."""
    part = lease.row
    step = pipeline.step_of(part.step)
    assert step.run_part is not None
    with _run(lease, part.step.production) as run:
        result = step.run_part(run, part.payload)
        lease.write(result=result)


def after_step(row: StepRow) -> None:
    """A step was finished or parked: see what can begin now, in the production and beside it."""
    advance(production_id=row.production_id)
    if row.state == WorkState.DONE and row.name in ("audio", "package"):
        channels.wake(asset=row.production.asset)


def after_part(part: StepPart) -> None:
    """A part was finished: its step goes on when it was the last, or failed."""
    advance(production_id=part.step.production_id)


@contextlib.contextmanager
def _run(lease: Lease[Any], production: Production) -> Iterator[pipeline.Run]:
    """A `Run` with an empty folder that is gone afterwards, whatever happens."""
    with working_folder(lease) as workdir:
        yield pipeline.Run(
            production=production,
            workdir=workdir,
            report=_reporter(lease),
            should_stop=lambda: lease.should_stop,
            fenced=lease.fenced,
        )


def _reporter(lease: Lease[Any]) -> Callable[[float, str], None]:
    def report(percent: float, activity: str = "") -> None:
        lease.report(percent, activity)

    return report
