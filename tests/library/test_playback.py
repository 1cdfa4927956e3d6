"""Grants, playlists and the files behind them: who gets what, and when it ends."""

import re
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import MagicMock, patch
from urllib.parse import urljoin

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Membership, Role
from events.models import Visibility
from library import services
from library.models import Recording, RecordingState
from library.playback import make_grant
from library.rules import Right
from media import growing
from media.models import Package, PackageState, Rendition, ReplacedFile
from media.services import stored
from registration.models import RegistrationState
from tests.factories.accounts import MembershipFactory
from tests.factories.library import INDEX, give_package, give_track, watchable_recording
from tests.factories.registration import RegistrationFactory
from tests.support.answers import fetch, statuses
from transcripts.models import TrackState

pytestmark = pytest.mark.django_db

PUBLIC = Right("public")


@pytest.fixture
def recording_time() -> Iterator[MagicMock]:
    with patch("library.playback.time.time") as clock:
        yield clock


def package_of(recording: Recording) -> Package:
    package = recording.asset.current_package
    assert package is not None
    return package


def grant(recording: Recording, right: Right = PUBLIC) -> str:
    return make_grant(recording=recording, package=package_of(recording), right=right)


def doors(recording: Recording, right: Right = PUBLIC) -> list[str]:
    """Every address that a grant opens."""
    base = f"/playback/{grant(recording, right)}"
    return [
        f"{base}/{name}"
        for name in (
            "master.m3u8",
            "720p.m3u8",
            "audio.m3u8",
            "subtitles/en.m3u8",
            "subtitles/en.vtt",
            "storyboard.vtt",
            "poster.jpg",
            "files/720p.mp4",
            "files/storyboard.jpg",
            "keys/720p.m3u8",
        )
    ]


def test_every_door_opens_to_a_grant(client: Client) -> None:
    assert statuses(client, doors(watchable_recording())) == {200}


def test_the_master_names_rungs_sound_and_subtitles(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "ar", ["صباح الخير"])
    text = client.get(doors(recording)[0]).content.decode()
    assert re.findall(r"RESOLUTION=(\S+?),FRAME-RATE", text) == ["640x360", "1280x720"]
    assert re.findall(r'TYPE=SUBTITLES.*?NAME="([^"]+)",LANGUAGE="([^"]+)"', text) == [
        ("English", "en"),
        ("العربية", "ar"),
    ]
    assert re.findall(r'TYPE=AUDIO.*?LANGUAGE="([^"]+)"', text) == ["en"]


def test_what_the_master_names_can_be_fetched(client: Client) -> None:
    text = client.get(doors(watchable_recording())[0]).content.decode()
    addresses = re.findall(r'^/\S+|(?<=URI=")[^"]+', text, re.MULTILINE)
    assert len(addresses) == 5
    assert statuses(client, addresses) == {200}


def test_a_media_playlist_names_byte_ranges_of_one_file_behind_the_same_grant(client: Client) -> None:
    recording = watchable_recording()
    address = doors(recording)[1]
    text = client.get(address).content.decode()
    assert re.findall(r"#EXT-X-BYTERANGE:(\S+)", text) == ["5000@800", "4000@5800"]
    assert set(re.findall(r"^[^#\n]+", text, re.MULTILINE)) == {"files/720p.mp4"}
    answer = fetch(client, urljoin(address, "files/720p.mp4"), range="bytes=800-5799")
    assert (answer.status_code, answer["Content-Range"]) == (206, "bytes 800-5799/9800")
    assert answer["Content-Type"] == "video/mp4"


def test_key_frames_alone_are_ranges_of_the_smallest_pictures_file(client: Client) -> None:
    recording = watchable_recording()
    master = client.get(doors(recording)[0]).content.decode()
    [line] = re.findall(r"#EXT-X-I-FRAME-STREAM-INF:(.+)", master)
    assert "RESOLUTION=640x360" in line
    address = line.rpartition('URI="')[2].rstrip('"')
    text = client.get(address).content.decode()
    assert "#EXT-X-I-FRAMES-ONLY" in text
    assert re.findall(r"#EXT-X-BYTERANGE:(\S+)", text) == ["2000@800", "1500@5800"]
    [file] = set(re.findall(r"^[^#\n]+", text, re.MULTILINE))
    assert fetch(client, urljoin(address, file), range="bytes=800-2799").status_code == 206


