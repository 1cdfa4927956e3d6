"""Interpreters' channels of a recording: taken in, worked on, confirmed by ear, renamed, removed.

    upload -> ChannelWork: prepare (measure, find the place, excerpts) -> make it for the version shown -> new downloads
                                          +-> a weak match waits on the sound page until a person confirms it

A new version of the recording gets its channels from the pipeline's step `channels`.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

import media.services
import work.services
from accounts.models import User
from accounts.services import record_action
from library.models import Recording
from media.models import Asset, InterpretationChannel, Package, Upload
from studio import pipeline
from studio.errors import StudioError, UploadNotReady, WrongPurpose
from studio.models import ChannelWork, Production, StepRow
from studio.uploads import CHANNEL
from work.errors import Parked, Skip, TemporaryFailure
from work.folders import working_folder
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

WORK_KIND = "studio.channel"
NOT_BEGUN = (WorkState.WAITING, WorkState.QUEUED)


class ChannelBusy(StudioError):
    """Work on this channel is under way."""

    code = "busy"
    status = 409


def receive_channel(*, upload: Upload, user: User | None, name: str = "") -> InterpretationChannel:
    """Turn a completed upload into a channel and start the work on it. The same upload again: the same channel.

    The upload's purpose says of which recording and in which language (studio.uploads.channel_purpose).

    Raises:
        UploadNotReady: the upload has no asset yet.
        WrongPurpose: it was uploaded for something else, or the recording is gone.
        MediaRejected: the file has no sound, or the language has a channel already.
    """
    if upload.asset is None:
        raise UploadNotReady(_("The upload is not complete yet."))
    kind, _colon, rest = upload.purpose.partition(":")
    pk, _colon, language = rest.partition(":")
    recording = _recording(pk) if kind == CHANNEL else None
    if recording is None or recording.webinar.organisation_id != upload.organisation_id:
        raise WrongPurpose(_("This file was not uploaded as an interpreter's channel of a recording."), field="upload")
    with transaction.atomic():
        channel = media.services.add_channel(
            asset=recording.asset, source=upload.asset, language=language, name=name, user=user
        )
        if not channel.work.exists():
            start_work(channel)
    return channel


def _recording(pk: str) -> Recording | None:
    try:
        return Recording.objects.select_related("webinar", "asset").filter(pk=UUID(pk)).first()
    except ValueError:
        return None


def start_work(channel: InterpretationChannel | None, *, recording: Recording | None = None) -> ChannelWork | None:
    """Queue what must be done with a channel; without one, the recording's downloads. Once is enough for all who ask.

    Nothing is done for a channel whose file is not the recording's any more.
    """
    if recording is None and channel is not None:
        recording = Recording.objects.filter(asset=channel.asset_id).first()
    if recording is None:
        return None
    with transaction.atomic():
        rows = ChannelWork.objects.filter(recording=recording, channel=channel)
        row = rows.filter(state__in=NOT_BEGUN).first()
        if row is None:
            rows.filter(state__in=FINISHED_STATES).delete()
            row = ChannelWork.objects.create(recording=recording, channel=channel)
        work.services.enqueue(row)
    return row


def confirm(*, channel: InterpretationChannel, offset_ms: int, user: User | None) -> None:
    """A person has listened: the channel begins there. Viewers get it as soon as it is made.

    Raises:
        media.services.ChannelError: the offset makes no sense.
    """
    with transaction.atomic():
        media.services.confirm_channel(channel=channel, offset_ms=offset_ms, user=user)
        start_work(channel)


def move(*, channel: InterpretationChannel, offset_ms: int, user: User | None) -> None:
    """Have excerpts made for another place, to listen there; viewers cannot choose the channel until it is confirmed.

    Raises:
        media.services.ChannelError: the offset makes no sense.
    """
    with transaction.atomic():
        media.services.try_offset(channel=channel, offset_ms=offset_ms, user=user)
        start_work(channel)


def retry(*, channel: InterpretationChannel, user: User | None) -> None:
    """Try failed work on a channel again.

    Raises:
        ChannelBusy: it has not failed.
    """
    row = latest_work(channel)
    if row is not None and not row.is_finished:
        raise ChannelBusy(_("Work on this channel is under way."))
    with transaction.atomic():
        start_work(channel)
        record_action(
            action="channel.retry",
            target=channel,
            organisation=channel.asset.organisation,
            user=user,
            language=channel.language,
        )


def remove(*, channel: InterpretationChannel, user: User | None) -> None:
    """Remove a channel everywhere, with its file; work on it stops."""
    recording = Recording.objects.filter(asset=channel.asset_id).first()
    with transaction.atomic():
        for row in channel.work.exclude(state__in=FINISHED_STATES):
            work.services.request_cancel(row)
        media.services.remove_channel(channel=channel, user=user)
        if recording is not None:
            start_work(None, recording=recording)


def follow(*, recording: Recording, former: Asset) -> None:
    """Another file is shown: its channels are those of the former one, and each must find its place again."""
    for channel in media.services.move_channels(source=former, target=recording.asset):
        start_work(channel, recording=recording)


def latest_work(channel: InterpretationChannel) -> ChannelWork | None:
    return channel.work.order_by("created_at").last()


def wake(*, asset: Asset) -> None:
    """What channels may have waited for has happened: the recording's own sound is there, or a new version is shown."""
    package = Asset.objects.get(pk=asset.pk).current_package
    for channel in asset.channels.all():
        is_missing = package is not None and channel.is_usable and not media.services.is_made(channel, package)
        if is_missing or channel.offset_ms is None or channel.work.filter(state=WorkState.WAITING).exists():
            start_work(channel)


