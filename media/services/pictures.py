"""Still pictures of a package: the poster, and the storyboard for the seek bar."""

import math
import tempfile
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Derivative, DerivativeKind, Package, Rendition
from media.services import stored
from media.services.audio import save_derivative
from media.services.frames import rungs_of
from media.services.posters import find_poster
from media.services.stored import Fenced

TILE_SIDE = 144
COLUMNS = 10
MAX_TILES = 180  # one a minute in three hours; the sprite stays at some 300 kB
TILE_INTERVAL_MS = 2000
JPEG_QUALITY = 6  # ffmpeg's scale: 2 is best, 31 worst


def make_pictures(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Derivative]:
    """Make the poster with its candidates, and the storyboard, one JPEG of small pictures, from the lowest rung.

    Raises:
        Skip: the package has no picture.
    """
    rung = rungs_of(package)[0]
    poster = find_poster(
        package=package,
        workdir=workdir,
        progress=lambda percent, activity: progress(percent * 0.6, activity),
        should_stop=should_stop,
        fenced=fenced,
    )
    with tempfile.TemporaryDirectory(dir=workdir) as name:
        folder = Path(name)
        progress(60, _("Drawing the storyboard"))
        facts = storyboard_facts(rung)
        with stored.on_disk(rung.key, workdir) as path:
            run_ffmpeg(
                storyboard_command(facts),
                inputs={"rung": path},
                output_dir=folder,
                duration_ms=rung.duration_ms,
                should_stop=should_stop,
            )
        progress(90, "")
        key = stored.new_key(package, "storyboard", ".jpg")
        size = stored.put(folder / "storyboard.jpg", key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        storyboard = save_derivative(
            package, DerivativeKind.STORYBOARD, key=key, size=size, content_type="image/jpeg", facts=facts
        )
    return [poster, storyboard]


def storyboard_facts(rung: Rendition) -> dict[str, Any]:
    """Return the storyboard's layout, which `media.storyboard.storyboard_vtt` turns into a track."""
    width, height = rung.width or 16, rung.height or 9
    scale = TILE_SIDE / max(width, height)
    interval_ms = max(TILE_INTERVAL_MS, math.ceil(rung.duration_ms / MAX_TILES / 1000) * 1000)
    count = max(1, math.ceil(rung.duration_ms / interval_ms))
    columns = min(count, COLUMNS)
    return {
        "tile_width": max(2, 2 * round(width * scale / 2)),
        "tile_height": max(2, 2 * round(height * scale / 2)),
        "columns": columns,
        "rows": math.ceil(count / columns),
        "count": count,
        "interval_ms": interval_ms,
        "duration_ms": rung.duration_ms,
    }


def storyboard_command(facts: dict[str, Any]) -> Any:
    """Return the ffmpeg graph that draws all tiles into one JPEG: tile n shows the moment n intervals in."""
    picture = own_input("rung")["v"]
    # Rounding up: the picture shown at the moment itself, not one of the seconds after it.
    picture = picture.filter("fps", fps=f"1000/{facts['interval_ms']}", start_time=0, round="up")
    picture = picture.filter("tpad", stop_mode="clone", stop=-1).filter("trim", end_frame=facts["count"])
    picture = picture.filter("scale", facts["tile_width"], facts["tile_height"], flags="area")
    picture = picture.filter("tile", f"{facts['columns']}x{facts['rows']}", color="black")
    return picture.output("file:out/storyboard.jpg", **_jpeg())


def _jpeg() -> dict[str, Any]:
    return {"frames:v": 1, "q:v": JPEG_QUALITY, "pix_fmt": "yuvj420p", "f": "image2", "update": 1, "map_metadata": "-1"}
