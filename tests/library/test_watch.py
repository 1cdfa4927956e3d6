import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from events.models import Visibility
from library import services
from library.models import Recording, RecordingState
from library.playback import read_grant
from media.models import Derivative, DerivativeKind, Package
from registration.links import token_for
from tests.factories.accounts import MembershipFactory
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import RecordingFactory, give_track, watchable_recording
from tests.factories.registration import RegistrationFactory
from tests.support.answers import fetch, statuses
from transcripts.models import TrackState

pytestmark = pytest.mark.django_db


def address(recording: Recording, rest: str = "watch/") -> str:
    return f"/webinars/{recording.webinar.slug}/{rest}"


def watch(client: Client, recording: Recording, query: str = "") -> str:
    answer = client.get(address(recording) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def cues(html: str) -> list[str]:
    return re.findall(r'<a href="#t=[^"]*"[^>]*>.*?<span dir="auto">(.*?)</span></a>', html, re.DOTALL)


def test_the_page_holds_a_player_and_a_plain_video_inside(client: Client) -> None:
    html = watch(client, watchable_recording())
    assert re.search(r'<rostrum-player\s+base="/playback/[^"/]+/"', html)
    assert re.search(r'<video controls preload="none"[^>]* src="/playback/[^"/]+/files/download-360p.mp4"', html)


def test_the_plain_video_is_the_smallest_file(client: Client) -> None:
    recording = watchable_recording()
    found = re.search(r'<video [^>]* src="(/playback/[^"]+)"', watch(client, recording))
    assert found
    size = Derivative.objects.get(kind=DerivativeKind.MP4, name="360p").size
    assert int(fetch(client, found[1])["Content-Length"]) == size


def test_the_subtitle_tracks_have_their_languages_own_names(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "ar", ["صباح الخير"])
    assert re.findall(r'<track kind="(\w+)" srclang="(\w+)" label="([^"]+)"', watch(client, recording)) == [
        ("captions", "en", "English"),
        ("subtitles", "ar", "العربية"),
    ]


def test_the_first_look_is_enough(client: Client) -> None:
    recording = watchable_recording()
    Derivative.objects.all().delete()
    html = watch(client, recording)
    assert "<rostrum-player" in html
    assert "poster=" not in html
    assert not re.search(r"^ +storyboard", html, re.MULTILINE)


def test_without_a_package_the_page_says_that_it_is_coming(client: Client) -> None:
    recording = RecordingFactory.create()
    client.force_login(MembershipFactory.create(organisation=recording.webinar.organisation, role=Role.REVIEWER).user)
    html = watch(client, recording)
    assert "being prepared" in html
    assert "<rostrum-player" not in html


def test_a_draft_is_marked_as_a_preview(client: Client) -> None:
    recording = watchable_recording(state=RecordingState.DRAFT)
    client.force_login(MembershipFactory.create(organisation=recording.webinar.organisation, role=Role.REVIEWER).user)
    assert "Preview" in watch(client, recording)


def test_the_transcript_is_in_the_page_with_its_times(client: Client) -> None:
    html = watch(client, watchable_recording())
    assert cues(html) == ["Good morning.", "Access to care matters."]
    assert re.findall(r'data-start="(\d+)" data-end="(\d+)"', html) == [("0", "1900"), ("2000", "3900")]


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("", "en", "en"),
        ("", "ar", "ar"),
        ("", "uk", "en"),
        ("?subtitles=fr", "ar", "fr"),
        ("?transcript=ar&subtitles=fr", "en", "ar"),
        ("?transcript=xx", "en", "en"),
    ],
)
def test_the_transcript_is_in_the_language_asked_for_else_the_pages(
    client: Client, query: str, accepted: str, expected: str
) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "ar", ["صباح الخير"])
    give_track(recording.asset, "fr", ["Bonjour"])
    html = client.get(address(recording) + query, headers={"Accept-Language": accepted}).content.decode()
    assert re.findall(r'<ol class="cues" lang="(\w+)"', html) == [expected]


def test_the_transcript_of_another_language_comes_alone_and_in_its_direction(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "ar", ["صباح الخير"])
    html = client.get(address(recording, "transcript/ar/")).content.decode()
    assert '<ol class="cues" lang="ar" dir="rtl">' in html
    assert cues(html) == ["صباح الخير"]
    assert "<html" not in html


