"""Grants: signed permission to fetch one package of one recording.

A grant stands in the path of every playlist, media file, subtitle and beat, so players need no cookies. It names the
reason it was given for, and every fetch checks that the reason still holds (docs/decisions/010-media-behind-grants.md).
"""

import time
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from library.errors import GrantError
from library.memory import ShortMemory
from library.models import Recording
from library.rules import Right, holds
from media.models import Asset, Package
from media.timeline import Window

_SIGNER = signing.Signer(salt="library.playback")


@dataclass(frozen=True)
class Playback:
    """What a valid grant opens. `registration_id` is set where the viewer came by a personal link."""

    grant: str
    recording: Recording
    package: Package
    right: Right
    registration_id: uuid.UUID | None

    @property
    def asset(self) -> Asset:
        """The file that the package was made of: after a replacement not necessarily the recording's own."""
        return self.package.asset


def make_grant(
    *, recording: Recording, package: Package, right: Right, registration_id: uuid.UUID | None = None
) -> str:
    """Return a grant for `/playback/<grant>/...`, good for about PLAYBACK_GRANT_LIFE_S seconds.

    Its end is rounded down to an eighth of that life, so that a page loaded again soon after has the same addresses
    and the browser's cache is of use to people who pay for each megabyte.
    """
    life_s = settings.PLAYBACK_GRANT_LIFE_S
    step = max(1, life_s // 8)
    expires_at = (int(time.time()) + life_s) // step * step
    viewer = registration_id.hex if registration_id else ""
    facts = [recording.pk.hex, package.pk.hex, right.kind, right.holder, viewer, expires_at]
    return _SIGNER.sign_object(facts).replace(":", "~")


def read_grant(grant: str) -> Playback:
    """Return what a grant opens, if the database said within the last PLAYBACK_CACHED_S seconds that its right stands.

    Everybody who watches a public recording has the same grant for a while, so a crowd costs two queries every few
    seconds.

    Raises:
        GrantError: it is forged or too old, the recording was withdrawn, or its holder lost the right. All answer
            alike: 404.
    """
    return _remembered.get(grant, lambda: _read_grant(grant))


_remembered: ShortMemory[Playback] = ShortMemory()


def _read_grant(grant: str) -> Playback:
    # Forged, too old, withdrawn, right lost: the reasons look alike on purpose.
    refused = GrantError(_("This address does not work any more. Open the page of the recording again."))
    try:
        recording_id, package_id, kind, holder, viewer, expires_at = _SIGNER.unsign_object(grant.replace("~", ":"))
    except (signing.BadSignature, ValueError):
        raise refused from None
    if time.time() >= expires_at:
        raise refused
    recording_key = uuid.UUID(recording_id)
    recording = Recording.objects.select_related("webinar__organisation").filter(pk=recording_key).first()
    package = _packages(recording_key).filter(pk=uuid.UUID(package_id)).first()
    right = Right(kind, holder)
    if recording is None or package is None or not holds(right, recording):
        raise refused
    return Playback(
        grant=grant,
        recording=recording,
        package=package,
        right=right,
        registration_id=uuid.UUID(viewer) if viewer else None,
    )


def _packages(recording_id: uuid.UUID) -> QuerySet[Package]:
    """A recording's packages; whoever began to watch a version that was replaced since goes on with it."""
    mine = Q(asset__recording=recording_id) | Q(asset__former_version__recording=recording_id)
    # The findings of inspection and analysis may be long, and no viewer needs them.
    return Package.objects.filter(mine).select_related("asset").defer("analysis", "loudness", "asset__probe")


def shown_duration_ms(package: Package) -> int:
    """How long a version is, without what was cut off at its ends."""
    return Window.of(package).duration_ms(package.asset.duration_ms or 0)
