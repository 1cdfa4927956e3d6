"""Videos with the subtitles of one language in the picture: made on demand, kept until the subtitles change."""

from django.db import transaction
from django.utils.translation import gettext as _

import media.services
import work.services
from accounts.models import User
from accounts.services import record_action
from library.models import Recording
from media.models import DerivativeKind, Package, PackageState
from media.timeline import Window
from studio.errors import StudioError
from studio.models import BurnIn
from transcripts import drawing
from transcripts import selectors as transcripts_selectors
from transcripts.models import TextTrack
from work.errors import Skip
from work.folders import working_folder
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState


class CannotBurnIn(StudioError):
    """There is no picture, no finished version or no such subtitles to put in."""

    code = "cannot_burn_in"
    status = 409


class NotOffered(StudioError):
    """Viewers may not ask for it with this recording."""

    code = "not_offered"
    status = 403


def request_burn_in(*, recording: Recording, language: str, user: User | None, by_viewer: bool = False) -> BurnIn:
    """Ask for the video of one language. Asking again for the same changes nothing; what had failed is tried again.

    Args:
        by_viewer: somebody who watches asks: only for published subtitles, and only if the organiser allows it.

    Raises:
        CannotBurnIn, NotOffered: see there.
    """
    if by_viewer and not recording.may_viewers_request_burn_in:
        raise NotOffered(_("This video is not offered for this recording. Ask the organiser."))
    with transaction.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).get(pk=recording.pk)
        package = recording.asset.current_package
        if package is None or package.state != PackageState.COMPLETE:
            raise CannotBurnIn(_("The recording is still being prepared. Try again once that is done."))
        if not recording.asset.has_video:
            raise CannotBurnIn(_("The recording has no picture to put subtitles in."), code="no_picture")
        track = _track(recording, language, published=by_viewer)
        if track is None or track.current_revision is None or not track.current_revision.cue_count:
            raise CannotBurnIn(_("There are no such subtitles."), code="no_such_track")
        _give_up_others(recording, language, track)
        row, is_new = BurnIn.objects.get_or_create(
            package=package,
            revision=track.current_revision,
            defaults={"recording": recording, "language": track.language, "created_by": user},
        )
        wants_again = row.state in (WorkState.FAILED, WorkState.CANCELLED, WorkState.SKIPPED) or (
            row.state == WorkState.DONE and row.derivative_id is None
        )
        if not is_new and not wants_again:
            return row
        if not is_new:
            _start_over(row)
        work.services.enqueue(row)
        record_action(
            action="burn_in.requested",
            target=recording,
            organisation=recording.webinar.organisation,
            user=user,
            actor="viewer" if by_viewer and user is None else "",
            language=track.language,
        )
    return row


def _track(recording: Recording, language: str, *, published: bool) -> TextTrack | None:
    asset = recording.asset
    tracks = transcripts_selectors.published_tracks(asset=asset) if published else tracks_to_burn(recording)
    return next((track for track in tracks if track.language == language), None)


def tracks_to_burn(recording: Recording) -> list[TextTrack]:
    """One track per language: what viewers see, else the captions, else the translation."""
    found = {track.language: track for track in transcripts_selectors.published_tracks(asset=recording.asset)}
    for track in transcripts_selectors.tracks_of(asset=recording.asset).filter(current_revision__cue_count__gt=0):
        found.setdefault(track.language, track)
    return list(found.values())


def _start_over(row: BurnIn) -> None:
    if row.state == WorkState.DONE:
        BurnIn.objects.filter(pk=row.pk).update(state=WorkState.SKIPPED)
        row.state = WorkState.SKIPPED
    work.services.retry(row)


def _give_up_others(recording: Recording, language: str, track: TextTrack) -> None:
    """Work on an earlier state of the same subtitles is of no use any more."""
    for row in recording.burn_ins.filter(language=language).exclude(state__in=FINISHED_STATES):
        if row.revision_id != track.current_revision_id or row.package_id != recording.asset.current_package_id:
            work.services.request_cancel(row)


def cancel_burn_in(*, row: BurnIn, user: User | None) -> None:
    """Stop making a video; what it has made so far goes."""
    with transaction.atomic():
        work.services.request_cancel(row)
        record_action(
            action="burn_in.cancelled",
            target=row.recording,
            organisation=row.recording.webinar.organisation,
            user=user,
            language=row.language,
        )


def allow_viewers(*, recording: Recording, is_allowed: bool, user: User | None) -> None:
    """Let viewers ask for these videos, or no longer."""
    with transaction.atomic():
        changed = Recording.objects.filter(pk=recording.pk).exclude(may_viewers_request_burn_in=is_allowed)
        if changed.update(may_viewers_request_burn_in=is_allowed):
            record_action(
                action="burn_in.allowed" if is_allowed else "burn_in.disallowed",
                target=recording,
                organisation=recording.webinar.organisation,
                user=user,
            )
    recording.may_viewers_request_burn_in = is_allowed


def make_again(*, recording: Recording, former: Package) -> None:
    """Ask for the videos that the former version had, as soon as a new version is shown."""
    languages = former.derivatives.filter(kind=DerivativeKind.MP4_BURNED).values_list("name", flat=True)
    for language in languages:
        try:
            request_burn_in(recording=recording, language=language, user=None)
        except CannotBurnIn:
            continue


def run_burn_in(lease: Lease[BurnIn]) -> None:
    """Draw the subtitles into the picture, a stretch at a time."""
    row = lease.row
    track = row.revision.track
    if track.current_revision_id != row.revision_id:
        raise Skip(_("The subtitles were changed since. Ask for the video again."))
    rung = media.services.rung_to_burn(row.package)
    cues = transcripts_selectors.cues_of(track, window=Window.of(row.package))
    if not cues:
        raise Skip(_("None of these subtitles is within what is shown of the recording."))
    parts = dict(row.parts)

    def keep_part(name: str, key: str) -> None:
        parts[name] = key
        lease.write(parts=parts)

    with working_folder(lease) as workdir:
        derivative = media.services.burn_subtitles(
            package=row.package,
            language=row.language,
            subtitles=drawing.write(cues, language=row.language, width=rung.width or 1280, height=rung.height or 720),
            facts={"revision": str(row.revision_id)},
            workdir=workdir,
            parts=row.parts,
            keep_part=keep_part,
            progress=lambda percent, activity: lease.report(percent, activity),
            should_stop=lambda: lease.should_stop,
            fenced=lease.fenced,
        )
    lease.write(derivative=derivative, parts={})


def after_burn_in(row: BurnIn) -> None:
    """Stretches of a video that nobody goes on with are deleted."""
    if row.state in (WorkState.CANCELLED, WorkState.SKIPPED) and row.parts:
        media.services.discard(list(row.parts.values()))
        BurnIn.objects.filter(pk=row.pk).update(parts={})
