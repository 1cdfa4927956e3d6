"""A folder to work in, which belongs to one row and outlives nothing."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from sandbox import Stopped
from work.leases import Lease


@contextlib.contextmanager
def working_folder(lease: Lease[Any]) -> Iterator[Path]:
    """Give an empty folder that is gone afterwards, whatever happens; what a killed worker left goes first.

    Raises:
        LeaseLost, Cancelled, HandedBack: instead of `sandbox.Stopped`, which does not say why.
    """
    folder = Path(settings.WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    mine = f"work-{lease.row.pk.hex}-"
    for left_over in folder.glob(f"{mine}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=mine, dir=folder, ignore_cleanup_errors=True) as workdir:
        try:
            yield Path(workdir)
        except Stopped:
            lease.check()
            raise
