"""A short clip as a real package: two rungs, sound, poster and storyboard, made by ffmpeg directly.

For tests of what viewers see; how packages are made is tested in tests/media.
"""

import subprocess
import tempfile
from pathlib import Path

from django.core.files import File

from media.models import Asset, Derivative, DerivativeKind, Package, PackageState, Rendition, RenditionKind
from media.mp4 import read_track
from media.storage import private_storage

TILES = 5


def make_clip(path: Path, *, seconds: int = 12) -> None:
    """Write a test picture with a running clock and a tone."""
    picture = f"testsrc2=size=640x360:rate=25:duration={seconds}"
    sound = f"sine=frequency=440:duration={seconds}"
    _ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *_H264, "-c:a", "aac", "-shortest", str(path))


def package_clip(asset: Asset, source: Path, *, rungs: tuple[tuple[str, int, int], ...] | None = None) -> Package:
    """Encode `source` into a complete package and make it the asset's current one."""
    package = Package.objects.create(asset=asset, state=PackageState.COMPLETE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rung, width, height in rungs or (("360p", 640, 360), ("180p", 320, 180)):
            made = folder / f"{rung}.mp4"
            scale = ("-vf", f"scale={width}:{height}")
            _ffmpeg(
                "-i",
                str(source),
                "-an",
                *scale,
                *_H264,
                "-force_key_frames",
                "expr:gte(t,n_forced*2)",
                *_FMP4,
                str(made),
            )
            _add_rendition(package, made, rung, RenditionKind.VIDEO, width=width, height=height)
        made = folder / "audio.mp4"
        _ffmpeg("-i", str(source), "-vn", "-c:a", "aac", "-b:a", "64k", *_FMP4, str(made))
        _add_rendition(package, made, "audio", RenditionKind.AUDIO)
        _add_pictures(package, source, folder)
        whole = folder / "download.mp4"
        _ffmpeg("-i", str(source), "-c", "copy", "-movflags", "+faststart", str(whole))
        _add_derivative(package, whole, DerivativeKind.MP4, name="360p", content_type="video/mp4")
    asset.current_package = package
    asset.duration_ms = max(row.duration_ms for row in package.renditions.all())
    asset.save(update_fields=["current_package", "duration_ms"])
    return package


_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_FMP4 = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "2000000")


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def _add_rendition(package: Package, made: Path, name: str, kind: str, **size: int) -> None:
    with made.open("rb") as file:
        track = read_track(file)
        file.seek(0)
        key = private_storage().save(f"{package.prefix}/{made.name}", File(file))
    Rendition.objects.create(
        package=package,
        name=name,
        kind=kind,
        codecs=track.codecs,
        frame_rate=25.0 if size else None,
        bandwidth=track.peak_bandwidth,
        average_bandwidth=track.average_bandwidth,
        key=key,
        size=made.stat().st_size,
        duration_ms=track.duration_ms,
        index=track.index,
        **size,
    )


def _add_pictures(package: Package, source: Path, folder: Path) -> None:
    poster, sprite = folder / "poster.jpg", folder / "storyboard.jpg"
    _ffmpeg("-ss", "1", "-i", str(source), "-frames:v", "1", "-vf", "scale=640:-2", str(poster))
    _add_derivative(package, poster, DerivativeKind.POSTER, content_type="image/jpeg")
    duration_ms = max(row.duration_ms for row in package.renditions.all())
    interval_ms = max(1, duration_ms // TILES)
    tiles = f"fps=1000/{interval_ms},scale=160:90,tile={TILES}x1"
    _ffmpeg("-i", str(source), "-vf", tiles, "-frames:v", "1", str(sprite))
    facts = {
        "tile_width": 160,
        "tile_height": 90,
        "columns": TILES,
        "count": TILES,
        "interval_ms": interval_ms,
        "duration_ms": duration_ms,
    }
    _add_derivative(package, sprite, DerivativeKind.STORYBOARD, content_type="image/jpeg", facts=facts)


def _add_derivative(
    package: Package, made: Path, kind: str, *, content_type: str, name: str = "", facts: dict[str, int] | None = None
) -> None:
    with made.open("rb") as file:
        key = private_storage().save(f"{package.prefix}/{made.name}", File(file))
    Derivative.objects.create(
        package=package,
        kind=kind,
        name=name,
        key=key,
        size=made.stat().st_size,
        content_type=content_type,
        facts=facts or {},
    )
