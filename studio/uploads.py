"""What uploads are for, as far as this app knows: recordings of a webinar."""

import uuid

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import rules
from accounts.models import Organisation, Role, User
from events.models import Webinar
from media.models import Upload
from studio.errors import StudioError
from work.models import WorkState

RECORDING = "recording"


class UploadRefused(StudioError):
    """This person may not upload a recording for this webinar, or there is no such webinar; these look alike."""

    code = "no_such_webinar"
    status = 404


def purpose_for(webinar: Webinar) -> str:
    """The purpose under which a recording of the webinar is uploaded."""
    return f"{RECORDING}:{webinar.pk}"


def unused_uploads(webinar: Webinar) -> "QuerySet[Upload]":
    """Files that arrived whole for the webinar and of which nothing was made: the page was closed too early, say."""
    arrived = Upload.objects.filter(
        organisation=webinar.organisation_id, purpose=purpose_for(webinar), state=WorkState.DONE
    )
    return arrived.filter(asset__isnull=False, asset__recording__isnull=True).order_by("-created_at")


def check_recording(*, organisation: Organisation, user: User | None, purpose: str) -> None:
    """Let organisers upload recordings of their own organisation's webinars; no user means a command on this machine.

    Raises:
        UploadRefused: see there.
    """
    webinar = Webinar.objects.filter(pk=_webinar_id(purpose), organisation=organisation).first()
    if webinar is None or (user is not None and not rules.has_role(user, organisation, Role.ORGANISER)):
        raise UploadRefused(_("There is no such webinar, or you may not upload recordings for it."), field="purpose")


def _webinar_id(purpose: str) -> uuid.UUID:
    try:
        return uuid.UUID(purpose.partition(":")[2])
    except ValueError:
        return uuid.UUID(int=0)  # nobody's
