"""Still pictures of a package: the poster, and the storyboard for the seek bar."""

import math
import tempfile
from pathlib import Path
from typing import Any

import ffmpeg
from django.db import transaction
from django.utils.translation import gettext as _

from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Derivative, DerivativeKind, Package, Rendition, RenditionKind
from media.services import stored
from media.services.audio import save_derivative
from media.services.stored import Fenced
from work.errors import Skip

POSTER_SIDE = 1280
POSTER_AT = 0.1  # of the duration: past the title, in the talk
POSTER_MIN_MS = 10_000  # shorter clips give their first pictures
POSTER_CANDIDATES = 50  # frames of which the most typical is taken
TILE_SIDE = 160
COLUMNS = 10
MAX_TILES = 100
TILE_INTERVAL_MS = 5000
JPEG_QUALITY = 4  # ffmpeg's scale: 2 is best, 31 worst


def make_pictures(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Derivative]:
    """Make the poster from the best rung, and the storyboard, one JPEG of small pictures, from the lowest.

    Raises:
        Skip: the package has no picture.
    """
    rungs = sorted(package.renditions.filter(kind=RenditionKind.VIDEO), key=lambda r: (r.height or 0) * (r.width or 0))
    if not rungs:
        raise Skip(_("The recording has no picture."))
    with tempfile.TemporaryDirectory(dir=workdir) as name:
        folder = Path(name)
        _draw_poster(rungs[-1], folder, workdir, should_stop)
        progress(30, _("Drawing the storyboard"))
        facts = storyboard_facts(rungs[0])
        with stored.on_disk(rungs[0].key, workdir) as path:
            run_ffmpeg(
                storyboard_command(facts),
                inputs={"rung": path},
                output_dir=folder,
                duration_ms=rungs[0].duration_ms,
                should_stop=should_stop,
            )
        progress(90, "")
        keys = {kind: stored.new_key(package, kind, ".jpg") for kind in ("poster", "storyboard")}
        sizes = {kind: stored.put(folder / f"{kind}.jpg", key) for kind, key in keys.items()}
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += keys.values()
        return [
            save_derivative(
                package,
                kind,
                key=keys[kind],
                size=sizes[kind],
                content_type="image/jpeg",
                facts=facts if kind == DerivativeKind.STORYBOARD else {},
            )
            for kind in (DerivativeKind.POSTER, DerivativeKind.STORYBOARD)
        ]


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


def _draw_poster(rung: Rendition, folder: Path, workdir: Path, should_stop: ShouldStop) -> None:
    at_s = rung.duration_ms * POSTER_AT / 1000 if rung.duration_ms >= POSTER_MIN_MS else 0.0
    picture = own_input("rung", ss=f"{at_s:.3f}", t="10")["v"].filter("thumbnail", POSTER_CANDIDATES)
    picture = picture.filter(
        "scale", f"min({POSTER_SIDE},iw)", f"min({POSTER_SIDE},ih)", force_original_aspect_ratio="decrease"
    )
    with stored.on_disk(rung.key, workdir) as path:
        run_ffmpeg(
            ffmpeg.merge_outputs(picture.output("file:out/poster.jpg", **_jpeg())),
            inputs={"rung": path},
            output_dir=folder,
            duration_ms=10_000,
            should_stop=should_stop,
        )


def _jpeg() -> dict[str, Any]:
    return {"frames:v": 1, "q:v": JPEG_QUALITY, "pix_fmt": "yuvj420p", "f": "image2", "update": 1, "map_metadata": "-1"}
