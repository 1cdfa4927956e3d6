"""Grants: short-lived, signed permission to fetch one package of one recording.

A grant stands in the path of every playlist, so players need no cookies. It names the reason it was given for, and
every fetch checks that the reason still holds.
"""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from library.errors import GrantError
from library.models import Recording
from library.rules import Right, holds
from media.models import Package

_SALT = "library.playback"


@dataclass(frozen=True)
class Playback:
    """What a valid grant opens."""

    grant: str
    recording: Recording
    package: Package


def make_grant(*, recording: Recording, package: Package, right: Right) -> str:
    """Return a grant for `/playback/<grant>/...`, good for MEDIA_LINK_LIFE_S seconds."""
    facts = [recording.pk.hex, package.pk.hex, right.kind, right.holder]
    return signing.dumps(facts, salt=_SALT).replace(":", "~")


def read_grant(grant: str) -> Playback:
    """Return what a grant opens.

    Raises:
        GrantError: it is forged or too old, the recording was withdrawn, or its holder lost the right. All answer
            alike: 404.
    """
    try:
        facts = signing.loads(grant.replace("~", ":"), salt=_SALT, max_age=settings.MEDIA_LINK_LIFE_S)
    except signing.BadSignature:
        raise GrantError(_("This address does not work any more. Open the page of the recording again.")) from None
    recording_id, package_id, kind, holder = facts
    recording = (
        Recording.objects.select_related("webinar__organisation", "asset").filter(pk=uuid.UUID(recording_id)).first()
    )
    package = Package.objects.filter(pk=uuid.UUID(package_id), asset__recording=uuid.UUID(recording_id)).first()
    if recording is None or package is None or not holds(Right(kind, holder), recording):
        raise GrantError(_("This address does not work any more. Open the page of the recording again."))
    return Playback(grant=grant, recording=recording, package=package)
