"""The same production with the files on a real S3 server: nothing may count on local paths."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from media import services
from media.errors import PackageIncomplete
from media.models import DerivativeKind
from media.storage import PrivateStorage
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg
from tests.media.production import produce
from tests.media.recipes import use_recipe

pytestmark = pytest.mark.django_db


def test_a_whole_package_on_s3(s3_storage: PrivateStorage, tmp_path: Path, settings: Settings) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    clip, workdir = tmp_path / "clip.mp4", tmp_path / "work"
    workdir.mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=blue:size=1008x568:rate=10:duration=13", "-f", "lavfi", "-i", "sine=duration=13",
           "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", clip)  # fmt: skip
    package = produce(make_asset(clip), workdir)
    assert {row.name for row in package.renditions.all()} == {"568p", "480p", "audio"}
    for row in package.renditions.all():
        assert default_storage.size(row.key) == row.size
    download = package.derivatives.get(kind=DerivativeKind.MP4, name="480p")
    with default_storage.open(download.key) as file:
        assert file.read(12)[4:8] == b"ftyp"
    assert len(services.read_speech_audio(package=package, start_ms=0, end_ms=1000)) == 16_000
    assert list(workdir.iterdir()) == []
    default_storage.delete(package.renditions.get(name="480p").key)
    with pytest.raises(PackageIncomplete):
        services.check_package(package=package, workdir=workdir)
