"""A short clip as a real package: two rungs, sound, poster and storyboard, made by ffmpeg directly.

For tests of what viewers see; how packages are made is tested in tests/media.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.core.files import File

from media.models import Asset, Derivative, DerivativeKind, Package, PackageState, Rendition, RenditionKind
from media.mp4 import read_track
from media.storage import private_storage

RUNGS = (("360p", 640, 360), ("180p", 320, 180))
TILES = 5
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_FMP4 = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "2000000")


@dataclass(frozen=True)
class Clip:
    """Encoded files in a folder, and how long they play."""

    folder: Path
    seconds: int


def make_clip(folder: Path, *, seconds: int) -> Clip:
    """Encode a test picture with a running clock and a tone into all files of a package."""
    whole = folder / "download.mp4"
    picture = f"testsrc2=size=640x360:rate=25:duration={seconds}"
    sound = f"sine=frequency=440:duration={seconds}"
    _ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *_H264, "-g", "50", "-c:a", "aac", str(whole))
    for name, width, height in RUNGS:
        scale = ("-vf", f"scale={width}:{height}")
        _ffmpeg("-i", str(whole), "-an", *scale, *_H264, "-g", "50", *_FMP4, str(folder / f"{name}.mp4"))
    _ffmpeg("-i", str(whole), "-vn", "-c:a", "copy", *_FMP4, str(folder / "audio.mp4"))
    _ffmpeg("-ss", "1", "-i", str(whole), "-frames:v", "1", str(folder / "poster.jpg"))
    tiles = f"fps={TILES}/{seconds},scale=160:90,tile={TILES}x1"
    _ffmpeg("-i", str(whole), "-vf", tiles, "-frames:v", "1", str(folder / "storyboard.jpg"))
    return Clip(folder, seconds)


def package_clip(asset: Asset, clip: Clip, *, has_video: bool = True, only: str = "") -> Package:
    """Store a clip as the asset's current package; `only` names the one rung that is ready so far."""
    state = PackageState.BUILDING if only else PackageState.COMPLETE
    package = Package.objects.create(asset=asset, state=state)
    for name, _width, _height in RUNGS:
        if has_video and only in ("", name):
            add_rung(package, clip, name)
    _add_rendition(package, clip, "audio", RenditionKind.AUDIO)
    facts = {
        "tile_width": 160,
        "tile_height": 90,
        "columns": TILES,
        "count": TILES,
        "interval_ms": clip.seconds * 1000 // TILES,
        "duration_ms": clip.seconds * 1000,
    }
    if has_video:
        _add_derivative(package, clip, "poster.jpg", DerivativeKind.POSTER, "image/jpeg")
        _add_derivative(package, clip, "storyboard.jpg", DerivativeKind.STORYBOARD, "image/jpeg", facts=facts)
        _add_derivative(package, clip, "download.mp4", DerivativeKind.MP4, "video/mp4", name="360p")
    asset.current_package = package
    asset.duration_ms = clip.seconds * 1000
    asset.save(update_fields=["current_package", "duration_ms"])
    return package


def add_rung(package: Package, clip: Clip, name: str) -> None:
    """One more quality, as the encoder adds it when it is finished."""
    width, height = next((width, height) for rung, width, height in RUNGS if rung == name)
    _add_rendition(package, clip, name, RenditionKind.VIDEO, width=width, height=height, frame_rate=25)


def add_sound(package: Package, clip: Clip, language: str) -> None:
    """An interpreter's sound in that language: a tone of another pitch."""
    path = clip.folder / f"sound-{language}.mp4"
    if not path.exists():
        tone = f"sine=frequency=880:duration={clip.seconds}"
        _ffmpeg("-f", "lavfi", "-i", tone, "-c:a", "aac", *_FMP4, str(path))
    _add_rendition(package, clip, f"sound-{language}", RenditionKind.AUDIO, language=language)


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def _add_rendition(package: Package, clip: Clip, name: str, kind: str, **facts: float | str) -> None:
    path = clip.folder / f"{name}.mp4"
    with path.open("rb") as file:
        track = read_track(file)
    Rendition.objects.create(
        package=package,
        name=name,
        kind=kind,
        codecs=track.codecs,
        bandwidth=track.peak_bandwidth,
        average_bandwidth=track.average_bandwidth,
        key=_store(package, path),
        size=path.stat().st_size,
        duration_ms=track.duration_ms,
        index=track.index,
        **facts,
    )


def _add_derivative(
    package: Package,
    clip: Clip,
    file_name: str,
    kind: str,
    content_type: str,
    *,
    name: str = "",
    facts: dict[str, int] | None = None,
) -> None:
    path = clip.folder / file_name
    Derivative.objects.create(
        package=package,
        kind=kind,
        name=name,
        key=_store(package, path),
        size=path.stat().st_size,
        content_type=content_type,
        facts=facts or {},
    )


def _store(package: Package, path: Path) -> str:
    with path.open("rb") as file:
        return str(private_storage().save(f"{package.prefix}/{path.name}", File(file)))
