"""What uploads are for, as far as this app knows: recordings, interpreters' channels, replacements.

The purpose says it: "recording:<webinar>", "channel:<recording>:<language tag>" or "replacement:<recording>".
"""

import uuid

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

import transcripts.languages
from accounts import rules
from accounts.models import Organisation, Role, User
from events.models import Webinar
from library.models import Recording
from media.models import Asset, Upload
from media.uploads import Budget, space_of
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


def is_for_something_else(upload: Upload, webinar: Webinar) -> bool:
    """True for a file that was not meant as a recording of this webinar. Purposes that we do not know mean nothing."""
    known = upload.purpose.partition(":")[0] in (RECORDING, CHANNEL, REPLACEMENT)
    return known and upload.purpose != purpose_for(webinar)


def unused_uploads_for(purpose: str) -> "QuerySet[Upload]":
    """Files that arrived whole for a purpose and of which nothing was made: the page was closed too early, say."""
    arrived = Upload.objects.filter(purpose=purpose, state=WorkState.DONE, asset__isnull=False)
    return arrived.filter(
        asset__recording__isnull=True, asset__channel__isnull=True, asset__packages__isnull=True
    ).order_by("-created_at")


def unused_uploads(webinar: Webinar) -> "QuerySet[Upload]":
    """See `unused_uploads_for`: those meant as recordings of the webinar."""
    return unused_uploads_for(purpose_for(webinar)).filter(organisation=webinar.organisation_id)


def webinar_budget(webinar: Webinar) -> Budget:
    """The space of one webinar (promise U12): its recordings, their channels and replacements, arrived or arriving."""

    def used() -> int:
        meant = Q(purpose=purpose_for(webinar))
        for recording in webinar.recordings.all():
            meant |= Q(purpose=replacement_purpose(recording)) | Q(purpose__startswith=f"{CHANNEL}:{recording.pk}:")
        uploads = Upload.objects.filter(meant, organisation=webinar.organisation_id)
        assets = Asset.objects.filter(
            Q(recording__webinar=webinar)
            | Q(channel__asset__recording__webinar=webinar)
            | Q(pk__in=uploads.filter(asset__isnull=False).values("asset"))
        )
        return space_of(Asset.objects.filter(pk__in=assets.values("pk")), uploads)

    return Budget(str(webinar), settings.UPLOAD_WEBINAR_QUOTA_BYTES, used)


def check_recording(*, organisation: Organisation, user: User | None, purpose: str) -> Budget:
    """Let organisers upload recordings of their own organisation's webinars; no user means a command on this machine.

    Raises:
        UploadRefused: see there.
    """
    webinar = Webinar.objects.filter(pk=_id_in(purpose), organisation=organisation).first()
    if webinar is None or not _may(user, organisation):
        raise UploadRefused(_("There is no such webinar, or you may not upload recordings for it."), field="purpose")
    return webinar_budget(webinar)


def check_channel(*, organisation: Organisation, user: User | None, purpose: str) -> Budget:
    """Let organisers upload an interpreter's channel of a recording, in a language that we know.

    Raises:
        UploadRefused, ChannelLanguageUnknown: see there.
    """
    recording = _recording_in(organisation, user, purpose)
    language = purpose.split(":", 2)[2] if purpose.count(":") >= 2 else ""
    if not transcripts.languages.is_known(language):
        raise ChannelLanguageUnknown(_("Say the channel's language as a tag such as fr or ar."), field="purpose")
    return webinar_budget(recording.webinar)


def check_replacement(*, organisation: Organisation, user: User | None, purpose: str) -> Budget:
    """Let organisers upload a file that shall take the place of a recording's.

    Raises:
        UploadRefused: see there.
    """
    return webinar_budget(_recording_in(organisation, user, purpose).webinar)


def _recording_in(organisation: Organisation, user: User | None, purpose: str) -> Recording:
    found = Recording.objects.filter(pk=_id_in(purpose), webinar__organisation=organisation)
    recording = found.select_related("webinar").first()
    if recording is None or not _may(user, organisation):
        raise UploadRefused(
            _("There is no such recording, or you may not upload files for it."),
            code="no_such_recording",
            field="purpose",
        )
    return recording


def _may(user: User | None, organisation: Organisation) -> bool:
    return user is None or rules.has_role(user, organisation, Role.ORGANISER)


def _id_in(purpose: str) -> uuid.UUID:
    try:
        return uuid.UUID(purpose.split(":")[1])
    except (IndexError, ValueError):
        return uuid.UUID(int=0)  # nobody's
