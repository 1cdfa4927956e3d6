"""The still picture that stands for a recording: the best of several, a moment that a person chose, or their own.

A poster is stored in three sizes, each as JPEG and as WebP, so that slow connections fetch little.
"""

import json
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

import sandbox
from accounts.models import User
from accounts.services import record_action
from media.errors import MediaError, MediaRejected
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Asset, Derivative, DerivativeKind, Package
from media.services import stored
from media.services.audio import save_derivative
from media.services.frames import ANOTHER, STILL, FrameFile, changed_share, gray_frames, rungs_of
from media.services.light import Size as StillSize
from media.services.light import draw_stills
from media.services.stored import Fenced
from media.timeline import Window

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SIDES = (1280, 640, 320)  # pixels of the longer side; the first is the poster itself, the others are named by it
CANDIDATES = 6
CANDIDATE_SIDE = 640
LOOKS = 60  # moments that are looked at
LOOK_SIZE = (128, 72)
JPEG_Q, WEBP_QUALITY = 4, 78
MAX_BYTES = 25_000_000  # of an uploaded picture
CLEAN_WALL_S = 12
MIB = 1024**2

DARK, BRIGHT = 14, 248  # mean level of gray: black and white pictures say nothing
FLAT = 9.0  # standard deviation below which a picture is one colour


