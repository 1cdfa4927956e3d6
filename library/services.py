"""What changes recordings."""

from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events.models import Visibility, Webinar, WebinarState
from library.errors import LibraryError, RecordingNotReady, WrongRecordingState
from library.models import Recording, RecordingState
from library.signals import recording_published, recording_withdrawn
from media.models import Asset


def create_recording(
    *, webinar: Webinar, asset: Asset, user: User | None = None, visibility: str = Visibility.PUBLIC
) -> Recording:
    """Join an asset to its webinar as a draft, which only members can see.

    Doing it again with the same asset returns the recording that is there.

    Raises:
        LibraryError: the asset belongs to another organisation or another webinar.
    """
    if asset.organisation_id != webinar.organisation_id:
        raise LibraryError(_("This file belongs to another organisation."), code="other_organisation", field="asset")
    with transaction.atomic():
        recording, is_new = Recording.objects.get_or_create(
            asset=asset, defaults={"webinar": webinar, "visibility": visibility}
        )
        if recording.webinar_id != webinar.pk:
            raise LibraryError(
                _("This file is already the recording of another webinar."), code="in_use", field="asset"
            )
        if is_new:
            _record("recording_created", recording, user)
    return recording


def publish_recording(*, recording: Recording, user: User | None = None) -> Recording:
    """Let everyone who may watch it, watch it. Publishing what is published changes nothing.

    Raises:
        RecordingNotReady: nothing has been made from the asset yet, or the webinar is a draft.
    """
    with transaction.atomic():
        recording = _locked(recording)
        if recording.state == RecordingState.PUBLISHED:
            return recording
        package = recording.asset.current_package
        if package is None or not package.renditions.exists():
            raise RecordingNotReady(_("There is nothing to watch yet: wait until the first version is ready."))
        if recording.webinar.state == WebinarState.DRAFT:
            raise RecordingNotReady(_("Publish the webinar before its recording."), code="webinar_draft")
        recording.state = RecordingState.PUBLISHED
        recording.published_at = timezone.now()
        recording.published_by = user
        recording.save(update_fields=["state", "published_at", "published_by", "updated_at"])
        _record("recording_published", recording, user, visibility=recording.visibility)
        transaction.on_commit(partial(recording_published.send_robust, sender=Recording, recording=recording))
    return recording


def withdraw_recording(*, recording: Recording, user: User | None = None) -> Recording:
    """Close every door to a published recording: pages, playlists and new media addresses, at once.

    Media addresses handed out before live for at most MEDIA_LINK_LIFE_S.

    Raises:
        WrongRecordingState: it was never published.
    """
    with transaction.atomic():
        recording = _locked(recording)
        if recording.state == RecordingState.WITHDRAWN:
            return recording
        if recording.state != RecordingState.PUBLISHED:
            raise WrongRecordingState(_("Only a published recording can be withdrawn."))
        recording.state = RecordingState.WITHDRAWN
        recording.save(update_fields=["state", "updated_at"])
        _record("recording_withdrawn", recording, user)
        transaction.on_commit(partial(recording_withdrawn.send_robust, sender=Recording, recording=recording))
    return recording


def change_visibility(*, recording: Recording, visibility: str, user: User | None = None) -> Recording:
    """Set who may watch; playlists handed out under the old rule stop working."""
    with transaction.atomic():
        recording = _locked(recording)
        if recording.visibility == visibility:
            return recording
        before, recording.visibility = recording.visibility, visibility
        recording.save(update_fields=["visibility", "updated_at"])
        _record("recording_visibility_changed", recording, user, before=before, after=visibility)
    return recording


def _locked(recording: Recording) -> Recording:
    """The row as it is now, held until the end of the transaction (SQLite: every transaction holds the database)."""
    return (
        Recording.objects.select_for_update(of=("self",))
        .select_related("webinar__organisation", "asset__current_package")
        .get(pk=recording.pk)
    )


def _record(action: str, recording: Recording, user: User | None, **detail: str) -> None:
    record_action(action=action, target=recording, organisation=recording.webinar.organisation, user=user, **detail)