def test_a_rung_that_is_still_growing_is_played_from_its_parts(client: Client) -> None:
    recording = watchable_recording()
    package = package_of(recording)
    row = package.renditions.get(name="720p")
    keys = [f"{package.prefix}/720p-part{number}-x.mp4" for number in range(2)]
    for key in keys:
        default_storage.save(key, ContentFile(b"x" * 9800))
    row.index = growing.begin(row.index, row.key)
    for number, key in enumerate(keys):
        row.index = growing.add(row.index, number, {**INDEX}, key)
    row.save()
    address = doors(recording)[1]
    text = client.get(address).content.decode()
    assert "#EXT-X-ENDLIST" not in text
    files = list(dict.fromkeys(re.findall(r"^[^#\n]+", text, re.MULTILINE)))
    assert files == ["files/720p-part0-x.mp4", "files/720p-part1-x.mp4"]
    assert {fetch(client, urljoin(address, file)).status_code for file in files} == {200}
    assert statuses(client, [f"/playback/{grant(recording)}/keys/720p.m3u8"]) == {404}


def test_the_original_and_other_files_of_the_store_are_behind_no_grant(client: Client) -> None:
    recording = watchable_recording()
    base = f"/playback/{grant(recording)}/files"
    other = watchable_recording()
    names = ["subtitled.mp4", "..%2f..%2fetc%2fpasswd", recording.asset.source_key.rpartition("/")[2]]
    assert statuses(client, [f"{base}/{name}" for name in names]) == {404}
    Rendition.objects.filter(package=package_of(other), name="720p").update(key=f"{package_of(other).prefix}/own.mp4")
    assert statuses(client, [f"{base}/own.mp4"]) == {404}


def test_a_viewer_goes_on_with_a_file_that_was_replaced_until_it_is_deleted(client: Client) -> None:
    recording = watchable_recording()
    address = f"/playback/{grant(recording)}/files/720p.mp4"
    rendition = package_of(recording).renditions.get(name="720p")
    stored.replace_row(rendition, "another key")
    Rendition.objects.filter(pk=rendition.pk).update(key=f"{package_of(recording).prefix}/720p-new.mp4")
    assert statuses(client, [address]) == {200}
    ReplacedFile.objects.update(delete_after=timezone.now() - timedelta(seconds=1))
    stored.delete_replaced()
    assert statuses(client, [address]) == {404}


def test_first_look_alone_makes_a_master(client: Client) -> None:
    recording = watchable_recording()
    Rendition.objects.exclude(name="360p").delete()
    text = client.get(doors(recording)[0]).content.decode()
    assert "RESOLUTION=640x360" in text
    assert "AUDIO" not in text


def test_a_recording_without_pictures_plays_its_sound(client: Client) -> None:
    recording = watchable_recording()
    Rendition.objects.exclude(name="audio").delete()
    text = client.get(doors(recording)[0]).content.decode()
    assert "RESOLUTION" not in text
    assert "audio.m3u8" in text


def test_nothing_behind_a_grant_is_left_to_caches_that_many_people_share(client: Client) -> None:
    kept = {fetch(client, address)["Cache-Control"] for address in doors(watchable_recording())}
    assert kept == {"private, no-cache", "private, max-age=600, immutable"}


