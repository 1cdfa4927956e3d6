"""Interpreters' channels: from an upload to what viewers hear, and the page where somebody listens."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

import work.services
from accounts.models import AuditEntry
from library.models import Recording
from library.playback import make_grant
from library.rules import Right
from library.signals import recording_file_changed
from media import services as media_services
from media.errors import MediaRejected
from media.models import Derivative, DerivativeKind, InterpretationChannel, Upload
from media.signals import upload_completed
from media.storage import private_storage
from studio import channels
from studio.channels import ChannelBusy
from studio.errors import UploadNotReady, WrongPurpose
from studio.models import ChannelWork, Production, StepRow
from studio.services import after_step, start_production
from studio.uploads import channel_purpose, purpose_for
from tests.factories.library import RecordingFactory, give_package
from tests.factories.media import AssetFactory, make_asset
from tests.media.clips import ffmpeg
from tests.media.measure import probe, stored_path
from tests.studio.conftest import Person
from work.models import WorkState

SPEECH = Path(__file__).parents[1] / "data" / "speech"


def uploaded(recording: Recording, language: str = "fr", **fields: Any) -> Upload:
    """An upload of a channel whose parts have arrived."""
    organisation = recording.webinar.organisation
    given = {
        "organisation": organisation,
        "purpose": channel_purpose(recording, language),
        "file_name": "fr.mp3",
        "size": 1000,
        "part_size": 1000,
        "storage_key": "originals/x",
        "expires_at": timezone.now(),
        "state": WorkState.DONE,
        "asset": AssetFactory(organisation=organisation, has_audio=True, file_name="fr.mp3"),
        **fields,
    }
    return Upload.objects.create(**given)


def channel_of(recording: Recording, language: str = "fr", **fields: Any) -> InterpretationChannel:
    source = AssetFactory(organisation=recording.webinar.organisation, has_audio=True, file_name="fr.mp3")
    row: InterpretationChannel = recording.asset.channels.create(source=source, language=language, **fields)
    return row


@pytest.fixture
def weak(recording: Recording) -> InterpretationChannel:
    """Placed, but not for certain, with something to listen to."""
    package = give_package(recording.asset)
    for side in ("main", "channel"):
        Derivative.objects.create(
            package=package,
            kind=DerivativeKind.EXCERPT,
            name=f"fr:0:{side}",
            key=str(private_storage().save(f"{package.prefix}/{side}.m4a", ContentFile(side.encode()))),
            size=4,
            content_type="audio/mp4",
            facts={"place_ms": 61_000, "channel_ms": 45_000},
        )
    return channel_of(recording, offset_ms=1500, match=0.31)


def page(recording: Recording) -> str:
    return reverse("studio:sound", args=[recording.pk])


def channel_page(recording: Recording, channel: InterpretationChannel) -> str:
    return reverse("studio:channel", args=[recording.pk, channel.pk])


# --- Taking in -----------------------------------------------------------------------------------------------------


def test_completed_upload_becomes_a_channel_by_itself_and_is_worked_on(recording: Recording) -> None:
    upload = uploaded(recording, "ar")
    upload_completed.send(sender=Upload, upload=upload, asset=upload.asset)
    channel = recording.asset.channels.get()
    assert (channel.language, channel.source, channel.is_usable) == ("ar", upload.asset, False)
    assert channel.work.get().state == WorkState.QUEUED


def test_the_same_upload_again_gives_the_same_channel(recording: Recording) -> None:
    upload = uploaded(recording)
    first = channels.receive_channel(upload=upload, user=None)
    assert channels.receive_channel(upload=upload, user=None) == first
    assert ChannelWork.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"asset": None}, UploadNotReady),
        ({"purpose": "channel:nonsense:fr"}, WrongPurpose),
        ({"purpose": "notes"}, WrongPurpose),
    ],
)
def test_what_is_no_channel_is_refused(recording: Recording, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        channels.receive_channel(upload=uploaded(recording, **change), user=None)


def test_a_recordings_upload_is_no_channel(recording: Recording) -> None:
    with pytest.raises(WrongPurpose):
        channels.receive_channel(upload=uploaded(recording, purpose=purpose_for(recording.webinar)), user=None)


def test_second_channel_of_a_language_is_refused(recording: Recording) -> None:
    channels.receive_channel(upload=uploaded(recording), user=None)
    with pytest.raises(MediaRejected):
        channels.receive_channel(upload=uploaded(recording), user=None)


# --- From the file to what viewers hear ----------------------------------------------------------------------------


@pytest.fixture
def heard(webinar: Any, tmp_path: Path) -> Recording:
    """A recording in Arabic with its first version, and a French interpreter's channel that has arrived."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=14", "-ss", "20", "-t", "14",
           "-i", SPEECH / "ar_75s.flac", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
           "-c:a", "aac", tmp_path / "main.mp4")  # fmt: skip
    mixed = "[0]volume=0.1[floor];[floor][1]amix=inputs=2:normalize=0:duration=first"
    ffmpeg("-ss", "21.5", "-t", "12", "-i", SPEECH / "ar_75s.flac", "-ss", "3", "-t", "12",
           "-i", SPEECH / "fr_75s.flac", "-filter_complex", mixed, tmp_path / "fr.m4a")  # fmt: skip
    assets = [make_asset(tmp_path / name, organisation=webinar.organisation) for name in ("main.mp4", "fr.m4a")]
    for asset in assets:
        media_services.inspect_source(asset=asset, workdir=tmp_path)
    package = media_services.start_package(asset=assets[0])
    media_services.make_first_look(package=package, workdir=tmp_path)
    media_services.make_audio(package=package, workdir=tmp_path, language="ar")
    media_services.complete_package(package=package)
    recording: Recording = RecordingFactory(webinar=webinar, asset=assets[0])
    channels.receive_channel(upload=uploaded(recording, asset=assets[1]), user=None)
    return recording


