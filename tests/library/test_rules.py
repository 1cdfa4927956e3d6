"""Who may watch: every visibility and state, for every kind of visitor."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from events.models import Visibility, WebinarState
from library.models import Recording, RecordingState
from registration.links import token_for
from registration.models import RegistrationState
from tests.factories.accounts import MembershipFactory, UserFactory
from tests.factories.library import watchable_recording
from tests.factories.registration import RegistrationFactory
from tests.support.answers import statuses

pytestmark = pytest.mark.django_db


def watch_status(recording: Recording, client: Client) -> int:
    return client.get(f"/webinars/{recording.webinar.slug}/watch/").status_code


def sign_in(client: Client, recording: Recording, role: str) -> Client:
    client.force_login(MembershipFactory.create(organisation=recording.webinar.organisation, role=role).user)
    return client


@pytest.mark.parametrize(
    ("state", "visibility", "stranger", "registrant", "member"),
    [
        ("published", "public", 200, 200, 200),
        ("published", "unlisted", 200, 200, 200),
        ("published", "registered", 403, 200, 200),
        ("published", "organisation", 404, 404, 200),
        ("draft", "public", 404, 404, 200),
        ("draft", "registered", 404, 404, 200),
        ("withdrawn", "public", 404, 404, 200),
        ("withdrawn", "registered", 404, 404, 200),
    ],
)
def test_the_watch_page_answers_each_visitor(
    state: str, visibility: str, stranger: int, registrant: int, member: int
) -> None:
    recording = watchable_recording(state=state, visibility=visibility)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    known = Client()
    known.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token_for(registration)}")
    outsider = Client()
    outsider.force_login(UserFactory.create())
    assert {
        "stranger": watch_status(recording, Client()),
        "outsider": watch_status(recording, outsider),
        "registrant": watch_status(recording, known),
        "member": watch_status(recording, sign_in(Client(), recording, Role.REVIEWER)),
    } == {"stranger": stranger, "outsider": stranger, "registrant": registrant, "member": member}


def test_a_member_of_another_organisation_is_a_stranger(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.ORGANISATION)
    client.force_login(MembershipFactory.create(role=Role.OWNER).user)
    assert watch_status(recording, client) == 404


def test_the_recording_of_a_draft_webinar_is_for_members() -> None:
    recording = watchable_recording(webinar__state=WebinarState.DRAFT)
    assert watch_status(recording, Client()) == 404
    assert watch_status(recording, sign_in(Client(), recording, Role.REVIEWER)) == 200


def test_the_recording_of_an_internal_webinar_may_be_public() -> None:
    assert watch_status(watchable_recording(webinar__visibility=Visibility.ORGANISATION), Client()) == 200


@pytest.mark.parametrize("state", [RegistrationState.WAITLISTED, RegistrationState.CANCELLED])
def test_without_a_place_the_link_opens_nothing(client: Client, state: str) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar, state=state)
    client.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token_for(registration)}")
    assert watch_status(recording, client) == 403


def test_the_link_of_another_webinar_opens_nothing(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    token = token_for(RegistrationFactory.create())
    client.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token}")
    assert watch_status(recording, client) == 403


def test_a_forged_link_opens_nothing(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    answer: Any = client.get(f"/webinars/{recording.webinar.slug}/watch/?registration=forged", follow=True)
    assert answer.status_code == 403


def test_a_cancelled_registration_ends_what_its_link_opened(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    client.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token_for(registration)}")
    assert watch_status(recording, client) == 200
    registration.state = RegistrationState.CANCELLED
    registration.save()
    assert watch_status(recording, client) == 403


def test_a_revoked_link_ends_what_it_opened(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    client.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token_for(registration)}")
    registration.link_nonce = "another"
    registration.save()
    assert watch_status(recording, client) == 403


def test_the_token_leaves_the_address_at_once(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    token = token_for(RegistrationFactory.create(webinar=recording.webinar))
    answer = client.get(f"/webinars/{recording.webinar.slug}/watch/?registration={token}&subtitles=fr")
    assert (answer.status_code, answer["Location"]) == (302, f"/webinars/{recording.webinar.slug}/watch/?subtitles=fr")


def test_what_is_beside_a_restricted_recording_is_restricted_too(client: Client) -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    base = f"/webinars/{recording.webinar.slug}"
    addresses = [
        f"{base}/poster.jpg",
        f"{base}/transcript/en/",
        f"{base}/downloads/video/720p.mp4",
        f"{base}/downloads/video/subtitled.mp4",
        f"{base}/downloads/subtitles/en.vtt",
        f"{base}/downloads/subtitles/en.txt",
    ]
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 404)
    registration = RegistrationFactory.create(webinar=recording.webinar)
    client.get(f"{base}/watch/?registration={token_for(registration)}")
    assert statuses(client, addresses) == {200}


def test_a_member_gets_the_published_recording_before_a_newer_draft(client: Client) -> None:
    recording = watchable_recording()
    draft = watchable_recording(webinar=recording.webinar, state=RecordingState.DRAFT)
    sign_in(client, recording, Role.REVIEWER)
    page = client.get(f"/webinars/{recording.webinar.slug}/watch/").content.decode()
    assert str(recording.pk) in page
    assert str(draft.pk) not in page
