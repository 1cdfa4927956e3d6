"""What uploads are for, as far as this app knows: recordings, interpreters' channels, replacements.

The purpose says it: "recording:<webinar>", "channel:<recording>:<language tag>" or "replacement:<recording>".
"""

import uuid

from django.db.models import QuerySet
from django.utils.translation import gettext as _

import transcripts.languages
from accounts import rules
from accounts.models import Organisation, Role, User
from events.models import Webinar
from library.models import Recording
from media.models import Upload
from studio.errors import StudioError
from work.models import WorkState

RECORDING = "recording"
CHANNEL = "channel"
REPLACEMENT = "replacement"


class UploadRefused(StudioError):
    """This person may not upload this here, or there is no such thing to upload it for; these look alike."""

    code = "no_such_webinar"
    status = 404


class ChannelLanguageUnknown(StudioError):
    """The purpose of an interpreter's channel names no language that we know."""

    code = "unknown_language"


def purpose_for(webinar: Webinar) -> str:
    """The purpose under which a recording of the webinar is uploaded."""
    return f"{RECORDING}:{webinar.pk}"


def channel_purpose(recording: Recording, language: str) -> str:
    """The purpose under which an interpreter's channel of the recording is uploaded."""
    return f"{CHANNEL}:{recording.pk}:{language}"


def replacement_purpose(recording: Recording) -> str:
    """The purpose under which a file is uploaded that shall take the place of the recording's."""
    return f"{REPLACEMENT}:{recording.pk}"


def unused_uploads_for(purpose: str) -> "QuerySet[Upload]":
    """Files that arrived whole for a purpose and of which nothing was made: the page was closed too early, say."""
    arrived = Upload.objects.filter(purpose=purpose, state=WorkState.DONE, asset__isnull=False)
    return arrived.filter(
        asset__recording__isnull=True, asset__channel__isnull=True, asset__packages__isnull=True
    ).order_by("-created_at")


def unused_uploads(webinar: Webinar) -> "QuerySet[Upload]":
    """See `unused_uploads_for`: those meant as recordings of the webinar."""
    return unused_uploads_for(purpose_for(webinar)).filter(organisation=webinar.organisation_id)


def check_recording(*, organisation: Organisation, user: User | None, purpose: str) -> None:
    """Let organisers upload recordings of their own organisation's webinars; no user means a command on this machine.

    Raises:
        UploadRefused: see there.
    """
    webinar = Webinar.objects.filter(pk=_id_in(purpose), organisation=organisation).first()
    if webinar is None or not _may(user, organisation):
        raise UploadRefused(_("There is no such webinar, or you may not upload recordings for it."), field="purpose")


def check_channel(*, organisation: Organisation, user: User | None, purpose: str) -> None:
    """Let organisers upload an interpreter's channel of a recording, in a language that we know.

    Raises:
        UploadRefused, ChannelLanguageUnknown: see there.
    """
    _check_recording_row(organisation, user, purpose)
    language = purpose.split(":", 2)[2] if purpose.count(":") >= 2 else ""
    if not transcripts.languages.is_known(language):
        raise ChannelLanguageUnknown(_("Say the channel's language as a tag such as fr or ar."), field="purpose")


def check_replacement(*, organisation: Organisation, user: User | None, purpose: str) -> None:
    """Let organisers upload a file that shall take the place of a recording's.

    Raises:
        UploadRefused: see there.
    """
    _check_recording_row(organisation, user, purpose)


def _check_recording_row(organisation: Organisation, user: User | None, purpose: str) -> None:
    found = Recording.objects.filter(pk=_id_in(purpose), webinar__organisation=organisation)
    if not found.exists() or not _may(user, organisation):
        raise UploadRefused(
            _("There is no such recording, or you may not upload files for it."),
            code="no_such_recording",
            field="purpose",
        )


def _may(user: User | None, organisation: Organisation) -> bool:
    return user is None or rules.has_role(user, organisation, Role.ORGANISER)


def _id_in(purpose: str) -> uuid.UUID:
    try:
        return uuid.UUID(purpose.split(":")[1])
    except (IndexError, ValueError):
        return uuid.UUID(int=0)  # nobody's
