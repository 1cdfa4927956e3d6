"""Finding slides in a recording's pictures. Knows pages as pictures, not where they come from."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from media.ffmpeg.runner import Progress, ShouldStop, never, silent
from media.models import Package
from media.services import stored
from media.services.frames import FrameFile, gray_frames, rungs_of
from media.timeline import Window

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from media.slide_matching import Match

INTERVAL_MS = 500
MAX_SAMPLES = 240  # from which it is learnt where in the picture slides are shown
SAMPLE_MS = 6000
PAGE_WIDTH = 384  # pixels, of the pages to be given


def match_slides(
    *,
    package: Package,
    pages: "Sequence[npt.NDArray[np.uint8]]",
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> "list[Match]":
    """Return which of the pages is on screen when, in the source's time.

    Args:
        pages: in shades of gray, PAGE_WIDTH pixels wide, in their order.

    Raises:
        Skip: the package has no picture.
    """
    from media.slide_matching import Match, SlideMatcher, frame_size

    rung = rungs_of(package)[0]
    width, height = frame_size(rung.width or 16, rung.height or 9)
    matcher = SlideMatcher(pages, frame=(width, height))
    with stored.on_disk(rung.key, workdir) as path, tempfile.TemporaryDirectory(dir=workdir) as folder:
        file = FrameFile(rung, path, Path(folder), width, height)
        sample_ms = max(INTERVAL_MS, min(SAMPLE_MS, rung.duration_ms // 40), rung.duration_ms // MAX_SAMPLES)
        samples = gray_frames(
            file,
            interval_ms=sample_ms,
            only_key_frames=sample_ms >= SAMPLE_MS,
            progress=lambda percent, activity: progress(percent * 0.1, activity),
            activity=_("Looking for the slides in the picture"),
            should_stop=should_stop,
        )
        matcher.learn(list(samples))
        if not matcher.regions:
            return []
        progress(20, "")
        frames = gray_frames(
            file,
            interval_ms=INTERVAL_MS,
            progress=lambda percent, activity: progress(20 + percent * 0.75, activity),
            activity=_("Comparing the picture with the slides"),
            should_stop=should_stop,
        )
        found = matcher.timeline(frames, interval_ms=INTERVAL_MS)
    window = Window.of(package)
    return [
        Match(
            page=match.page,
            start_ms=window.source_ms(match.start_ms),
            end_ms=window.source_ms(min(match.end_ms, rung.duration_ms)),
            certainty=match.certainty,
        )
        for match in found
        if match.start_ms < rung.duration_ms
    ]
