"""Every file of the hostile corpus that is accepted goes through everything, and gives plain results (D3, S6, S7)."""

import hashlib
from pathlib import Path

import pytest

from media import services
from media.models import DerivativeKind, Package, RenditionKind
from media.source import COPY_MAX_TAIL_MS
from tests.factories.media import make_asset
from tests.media.measure import probe, stored_path
from tests.media.production import produce
from tests.media.test_inspection import PROCESSED, WARNED

pytestmark = pytest.mark.django_db

ACCEPTED = [*WARNED, *PROCESSED]
# What MP4 itself writes; "encoder" is the name of our own tool.
TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "language", "handler_name", "vendor_id"}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_accepted_file_gives_plain_results(name: str, corpus: Path, tmp_path: Path) -> None:
    source, workdir = corpus / "media" / name, tmp_path / "work"
    workdir.mkdir()
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    asset = make_asset(source)
    package = produce(asset, workdir)
    assert list(workdir.iterdir()) == []
    with services.source_on_disk(asset, workdir) as original:
        assert hashlib.sha256(original.read_bytes()).hexdigest() == before
    assert package.renditions.exists()
    assert_plain(package)


def assert_plain(package: Package) -> None:
    for row in package.renditions.all():
        found = probe(stored_path(row))
        (stream,) = found["streams"]
        assert found["chapters"] == []
        assert set(found["format"]["tags"]) | set(stream.get("tags", {})) <= TAGS
        assert stream.get("side_data_list") is None
        if row.kind == RenditionKind.VIDEO:
            assert (stream["codec_name"], stream["pix_fmt"] in ("yuv420p", "yuvj420p")) == ("h264", True)
            assert row.frame_rate is not None
            assert row.frame_rate <= 60
        else:
            assert (stream["codec_name"], stream["profile"], stream["channels"] <= 2) == ("aac", "LC", True)
        # A copied picture may end a little before the sound does.
        missing_ms = (package.asset.duration_ms or 0) - row.duration_ms
        assert -160 <= missing_ms <= (COPY_MAX_TAIL_MS if row.kind == RenditionKind.VIDEO else 160)
    for download in package.derivatives.filter(kind=DerivativeKind.MP4):
        found = probe(stored_path(download))
        assert {stream["codec_name"] for stream in found["streams"]} <= {"h264", "aac"}
        assert found["chapters"] == []


def test_no_attachment_was_written_anywhere(corpus: Path, tmp_path: Path) -> None:
    """`attachment_traversal.mkv` names a file outside; ffmpeg would write it there if asked to dump (S7)."""
    workdir = tmp_path / "a" / "b" / "work"
    workdir.mkdir(parents=True)
    produce(make_asset(corpus / "media" / "attachment_traversal.mkv"), workdir)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set()
    assert not Path("/tmp/owned.ttf").exists()
