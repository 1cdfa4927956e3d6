"""Decoded pictures of a package as arrays: for finding slides and choosing stills. From finished rungs only."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Package, Rendition, RenditionKind
from work.errors import Skip

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STRETCH_BYTES = 32 * 1024**2  # of pictures held at a time, whatever the recording's length


VISIBLE = 12  # levels of gray: what differs by less is compression

# Shares of a small picture that changed. Pages of white slides differ by a tenth, a speaker's inset by a hundredth.
ANOTHER = 0.04  # from this on it is another picture
STILL = 0.02  # below, it stands still


@dataclass(frozen=True)
class FrameFile:
    """A rung on disk, and the size at which its frames are wanted."""

    rung: Rendition
    path: Path
    workdir: Path
    width: int
    height: int


def rungs_of(package: Package) -> list[Rendition]:
    """Return the package's pictures in H.264, the smallest first.

    Raises:
        Skip: there is none.
    """
    found = package.renditions.filter(kind=RenditionKind.VIDEO, codecs__startswith="avc1")
    rungs = sorted(found, key=lambda row: (row.height or 0) * (row.width or 0))
    if not rungs:
        raise Skip(_("The recording has no picture."))
    return rungs


def changed_share(one: "npt.NDArray[np.uint8]", other: "npt.NDArray[np.uint8]") -> float:
    """Return how much of a picture differs visibly from another one, between 0 and 1."""
    import numpy as np

    return float((np.abs(one.astype(np.int16) - other) > VISIBLE).mean())


def gray_frames(
    file: FrameFile,
    *,
    interval_ms: int,
    only_key_frames: bool = False,
    progress: Progress = silent,
    activity: str = "",
    should_stop: ShouldStop = never,
) -> "Iterator[npt.NDArray[np.uint8]]":
    """Yield what is shown at 0, at `interval_ms` and so on to the end, in shades of gray.

    Args:
        only_key_frames: a tenth of the work; each picture is the last key frame at or before its moment.
    """
    import numpy as np  # slow to import, and the web processes never need it

    size = file.width * file.height
    total = max(1, math.ceil(file.rung.duration_ms / interval_ms))
    per_stretch = max(1, STRETCH_BYTES // size)
    for first in range(0, total, per_stretch):
        count = min(per_stretch, total - first)
        progress(100 * first / total, activity)
        options: dict[str, Any] = {"skip_frame": "nokey"} if only_key_frames else {}
        if first:
            options["ss"] = f"{first * interval_ms / 1000:.3f}"
        picture = own_input("rung", **options)["v"]
        # Rounding up: the picture shown at the moment itself, not one of the seconds after it.
        picture = picture.filter("fps", fps=f"1000/{interval_ms}", start_time=0, round="up")
        picture = picture.filter("tpad", stop_mode="clone", stop=-1).filter("trim", end_frame=count)
        picture = picture.filter("scale", file.width, file.height, flags="area").filter("format", "gray")
        result = run_ffmpeg(
            picture.output("pipe:1", f="rawvideo", fps_mode="passthrough"),
            inputs={"rung": file.path},
            output_dir=file.workdir,
            duration_ms=count * interval_ms,
            should_stop=should_stop,
            stdout_bytes=count * size,
        )
        pictures = np.frombuffer(result.stdout, dtype=np.uint8)
        yield from pictures[: len(pictures) // size * size].reshape(-1, file.height, file.width)