def find_poster(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Derivative:
    """Draw a package's candidates and its poster: what a person chose before, else the best candidate.

    Raises:
        Skip: the package has no picture.
    """
    moments = best_moments(package=package, workdir=workdir, progress=progress, should_stop=should_stop)
    _keep_candidates(package, moments, workdir, should_stop, fenced)
    progress(50, _("Drawing the poster"))
    before = _uploaded(package)
    if before is not None:
        return _copied(package, before, fenced)
    return draw_poster(package=package, workdir=workdir, should_stop=should_stop, fenced=fenced)


def draw_poster(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Derivative:
    """Draw the poster of the moment that a person chose, if this version shows it, else of the best candidate.

    Raises:
        Skip: the package has no picture.
    """
    window = Window.of(package)
    package.asset.refresh_from_db(fields=["poster_at_ms"])
    wanted = package.asset.poster_at_ms
    at_ms = window.moment(wanted) if wanted is not None else None
    if at_ms is None:
        best = min(
            package.derivatives.filter(kind=DerivativeKind.POSTER_CANDIDATE),
            key=lambda row: int(row.facts.get("place", 0)),
            default=None,
        )
        at_ms = window.moment(best.facts["at_ms"]) if best is not None else 0
    rung = rungs_of(package)[-1]
    progress(10, _("Drawing the poster"))
    with tempfile.TemporaryDirectory(dir=workdir) as name, stored.on_disk(rung.key, workdir) as path:
        run_ffmpeg(
            poster_command(min(at_ms or 0, max(0, rung.duration_ms - 200))),
            inputs={"rung": path},
            output_dir=Path(name),
            duration_ms=1000,
            should_stop=should_stop,
        )
        if not (Path(name) / f"{SIDES[0]}.jpg").exists():
            raise MediaError(_("No picture could be drawn at this moment. Choose another one."), code="no_picture")
        return _keep_poster(package, Path(name), {"at_ms": window.source_ms(at_ms or 0)}, fenced)


def set_poster_moment(*, asset: Asset, at_ms: int, user: User | None) -> None:
    """Choose the moment (of the source) whose picture is to stand for the recording, in all versions to come.

    `draw_poster` then draws it; an uploaded picture goes.

    Raises:
        MediaRejected: the recording is not that long.
    """
    if not 0 <= at_ms < (asset.duration_ms or 0):
        raise MediaRejected(_("The recording is not that long."), code="no_such_moment", field="moment")
    with transaction.atomic():
        asset.poster_at_ms = at_ms
        asset.save(update_fields=["poster_at_ms", "updated_at"])
        for row in Derivative.objects.filter(package__asset=asset, kind=DerivativeKind.POSTER, name=""):
            if row.facts.pop("is_uploaded", None):
                row.save(update_fields=["facts", "updated_at"])
        record_action(action="poster.chosen", target=asset, organisation=asset.organisation, user=user, at_ms=at_ms)


def upload_poster(*, package: Package, chunks: Iterable[bytes], user: User | None) -> Derivative:
    """Take a person's own picture as the poster (promise U7): JPEG, PNG or WebP, cleaned in the sandbox.

    Raises:
        MediaRejected: too large, damaged, or no such picture; the message says what to do.
    """
    with tempfile.TemporaryDirectory(dir=settings.WORK_DIR, prefix="poster-") as name:
        folder = Path(name)
        _receive(chunks, folder / "source")
        out = folder / "out"
        out.mkdir()
        _clean(folder / "source", out)
        with transaction.atomic():
            row = _keep_poster(package, out, {"is_uploaded": True}, transaction.atomic)
            asset = package.asset
            asset.poster_at_ms = None
            asset.save(update_fields=["poster_at_ms", "updated_at"])
            record_action(action="poster.uploaded", target=asset, organisation=asset.organisation, user=user)
    return row


# --- Choosing ------------------------------------------------------------------------------------------------------


def best_moments(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> list[int]:
    """Return moments of this version whose pictures say most and differ from each other, the best first."""
    rung = rungs_of(package)[0]
    look_ms = max(400, math.ceil(rung.duration_ms / LOOKS))
    with tempfile.TemporaryDirectory(dir=workdir) as name, stored.on_disk(rung.key, workdir) as path:
        frames = list(
            gray_frames(
                FrameFile(rung, path, Path(name), *LOOK_SIZE),
                interval_ms=look_ms,
                only_key_frames=look_ms >= 6000,
                progress=lambda percent, activity: progress(percent * 0.4, activity),
                activity=_("Looking for a picture that tells the most"),
                should_stop=should_stop,
            )
        )
    return [number * look_ms for number in ranked(frames)[:CANDIDATES]]


def ranked(frames: "Sequence[npt.NDArray[np.uint8]]") -> list[int]:
    """Return the numbers of the frames that may stand for all, the best first, none like another.

    Sharp pictures with contrast that stand still win: slides, title pages, people in good light. Black, white and
    blurred ones, and those in the middle of a transition, lose. Without any good one it is the first that is not plain.
    """
    import numpy as np  # slow to import, and the web processes never need it

    pictures = [frame.astype(np.float32) for frame in frames]
    scores = []
    for number, picture in enumerate(pictures):
        following = frames[min(number + 1, len(frames) - 1)]
        before = frames[max(number - 1, 0)]
        spread = float(picture.std())
        if not DARK < float(picture.mean()) < BRIGHT or spread < FLAT:
            continue
        sharpness = float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())
        moves = min(changed_share(frames[number], following), changed_share(frames[number], before))
        score = min(spread / 60, 1) + min(sharpness / 20, 1) + (0.5 if moves < STILL else 0)
        scores.append((-score, number))
    chosen: list[int] = []
    for _score, number in sorted(scores):
        if all(changed_share(frames[number], frames[other]) >= ANOTHER for other in chosen):
            chosen.append(number)
    return chosen or [0]


def poster_command(at_ms: int) -> Any:
    """Return the ffmpeg graph that draws one moment in all sizes and both formats."""
    picture = own_input("rung", ss=f"{at_ms / 1000:.3f}")["v"].filter_multi_output("split", 2 * len(SIDES))
    outputs = []
    for number, side in enumerate(SIDES):
        for which, (suffix, options) in enumerate(
            (
                ("jpg", {"q:v": JPEG_Q, "pix_fmt": "yuvj420p"}),
                ("webp", {"c:v": "libwebp", "quality": WEBP_QUALITY, "pix_fmt": "yuv420p"}),
            )
        ):
            scaled = picture.stream(2 * number + which).filter(
                "scale", f"min({side},iw)", f"min({side},ih)", force_original_aspect_ratio="decrease"
            )
            common = {"frames:v": 1, "f": "image2", "update": 1, "map_metadata": "-1"}
            outputs.append(scaled.output(f"file:out/{side}.{suffix}", **common, **options))
    return ffmpeg.merge_outputs(*outputs)


# --- Keeping -------------------------------------------------------------------------------------------------------


def poster_name(side: int, suffix: str) -> str:
    """The name of a poster's row: empty for the poster itself, the rest by size and format.

    >>> poster_name(1280, "jpg"), poster_name(320, "webp")
    ('', '320.webp')
    """
    return "" if (side, suffix) == (SIDES[0], "jpg") else f"{side}.{suffix}"


def _keep_poster(package: Package, folder: Path, facts: dict[str, Any], fenced: Fenced) -> Derivative:
    made: list[tuple[str, str, int, str]] = []
    try:
        for side in SIDES:
            for suffix, content_type in (("jpg", "image/jpeg"), ("webp", "image/webp")):
                path = folder / f"{side}.{suffix}"
                if path.exists():
                    key = stored.new_key(package, "poster", f".{suffix}")
                    made.append((poster_name(side, suffix), key, stored.put(path, key), content_type))
    except BaseException:
        stored.delete_now([key for _name, key, _size, _type in made])
        raise
    return _write_rows(package, made, facts, fenced)


def _write_rows(
    package: Package, made: list[tuple[str, str, int, str]], facts: dict[str, Any], fenced: Fenced
) -> Derivative:
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [key for _name, key, _size, _type in made]
        rows = [
            save_derivative(
                package,
                DerivativeKind.POSTER,
                name=name,
                key=key,
                size=size,
                content_type=content_type,
                facts=facts if not name else {},
            )
            for name, key, size, content_type in made
        ]
    return next(row for row in rows if not row.name)


def _keep_candidates(
    package: Package, moments: list[int], workdir: Path, should_stop: ShouldStop, fenced: Fenced
) -> None:
    window = Window.of(package)
    with tempfile.TemporaryDirectory(dir=workdir) as name:
        paths = draw_stills(
            package=package,
            moments=moments,
            size=StillSize(CANDIDATE_SIDE, 0, JPEG_Q),
            folder=Path(name),
            workdir=workdir,
            should_stop=should_stop,
        )
        made = []
        for place, (at_ms, path) in enumerate(zip(moments, paths, strict=False)):
            key = stored.new_key(package, "candidate", ".jpg")
            made.append((place, window.source_ms(at_ms), key, stored.put(path, key)))
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += [key for _place, _at, key, _size in made]
        for row in package.derivatives.filter(kind=DerivativeKind.POSTER_CANDIDATE):
            stored.replace_row(row, "")
            row.delete()
        for place, at_ms, key, size in made:
            save_derivative(
                package,
                DerivativeKind.POSTER_CANDIDATE,
                name=f"at-{at_ms}",
                key=key,
                size=size,
                content_type="image/jpeg",
                facts={"at_ms": at_ms, "place": place},
            )


def _uploaded(package: Package) -> Package | None:
    """The version whose poster a person uploaded, if it is the one in use."""
    for candidate in (package, package.asset.current_package):
        if candidate is not None:
            main = candidate.derivatives.filter(kind=DerivativeKind.POSTER, name="").first()
            if main is not None and main.facts.get("is_uploaded"):
                return candidate
    return None


def _copied(package: Package, source: Package, fenced: Fenced) -> Derivative:
    """Give a package the uploaded poster of another version, in files of its own."""
    rows = list(source.derivatives.filter(kind=DerivativeKind.POSTER))
    if source.pk == package.pk:
        return next(row for row in rows if not row.name)
    made = []
    with tempfile.TemporaryDirectory(dir=settings.WORK_DIR, prefix="poster-") as name:
        for number, row in enumerate(rows):
            path = Path(name) / str(number)
            with stored.open_stored(row.key) as file:
                path.write_bytes(file.read())
            key = stored.new_key(package, "poster", f".{row.key.rpartition('.')[2]}")
            made.append((row.name, key, stored.put(path, key), row.content_type))
    return _write_rows(package, made, {"is_uploaded": True}, fenced)


# --- A person's own picture ----------------------------------------------------------------------------------------


def _receive(chunks: Iterable[bytes], path: Path) -> None:
    size = 0
    with path.open("xb") as out:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_BYTES:
                raise _rejection({"refused": "too_heavy"})
            out.write(chunk)
    if not size:
        raise _rejection({"refused": "empty"})


def _clean(source: Path, out: Path) -> None:
    try:
        result = sandbox.run(
            [sys.executable, "-I", "in/tool.py", "in/source", "out", *map(str, SIDES)],
            inputs={"tool.py": Path(__file__).parents[1] / "picture_tool.py", "source": source},
            output_dir=out,
            limits=sandbox.Limits(
                wall_s=CLEAN_WALL_S,
                memory_bytes=min(1024, settings.TOOL_MEMORY_MB) * MIB,
                stdout_bytes=MIB,
                processes=8,
            ),
            readable=sandbox.python_runtime(),
        )
    except sandbox.SandboxError as error:
        raise _rejection({"refused": "damaged"}) from error
    facts = json.loads(result.stdout.splitlines()[-1])
    if "refused" in facts:
        raise _rejection(facts)


def _rejection(facts: dict[str, Any]) -> MediaRejected:
    words = {
        "empty": _("This file is empty. Choose another one."),
        "too_heavy": _("This picture has more than %(limit)s MB. Make it smaller.") % {"limit": MAX_BYTES // 10**6},
        "unknown_type": _("This is not a JPEG, PNG or WebP picture, whatever its name says."),
        "too_large": _("This picture has %(width)s x %(height)s pixels, which is too many. Make it smaller."),
        "too_small": _("This picture has only %(width)s x %(height)s pixels. Choose a larger one."),
        "damaged": _("This picture is damaged. Save it again."),
    }
    code = facts["refused"]
    text = words[code] % facts if code in ("too_large", "too_small") else words[code]
    return MediaRejected(text, code=f"picture_{code}", field="picture")