def run_all() -> list[str]:
    """Do the queued work, and what follows from it."""
    states = []
    while row := ChannelWork.objects.filter(state=WorkState.QUEUED).order_by("created_at").first():
        work.services.execute(channels.WORK_KIND, row.pk)
        row.refresh_from_db()
        states.append(row.state)
    return states


# The worker's heartbeat has a connection of its own, and sees only what is committed.
@pytest.mark.django_db(transaction=True)
def test_channel_is_placed_made_and_in_every_download(heard: Recording) -> None:
    assert run_all() == [WorkState.DONE, WorkState.DONE]
    channel = heard.asset.channels.get()
    assert channel.offset_ms == pytest.approx(1500, abs=2)
    assert channel.is_usable
    package = heard.asset.current_package
    assert package is not None
    assert [row.name for row in media_services.sounds_of(package)] == ["audio", "audio-fr"]
    assert set(package.derivatives.filter(kind="mp4").values_list("name", flat=True)) == {"180p", "180p-fr"}
    subtitled = stored_path(package.derivatives.get(kind="mp4_subtitled"))
    languages = [s["tags"]["language"] for s in probe(subtitled)["streams"] if s["codec_type"] == "audio"]
    assert languages == ["ara", "fra"]


@pytest.mark.django_db(transaction=True)
def test_removed_channel_is_gone_from_the_downloads_too(heard: Recording) -> None:
    run_all()
    channels.remove(channel=heard.asset.channels.get(), user=None)
    run_all()
    package = heard.asset.current_package
    assert package is not None
    assert [row.name for row in media_services.sounds_of(package)] == ["audio"]
    assert list(package.derivatives.values_list("kind", "name").order_by("kind")) == [
        ("mp4", "180p"),
        ("speech_audio", ""),
    ]


@pytest.mark.django_db(transaction=True)
def test_master_playlist_offers_both_sounds_to_a_real_reader(heard: Recording, live_server: Any) -> None:
    run_all()
    recording = Recording.objects.get(pk=heard.pk)
    package = recording.asset.current_package
    assert package is not None
    Recording.objects.filter(pk=recording.pk).update(state="published", visibility="public")
    grant = make_grant(recording=recording, package=package, right=Right("public"))
    url = live_server.url + reverse("library:master", args=[grant])
    found = probe(url)
    kinds = [stream["codec_type"] for stream in found["streams"]]
    assert kinds.count("audio") == 2
    assert kinds.count("video") >= 1


# --- Waiting for the recording -------------------------------------------------------------------------------------


