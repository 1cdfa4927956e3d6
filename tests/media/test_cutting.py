"""Cuts of an asset: every rung and the sound follow, and the original stays as it was."""

import hashlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from media.models import Asset, Package, RenditionKind
from media.services import whole_package
from media.services.cutting import CutInvalid, cut_renditions, snapped_window
from media.timeline import Window
from tests.factories.media import AssetFactory, make_asset
from tests.media.counted import DISTINCT, clicks_in, make_counted_clip, numbers
from tests.media.measure import stored_path
from tests.media.production import produce

pytestmark = pytest.mark.django_db


def cut(asset: Asset, workdir: Path, start_ms: int, end_ms: int | None) -> Package:
    window = snapped_window(asset=asset, start_ms=start_ms, end_ms=end_ms)
    package = Package.objects.create(asset=asset, trim_start_ms=window.start_ms, trim_end_ms=window.end_ms)
    source = whole_package(asset)
    assert source is not None
    cut_renditions(package=package, source=source, workdir=workdir)
    return package


def test_a_copied_rung_an_encoded_rung_and_the_sound_are_cut_alike(tmp_path: Path) -> None:
    asset = make_asset(make_counted_clip(tmp_path / "clip.mp4", seconds=9, video=("-bf", "2")))
    produce(asset, tmp_path)
    package = cut(asset, tmp_path, 1_010, 7_790)
    assert (package.trim_start_ms, package.trim_end_ms) == (1_000, 7_800)
    shown = {rung.name: numbers(stored_path(rung)) for rung in package.renditions.filter(kind=RenditionKind.VIDEO)}
    wanted = [number % DISTINCT for number in range(25, 195)]
    assert shown == {"720p": wanted, "480p": wanted}
    sound = package.renditions.get(kind=RenditionKind.AUDIO)
    assert clicks_in(stored_path(sound)) == pytest.approx(list(range(7)), abs=0.0025)
    # The original is what it was.
    with default_storage.open(asset.source_key) as file:
        assert hashlib.sha256(file.read()).hexdigest() == asset.sha256


def inspected(**fields: object) -> Asset:
    video = {
        "index": 0,
        "codec": "h264",
        "profile": "High",
        "pixel_format": "yuv420p",
        "coded_width": 320,
        "coded_height": 180,
        "width": 320,
        "height": 180,
        "rotation": 0,
        "is_anamorphic": False,
        "is_interlaced": False,
        "is_hdr": False,
        "real_rate": "30000/1001",
        "average_rate": "30000/1001",
        "packets": 300,
        "hidden": 0,
        "size": 1000,
        "start_ms": 0,
        "end_ms": 10_010,
        "longest_gop_ms": 2000,
    }
    probe = {"container": "mov", "needs_remux": False, "claimed_ms": 10_010, "start_ms": 0, "duration_ms": 10_010}
    asset: Asset = AssetFactory.create(probe={**probe, "video": video}, duration_ms=10_010, has_video=True, **fields)
    return asset


def test_ends_are_moved_to_the_nearest_frame() -> None:
    window = snapped_window(asset=inspected(), start_ms=1_000, end_ms=5_000)
    assert window == Window(1_001, 5_005)
    assert snapped_window(asset=inspected(), start_ms=window.start_ms, end_ms=window.end_ms) == window


def test_an_end_past_the_recordings_means_its_end() -> None:
    assert snapped_window(asset=inspected(), start_ms=0, end_ms=10_000).is_whole


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "field"),
    [(11_000, None, "start"), (-1, None, "start"), (5_000, 5_500, "end"), (5_000, 4_000, "end")],
)
def test_a_cut_that_leaves_hardly_anything_is_refused(start_ms: int, end_ms: int | None, field: str) -> None:
    with pytest.raises(CutInvalid) as refusal:
        snapped_window(asset=inspected(), start_ms=start_ms, end_ms=end_ms)
    assert refusal.value.field == field


def test_a_recording_that_was_not_inspected_cannot_be_cut() -> None:
    with pytest.raises(CutInvalid):
        snapped_window(asset=AssetFactory.create(), start_ms=0, end_ms=None)
