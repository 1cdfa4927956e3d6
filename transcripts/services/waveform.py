"""How loud a recording is over time, for the editor's picture of the sound: made once by a worker, a few kilobytes."""

import base64
import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

import media.services
import work.services
from media.models import Asset, Derivative, DerivativeKind, Package
from media.services import stored
from media.services.audio import save_derivative, speech_of
from media.sound import SPEECH_RATE
from media.storage import private_storage
from transcripts.models import Waveform
from work.errors import StaleState
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

WORK_KIND = "transcripts.waveform"
PER_SECOND = 20  # values, each the loudest sample of 50 ms, from 0 to 255
PIECE_MS = 5 * 60_000  # of samples in memory at a time


def peaks_of(package: Package) -> Derivative | None:
    """The stored loudness of a package's sound, if it was made."""
    return package.derivatives.filter(kind=DerivativeKind.PEAKS, name="").first()


def request_waveform(*, package: Package, again: bool = False) -> Waveform | None:
    """Have the loudness of a package's sound measured, unless that was asked for before; None if it has no sound.

    One that failed is tried again only if a person asks for it (`again`): the editor works without the picture.
    """
    if speech_of(package) is None:
        return None
    row, is_new = Waveform.objects.get_or_create(package=package)
    if again and row.state in FINISHED_STATES and peaks_of(package) is None:
        # One whose file is gone is done, and is measured anew all the same.
        Waveform.objects.filter(pk=row.pk, state=WorkState.DONE).update(state=WorkState.CANCELLED)
        with suppress(StaleState):  # somebody else asked at the same moment
            work.services.retry(row)
        row.refresh_from_db()
    if is_new or row.state == WorkState.WAITING:
        work.services.enqueue(row)
    return row


@dataclass(frozen=True)
class Peaks:
    """The picture of an asset's sound, or why there is none.

    Attributes:
        state: "ready"; "coming" while a worker measures; "failed", which can be asked for again; "none" without sound.
        content: `per_second`, how many values there are; `peaks`, one byte each from 0 to 255, in Base64.
    """

    state: Literal["ready", "coming", "failed", "none"]
    content: dict[str, Any]


STATUS = {"ready": 200, "coming": 202, "failed": 404, "none": 404}  # of HTTP, for page and API


def peaks_for(*, asset: Asset, again: bool = False) -> Peaks:
    """The loudness of an asset's whole sound; has it measured if nobody did, and if it failed once more on `again`."""
    package = media.services.whole_package(asset) or asset.current_package
    if package is None:
        return Peaks("none", {})
    row = peaks_of(package)
    if row is None:
        wish = request_waveform(package=package, again=again)
        if wish is None:
            return Peaks("none", {})
        return Peaks("failed" if wish.state in FINISHED_STATES else "coming", {})
    # Some hundred kilobytes at most, so they need not be fetched from the store by an address of its own.
    with private_storage().open(row.key) as file:
        return Peaks("ready", json.loads(file.read()))


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
