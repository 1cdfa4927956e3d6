"""Interpreters' channels: placed, levelled, in every version and every download, and gone when removed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import AuditEntry
from media import alignment, services
from media.errors import MediaRejected
from media.models import SURE_MATCH, Asset, Derivative, InterpretationChannel, Package, ReplacedFile
from media.services.channels import ChannelError, RecordingNotHeard
from tests.factories.accounts import UserFactory
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg
from tests.media.measure import integrated_loudness, probe, stored_path
from work.errors import TemporaryFailure

SPEECH = Path(__file__).parents[1] / "data" / "speech"
ARABIC, FRENCH = SPEECH / "ar_75s.flac", SPEECH / "fr_75s.flac"
LENGTH_S = 15
START_S = 2.5  # the channel was switched on so much later

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A recording in Arabic; an interpreter's channel with the floor beneath the French; one that has another voice."""
    folder = tmp_path_factory.mktemp("channels")
    picture = ("-f", "lavfi", "-i", f"testsrc=size=320x180:rate=25:duration={LENGTH_S}")
    ffmpeg(*picture, "-ss", "20", "-t", str(LENGTH_S), "-i", ARABIC, "-c:v", "libx264", "-preset", "ultrafast",
           "-pix_fmt", "yuv420p", "-c:a", "aac", folder / "main.mp4")  # fmt: skip
    mixed = "[0]volume=0.08[floor];[floor][1]amix=inputs=2:normalize=0:duration=first"
    ffmpeg("-ss", str(20 + START_S), "-t", "11", "-i", ARABIC, "-ss", "3", "-t", "11", "-i", FRENCH,
           "-filter_complex", mixed, "-ar", "44100", folder / "fr.m4a")  # fmt: skip
    ffmpeg("-ss", "5", "-t", "11", "-i", FRENCH, folder / "strange.wav")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x36:rate=5:duration=1", "-pix_fmt", "yuv420p", folder / "silent.mp4")
    return {path.stem: path for path in folder.iterdir()}


def inspected(path: Path, workdir: Path, **fields: Any) -> Asset:
    asset = make_asset(path, **fields)
    services.inspect_source(asset=asset, workdir=workdir)
    return asset


@pytest.fixture
def package(files: dict[str, Path], tmp_path: Path) -> Package:
    package = services.start_package(asset=inspected(files["main"], tmp_path))
    services.make_first_look(package=package, workdir=tmp_path)
    services.make_audio(package=package, workdir=tmp_path, language="ar")
    return package


def add(package: Package, path: Path, workdir: Path, language: str = "fr") -> InterpretationChannel:
    asset = package.asset
    source = inspected(path, workdir, organisation=asset.organisation)
    return services.add_channel(asset=asset, source=source, language=language)


@pytest.fixture
def channel(package: Package, files: dict[str, Path], tmp_path: Path) -> InterpretationChannel:
    """Placed, and part of the package."""
    channel = add(package, files["fr"], tmp_path)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    services.make_channels(package=package, workdir=tmp_path)
    return channel


def mono(path: Path) -> "np.ndarray[Any, Any]":
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "a:0", "-ac", "1", "-ar", "8000", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


