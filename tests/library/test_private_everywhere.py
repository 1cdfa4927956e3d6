"""Promises A3 and A4: private media is private at every door, and its links die when access is withdrawn.

The doors are not listed here: they are found in the address list, in the page and behind the grant, so that a new one
is tested without anybody thinking of it.
"""

import re
import time
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Role
from config.urls import urlpatterns
from events.models import Visibility
from library import services
from library.models import Recording
from library.playback import make_grant
from library.rules import Right
from library.urls import urlpatterns as library_urls
from media.storage import private_storage
from registration.links import token_for
from registration.models import Registration
from tests.factories.accounts import MembershipFactory
from tests.factories.events import MaterialFactory, MaterialPageFactory
from tests.factories.library import watchable_recording
from tests.factories.registration import RegistrationFactory
from tests.support.answers import fetch, statuses

pytestmark = pytest.mark.django_db

assert urlpatterns  # the whole site answers below, not this app alone


def closed_recording(visibility: str = Visibility.REGISTERED) -> Recording:
    recording = watchable_recording(visibility=visibility, webinar__visibility=visibility)
    MaterialPageFactory.create(material=MaterialFactory.create(webinar=recording.webinar), number=1)
    recording.chapters.create(start_ms=0, title="A secret chapter")
    return recording


def browser_of(registration: Registration) -> Client:
    client = Client()
    client.get(f"/webinars/{registration.webinar.slug}/watch/?registration={token_for(registration)}")
    return client


def addresses_on(html: str, base: str) -> set[str]:
    """Everything that a page or a playlist names, made absolute."""
    found = re.findall(r'(?:href|src|poster|base|renew|URI|data-address)="([^"]+)"', html)
    if html.startswith(("#EXTM3U", "WEBVTT")):
        found += re.findall(r"^(?![#<\s])\S+$|^\S+(?=#xywh)", html, re.MULTILINE)
    return {urljoin(base, unescape(one)) for one in found}


def doors_of(client: Client, recording: Recording) -> set[str]:
    """Every address that leads to something of the recording, found by following what its viewer is shown."""
    slug = recording.webinar.slug
    found: set[str] = set()
    waiting = [f"/webinars/{slug}/watch/"]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = fetch(client, address)
        if answer.status_code not in (200, 206):
            continue
        found.add(address)
        if re.match(r"text/(html|vtt)|application/vnd", answer["Content-Type"]) and not answer.streaming:
            text = answer.content.decode()  # type: ignore[attr-defined]  # not streaming, said above
            named = {re.sub(r"^(/playback/[^/]+/)$", r"\1master.m3u8", one) for one in addresses_on(text, address)}
            waiting += [one for one in named if f"/{slug}/" in one or one.startswith(("/playback/", "/files/"))]
    return found


def is_media(address: str) -> bool:
    return (
        "/watch/" in address
        or "/downloads/" in address
        or "/transcript/" in address
        or address.startswith(("/playback/", "/files/"))
        or address.endswith("poster.jpg")
    )


def test_the_viewer_finds_every_kind_of_door() -> None:
    recording = closed_recording()
    viewer = browser_of(RegistrationFactory.create(webinar=recording.webinar))
    found = {re.sub(r"^/playback/[^/]+", "/playback/*", door) for door in doors_of(viewer, recording)}
    slug = recording.webinar.slug
    for door in (
        f"/webinars/{slug}/watch/",
        f"/webinars/{slug}/watch/grant/",
        f"/webinars/{slug}/downloads/video/720p.mp4",
        f"/webinars/{slug}/downloads/video/subtitled.mp4",
        f"/webinars/{slug}/downloads/subtitles/en.srt",
        "/playback/*/master.m3u8",
        "/playback/*/720p.m3u8",
        "/playback/*/audio.m3u8",
        "/playback/*/subtitles/en.vtt",
        "/playback/*/files/720p.mp4",
        "/playback/*/files/audio.mp4",
        "/playback/*/poster.jpg",
    ):
        assert door in found


