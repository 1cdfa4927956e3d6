"""A drawn talk (tests/support/slides.py) as a real rung of a package."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from django.core.files.base import ContentFile
from PIL import Image

from media.models import Asset, Package, PackageState, Rendition, RenditionKind
from media.storage import private_storage
from tests.support import slides

SIZE = (640, 360)


def film(asset: Asset, script: Sequence[slides.Shown], pictures: Sequence[Image.Image], folder: Path) -> Package:
    """Encode a script with x264 and make it the only rung of the asset's current package."""
    raw = b"".join(frame.tobytes() for frame in slides.frames(script, pictures, SIZE, interval_ms=200))
    path = folder / "rung.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "640x360", "-r", "5"]
    command += ["-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-g", "30", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], input=raw, check=True)
    duration_ms = slides.truth_of(script)[-1][2]
    package = Package.objects.create(asset=asset, state=PackageState.COMPLETE)
    Rendition.objects.create(
        package=package,
        name="360p",
        kind=RenditionKind.VIDEO,
        width=SIZE[0],
        height=SIZE[1],
        codecs="avc1.64001e",
        bandwidth=1,
        average_bandwidth=1,
        key=private_storage().save(f"{package.prefix}/360p.mp4", ContentFile(path.read_bytes())),
        size=path.stat().st_size,
        duration_ms=duration_ms,
        index={},
    )
    asset.current_package = package
    asset.duration_ms = duration_ms
    asset.save()
    return package
