"""How loud a recording is over time, for the editor's picture of the sound: made once by a worker, a few kilobytes."""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

import media.services
import work.services
from media.models import Derivative, DerivativeKind, Package
from media.services import stored
from media.services.audio import save_derivative, speech_of
from media.sound import SPEECH_RATE
from transcripts.models import Waveform
from work.leases import Lease
from work.models import WorkState

WORK_KIND = "transcripts.waveform"
PER_SECOND = 20  # values, each the loudest sample of 50 ms, from 0 to 255
PIECE_MS = 5 * 60_000  # of samples in memory at a time


def peaks_of(package: Package) -> Derivative | None:
    """The stored loudness of a package's sound, if it was made."""
    return package.derivatives.filter(kind=DerivativeKind.PEAKS, name="").first()


def request_waveform(*, package: Package) -> Waveform | None:
    """Have the loudness of a package's sound measured, unless that was asked for before; None if it has no sound.

    One that failed is not tried again: the editor works without the picture.
    """
    if speech_of(package) is None:
        return None
    row, is_new = Waveform.objects.get_or_create(package=package)
    if is_new or row.state == WorkState.WAITING:
        work.services.enqueue(row)
    return row


def run_waveform(lease: Lease[Any]) -> None:
    """Measure the loudness and store it beside the package's files."""
    package: Package = lease.row.package
    values = bytearray()
    at, length = 0, package.asset.duration_ms or 0
    while at < length:
        values += loudness(media.services.read_speech_audio(package=package, start_ms=at, end_ms=at + PIECE_MS))
        at += PIECE_MS
        lease.report(min(99, at * 100 // max(1, length)), _("Measuring loudness"))
    key = stored.new_key(package, "peaks", ".json")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "peaks.json"
        path.write_text(json.dumps({"per_second": PER_SECOND, "peaks": base64.b64encode(values).decode()}))
        size = stored.put(path, key)
    with stored.stored_until_failure(lease.fenced) as uncommitted:
        uncommitted.append(key)
        save_derivative(package, DerivativeKind.PEAKS, key=key, size=size, content_type="application/json")


def loudness(samples: Any) -> bytes:
    """The loudest sample of each 50 ms, as a value from 0 to 255; a shorter rest counts as one more."""
    import numpy as np  # slow to import, and the web processes never need it

    width = SPEECH_RATE // PER_SECOND
    missing = -len(samples) % width
    frames = np.pad(np.abs(samples), (0, missing)).reshape(-1, width)
    return bytes(np.minimum(255, np.round(frames.max(axis=1, initial=0) * 255)).astype(np.uint8))