def test_cue_text_is_data(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["<v Anna>R&amp;D &lt;script&gt;alert(1)&lt;/script&gt;</v>"])
    html = client.get(address(recording, "transcript/fr/")).content.decode()
    assert cues(html) == ["R&amp;D &lt;script&gt;alert(1)&lt;/script&gt;"]


def test_an_unpublished_track_is_nowhere(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["Bonjour"], state=TrackState.REVIEWED)
    assert "français" not in watch(client, recording)
    for rest in ("transcript/fr/", "downloads/subtitles/fr.vtt", "downloads/subtitles/fr.txt"):
        assert client.get(address(recording, rest)).status_code == 404


@pytest.mark.parametrize(
    ("text_format", "content_type", "start"),
    [
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT"),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,900\nGood morning."),
        ("txt", "text/plain; charset=utf-8", "Good morning."),
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
    ],
)
def test_text_comes_in_four_formats(client: Client, text_format: str, content_type: str, start: str) -> None:
    recording = watchable_recording()
    answer = client.get(address(recording, f"downloads/subtitles/en.{text_format}"))
    assert answer["Content-Type"] == content_type
    assert answer["Content-Disposition"] == f'attachment; filename="{recording.webinar.slug}.en.{text_format}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content.decode().replace("\r\n", "\n").startswith(start)


def test_the_transcript_to_read_has_the_titles_of_the_slides_in_the_time_that_viewers_see(client: Client) -> None:
    recording = watchable_recording(webinar__starts_at=datetime(2026, 5, 3, 9, tzinfo=UTC))
    Package.objects.update(trim_start_ms=1000)
    material = MaterialFactory.create(webinar=recording.webinar)
    for number, title in enumerate(["Welcome", "Welcome", "R&D <b>"]):
        page = MaterialPageFactory.create(material=material, number=number + 1, text=title)
        recording.slide_intervals.create(page=page, start_ms=number * 1000, end_ms=(number + 1) * 1000, certainty=1)
    give_track(recording.asset, "fr", ["Bonjour.", "Merci."])
    html = client.get(address(recording, "downloads/subtitles/fr.html")).content.decode()
    assert '<html lang="fr" dir="ltr">' in html
    assert "3 mai 2026" in html
    assert re.findall(r"<h2[^>]*>(.*)</h2>|<p dir=.*#t=(\d+).*</a> (.*)</p>", html) == [
        ("Welcome", "", ""),
        ("", "0", "Bonjour."),
        ("R&amp;D &lt;b&gt;", "", ""),
        ("", "1", "Merci."),
    ]
    assert f'<a href="{settings.BASE_URL}{address(recording)}?transcript=fr&amp;subtitles=fr">' in html


@pytest.mark.parametrize(
    "rest", ["downloads/subtitles/en.ass", "downloads/video/999p.mp4", "downloads/video/audio.mp4"]
)
def test_what_does_not_exist_cannot_be_downloaded(client: Client, rest: str) -> None:
    assert client.get(address(watchable_recording(), rest)).status_code == 404


@pytest.mark.parametrize("name", ["720p.mp4", "360p.mp4", "subtitled.mp4"])
def test_video_is_downloaded_from_the_store_under_the_webinars_name(client: Client, name: str) -> None:
    recording = watchable_recording()
    answer = fetch(client, address(recording, f"downloads/video/{name}"))
    assert answer.status_code == 200
    assert f'filename="{recording.webinar.slug}-{name}"' in answer["Content-Disposition"]


def test_a_download_that_broke_off_goes_on_where_it_was(client: Client) -> None:
    door = address(watchable_recording(), "downloads/video/720p.mp4")
    etag = fetch(client, door)["ETag"]
    rest = fetch(client, door, range="bytes=1500-", if_range=etag)
    assert (rest.status_code, rest["Content-Range"]) == (206, "bytes 1500-1999/2000")


def test_only_the_picture_of_a_public_recording_is_left_to_shared_caches(client: Client) -> None:
    public, closed = watchable_recording(), watchable_recording(visibility=Visibility.REGISTERED)
    client.get(address(closed) + f"?registration={token_for(RegistrationFactory.create(webinar=closed.webinar))}")
    kept = [fetch(client, address(one, "poster.jpg"))["Cache-Control"] for one in (public, closed)]
    assert kept == ["public, max-age=300", "private, max-age=600, immutable"]


def test_a_player_gets_a_new_grant_as_long_as_its_viewer_may_watch(client: Client) -> None:
    recording = watchable_recording()
    answer = client.get(address(recording, "watch/grant/"))
    assert answer.json()["package"] == str(recording.asset.current_package_id)
    assert client.get(answer.json()["base"] + "master.m3u8").status_code == 200
    assert "no-store" in answer["Cache-Control"]
    services.withdraw_recording(recording=recording)
    assert client.get(address(recording, "watch/grant/")).status_code == 404