def lag_ms(first: Path, second: Path) -> float:
    """How much later the same sound comes in the second file."""
    one, other = mono(first), mono(second)
    size = 1 << (len(one) + len(other)).bit_length()
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    at = int(np.argmax(np.abs(np.fft.irfft(spectrum / np.maximum(np.abs(spectrum), 1e-9), size))))
    return (at if at < size // 2 else at - size) / 8


# --- Placing -------------------------------------------------------------------------------------------------------


def test_channel_lies_where_the_same_sound_is_and_lasts_as_long_as_the_recording(
    channel: InterpretationChannel, package: Package
) -> None:
    assert channel.offset_ms == pytest.approx(1000 * START_S, abs=2)
    assert channel.is_usable
    row = package.renditions.get(name="audio-fr")
    assert (row.language, row.duration_ms) == ("fr", package.renditions.get(name="audio").duration_ms)
    assert lag_ms(stored_path(package.renditions.get(name="audio")), stored_path(row)) == pytest.approx(0, abs=2)
    assert integrated_loudness(stored_path(row)) == pytest.approx(-16, abs=0.6)
    assert probe(stored_path(row))["audio"]["tags"]["language"] == "fra"


def test_two_thresholds_are_one() -> None:
    assert alignment.SURE == SURE_MATCH


def test_weak_match_waits_for_a_person(package: Package, files: dict[str, Path], tmp_path: Path) -> None:
    channel = add(package, files["strange"], tmp_path)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    assert channel.match is not None
    assert channel.match < SURE_MATCH
    assert services.make_channels(package=package, workdir=tmp_path) == []
    with pytest.raises(ChannelError):
        services.make_channel(channel=channel, package=package, workdir=tmp_path)

    user = UserFactory.create()
    services.confirm_channel(channel=channel, offset_ms=-1500, user=user)
    [row] = services.make_channels(package=package, workdir=tmp_path)

    assert row.facts["made_of"]["offset_ms"] == -1500
    assert lag_ms(files["strange"], stored_path(row)) == pytest.approx(-1500, abs=3)
    assert AuditEntry.objects.get(action="channel.confirm").detail == {"language": "fr", "offset_ms": -1500}
    assert channel.confirmed_by == user


def test_preparing_again_leaves_a_confirmed_place_alone(
    package: Package, files: dict[str, Path], tmp_path: Path
) -> None:
    channel = add(package, files["fr"], tmp_path)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    services.confirm_channel(channel=channel, offset_ms=2520)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    channel.refresh_from_db()
    assert channel.offset_ms == 2520


def test_without_the_recordings_sound_there_is_nothing_to_compare(files: dict[str, Path], tmp_path: Path) -> None:
    package = services.start_package(asset=inspected(files["main"], tmp_path))
    channel = add(package, files["fr"], tmp_path)
    with pytest.raises(RecordingNotHeard):
        services.prepare_channel(channel=channel, workdir=tmp_path)


def test_recording_without_sound_takes_a_channel_once_it_is_confirmed(files: dict[str, Path], tmp_path: Path) -> None:
    package = services.start_package(asset=inspected(files["silent"], tmp_path))
    channel = add(package, files["fr"], tmp_path)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    assert (channel.offset_ms, channel.is_usable) == (0, False)
    services.confirm_channel(channel=channel, offset_ms=0)
    [row] = services.make_channels(package=package, workdir=tmp_path)
    assert row.duration_ms == 1000


# --- Excerpts ------------------------------------------------------------------------------------------------------


def test_excerpts_let_a_person_hear_both_at_the_same_moment(channel: InterpretationChannel, tmp_path: Path) -> None:
    found = services.excerpts_of(channel)
    assert len(found) == 3
    for excerpt in found:
        assert excerpt.main is not None
        assert excerpt.channel is not None
        assert excerpt.channel_ms is not None
        assert channel.offset_ms is not None
        # In the channel's excerpt, the moment of the place comes so much after its beginning.
        expected = excerpt.place_ms - channel.offset_ms - excerpt.channel_ms
        assert lag_ms(stored_path(excerpt.main), stored_path(excerpt.channel)) == pytest.approx(expected, abs=30)


def test_new_excerpts_take_the_place_of_the_old_ones(channel: InterpretationChannel, tmp_path: Path) -> None:
    before = {excerpt.channel.key for excerpt in services.excerpts_of(channel) if excerpt.channel}
    services.try_offset(channel=channel, offset_ms=0)
    services.prepare_channel(channel=channel, workdir=tmp_path)
    after = {excerpt.channel.key for excerpt in services.excerpts_of(channel) if excerpt.channel}
    assert len(after) == 3
    assert not before & after
    assert set(ReplacedFile.objects.values_list("key", flat=True)) >= before


# --- Versions and files --------------------------------------------------------------------------------------------


def test_making_twice_makes_nothing_new(channel: InterpretationChannel, package: Package, tmp_path: Path) -> None:
    key = package.renditions.get(name="audio-fr").key
    services.make_channels(package=package, workdir=tmp_path)
    assert package.renditions.get(name="audio-fr").key == key


def test_a_new_version_gets_the_channel_too(channel: InterpretationChannel, package: Package, tmp_path: Path) -> None:
    renewed = services.start_package(asset=package.asset)
    services.make_channels(package=renewed, workdir=tmp_path)
    assert renewed.renditions.get(name="audio-fr").facts == package.renditions.get(name="audio-fr").facts


def test_a_cut_version_gets_the_stretch_that_it_shows(channel: InterpretationChannel, tmp_path: Path) -> None:
    cut = Package.objects.create(asset=channel.asset, trim_start_ms=3_000, trim_end_ms=11_000)
    [row] = services.make_channels(package=cut, workdir=tmp_path)
    assert row.duration_ms == 8_000
    whole = stored_path(channel.asset.packages.exclude(pk=cut.pk).get().renditions.get(name="audio-fr"))
    assert lag_ms(whole, stored_path(row)) == pytest.approx(-3_000, abs=2)


def test_channel_that_was_moved_meanwhile_is_not_kept(
    channel: InterpretationChannel, package: Package, tmp_path: Path
) -> None:
    renewed = services.start_package(asset=package.asset)

    @contextmanager
    def moved_before() -> Iterator[None]:
        InterpretationChannel.objects.filter(pk=channel.pk).update(offset_ms=99)
        with transaction.atomic():
            yield

    with pytest.raises(TemporaryFailure):
        services.make_channel(channel=channel, package=renewed, workdir=tmp_path, fenced=moved_before)
    assert not renewed.renditions.exists()
    assert not [name for name in default_storage.listdir(package.prefix.rpartition("/")[0])[1] if "audio-fr" in name]


def test_downloads_have_the_interpreters_sound(
    channel: InterpretationChannel, package: Package, tmp_path: Path
) -> None:
    services.make_downloads(package=package, workdir=tmp_path)
    rows = {row.name: row for row in package.derivatives.filter(kind="mp4")}
    assert set(rows) == {"180p", "180p-fr"}
    assert (rows["180p"].facts.get("language"), rows["180p-fr"].facts["language"]) == (None, "fr")
    assert [stream["tags"]["language"] for stream in probe(stored_path(rows["180p-fr"]))["streams"]][1:] == ["fra"]
    sounds = [stored_path(package.renditions.get(name=name)) for name in ("audio", "audio-fr")]
    assert np.array_equal(mono(stored_path(rows["180p-fr"])), mono(sounds[1]))
    assert np.array_equal(mono(stored_path(rows["180p"])), mono(sounds[0]))


def test_one_file_can_hold_all_sounds_and_subtitles(
    channel: InterpretationChannel, package: Package, tmp_path: Path
) -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nمرحبا\n"
    row = services.make_subtitled_mp4(package=package, tracks=[("ar", vtt)], workdir=tmp_path)
    found = [
        (stream["codec_type"], stream["tags"]["language"], stream["tags"]["handler_name"])
        for stream in probe(stored_path(row))["streams"]
        if stream["codec_type"] != "video"
    ]
    assert found == [("audio", "ara", "العربية"), ("audio", "fra", "français"), ("subtitle", "ara", "العربية")]
    defaults = [s["disposition"]["default"] for s in probe(stored_path(row))["streams"] if s["codec_type"] == "audio"]
    assert defaults == [1, 0]


def test_removing_a_channel_removes_it_everywhere(
    channel: InterpretationChannel, package: Package, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    services.make_downloads(package=package, workdir=tmp_path)
    services.make_subtitled_mp4(package=package, tracks=[], workdir=tmp_path)
    source = channel.source
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_channel(channel=channel)
    assert not InterpretationChannel.objects.exists()
    assert not Asset.objects.filter(pk=source.pk).exists()
    assert not default_storage.exists(source.source_key)
    assert [row.name for row in services.sounds_of(package)] == ["audio"]
    assert sorted(Derivative.objects.values_list("kind", "name")) == [("mp4", "180p"), ("speech_audio", "")]
    services.delete_replaced(now=ReplacedFile.objects.latest("delete_after").delete_after)
    kept = {*package.renditions.values_list("key", flat=True), *package.derivatives.values_list("key", flat=True)}
    assert {f"{package.prefix}/{name}" for name in default_storage.listdir(package.prefix)[1]} == kept
    assert AuditEntry.objects.filter(action="channel.remove").exists()


def test_channels_follow_a_recording_to_another_file(
    channel: InterpretationChannel, files: dict[str, Path], tmp_path: Path
) -> None:
    other = inspected(files["main"], tmp_path, organisation=channel.asset.organisation)
    [moved] = services.move_channels(source=channel.asset, target=other)
    assert (moved.asset, moved.offset_ms, moved.is_usable) == (other, None, False)


# --- What is refused -----------------------------------------------------------------------------------------------


def test_file_without_sound_is_no_channel(package: Package, files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MediaRejected, match="no sound"):
        add(package, files["silent"], tmp_path)


def test_second_channel_of_a_language_is_refused(package: Package, files: dict[str, Path], tmp_path: Path) -> None:
    first = add(package, files["fr"], tmp_path)
    assert services.add_channel(asset=package.asset, source=first.source, language="fr") == first
    with pytest.raises(MediaRejected) as caught:
        add(package, files["strange"], tmp_path)
    assert caught.value.code == "channel_exists"


def test_another_organisations_file_is_refused(package: Package, files: dict[str, Path], tmp_path: Path) -> None:
    source = inspected(files["fr"], tmp_path)
    with pytest.raises(MediaRejected):
        services.add_channel(asset=package.asset, source=source, language="fr")


def test_offset_of_days_is_refused(package: Package, files: dict[str, Path], tmp_path: Path) -> None:
    channel = add(package, files["fr"], tmp_path)
    with pytest.raises(ChannelError):
        services.confirm_channel(channel=channel, offset_ms=10**9)
