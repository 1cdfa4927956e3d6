"""The player inside other sites' pages: where it may be shown, by what, and until when."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Role
from events.models import Visibility, WebinarState
from library import embeds, services
from library.errors import LibraryError
from library.models import EmbedLink, Recording, RecordingState
from tests.factories.accounts import MembershipFactory
from tests.factories.library import watchable_recording
from tests.support.answers import fetch, statuses

pytestmark = pytest.mark.django_db

CLOSED = (Visibility.REGISTERED, Visibility.ORGANISATION)


def make_link(recording: Recording, *sites: str) -> EmbedLink:
    return embeds.create_embed_link(
        recording=recording,
        name="Intranet",
        sites=list(sites) or ["https://intranet.example.org/page"],
        ends_at=timezone.now() + timedelta(days=30),
    )


def path_of(url: str) -> str:
    return url.removeprefix("http://testserver")


def frame_ancestors(csp: str) -> str:
    found = re.search(r"frame-ancestors ([^;]+)", csp)
    assert found
    return found[1]


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.UNLISTED])
def test_what_anybody_may_watch_may_be_embedded_anywhere(client: Client, visibility: Visibility) -> None:
    recording = watchable_recording(visibility=visibility)
    answer = client.get(path_of(embeds.embed_url(recording)))
    assert answer.status_code == 200
    assert frame_ancestors(answer["Content-Security-Policy"]) == "*"
    assert "X-Frame-Options" not in answer
    assert "<rostrum-player" in answer.content.decode()


def test_every_other_page_stays_out_of_frames(client: Client) -> None:
    recording = watchable_recording()
    answer = client.get(f"/webinars/{recording.webinar.slug}/watch/")
    assert frame_ancestors(answer["Content-Security-Policy"]) == "'none'"
    assert answer["X-Frame-Options"] == "DENY"


def test_an_embedded_player_neither_sets_nor_reads_cookies(client: Client) -> None:
    recording = watchable_recording()
    answer = client.get(path_of(embeds.embed_url(recording)))
    assert answer.cookies == {}
    assert "csrfmiddlewaretoken" not in answer.content.decode()


@pytest.mark.parametrize("visibility", CLOSED)
def test_what_is_not_public_is_not_embedded_even_for_members(client: Client, visibility: Visibility) -> None:
    recording = watchable_recording(visibility=visibility)
    member = MembershipFactory.create(organisation=recording.webinar.organisation, role=Role.OWNER)
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    address = path_of(embeds.embed_url(recording))
    assert statuses(client, [address, f"{address}grant/"]) == {404}
    assert embeds.embed_code(recording) is None


@pytest.mark.parametrize("visibility", CLOSED)
def test_an_embed_link_shows_it_in_the_pages_of_its_sites_alone(client: Client, visibility: Visibility) -> None:
    recording = watchable_recording(visibility=visibility)
    link = make_link(recording, "https://Intranet.example.org/courses/?x=1", "http://localhost:8080")
    answer = client.get(path_of(embeds.embed_url(recording, link)))
    assert answer.status_code == 200
    sites = frame_ancestors(answer["Content-Security-Policy"])
    assert sites == "http://localhost:8080 https://intranet.example.org"
    base = re.search(r'base="([^"]+)"', answer.content.decode())
    assert base
    assert statuses(client, [f"{base[1]}master.m3u8", f"{base[1]}files/720p.mp4"]) == {200}


def test_a_revoked_link_closes_the_page_and_every_player_that_stands_open(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    link = make_link(recording)
    address = path_of(embeds.embed_url(recording, link))
    renew = unescape(re.findall(r'renew="([^"]+)"', client.get(address).content.decode())[0])
    base = client.get(renew).json()["base"]
    embeds.revoke_embed_link(link=link)
    assert statuses(client, [address, renew, f"{base}master.m3u8", f"{base}files/720p.mp4"]) == {404}
    actions = AuditEntry.objects.filter(action__startswith="embed_link").values_list("action", flat=True)
    assert sorted(actions) == ["embed_link_created", "embed_link_revoked"]


def test_a_link_ends_on_its_day(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    link = make_link(recording)
    address = path_of(embeds.embed_url(recording, link))
    base = client.get(address.replace("/?", "/grant/?")).json()["base"]
    EmbedLink.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert statuses(client, [address, f"{base}master.m3u8"]) == {404}


def test_a_link_is_for_one_recording(client: Client) -> None:
    mine, other = (watchable_recording(visibility=Visibility.ORGANISATION) for _ in range(2))
    query = embeds.embed_url(mine, make_link(mine)).partition("?")[2]
    assert client.get(f"/embed/{other.webinar.slug}/?{query}").status_code == 404


def test_a_forged_link_opens_nothing(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    address = path_of(embeds.embed_url(recording, make_link(recording)))
    assert client.get(address[:-3] + "AAA").status_code == 404


@pytest.mark.parametrize("fields", [{"state": RecordingState.DRAFT}, {"webinar__state": WebinarState.DRAFT}])
def test_drafts_are_not_embedded(client: Client, fields: dict[str, str]) -> None:
    recording = watchable_recording(**fields)
    assert client.get(path_of(embeds.embed_url(recording))).status_code == 404


@pytest.mark.parametrize(
    "site", ["intranet", "javascript:alert(1)", "https://a b.example", "https://x.example; script-src *", "*", "data:"]
)
def test_a_site_that_is_none_is_refused(site: str) -> None:
    with pytest.raises(LibraryError) as error:
        make_link(watchable_recording(), site)
    assert error.value.field == "sites"


def test_the_language_is_the_one_asked_for(client: Client) -> None:
    address = path_of(embeds.embed_url(watchable_recording()))
    for language, direction in (("ar", "rtl"), ("fr", "ltr"), ("xx", "ltr")):
        html = client.get(f"{address}?lang={language}").content.decode()
        assert f'dir="{direction}"' in html.partition(">")[2].partition(">")[0]


def test_the_code_survives_a_title_with_quotes_and_tags() -> None:
    recording = watchable_recording(webinar__title='"><script>alert(1)</script>')
    code = embeds.embed_code(recording)
    assert code is not None
    assert "<script>" not in code
    assert re.fullmatch(r'<iframe( [a-z]+="[^"<>]*")+></iframe>', code)


# --- oEmbed --------------------------------------------------------------------------------------------------------
def oembed(client: Client, recording: Recording, **query: str) -> dict[str, object]:
    url = f"http://testserver/webinars/{recording.webinar.slug}/watch/"
    answer = client.get("/oembed", {"url": url, **query})
    assert answer.status_code == 200, answer.content
    found: dict[str, object] = answer.json()
    return found


def test_oembed_describes_the_player(client: Client) -> None:
    recording = watchable_recording()
    found = oembed(client, recording, maxwidth="480")
    assert (found["type"], found["version"], found["width"], found["height"]) == ("video", "1.0", 480, 270)
    assert f'src="http://testserver/embed/{recording.webinar.slug}/"' in str(found["html"])
    assert fetch(client, path_of(str(found["thumbnail_url"]))).status_code == 200


def test_the_watch_page_leads_to_its_oembed_description(client: Client) -> None:
    recording = watchable_recording()
    html = client.get(f"/webinars/{recording.webinar.slug}/watch/").content.decode()
    found = re.search(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', html)
    assert found
    assert client.get(path_of(unescape(found[1]))).json()["title"] == str(recording.webinar.title)


@pytest.mark.parametrize("url", ["", "https://elsewhere.example/webinars/x/watch/", "http://testserver/", "nonsense"])
def test_oembed_knows_no_other_addresses(client: Client, url: str) -> None:
    assert client.get("/oembed", {"url": url}).status_code == 404


@pytest.mark.parametrize("visibility", CLOSED)
def test_oembed_keeps_silent_about_what_is_not_public(client: Client, visibility: Visibility) -> None:
    recording = watchable_recording(visibility=visibility)
    url = f"http://testserver/webinars/{recording.webinar.slug}/watch/"
    assert client.get("/oembed", {"url": url}).status_code == 404


def test_oembed_offers_json_alone(client: Client) -> None:
    assert client.get("/oembed", {"url": "x", "format": "xml"}).status_code == 501


def test_withdrawing_ends_the_embedded_player(client: Client, settings: Settings) -> None:
    recording = watchable_recording()
    address = path_of(embeds.embed_url(recording))
    base = client.get(f"{address}grant/").json()["base"]
    services.withdraw_recording(recording=recording)
    assert statuses(client, [address, f"{address}grant/", f"{base}master.m3u8"]) == {404}