def test_a_page_that_waits_for_its_recording_asks_until_there_is_one(client: Client) -> None:
    recording = RecordingFactory.create(state=RecordingState.PUBLISHED)
    assert client.get(address(recording, "watch/grant/")).json() == {"base": "", "package": ""}


def test_a_personal_link_is_noted_in_the_grant_and_said(client: Client) -> None:
    recording = watchable_recording()
    registration = RegistrationFactory.create(webinar=recording.webinar)
    assert not re.search(r"^ +personal ", watch(client, recording), re.MULTILINE)
    client.get(address(recording) + f"?registration={token_for(registration)}")
    html = watch(client, recording)
    assert re.search(r"^ +personal ", html, re.MULTILINE)
    base = re.search(r'base="/playback/([^"/]+)/"', html)
    assert base
    assert read_grant(base[1]).registration_id == registration.pk


def test_every_download_on_the_page_exists(client: Client) -> None:
    recording = watchable_recording()
    found = re.findall(r'href="(/webinars/[^"]+/downloads/[^"]+)"', watch(client, recording))
    assert len(found) == 7
    assert statuses(client, found) == {200}


def test_a_replaced_package_changes_the_page(client: Client) -> None:
    recording = watchable_recording()
    recording.asset.current_package = Package.objects.create(asset=recording.asset)
    recording.asset.save()
    assert "downloads/video" not in watch(client, recording)


def test_pages_with_grants_are_not_stored(client: Client) -> None:
    assert "no-store" in client.get(address(watchable_recording()))["Cache-Control"]


def two_parts() -> tuple[Recording, Recording]:
    """Two published recordings of one webinar, the newer one second."""
    now = timezone.now()
    first = watchable_recording(published_at=now - timedelta(hours=1))
    second = watchable_recording(webinar=first.webinar, published_at=now)
    give_track(first.asset, "fr", ["Première partie"])
    give_track(second.asset, "fr", ["Deuxième partie"])
    return first, second


def test_of_two_recordings_each_has_its_own_page(client: Client) -> None:
    first, second = two_parts()
    assert cues(client.get(address(first) + "?subtitles=fr").content.decode()) == ["Deuxième partie"]
    html = client.get(f"{address(first)}?recording={first.pk}&subtitles=fr").content.decode()
    assert cues(html) == ["Première partie"]
    assert f'href="{address(first)}?recording={second.pk}"' in html
    # Whatever the page fetches is of the same recording.
    pattern = r'(?:href|data-address|renew|share)="([^"]*/(?:watch|downloads|transcript)/[^"]*)"'
    doors = [
        found
        for found in re.findall(pattern, html)
        if "/slides/" not in found and f"recording={second.pk}" not in found
    ]
    assert len(doors) > 5
    assert all(found.endswith(f"?recording={first.pk}") for found in doors)


def test_a_parts_transcript_and_files_are_its_own(client: Client) -> None:
    first, _second = two_parts()
    for rest in ("transcript/fr/", "downloads/subtitles/fr.txt"):
        slug = address(first).removesuffix("watch/")
        assert "Première" in client.get(f"{slug}{rest}?recording={first.pk}").content.decode()
        assert "Deuxième" in client.get(f"{slug}{rest}").content.decode()


@pytest.mark.parametrize("wanted", ["", "x", "00000000-0000-0000-0000-000000000000", "' OR 1=1"])
def test_a_recording_that_is_none_of_the_webinars_changes_nothing(client: Client, wanted: str) -> None:
    first, _second = two_parts()
    answer = client.get(address(first), {"recording": wanted, "subtitles": "fr"})
    assert cues(answer.content.decode()) == ["Deuxième partie"]


def test_a_part_that_is_not_for_everybody_is_neither_shown_nor_listed(client: Client) -> None:
    first, second = two_parts()
    Recording.objects.filter(pk=first.pk).update(visibility=Visibility.REGISTERED)
    html = client.get(f"{address(first)}?recording={first.pk}&subtitles=fr").content.decode()
    assert cues(html) == ["Deuxième partie"]
    main = html.partition("<main")[2].partition("</main")[0]  # the choice of language keeps the address as it is
    assert f"recording={first.pk}" not in main
    assert f"recording={second.pk}" not in main
