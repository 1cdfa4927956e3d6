"""Cutting a recording at its start and end: asked for by a person, done as work, undone at any time."""

from django.db import transaction
from django.utils.translation import gettext as _

import media.services
import work.services
from accounts.models import User
from accounts.services import record_action
from library.models import Recording, UpdateTask
from library.updates import request_update
from media.models import Asset, Package
from media.timeline import Window
from studio import burn_in, pipeline
from studio.errors import StudioError
from studio.models import Cut, Production
from work.errors import Skip
from work.folders import working_folder
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

RENDITIONS_PERCENT, DOWNLOADS_PERCENT = 50, 70


class NothingToCut(StudioError):
    """The recording is not ready: cuts are made from its finished version."""

    code = "not_ready"
    status = 409


def request_cut(*, recording: Recording, start_ms: int, end_ms: int | None, user: User | None) -> Cut:
    """Let viewers see the recording from `start_ms` to `end_ms` of its source; 0 and None undo a cut.

    The ends are moved to the nearest picture. Work on an earlier wish stops. Viewers keep what they have until the new
    version is whole.

    Raises:
        NothingToCut: the recording is still being prepared.
        media.services.cutting.CutInvalid: hardly anything would remain.
    """
    with transaction.atomic():
        asset = Asset.objects.select_for_update().get(pk=recording.asset_id)
        if media.services.whole_package(asset) is None:
            raise NothingToCut(_("The recording is still being prepared. Cut it once that is done."))
        window = media.services.snapped_window(asset=asset, start_ms=start_ms, end_ms=end_ms)
        _stop_others(recording)
        _wish(asset, window)
        cut = _enqueued(recording, asset, window, user)
        record_action(
            action="recording.cut",
            target=recording,
            organisation=recording.webinar.organisation,
            user=user,
            start_ms=window.start_ms,
            end_ms=window.end_ms,
        )
    return cut


def cut_again(*, package: Package) -> Cut | None:
    """Cut a new whole version of a recording that is cut as the one before was."""
    asset = package.asset
    recording = Recording.objects.filter(asset=asset).first()
    if recording is None:
        return None
    _stop_others(recording)
    return _enqueued(recording, asset, Window(asset.trim_start_ms, asset.trim_end_ms), None)


def cancel_cut(*, cut: Cut, user: User | None) -> None:
    """Stop making a cut; viewers keep what they have."""
    with transaction.atomic():
        work.services.request_cancel(cut)
        _record("recording.cut_cancelled", cut, user)


def retry_cut(*, cut: Cut, user: User | None) -> None:
    """Try a failed or cancelled cut again.

    Raises:
        work.errors.StaleState: it is done, or under way.
    """
    with transaction.atomic():
        work.services.retry(cut)
        _stop_others(cut.recording, but=cut)
        _wish(cut.asset, Window(cut.start_ms, cut.end_ms))
        work.services.enqueue(cut)
        _record("recording.cut_retried", cut, user)


def latest_cut(recording: Recording) -> Cut | None:
    return recording.cuts.filter(asset=recording.asset_id).order_by("created_at").last()


def run_cut(lease: Lease[Cut]) -> None:
    """Make the version that was asked for, with everything that belongs to it, then show it."""
    cut = lease.row
    whole = media.services.whole_package(cut.asset)
    if whole is None:
        raise NothingToCut(_("The recording is still being prepared. Cut it once that is done."))
    if Window(cut.start_ms, cut.end_ms).is_whole:
        _show(lease, whole)
        return
    package = _package_of(lease)
    with working_folder(lease) as workdir:
        production = Production(recording=cut.recording, package=package, spoken_language="")
        run = pipeline.Run(
            production=production,
            workdir=workdir,
            report=lambda _percent, _activity: lease.check(),
            should_stop=lambda: lease.should_stop,
            fenced=lease.fenced,
        )
        media.services.cut_renditions(
            package=package,
            source=whole,
            workdir=workdir,
            progress=lambda percent, activity: lease.report(percent * RENDITIONS_PERCENT / 100, activity),
            should_stop=run.should_stop,
            fenced=run.fenced,
        )
        media.services.make_downloads(
            package=package,
            workdir=workdir,
            progress=lambda percent, activity: lease.report(
                RENDITIONS_PERCENT + percent * (DOWNLOADS_PERCENT - RENDITIONS_PERCENT) / 100, activity
            ),
            should_stop=run.should_stop,
            fenced=run.fenced,
        )
        _by_products(run, lease)
    _show(lease, package)


def _show(lease: Lease[Cut], package: Package) -> None:
    former = Asset.objects.get(pk=lease.row.asset_id).current_package
    with lease.fenced():
        media.services.complete_package(package=package)
        request_update(recording=lease.row.recording, task=UpdateTask.LIGHT)
        if former is not None and former.pk != package.pk:
            burn_in.make_again(recording=lease.row.recording, former=former)


def _by_products(run: pipeline.Run, lease: Lease[Cut]) -> None:
    steps = [step for step in pipeline.STEPS if step.for_cuts]
    for number, step in enumerate(steps):
        lease.report(DOWNLOADS_PERCENT + (99 - DOWNLOADS_PERCENT) * number / len(steps), _("Making what belongs to it"))
        assert step.run is not None
        try:
            step.run(run)
        except Skip:
            continue


def _package_of(lease: Lease[Cut]) -> Package:
    """The version that an earlier try began, or a new one."""
    cut = lease.row
    if cut.package is not None:
        return cut.package
    with lease.fenced():
        package = Package.objects.create(asset=cut.asset, trim_start_ms=cut.start_ms, trim_end_ms=cut.end_ms)
        lease.write(package=package)
    return package


def after_cut(cut: Cut) -> None:
    """What a cancelled cut has made so far goes, and the wish is again what viewers see."""
    if cut.state != WorkState.CANCELLED:
        return
    asset = Asset.objects.select_for_update().get(pk=cut.asset_id)
    if cut.package is not None and asset.current_package_id != cut.package_id:
        media.services.delete_package(package=cut.package)
    if not Cut.objects.filter(asset=asset).exclude(state__in=FINISHED_STATES).exists():
        _wish(asset, Window.of(asset.current_package))


def _stop_others(recording: Recording, but: Cut | None = None) -> None:
    for earlier in recording.cuts.exclude(state__in=FINISHED_STATES):
        if but is None or earlier.pk != but.pk:
            work.services.request_cancel(earlier)


def _wish(asset: Asset, window: Window) -> None:
    asset.trim_start_ms, asset.trim_end_ms = window.start_ms, window.end_ms
    asset.save(update_fields=["trim_start_ms", "trim_end_ms", "updated_at"])


def _enqueued(recording: Recording, asset: Asset, window: Window, user: User | None) -> Cut:
    cut = Cut.objects.create(
        recording=recording, asset=asset, created_by=user, start_ms=window.start_ms, end_ms=window.end_ms
    )
    work.services.enqueue(cut)
    return cut


def _record(action: str, cut: Cut, user: User | None) -> None:
    record_action(action=action, target=cut.recording, organisation=cut.recording.webinar.organisation, user=user)
