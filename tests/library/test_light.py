"""The version for slow connections: small, readable, complete, and for those alone who may watch the recording."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from events.models import Visibility
from library import light
from library.models import Recording, RecordingState, RecordingUpdate, UpdateTask
from media.models import Derivative, DerivativeKind
from media.services import key_moments
from media.services.stored import on_disk
from media.storage import private_storage
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import RecordingFactory, give_track
from tests.media.measure import probe
from tests.support import slides as drawn
from tests.support.clip import Clip, make_clip, package_clip
from tests.support.film import film
from transcripts.models import TrackKind, TrackState

SECONDS = 6


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("clip"), seconds=SECONDS)


@pytest.fixture
def recording(db: None, clip: Clip) -> Recording:
    """A published recording: two pages of slides, then none; words in two languages."""
    found: Recording = RecordingFactory.create(
        state=RecordingState.PUBLISHED, asset__has_video=True, asset__has_audio=True
    )
    package_clip(found.asset, clip)
    material = MaterialFactory.create(webinar=found.webinar)
    for number, page in enumerate(drawn.deck(2)):
        file = io.BytesIO()
        drawn.draw(page).save(file, "JPEG", quality=86)
        row = MaterialPageFactory.create(
            material=material,
            number=number + 1,
            text=page.title,
            image=ContentFile(file.getvalue(), name="page.jpg"),
        )
        found.slide_intervals.create(page=row, start_ms=2000 * number, end_ms=2000 * (number + 1), certainty=0.9)
    give_track(found.asset, "en", ["Good morning.", "Care & <trust>.", "Thank you."], kind=TrackKind.CAPTIONS)
    give_track(found.asset, "ar", ["صباح الخير.", "الرعاية والثقة.", "شكرا لكم."])
    return found


def make(recording: Recording, tmp_path: Path) -> dict[str, int]:
    package = recording.asset.current_package
    assert package is not None
    return light.make_light(recording=recording, package=package, workdir=tmp_path)


def archive_of(recording: Recording) -> zipfile.ZipFile:
    package = recording.asset.current_package
    assert package is not None
    row = light.light_archive(package)
    assert row is not None
    with private_storage().open(row.key) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def test_the_sound_is_small_and_plays_everywhere(recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    row = Derivative.objects.get(kind=DerivativeKind.LIGHT_AUDIO)
    with on_disk(row.key, tmp_path) as path:
        facts = probe(path)
    [stream] = facts["streams"]
    assert (stream["codec_name"], stream["profile"], stream["channels"]) == ("aac", "LC", 1)
    assert row.size < SECONDS * 36_000 / 8 + 5000


def test_each_page_is_a_picture_once_and_words_stand_beside_it(recording: Recording, tmp_path: Path) -> None:
    first, _second = recording.slide_intervals.order_by("start_ms")
    recording.slide_intervals.create(page=first.page, start_ms=4000, end_ms=6000, certainty=0.9)
    make(recording, tmp_path)
    package = recording.asset.current_package
    assert package is not None
    scenes = light.scenes_of(recording, package, recording.asset.tracks.get(language="en"))
    assert [(scene.start_ms, scene.end_ms) for scene in scenes] == [(0, 2000), (2000, 4000), (4000, 6000)]
    assert [[cue["plain"] for cue in scene.cues] for scene in scenes] == [
        ["Good morning."],
        ["Care & <trust>."],
        ["Thank you."],
    ]
    assert scenes[0].picture == scenes[2].picture != scenes[1].picture
    assert package.derivatives.filter(kind=DerivativeKind.LIGHT_PICTURE).count() == 2


def test_without_slides_stills_of_the_recording_are_shown(recording: Recording, tmp_path: Path) -> None:
    recording.slide_intervals.all().delete()
    make(recording, tmp_path)
    package = recording.asset.current_package
    assert package is not None
    pictures = package.derivatives.filter(kind=DerivativeKind.LIGHT_PICTURE)
    assert pictures.exists()
    for row in pictures:
        with on_disk(row.key, tmp_path) as path, Image.open(path) as image:
            assert image.format == "JPEG"
            assert max(image.size) <= 960


def test_a_second_run_makes_only_what_has_changed(recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    kinds = (DerivativeKind.LIGHT_AUDIO, DerivativeKind.LIGHT_PICTURE)
    before = set(Derivative.objects.filter(kind__in=kinds).values_list("key", flat=True))
    make(recording, tmp_path)
    assert set(Derivative.objects.filter(kind__in=kinds).values_list("key", flat=True)) == before


def test_the_whole_stays_below_twenty_megabytes_an_hour(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At a small scale: the budget of pictures is what would be left of six seconds at that rate.
    monkeypatch.setattr(light, "SMALLEST_BUDGET", 25_000)
    sizes = make(recording, tmp_path)
    assert sizes["pictures"] <= 25_000


def test_the_archive_can_be_read_without_a_server(recording: Recording, tmp_path: Path) -> None:
    recording.chapters.create(start_ms=2000, title="Trust <b>")
    sizes = make(recording, tmp_path)
    archive = archive_of(recording)
    assert archive.testzip() is None
    assert set(archive.namelist()) == {
        "index.html",
        "light.css",
        "light.js",
        "sound.m4a",
        "pictures/001.jpg",
        "pictures/002.jpg",
        *(f"subtitles/{language}.{ending}" for language in ("ar", "en") for ending in ("html", "txt", "vtt")),
    }
    page = archive.read("index.html").decode()
    assert {"Care &amp; &lt;trust&gt;.", "صباح الخير.", "Trust &lt;b&gt;"} <= {
        text for text in ("Care &amp; &lt;trust&gt;.", "صباح الخير.", "Trust &lt;b&gt;") if text in page
    }
    for address in re.findall(r'(?:src|href)="([^"#]+)', page):
        assert address in archive.namelist()
    assert sizes["archive"] < sizes["sound"] + sizes["pictures"] + 40_000


def test_the_page_reads_without_scripts(client: Client, recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    page = client.get(reverse("library:light", args=[recording.webinar.slug]), {"language": "ar"}).content.decode()
    assert page.count('loading="lazy"') == 2
    assert "<audio controls" in page
    assert "الرعاية والثقة." in page
    for address in re.findall(r'src="(/webinars/[^"]+)"', page):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.getvalue()  # read to its end, which closes the file
        assert answer["Content-Type"] in ("image/jpeg", "audio/mp4")


def test_the_watch_page_offers_it_with_its_size(client: Client, recording: Recording, tmp_path: Path) -> None:
    address = reverse("library:watch", args=[recording.webinar.slug])
    link = reverse("library:light", args=[recording.webinar.slug])
    assert link not in client.get(address).content.decode()
    make(recording, tmp_path)
    assert link in client.get(address).content.decode()


def test_it_is_as_private_as_the_recording(client: Client, recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    slug = recording.webinar.slug
    names = [*light.light_files(recording.asset.current_package or pytest.fail("no package"))]
    Recording.objects.update(visibility=Visibility.ORGANISATION)
    addresses = [reverse("library:light", args=[slug]), *(reverse("library:light_file", args=[slug, n]) for n in names)]
    addresses.append(reverse("library:download_video", args=[slug, "light.zip"]))
    assert [client.get(address).status_code for address in addresses] == [404] * len(addresses)


def test_changed_subtitles_make_a_new_archive(recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    give_track(recording.asset, "fr", ["Bonjour."])
    assert RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.LIGHT).count() == 1
    package = recording.asset.current_package
    assert package is not None
    assert light.light_archive(package) is not None


def test_hidden_subtitles_leave_the_archive_at_once(recording: Recording, tmp_path: Path) -> None:
    make(recording, tmp_path)
    track = recording.asset.tracks.get(language="ar")
    track.state = TrackState.DRAFT
    track.save()
    package = recording.asset.current_package
    assert package is not None
    assert light.light_archive(package) is None
    assert RecordingUpdate.objects.filter(recording=recording, task=UpdateTask.LIGHT).exists()
    make(recording, tmp_path)
    assert "subtitles/ar.txt" not in archive_of(recording).namelist()


def test_slides_that_nobody_uploaded_are_told_apart_in_the_picture(db: None, tmp_path: Path) -> None:
    recording: Recording = RecordingFactory.create(asset__has_video=True, asset__duration_ms=80_000)
    pictures = [drawn.draw(page) for page in drawn.deck(3)]
    script = [drawn.Shown(number, 26) for number in range(3)]
    package = film(recording.asset, script, pictures, tmp_path)
    moments = key_moments(package=package, spans=[(0, 78_000)], workdir=tmp_path)
    assert [at_ms // 26_000 for at_ms in moments] == [0, 1, 2]
