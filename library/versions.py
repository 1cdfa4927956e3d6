"""Taking another file for a recording, and going back. Viewers see the one or the other, never a mixture (promise D4).

The pointer `Recording.asset` moves in one transaction. Whoever is watching goes on with the former file until the grant
ends (library/playback.py); after FORMER_VERSION_KEPT_DAYS it is deleted.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import media.services
from accounts.models import User
from accounts.services import record_action
from library.errors import LibraryError, RecordingNotReady
from library.models import Chapter, FormerVersion, Recording, SlideInterval
from library.signals import recording_file_changed
from media.models import Asset, PackageState


def replace_asset(
    *, recording: Recording, asset: Asset, user: User | None, offset_ms: int = 0, keeps_timeline: bool = True
) -> FormerVersion:
    """Let viewers see another file from now on, everything of which is made already.

    Args:
        offset_ms: how much later things happen in the new file.
        keeps_timeline: chapters and slides are taken over by that offset; else those that machines made go.

    Raises:
        RecordingNotReady: not everything has been made of the new file.
        LibraryError: it belongs to another organisation, or to another recording.
    """
    with transaction.atomic():
        recording = _locked(recording)
        package = asset.current_package
        if package is None or package.state != PackageState.COMPLETE:
            raise RecordingNotReady(_("The new file is still being prepared."))
        if asset.organisation_id != recording.webinar.organisation_id:
            raise LibraryError(_("This file belongs to another organisation."), code="other_organisation")
        if Recording.objects.filter(asset=asset).exists():
            raise LibraryError(_("This file is already shown."), code="in_use")
        former = _move(recording, asset, user)
        if keeps_timeline:
            _write_timeline(recording, _moved(former.timeline, offset_ms, asset.duration_ms or 0))
        else:
            _forget_machine_timeline(recording)
        _record("recording_replaced", recording, user, file_name=asset.file_name, former=former.asset.file_name)
    return former


def restore_version(*, version: FormerVersion, user: User | None) -> Recording:
    """Go back to a former file, with the chapters and slides that it had. The present one becomes a former one.

    Raises:
        LibraryError: it was deleted, or is the present one by now.
    """
    with transaction.atomic():
        recording = _locked(version.recording)
        found = FormerVersion.objects.select_for_update(of=("self",)).select_related("asset").filter(pk=version.pk)
        current = found.first()
        if current is None:
            raise LibraryError(_("This version is not there any more."), code="version_gone")
        asset, timeline = current.asset, current.timeline
        current.delete()
        former = _move(recording, asset, user)
        _write_timeline(recording, timeline)
        _record("recording_restored", recording, user, file_name=asset.file_name, former=former.asset.file_name)
    return recording


def delete_former_versions() -> int:
    """Delete what was kept long enough, with all its files. Returns how many; logged."""
    deleted = 0
    for version in FormerVersion.objects.filter(delete_after__lt=timezone.now()).select_related("recording__webinar")[
        :20
    ]:
        with transaction.atomic():
            asset = version.asset
            _record("former_version_deleted", version.recording, None, file_name=asset.file_name)
            version.delete()
            delete_asset_with_channels(asset=asset, user=None)
        deleted += 1
    return deleted


def delete_asset_with_channels(*, asset: Asset, user: User | None) -> None:
    """Delete a file and the interpreters' files that belong to it."""
    sources = [channel.source for channel in asset.channels.select_related("source")]
    asset.channels.all().delete()
    for one in (*sources, asset):
        one.uploads.all().delete()
        media.services.delete_asset(asset=one, user=user)


def _move(recording: Recording, asset: Asset, user: User | None) -> FormerVersion:
    former_asset = recording.asset
    recording.asset = asset
    recording.save(update_fields=["asset", "updated_at"])
    recording_file_changed.send(sender=Recording, recording=recording, former=former_asset)
    return FormerVersion.objects.create(
        recording=recording,
        asset=former_asset,
        replaced_by=user,
        delete_after=timezone.now() + timedelta(days=settings.FORMER_VERSION_KEPT_DAYS),
        timeline=_timeline_of(recording),
    )


def _timeline_of(recording: Recording) -> dict[str, Any]:
    slides = recording.slide_intervals.values_list("page_id", "start_ms", "end_ms", "certainty", "is_by_person")
    return {
        "chapters": [list(row) for row in recording.chapters.values_list("start_ms", "title")],
        "slides": [[page and str(page), *rest] for page, *rest in slides],
        "are_chapters_edited": recording.are_chapters_edited,
    }


def _moved(timeline: dict[str, Any], offset_ms: int, duration_ms: int) -> dict[str, Any]:
    """The same moments in a file in which everything happens `offset_ms` later; what falls outside is left out."""
    chapters = {max(0, start + offset_ms): title for start, title in sorted(timeline["chapters"])}
    slides = [
        [page, max(0, start + offset_ms), min(duration_ms, end + offset_ms), *rest]
        for page, start, end, *rest in timeline["slides"]
    ]
    return {
        **timeline,
        "chapters": [[start, title] for start, title in chapters.items() if start < duration_ms],
        "slides": [row for row in slides if row[1] < row[2]],
    }


def _write_timeline(recording: Recording, timeline: dict[str, Any]) -> None:
    recording.chapters.all().delete()
    recording.slide_intervals.all().delete()
    Chapter.objects.bulk_create(
        Chapter(recording=recording, start_ms=start, title=title) for start, title in timeline.get("chapters", [])
    )
    # A page may have been deleted with its slides since.
    known = {str(pk) for pk in recording.webinar.materials.values_list("pages__pk", flat=True)}
    SlideInterval.objects.bulk_create(
        SlideInterval(
            recording=recording,
            page_id=page,
            start_ms=start,
            end_ms=end,
            certainty=certainty,
            is_by_person=is_by_person,
        )
        for page, start, end, certainty, is_by_person in timeline.get("slides", [])
        if page is None or page in known
    )
    recording.are_chapters_edited = timeline.get("are_chapters_edited", False)
    recording.save(update_fields=["are_chapters_edited", "updated_at"])


def _forget_machine_timeline(recording: Recording) -> None:
    recording.slide_intervals.all().delete()
    if not recording.are_chapters_edited:
        recording.chapters.all().delete()


def _locked(recording: Recording) -> Recording:
    rows = Recording.objects.select_for_update(of=("self",)).select_related("webinar__organisation", "asset")
    return rows.get(pk=recording.pk)


def _record(action: str, recording: Recording, user: User | None, **detail: str) -> None:
    record_action(action=action, target=recording, organisation=recording.webinar.organisation, user=user, **detail)
