"""The pages that registrants see (promises A9, A10)."""

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from events.models import Visibility, Webinar, WebinarState
from notifications.models import Message
from registration import links, services, views
from registration.models import Registration, RegistrationState
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import register

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Anna Example",
    "email": "anna@example.org",
    "country": "FR",
    "profession": "Nurse",
    "affiliation": "Hospital",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "privacy": "on",
}


def form_url(webinar: Webinar) -> str:
    return reverse("registration:register", args=[webinar.slug])


def own_url(registration: Registration, page: str = "own") -> str:
    return reverse(f"registration:{page}", args=[links.token_for(registration)])


def join_path(registration: Registration) -> str:
    return links.join_link_for(registration).removeprefix("http://testserver")


def visible_text(response: Any) -> str:
    """The page as it stands, without the CSRF tokens, which are new at each request."""
    return re.sub(r"\b\w{64}\b", "", response.content.decode())


def few_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three forms per client, in a window that does not end during the test."""
    monkeypatch.setattr(views, "FORMS_PER_CLIENT", 3)
    monkeypatch.setattr("accounts.client.time", SimpleNamespace(time=lambda: 0.0))


# --- The form ------------------------------------------------------------------------------------------------------
def test_form_registers_and_leads_to_check_your_mail(client: Client) -> None:
    webinar = WebinarFactory()
    assert client.get(form_url(webinar)).status_code == 200
    response = client.post(form_url(webinar), FORM)
    assert (response.status_code, response["Location"]) == (302, reverse("registration:sent", args=[webinar.slug]))
    registration = Registration.objects.get()
    assert {name: getattr(registration, name) for name in FORM if name != "privacy"} == {
        name: value for name, value in FORM.items() if name != "privacy"
    }
    assert client.get(response["Location"]).status_code == 200


def test_answer_is_the_same_for_known_and_unknown_addresses(client: Client) -> None:
    webinar = WebinarFactory()
    register(webinar, "known@example.org")
    answers = []
    for email in ("known@example.org", "new@example.org"):
        response = client.post(form_url(webinar), {**FORM, "email": email}, follow=True)
        answers.append((response.redirect_chain, response.status_code, visible_text(response)))
    assert answers[0] == answers[1]


def test_links_again_answers_the_same_for_known_and_unknown_addresses(client: Client) -> None:
    webinar = WebinarFactory()
    register(webinar, "known@example.org")
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    url = reverse("registration:links_again", args=[webinar.slug])
    assert client.get(url).status_code == 200
    answers = []
    for email in ("known@example.org", "new@example.org"):
        response = client.post(url, {"email": email}, follow=True)
        answers.append((response.redirect_chain, response.status_code, visible_text(response)))
    assert answers[0] == answers[1]
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "not an address", "Enter a valid email address"),
        ("email", "a@localhost", "complete e-mail address"),
        ("name", "", "This field is required"),
        ("name", "www.evil.example", "Leave out web and mail addresses"),
        ("name", "Anna\0", "Null characters are not allowed"),
        ("country", "ZZ", "Select a valid choice"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("privacy", "", "Please agree to the privacy notice"),
    ],
)
def test_mistakes_are_shown_at_their_field(client: Client, field: str, value: str, said: str) -> None:
    response = client.post(form_url(WebinarFactory()), {**FORM, field: value})
    assert response.status_code == 422
    assert [said in str(error) for error in response.context["form"].errors[field]] == [True]
    assert said in response.content.decode()
    assert not Registration.objects.exists()


def test_programs_that_fill_in_everything_register_nobody(client: Client) -> None:
    response = client.post(form_url(WebinarFactory()), {**FORM, "website": "https://spam.example"})
    assert response.status_code == 302
    assert not Registration.objects.exists()


def test_full_webinar_offers_the_waiting_list(client: Client) -> None:
    webinar = WebinarFactory(capacity=1)
    register(webinar, "first@example.org")
    assert "Join the waiting list" in client.get(form_url(webinar)).content.decode()
    client.post(form_url(webinar), FORM)
    assert Registration.objects.get(email=FORM["email"]).state == RegistrationState.WAITLISTED


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"state": WebinarState.CANCELLED}, 410, "This webinar was cancelled."),
        (
            {"registration_closes_at": timezone.now() - timedelta(hours=1)},
            410,
            "Registration for this webinar is closed.",
        ),
        (
            {"starts_at": timezone.now() - timedelta(hours=3), "ends_at": timezone.now() - timedelta(hours=2)},
            410,
            "This webinar is over.",
        ),
        ({"state": WebinarState.DRAFT}, 404, ""),
        ({"visibility": Visibility.ORGANISATION}, 404, ""),
    ],
)
def test_form_is_not_offered_when_nobody_can_register(
    client: Client, fields: dict[str, object], status: int, said: str
) -> None:
    url = form_url(WebinarFactory(**fields))
    for response in (client.get(url), client.post(url, FORM)):
        assert response.status_code == status
        assert said in response.content.decode()
    assert not Registration.objects.exists()


def test_members_may_register_for_internal_webinars(client: Client) -> None:
    member = MembershipFactory()
    client.force_login(member.user)
    webinar = WebinarFactory(organisation=member.organisation, visibility=Visibility.ORGANISATION)
    assert client.get(form_url(webinar)).status_code == 200


def test_too_many_forms_from_one_client_wait_whatever_they_claim_to_be(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_forms(monkeypatch)
    url = form_url(WebinarFactory())
    statuses = [
        client.post(url, {**FORM, "privacy": ""}, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(4)
    ]
    assert statuses == [422] * 3 + [429]
    assert client.post(url, FORM, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_trusted_proxy_tells_clients_apart(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_forms(monkeypatch)
    settings.TRUSTED_PROXIES = 1
    url = form_url(WebinarFactory())
    for number in range(4):
        # What a client writes itself stands left of what our proxy appends.
        forged = f"198.51.100.{number}, 203.0.113.1"
        last = client.post(url, {**FORM, "privacy": ""}, headers={"X-Forwarded-For": forged})
    assert last.status_code == 429
    assert client.post(url, FORM, headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 302


def test_form_speaks_arabic_from_right_to_left(client: Client) -> None:
    response = client.get(form_url(WebinarFactory()), headers={"Accept-Language": "ar"})
    page = response.content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "فرنسا" in page


def test_form_offers_the_subtitles_languages_by_their_own_names(client: Client) -> None:
    webinar = WebinarFactory(subtitle_languages=["uk", "bm", "x-nobody", "fr"])
    page = client.get(form_url(webinar)).content.decode()
    assert [name in page for name in ("Українська", "Bamanakan", "x-nobody", "العربيّة")] == [True] * 4


# --- A registrant's own pages --------------------------------------------------------------------------------------
def test_own_page_shows_place_and_links_and_stays_secret(client: Client) -> None:
    registration = register(WebinarFactory())
    response = client.get(own_url(registration))
    page = response.content.decode()
    assert "You have a place." in page
    assert "/join/" in page
    assert registration.webinar.join_url not in page
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store, private", "strict-origin")


def test_own_page_shows_the_position_on_the_waiting_list(client: Client) -> None:
    webinar = WebinarFactory(capacity=1)
    registrations = [register(webinar, f"{name}@example.org") for name in "abc"]
    assert "You are number 2 on the waiting list." in client.get(own_url(registrations[2])).content.decode()
    services.cancel_registration(registration=registrations[0])
    page = client.get(own_url(registrations[2])).content.decode()
    assert "the next to get a place" in page
    assert "/join/" not in page


def test_forged_revoked_and_foreign_links_open_nothing(client: Client) -> None:
    registration = register(WebinarFactory())
    token = links.token_for(registration)
    join_token = join_path(registration).split("/")[2]
    tokens = [token[:-1] + ("a" if token[-1] != "a" else "b"), "x", join_token, token.replace(".", "")]
    assert [client.get(f"/registrations/{one}/").status_code for one in tokens] == [404] * 4
    assert client.get(f"/join/{token}/").status_code == 404
    Registration.objects.update(link_nonce="another")
    assert client.get(own_url(registration)).status_code == 404


def test_cancelling_needs_a_post(client: Client) -> None:
    registration = register(WebinarFactory())
    assert client.get(own_url(registration, "cancel")).status_code == 200
    registration.refresh_from_db()
    assert registration.state == RegistrationState.CONFIRMED
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(own_url(registration, "cancel"), headers={"Origin": "null"})
    assert response.status_code == 302
    registration.refresh_from_db()
    assert registration.state == RegistrationState.CANCELLED
    assert "Your registration is cancelled." in client.get(response["Location"]).content.decode()
    assert client.post(own_url(registration, "cancel")).status_code == 302


def test_details_can_be_changed_but_not_the_address(client: Client) -> None:
    registration = register(WebinarFactory())
    assert 'value="Anna Example"' in client.get(own_url(registration, "change")).content.decode()
    client.post(own_url(registration, "change"), {**FORM, "name": "Anna Other", "email": "other@example.org"})
    registration.refresh_from_db()
    assert (registration.name, registration.time_zone, registration.email) == (
        "Anna Other",
        "Europe/Paris",
        "anna@example.org",
    )


def test_wrong_details_are_shown_at_their_field(client: Client) -> None:
    registration = register(WebinarFactory())
    response = client.post(own_url(registration, "change"), {**FORM, "name": "see http://evil.example"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["name"]


def test_cancelled_registration_cannot_be_changed(client: Client) -> None:
    registration = register(WebinarFactory())
    services.cancel_registration(registration=registration)
    response = client.post(own_url(registration, "change"), FORM)
    assert response.status_code == 422
    assert "This registration is cancelled." in response.content.decode()


def test_calendar_file_is_the_persons_own(client: Client) -> None:
    registration = register(WebinarFactory())
    response = client.get(own_url(registration, "calendar"))
    text = response.content.decode()
    assert response["Content-Type"] == "text/calendar; method=PUBLISH; charset=utf-8"
    assert ("METHOD:PUBLISH" in text, "ATTENDEE" in text, "/join/" in text.replace("\r\n ", "")) == (True, False, True)
    services.cancel_registration(registration=registration)
    assert client.get(own_url(registration, "calendar")).status_code == 410


@pytest.mark.parametrize(
    ("starts_in", "status"),
    [
        (timedelta(hours=2), 200),
        (timedelta(minutes=59), 302),
        (timedelta(minutes=-80), 302),
        (timedelta(hours=-2), 410),
    ],
)
def test_join_link_leads_into_the_room_around_the_session(client: Client, starts_in: timedelta, status: int) -> None:
    starts_at = timezone.now() + starts_in
    registration = register(WebinarFactory())
    Webinar.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    response = client.get(join_path(registration))
    assert response.status_code == status
    assert response.get("Location") == (registration.webinar.join_url if status == 302 else None)
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store, private", "strict-origin")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda r: Webinar.objects.update(state=WebinarState.CANCELLED), 410),
        (lambda r: services.cancel_registration(registration=r), 403),
        (lambda r: Webinar.objects.update(join_url=""), 200),
    ],
)
def test_join_link_says_why_it_does_not_lead_on(
    client: Client, change: Callable[[Registration], object], status: int
) -> None:
    starts_at = timezone.now() + timedelta(minutes=5)
    registration = register(WebinarFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)))
    change(registration)
    response = client.get(join_path(registration))
    assert (response.status_code, response.get("Location")) == (status, None)


def test_public_pages_never_show_the_live_room(client: Client) -> None:
    webinar = WebinarFactory()
    register(webinar)
    for url in (form_url(webinar), reverse("registration:sent", args=[webinar.slug])):
        assert "room.example.org" not in client.get(url).content.decode()


def test_registering_costs_the_same_queries_however_many_are_registered(
    client: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    webinar = WebinarFactory()
    for number in range(20):
        register(webinar, f"p{number}@example.org")
    with django_assert_max_num_queries(25):  # type: ignore[attr-defined]  # a context manager
        client.post(form_url(webinar), FORM)