def test_channel_that_comes_before_the_recordings_sound_waits_and_goes_on_then(recording: Recording) -> None:
    production = start_production(recording=recording, user=None, spoken_language="en", subtitle_languages=[])
    recording.asset.has_audio = True
    recording.asset.save()
    row = channels.start_work(channel_of(recording))
    assert row is not None
    work.services.execute(channels.WORK_KIND, row.pk)
    row.refresh_from_db()
    assert row.state == WorkState.WAITING

    step = production.steps.get(name="audio")
    StepRow.objects.filter(pk=step.pk).update(state=WorkState.DONE)
    step.refresh_from_db()
    after_step(step)

    row.refresh_from_db()
    assert row.state == WorkState.QUEUED


def test_channel_without_any_production_fails_and_says_why(recording: Recording) -> None:
    recording.asset.has_audio = True
    recording.asset.save()
    row = channels.start_work(channel_of(recording))
    assert row is not None
    work.services.execute(channels.WORK_KIND, row.pk)
    row.refresh_from_db()
    assert (row.state, row.error_code) == (WorkState.FAILED, "recording_not_prepared")


def test_only_recordings_with_channels_have_the_step(recording: Recording) -> None:
    def step_names() -> set[str]:
        production: Production = start_production(
            recording=recording, user=None, spoken_language="en", subtitle_languages=[]
        )
        return set(production.steps.values_list("name", flat=True))

    assert "channels" not in step_names()
    channel_of(recording)
    assert "channels" in step_names()


def test_another_file_takes_the_channels_along_and_places_them_anew(
    recording: Recording, weak: InterpretationChannel
) -> None:
    former = recording.asset
    recording.asset = AssetFactory(organisation=recording.webinar.organisation)
    recording.save()
    recording_file_changed.send(sender=Recording, recording=recording, former=former)
    weak.refresh_from_db()
    assert (weak.asset, weak.offset_ms) == (recording.asset, None)
    assert weak.work.get().state == WorkState.QUEUED


# --- Pages ---------------------------------------------------------------------------------------------------------