# --- What workers do -----------------------------------------------------------------------------------------------


def run_work(lease: Lease[ChannelWork]) -> None:
    """Do what a row asks for.

    Raises:
        Parked: the recording's own sound is still being prepared.
        TemporaryFailure: an earlier row about the same is still being worked on.
    """
    row = lease.row
    same = ChannelWork.objects.filter(recording=row.recording_id, channel=row.channel_id, state=WorkState.RUNNING)
    if same.exclude(pk=row.pk).exists():
        raise TemporaryFailure(_("The work before is still under way."), delay_s=10, costs_try=False)
    if row.channel is None:
        _make_files(lease)
    else:
        _work_on(lease, row.channel)


def _work_on(lease: Lease[ChannelWork], channel: InterpretationChannel) -> None:
    common: dict[str, Any] = {"should_stop": lambda: lease.should_stop, "fenced": lease.fenced}
    with working_folder(lease) as workdir:
        if channel.offset_ms is None or not media.services.excerpts_of(channel) or not channel.is_usable:
            try:
                media.services.prepare_channel(
                    channel=channel,
                    workdir=workdir,
                    progress=lambda percent, activity: lease.report(percent / 2, activity),
                    **common,
                )
            except media.services.RecordingNotHeard:
                if is_sound_expected(channel.asset):
                    raise Parked(_("The recording's own sound is still being prepared.")) from None
                raise
        if not channel.is_usable:
            return
        packages = _packages_shown(channel.asset)
        for package in packages:
            media.services.make_channel(
                channel=channel,
                package=package,
                workdir=workdir,
                progress=lambda percent, activity: lease.report(50 + percent / 2, activity),
                **common,
            )


def _packages_shown(asset: Asset) -> list[Package]:
    """The version that viewers see, and the whole one that further cuts are made from."""
    current = Asset.objects.select_related("current_package").get(pk=asset.pk).current_package
    found = {package.pk: package for package in (current, media.services.whole_package(asset)) if package is not None}
    return list(found.values())


def is_sound_expected(asset: Asset) -> bool:
    """Whether a production is on its way that will prepare the recording's own sound."""
    steps = StepRow.objects.filter(name="audio", production__cancelled_at=None)
    mine = steps.filter(Q(production__recording__asset=asset) | Q(production__replacement=asset))
    return mine.exclude(state__in=FINISHED_STATES).exists()


def _make_files(lease: Lease[ChannelWork]) -> None:
    """Make the downloads of the version shown with the sounds that it has now."""
    asset = lease.row.recording.asset
    packages = _packages_shown(asset)
    if not packages:
        raise Skip(_("There is nothing to download yet."))

    def report(percent: float, activity: str = "") -> None:
        lease.report(50 + percent / 2, activity)

    with working_folder(lease) as workdir:
        for package in packages:
            media.services.make_downloads(
                package=package,
                workdir=workdir,
                progress=lambda percent, activity: lease.report(percent / 2, activity),
                should_stop=lambda: lease.should_stop,
                fenced=lease.fenced,
            )
        run = pipeline.Run(
            production=Production(recording=lease.row.recording, package=packages[0], spoken_language=""),
            workdir=workdir,
            report=report,
            should_stop=lambda: lease.should_stop,
            fenced=lease.fenced,
        )
        pipeline.subtitled_mp4(run)


def after_work(row: ChannelWork) -> None:
    """The downloads follow a channel; and what a parked row waits for may have happened a moment ago."""
    if row.channel is None:
        return
    if row.state == WorkState.DONE and row.channel.is_usable:
        start_work(None, recording=row.recording)
    if row.state == WorkState.WAITING and not is_sound_expected(row.channel.asset):
        work.services.enqueue(row)