@pytest.mark.parametrize("visibility", [Visibility.REGISTERED, Visibility.ORGANISATION])
def test_no_door_of_a_private_recording_opens_to_anybody_else(visibility: str) -> None:
    recording, other = closed_recording(visibility), closed_recording()
    organisation = recording.webinar.organisation
    if visibility == Visibility.REGISTERED:
        viewer = browser_of(RegistrationFactory.create(webinar=recording.webinar))
    else:
        viewer = Client()
        viewer.force_login(
            MembershipFactory.create(organisation=organisation, role=Role.REVIEWER).user,
            backend="django.contrib.auth.backends.ModelBackend",
        )
    doors = {door for door in doors_of(viewer, recording) if is_media(door)}
    assert len(doors) > 12

    stranger = Client()
    expired = Client()
    expired.cookies["sessionid"] = "expired"
    anothers = browser_of(RegistrationFactory.create(webinar=other.webinar))
    # Behind a grant or a signed address, that is the proof itself: another's is tried in its place.
    package = other.asset.current_package
    assert package is not None
    for grant in (make_grant(recording=other, package=package, right=Right("public")), "forged", "expired~x~y"):
        swapped = [re.sub(r"^/(playback|files)/[^/]+", rf"/\1/{grant}", door) for door in doors]
        assert statuses(anothers, [door for door in swapped if door.startswith("/playback/")]) == {404}
        assert statuses(anothers, [door for door in swapped if door.startswith("/files/")]) <= {403}
    by_session = [door for door in doors if not door.startswith(("/playback/", "/files/"))]
    for client in (stranger, expired, anothers):
        assert statuses(client, by_session) <= {403, 404}


@pytest.mark.parametrize("visibility", [Visibility.UNLISTED, Visibility.REGISTERED, Visibility.ORGANISATION])
def test_lists_search_and_feeds_do_not_name_what_is_not_public(client: Client, visibility: str) -> None:
    recording = watchable_recording(
        visibility=visibility, webinar__visibility=Visibility.ORGANISATION, webinar__title="Zanzibar"
    )
    listed = watchable_recording(webinar__title="Zanzibar in public")
    for address in ("/", "/?show=recordings", "/search/?q=Zanzibar", "/api/v1/recordings/", "/calendar.ics"):
        shown = client.get(address).content.decode()
        assert recording.webinar.slug not in shown, address
        assert str(recording.pk) not in shown, address
    assert listed.webinar.slug in client.get("/search/?q=Zanzibar").content.decode()


def test_after_withdrawal_every_link_is_dead_within_the_stated_time(settings: Settings) -> None:
    settings.MEDIA_LINK_LIFE_S = 2
    recording = closed_recording()
    viewer = browser_of(RegistrationFactory.create(webinar=recording.webinar))
    # Slides are the webinar's and stay.
    doors = {door for door in doors_of(viewer, recording) if is_media(door) and "/downloads/slides/" not in door}
    # What a page of the studio, or S3 in its place, was given: an address that asks nobody.
    signed = private_storage().signed_url(recording.asset.source_key)
    services.withdraw_recording(recording=recording)
    behind_grants = [door for door in doors if door.startswith("/playback/")]
    assert len(behind_grants) > 6
    assert statuses(viewer, behind_grants) == {404}  # on a disk of our own at once
    time.sleep(settings.MEDIA_LINK_LIFE_S)
    assert statuses(viewer, [*doors, signed]) <= {403, 404}
    assert statuses(Client(), [*doors, signed]) <= {403, 404}


def test_every_address_of_playback_asks_for_the_grant() -> None:
    """A view under /playback/ that forgets `granted` would answer for a forged one."""
    parts = {"grant": "forged", "rendition": "720p", "language": "en", "name": "720p.mp4"}
    routes = [str(pattern.pattern) for pattern in library_urls if str(pattern.pattern).startswith("playback/")]
    assert len(routes) > 7
    client = Client()
    for route in routes:
        address = "/" + re.sub(r"<\w+:(\w+)>", lambda found: parts[found[1]], route)
        if address.endswith("/beats/"):
            continue  # takes POST alone; tests/library/test_viewings.py
        assert client.get(address).status_code == 404, address
        assert client.options(address).status_code == 404, address
