from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from accounts.services import create_api_token
from events.models import Visibility
from library.models import Recording, RecordingState
from tests.factories.accounts import MembershipFactory
from tests.factories.library import RecordingFactory, give_track, watchable_recording
from transcripts.models import TrackState

pytestmark = pytest.mark.django_db

BASE = "/api/v1/recordings/"


def member_of(recording: Recording, role: str = Role.ORGANISER) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(organisation=recording.webinar.organisation, role=role).user)
    return client


def listed(client: Client, query: str = "") -> set[str]:
    answer = client.get(BASE + query)
    assert answer.status_code == 200
    return {row["id"] for row in answer.json()["results"]}


def test_strangers_list_what_is_public(client: Client) -> None:
    shown = watchable_recording()
    watchable_recording(state=RecordingState.DRAFT)
    watchable_recording(visibility=Visibility.UNLISTED)
    watchable_recording(visibility=Visibility.REGISTERED)
    watchable_recording(webinar__visibility=Visibility.ORGANISATION)
    assert listed(client) == {str(shown.pk)}


def test_members_list_their_drafts_too() -> None:
    draft = RecordingFactory.create()
    RecordingFactory.create()
    assert listed(member_of(draft, Role.REVIEWER)) == {str(draft.pk)}


def test_the_list_can_be_narrowed_to_a_webinar_by_slug_and_id(client: Client) -> None:
    recording = watchable_recording()
    watchable_recording()
    assert listed(client, f"?webinar={recording.webinar.slug}") == {str(recording.pk)}
    assert listed(client, f"?webinar={recording.webinar_id}") == {str(recording.pk)}
    assert listed(client, "?webinar=nobody") == set()


def test_a_recording_carries_renditions_tracks_and_addresses(client: Client) -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["Bonjour"])
    give_track(recording.asset, "es", ["Hola"], state=TrackState.DRAFT)
    data: dict[str, Any] = client.get(f"{BASE}{recording.pk}/").json()
    base = f"http://testserver/webinars/{recording.webinar.slug}"
    assert data["watch_url"] == f"{base}/watch/"
    assert [(row["name"], row["size"], row["average_bandwidth"]) for row in data["renditions"]] == [
        ("audio", 9800, 48_000),
        ("720p", 9800, 450_000),
        ("360p", 9800, 150_000),
    ]
    assert [(row["language"], row["cue_count"], row["vtt_url"]) for row in data["tracks"]] == [
        ("en", 2, f"{base}/downloads/subtitles/en.vtt"),
        ("fr", 1, f"{base}/downloads/subtitles/fr.vtt"),
    ]
    assert [(row["kind"], row["name"], row["url"]) for row in data["downloads"]] == [
        ("mp4", "720p", f"{base}/downloads/video/720p.mp4"),
        ("mp4", "360p", f"{base}/downloads/video/360p.mp4"),
        ("mp4_subtitled", "720p", f"{base}/downloads/video/subtitled.mp4"),
    ]


def test_the_list_asks_the_database_equally_often_for_one_and_for_three(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watchable_recording()
    with django_assert_num_queries(5):
        client.get(BASE)
    watchable_recording()
    watchable_recording()
    with django_assert_num_queries(5):
        client.get(BASE)


@pytest.mark.parametrize(("role", "status"), [(Role.REVIEWER, 403), (Role.ORGANISER, 200), (Role.OWNER, 200)])
@pytest.mark.parametrize("action", ["publish", "withdraw"])
def test_publishing_and_withdrawing_are_for_organisers(role: str, status: int, action: str) -> None:
    state = RecordingState.DRAFT if action == "publish" else RecordingState.PUBLISHED
    recording = watchable_recording(state=state)
    assert member_of(recording, role).post(f"{BASE}{recording.pk}/{action}/").status_code == status
    recording.refresh_from_db()
    changed = RecordingState.PUBLISHED if action == "publish" else RecordingState.WITHDRAWN
    assert recording.state == (changed if status == 200 else state)


def test_strangers_and_other_organisations_change_nothing(client: Client) -> None:
    recording = watchable_recording()
    other = member_of(RecordingFactory.create(), Role.OWNER)
    address = f"{BASE}{recording.pk}/"
    assert client.post(f"{address}withdraw/").status_code in (401, 403)
    assert other.post(f"{address}withdraw/").status_code == 404
    assert other.patch(address, {"visibility": "organisation"}, content_type="application/json").status_code == 404
    recording.refresh_from_db()
    assert (recording.state, recording.visibility) == (RecordingState.PUBLISHED, Visibility.PUBLIC)


def test_the_visibility_can_be_changed_and_nothing_else() -> None:
    recording = watchable_recording()
    answer = member_of(recording).patch(
        f"{BASE}{recording.pk}/", {"visibility": "registered", "state": "draft"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["visibility"], answer.json()["state"]) == (200, "registered", "published")


def test_an_unknown_visibility_is_a_problem() -> None:
    recording = watchable_recording()
    answer = member_of(recording).patch(
        f"{BASE}{recording.pk}/", {"visibility": "secret"}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == ["visibility"]


def test_publishing_what_is_not_ready_is_a_conflict() -> None:
    recording = RecordingFactory.create()
    answer = member_of(recording).post(f"{BASE}{recording.pk}/publish/")
    assert (answer.status_code, answer.json()["code"]) == (409, "recording_not_ready")


def test_a_token_reads_drafts_of_its_organisation_alone(client: Client) -> None:
    draft, other = RecordingFactory.create(), RecordingFactory.create()
    member = MembershipFactory.create(organisation=draft.webinar.organisation)
    MembershipFactory.create(organisation=other.webinar.organisation, user=member.user)
    _row, token = create_api_token(organisation=draft.webinar.organisation, created_by=member.user, name="reader")
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.get(BASE, headers=headers)
    assert [row["id"] for row in answer.json()["results"]] == [str(draft.pk)]
    assert client.post(f"{BASE}{draft.pk}/publish/", headers=headers).status_code == 403


def test_playback_hands_out_a_working_master(client: Client) -> None:
    recording = watchable_recording()
    data = client.get(f"{BASE}{recording.pk}/playback/").json()
    assert client.get(data["hls_url"].removeprefix("http://testserver")).status_code == 200