def test_page_says_how_each_channel_stands(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    channel_of(recording, "ar", offset_ms=-250, match=0.98)
    text = organiser.client.get(page(recording)).content.decode()
    assert "listen and confirm" in text
    assert "viewers can choose it" in text
    assert "It begins 1.50 seconds after the recording." in text
    assert "It begins 0.25 seconds before the recording." in text
    assert "98 % sure" in text


def test_page_offers_the_upload_once_a_language_is_chosen(recording: Recording, organiser: Person) -> None:
    assert "rostrum-uploader" not in organiser.client.get(page(recording)).content.decode()
    answer = organiser.client.get(page(recording), {"language": "fr", "other_language": ""})
    assert f'data-purpose="channel:{recording.pk}:fr"' in answer.content.decode()


@pytest.mark.parametrize("query", [{"language": ""}, {"language": "fr", "other_language": "ar"}, {"language": "xx"}])
def test_language_that_is_none_is_refused(recording: Recording, organiser: Person, query: dict[str, str]) -> None:
    answer = organiser.client.get(page(recording), query)
    assert answer.status_code == 400
    assert "rostrum-uploader" not in answer.content.decode()


def test_language_that_has_a_channel_is_not_offered_again(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    assert organiser.client.get(page(recording), {"language": "fr"}).status_code == 400
    assert organiser.client.get(page(recording), {"other_language": "fr"}).status_code == 400


def test_reviewers_look_and_listen_but_change_nothing(
    recording: Recording, weak: InterpretationChannel, reviewer: Person
) -> None:
    text = reviewer.client.get(page(recording)).content.decode()
    assert "Remove" not in text
    assert "Add a channel" not in text
    text = reviewer.client.get(channel_page(recording, weak)).content.decode()
    assert "rostrum-ear" in text
    assert "channel-offset" not in text


@pytest.mark.django_db(transaction=True)  # sending a file gives the connection back
def test_listening_page_has_both_sounds_of_each_place(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    text = organiser.client.get(channel_page(recording, weak)).content.decode()
    assert 'data-at="61000"' in text
    assert 'data-channel-at="45000"' in text
    for side in ("main", "channel"):
        url = reverse("studio:channel_excerpt", args=[recording.pk, weak.pk, 0, side])
        assert url in text
        answer = organiser.client.get(url)
        assert b"".join(answer.streaming_content) == side.encode()  # type: ignore[attr-defined]
    missing = reverse("studio:channel_excerpt", args=[recording.pk, weak.pk, 1, "main"])
    assert organiser.client.get(missing).status_code == 404


def test_confirming_stores_what_was_heard_and_goes_on(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    answer = organiser.client.post(channel_page(recording, weak), {"offset_s": "-0.480"})
    assert answer["Location"] == page(recording)
    weak.refresh_from_db()
    assert (weak.offset_ms, weak.confirmed_by, weak.is_usable) == (-480, organiser.user, True)
    assert weak.work.get().state == WorkState.QUEUED
    assert AuditEntry.objects.filter(action="channel.confirm", user=organiser.user).exists()


@pytest.mark.parametrize("offset", ["", "soon", "99999999", "1.23456"])
def test_offset_that_is_no_number_is_refused(
    recording: Recording, weak: InterpretationChannel, organiser: Person, offset: str
) -> None:
    answer = organiser.client.post(channel_page(recording, weak), {"offset_s": offset})
    assert answer.status_code == 400
    weak.refresh_from_db()
    assert weak.offset_ms == 1500


def test_moving_far_takes_the_channel_from_viewers_until_it_is_confirmed(
    recording: Recording, organiser: Person
) -> None:
    channel = channel_of(recording, offset_ms=0, match=0.99)
    organiser.client.post(channel_page(recording, channel), {"offset_s": "75", "move": "1"})
    channel.refresh_from_db()
    assert (channel.offset_ms, channel.is_usable) == (75_000, False)
    assert channel.work.exists()


def test_name_is_what_viewers_see(recording: Recording, weak: InterpretationChannel, organiser: Person) -> None:
    url = reverse("studio:channel_rename", args=[recording.pk, weak.pk])
    organiser.client.post(url, {"name": "français (Québec)"})
    weak.refresh_from_db()
    assert weak.name == "français (Québec)"
    assert organiser.client.post(url, {"name": "x" * 101}).status_code == 302


def test_failed_work_can_be_tried_again_but_not_work_underway(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    row = channels.start_work(weak)
    assert row is not None
    with pytest.raises(ChannelBusy):
        channels.retry(channel=weak, user=None)
    ChannelWork.objects.filter(pk=row.pk).update(state=WorkState.FAILED, error="Broken.")
    assert "Broken." in organiser.client.get(page(recording)).content.decode()
    organiser.client.post(reverse("studio:channel_retry", args=[recording.pk, weak.pk]))
    assert weak.work.get().state == WorkState.QUEUED


def test_another_organisations_channel_is_not_there(
    recording: Recording, weak: InterpretationChannel, stranger: Person
) -> None:
    assert stranger.client.get(channel_page(recording, weak)).status_code == 404


# --- API -----------------------------------------------------------------------------------------------------------


def test_api_makes_a_channel_of_an_upload(recording: Recording, organiser: Person) -> None:
    upload = uploaded(recording)
    answer = organiser.client.post("/api/v1/channels/", {"upload": str(upload.pk), "name": "Voix"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["language"], body["name"], body["recording"]) == ("fr", "Voix", str(recording.pk))
    assert (body["offset_ms"], body["is_usable"], body["work"]["state"]) == (None, False, "queued")


def test_api_lists_channels_of_one_recording(
    recording: Recording, weak: InterpretationChannel, organiser: Person
) -> None:
    channel_of(RecordingFactory(webinar=recording.webinar), "ar")
    found = organiser.client.get("/api/v1/channels/", {"recording": str(recording.pk)}).json()["results"]
    assert [row["id"] for row in found] == [str(weak.pk)]


def test_api_confirms_and_removes(recording: Recording, weak: InterpretationChannel, organiser: Person) -> None:
    url = f"/api/v1/channels/{weak.pk}/"
    answer = organiser.client.post(f"{url}confirm/", {"offset_ms": 20}, content_type="application/json")
    assert (answer.json()["offset_ms"], answer.json()["is_usable"]) == (20, True)
    assert organiser.client.delete(url).status_code == 204
    assert not recording.asset.channels.exists()


def test_api_refuses_what_is_no_offset(weak: InterpretationChannel, organiser: Person) -> None:
    url = f"/api/v1/channels/{weak.pk}/confirm/"
    for body in ({}, {"offset_ms": "x"}, {"offset_ms": 10**12}):
        assert organiser.client.post(url, body, content_type="application/json").status_code == 400
