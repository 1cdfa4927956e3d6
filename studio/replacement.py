"""Replacing a recording's file: the new one is produced while viewers keep the former; one pointer moves at the end."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

import studio.services
from accounts.models import User
from accounts.services import record_action
from library.models import Recording, RecordingState
from media.models import Upload
from studio.errors import StudioError, UploadNotReady
from studio.models import Production
from studio.selectors import state_of
from studio.uploads import replacement_purpose


class ReplacementUnderWay(StudioError):
    """Another file is already on its way to take this one's place."""

    code = "replacement_under_way"
    status = 409


class WrongUpload(StudioError):
    """The upload was not made for replacing this recording's file."""

    code = "wrong_upload"


def replacement_under_way(recording: Recording) -> Production | None:
    """The production that prepares a new file, if one does."""
    waiting = recording.productions.filter(replacement__isnull=False, cancelled_at__isnull=True)
    waiting = waiting.exclude(replacement=recording.asset_id).exclude(
        replacement__former_version__recording=recording.pk
    )
    return waiting.order_by("-created_at").first()


def spoken_in(recording: Recording) -> tuple[str, list[str]]:
    """The spoken language of a recording, and others that are spoken too, as its latest production was told."""
    latest = recording.productions.order_by("-created_at").first()
    if latest is None or not latest.spoken_language:
        return recording.webinar.spoken_language, []
    return latest.spoken_language, list(latest.other_languages)


def replace_recording(
    *,
    recording: Recording,
    upload: Upload,
    user: User | None,
    keeps_subtitles: bool,
    subtitle_offset_ms: int = 0,
    spoken_language: str = "",
    other_languages: Sequence[str] | None = None,
    subtitle_languages: Sequence[str] = (),
) -> Production:
    """Produce an uploaded file and let it take the place of the recording's. The same upload again: the same answer.

    A published recording stays published, with the new file's subtitles; nobody is told by mail.

    Args:
        keeps_subtitles: subtitles, chapters and slides of the former file are kept, shown `subtitle_offset_ms` later;
            else they are made anew in `subtitle_languages`.
        spoken_language, other_languages: what is spoken in the new file; as in the former one where not given.

    Raises:
        UploadNotReady: the upload is not complete.
        WrongUpload: it was meant for something else.
        ReplacementUnderWay: another one is being prepared.
    """
    if upload.asset is None:
        raise UploadNotReady(_("The upload is not complete yet."))
    if upload.purpose != replacement_purpose(recording):
        raise WrongUpload(_("This file was not uploaded for this recording."), field="upload")
    with transaction.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).select_related("webinar").get(pk=recording.pk)
        earlier = recording.productions.filter(replacement=upload.asset).first()
        if earlier is not None:
            return earlier
        busy = replacement_under_way(recording)
        if busy is not None:
            raise ReplacementUnderWay(
                _("Another file is already being prepared for this recording. Stop that first.")
                if state_of(busy) != "failed"
                else _("The preparation of another file failed. Try it again, or stop it first.")
            )
        record_action(
            action="recording.replacement_started",
            target=recording,
            organisation=recording.webinar.organisation,
            user=user,
            file_name=upload.asset.file_name,
            keeps_subtitles=keeps_subtitles,
        )
        return studio.services.start_production(
            recording=recording,
            user=user,
            spoken_language=spoken_language or spoken_in(recording)[0],
            other_languages=spoken_in(recording)[1] if other_languages is None else other_languages,
            subtitle_languages=[] if keeps_subtitles else subtitle_languages,
            publish_when_ready=recording.state == RecordingState.PUBLISHED,
            send_follow_up=False,
            replacement=upload.asset,
            keeps_subtitles=keeps_subtitles,
            subtitle_offset_ms=subtitle_offset_ms,
        )