def test_a_playlist_that_is_asked_for_again_is_not_sent_again_but_the_right_is_checked(client: Client) -> None:
    recording = watchable_recording()
    for address in doors(recording)[:6]:
        etag = client.get(address)["ETag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304, address
    services.withdraw_recording(recording=recording)
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 404


def test_long_playlists_are_compressed(client: Client) -> None:
    recording = watchable_recording()
    long = {"init": [0, 800], "segments": [[800 + 5000 * n, 5000, 6000] for n in range(600)]}
    package_of(recording).renditions.filter(name="720p").update(index=long)
    answer = client.get(doors(recording)[1], headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 6000


def test_the_master_says_whether_more_qualities_will_come(client: Client) -> None:
    recording = watchable_recording()
    assert client.get(doors(recording)[0])["Rostrum-Package"] == "complete"
    Package.objects.update(state=PackageState.BUILDING)
    assert client.get(doors(recording)[0])["Rostrum-Package"] == "building"


def test_a_page_loaded_again_soon_gets_the_same_addresses(recording_time: MagicMock) -> None:
    recording = watchable_recording()
    recording_time.return_value = 5_400_000.0
    first = grant(recording)
    recording_time.return_value += 5_000
    assert grant(recording) == first
    recording_time.return_value += 5_400
    assert grant(recording) != first


def test_other_sites_may_fetch_what_everybody_may_watch(client: Client) -> None:
    for address in doors(watchable_recording()):
        answer = fetch(client, address, origin="https://elsewhere.example")
        assert answer["Access-Control-Allow-Origin"] == "*", address
        assert "Access-Control-Allow-Credentials" not in answer
    preflight = client.options(address)
    assert (preflight.status_code, preflight["Access-Control-Allow-Headers"]) == (204, "Range, If-None-Match")


def test_other_sites_may_not_fetch_what_is_not_public(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    for address in doors(recording, Right("registration", str(registration.pk))):
        answer = fetch(client, address, origin="https://elsewhere.example")
        assert "Access-Control-Allow-Origin" not in answer
    assert "Access-Control-Allow-Origin" not in client.options(address)


def test_unknown_names_answer_404(client: Client) -> None:
    base = f"/playback/{grant(watchable_recording())}"
    assert statuses(client, [f"{base}/999p.m3u8", f"{base}/subtitles/fr.vtt", f"{base}/subtitles/fr.m3u8"]) == {404}


def test_an_unpublished_track_is_not_served(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["Bonjour"], state=TrackState.DRAFT)
    assert client.get(f"/playback/{grant(recording)}/subtitles/fr.vtt").status_code == 404


@pytest.mark.parametrize("change", ["x", "~", "/"])
def test_a_changed_grant_opens_nothing(client: Client, change: str) -> None:
    token = grant(watchable_recording())
    assert client.get(f"/playback/{token[:10]}{change}{token[11:]}/master.m3u8").status_code == 404


def test_a_grant_ends(client: Client, settings: Settings) -> None:
    recording = watchable_recording()
    settings.PLAYBACK_GRANT_LIFE_S = -1
    assert statuses(client, doors(recording)) == {404}


def test_withdrawal_closes_every_door_at_once(client: Client) -> None:
    recording = watchable_recording()
    addresses = doors(recording)
    services.withdraw_recording(recording=recording)
    assert statuses(client, addresses) == {404}


def test_a_public_grant_ends_when_the_recording_is_restricted(client: Client) -> None:
    recording = watchable_recording()
    addresses = doors(recording)
    services.change_visibility(recording=recording, visibility=Visibility.REGISTERED)
    assert statuses(client, addresses) == {404}


def test_a_registrants_grant_ends_with_the_registration(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    addresses = doors(recording, Right("registration", str(registration.pk)))
    assert statuses(client, addresses) == {200}
    registration.state = RegistrationState.CANCELLED
    registration.save()
    assert statuses(client, addresses) == {404}


def test_a_members_grant_ends_with_the_membership(client: Client) -> None:
    recording = watchable_recording(state=RecordingState.DRAFT)
    member = MembershipFactory.create(organisation=recording.webinar.organisation, role=Role.REVIEWER)
    addresses = doors(recording, Right("member", str(member.user_id)))
    assert statuses(client, addresses) == {200}
    Membership.objects.all().delete()
    assert statuses(client, addresses) == {404}


def test_a_grant_for_one_recording_does_not_name_another_package(client: Client) -> None:
    mine, other = watchable_recording(), watchable_recording(visibility=Visibility.ORGANISATION)
    mixed = make_grant(recording=mine, package=package_of(other), right=PUBLIC)
    assert client.get(reverse("library:master", args=[mixed])).status_code == 404


def test_a_grant_keeps_playing_the_package_that_it_was_made_for(client: Client) -> None:
    recording = watchable_recording()
    address = doors(recording)[0]
    give_package(recording.asset)  # replaced while somebody watches
    assert client.get(address).status_code == 200


def test_the_storyboard_points_into_its_sprite(client: Client) -> None:
    text = client.get(f"/playback/{grant(watchable_recording())}/storyboard.vtt").content.decode()
    assert text.startswith("WEBVTT")
    assert re.findall(r"#xywh=(\S+)", text) == ["0,0,160,90", "160,0,160,90"]


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post(doors(watchable_recording())[0]).status_code == 405


def test_a_grant_of_a_webinar_long_ago_is_no_different(client: Client) -> None:
    past = timezone.now() - timedelta(days=400)
    recording = watchable_recording(webinar__starts_at=past, webinar__ends_at=past + timedelta(hours=1))
    assert statuses(client, doors(recording)) == {200}


def test_a_crowd_asks_the_database_once_and_for_moments_only(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.PLAYBACK_CACHED_S = 30
    recording = watchable_recording()
    address = f"/playback/{grant(recording)}/files/720p.mp4"
    with patch("library.memory.time.monotonic") as clock:
        clock.return_value = 1000.0
        fetch(client, address)
        with django_assert_num_queries(0):
            fetch(client, address)
        services.withdraw_recording(recording=recording)
        clock.return_value += 30
        assert statuses(client, [address]) == {404}
