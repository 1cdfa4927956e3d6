"""Posters: chosen among candidates, by a moment, or uploaded; and the storyboard's shape."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from media.errors import MediaRejected
from media.models import Derivative, DerivativeKind, Package, Rendition
from media.services import draw_poster, make_pictures, set_poster_moment, upload_poster
from media.services.pictures import storyboard_facts
from media.services.posters import ranked
from tests.factories.media import AssetFactory, RenditionFactory
from tests.media.clips import ffmpeg
from tests.support.clip import Clip, make_clip, package_clip
from tests.support.slides import camera, deck, draw, gray


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("clip"), seconds=10)


@pytest.fixture
def package(db: None, clip: Clip) -> Package:
    made = package_clip(AssetFactory.create(has_video=True), clip)
    made.derivatives.all().delete()
    return made


def posters(package: Package) -> dict[str, Derivative]:
    return {row.name: row for row in package.derivatives.filter(kind=DerivativeKind.POSTER)}


def open_row(row: Derivative) -> Image.Image:
    with default_storage.open(row.key) as file:
        return Image.open(io.BytesIO(file.read()))


def jpeg(size: tuple[int, int] = (800, 450), **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, "JPEG", **options)
    return file.getvalue()


# --- Choosing ------------------------------------------------------------------------------------------------------


def test_a_slide_beats_black_white_and_a_blurred_camera() -> None:
    size = (128, 72)
    slide = gray(draw(deck(3)[1]), 128)
    blurred = np.asarray(Image.fromarray(camera(size, 1).astype(np.uint8)).resize((8, 4)).resize(size))
    black, white = np.zeros((72, 128), np.uint8), np.full((72, 128), 255, np.uint8)
    frames = [black, black, white, blurred, slide, slide, black]
    assert ranked(frames)[0] in (4, 5)
    assert not {0, 1, 2, 6} & set(ranked(frames))


def test_pictures_that_look_alike_are_one_candidate() -> None:
    slide, other = (gray(draw(page), 128) for page in deck(2))
    assert len(ranked([slide, slide, other, other])) == 2


def test_without_any_good_picture_the_first_is_taken() -> None:
    assert ranked([np.zeros((72, 128), np.uint8)] * 3) == [0]


# --- Drawing -------------------------------------------------------------------------------------------------------


def test_a_poster_comes_in_three_sizes_and_two_formats(package: Package, tmp_path: Path) -> None:
    make_pictures(package=package, workdir=tmp_path)
    made = {name: open_row(row) for name, row in posters(package).items()}
    assert {name: (image.format, image.size) for name, image in made.items()} == {
        "": ("JPEG", (640, 360)),  # never larger than the recording
        "1280.webp": ("WEBP", (640, 360)),
        "640.jpg": ("JPEG", (640, 360)),
        "640.webp": ("WEBP", (640, 360)),
        "320.jpg": ("JPEG", (320, 180)),
        "320.webp": ("WEBP", (320, 180)),
    }
    candidates = package.derivatives.filter(kind=DerivativeKind.POSTER_CANDIDATE)
    assert 1 <= len(candidates) <= 6


def test_the_moment_that_a_person_chose_stays_in_later_versions(package: Package, clip: Clip, tmp_path: Path) -> None:
    set_poster_moment(asset=package.asset, at_ms=7300, user=None)
    draw_poster(package=package, workdir=tmp_path)
    assert posters(package)[""].facts == {"at_ms": 7300}
    later = package_clip(package.asset, clip)
    make_pictures(package=later, workdir=tmp_path)
    assert posters(later)[""].facts == {"at_ms": 7300}


def test_a_moment_that_was_cut_away_gives_way_to_the_best_candidate(package: Package, tmp_path: Path) -> None:
    set_poster_moment(asset=package.asset, at_ms=1000, user=None)
    package.trim_start_ms = 2000
    package.save()
    make_pictures(package=package, workdir=tmp_path)
    assert posters(package)[""].facts["at_ms"] >= 2000


def test_a_moment_after_the_end_is_refused(package: Package) -> None:
    with pytest.raises(MediaRejected):
        set_poster_moment(asset=package.asset, at_ms=10_000, user=None)


# --- Uploading (promise U7) ----------------------------------------------------------------------------------------


def upload(package: Package, content: bytes) -> None:
    upload_poster(package=package, chunks=[content], user=None)


def test_an_uploaded_picture_is_turned_upright_and_loses_its_metadata(package: Package) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "secret place"
    upload(package, jpeg((900, 300), exif=exif))
    image = open_row(posters(package)[""])
    assert image.size == (300, 900)
    assert not image.getexif()
    with default_storage.open(posters(package)[""].key) as file:
        assert b"secret" not in file.read()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_png_and_webp_are_taken_on_white_paper(package: Package, kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (400, 300), (0, 0, 0, 0)).save(file, kind)
    upload(package, file.getvalue())
    assert open_row(posters(package)[""]).convert("RGB").getpixel((10, 10)) == (255, 255, 255)


def huge_png() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "picture_empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_unknown_type"),
        (b"GIF89a" + b"0" * 50, "picture_unknown_type"),
        (jpeg()[:2000], "picture_damaged"),
        (huge_png(), "picture_too_large"),
        (jpeg((40, 40)), "picture_too_small"),
    ],
)
def test_other_files_are_refused_with_a_reason(package: Package, content: bytes, code: str) -> None:
    with pytest.raises(MediaRejected) as refused:
        upload(package, content)
    assert refused.value.code == code
    assert not posters(package)


def test_an_uploaded_picture_stays_in_later_versions_until_a_moment_is_chosen(
    package: Package, clip: Clip, tmp_path: Path
) -> None:
    upload(package, jpeg((1600, 900)))
    later = Package.objects.create(asset=package.asset)
    for row in package.renditions.all():
        row.pk, row.package = None, later
        row._state.adding = True
        row.save()
    make_pictures(package=later, workdir=tmp_path)
    assert open_row(posters(later)[""]).size == (1280, 720)
    assert posters(later)[""].key.startswith(later.prefix)
    set_poster_moment(asset=package.asset, at_ms=3000, user=None)
    draw_poster(package=later, workdir=tmp_path)
    assert posters(later)[""].facts == {"at_ms": 3000}


# --- The storyboard ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "interval_ms", "count"), [(1, 2000, 1), (10, 2000, 5), (3600, 20_000, 180), (3 * 3600, 60_000, 180)]
)
def test_a_storyboard_has_a_sensible_number_of_tiles(seconds: int, interval_ms: int, count: int) -> None:
    rung: Rendition = RenditionFactory.build(duration_ms=seconds * 1000)
    facts = storyboard_facts(rung)
    assert (facts["interval_ms"], facts["count"]) == (interval_ms, count)
    assert facts["columns"] * facts["rows"] >= count


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (1920, 200), (64, 64)])
def test_tiles_keep_the_shape_of_the_picture(size: tuple[int, int]) -> None:
    facts = storyboard_facts(RenditionFactory.build(width=size[0], height=size[1]))
    assert facts["tile_width"] % 2 == facts["tile_height"] % 2 == 0
    assert abs(facts["tile_width"] / facts["tile_height"] - size[0] / size[1]) < 0.12 * size[0] / size[1]


def test_the_sprite_of_a_long_recording_stays_small(db: None, tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    # Three hours of an ever changing picture, at a picture every ten seconds to be made quickly.
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=1/10:duration=10800", "-c:v", "libx264", "-preset",
           "ultrafast", "-g", "60", "-pix_fmt", "yuv420p", path)  # fmt: skip
    package = Package.objects.create(asset=AssetFactory.create(duration_ms=10_800_000, has_video=True))
    with path.open("rb") as file:
        key = default_storage.save(f"{package.prefix}/180p.mp4", file)
    RenditionFactory.create(
        package=package, name="180p", width=320, height=180, key=key, duration_ms=10_800_000, size=1
    )
    make_pictures(package=package, workdir=tmp_path)
    sprite = package.derivatives.get(kind=DerivativeKind.STORYBOARD)
    image = open_row(sprite)
    assert image.size == (10 * 144, 18 * 80)
    assert sprite.size < 900_000
