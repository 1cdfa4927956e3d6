"""Pages of registrations with conditions: what is said when one cannot register, proof, invitations, series."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events.models import Webinar, WebinarState
from registration import services
from registration.links import invitation_link_for, proof_link_for, token_for
from registration.models import Invitation, Registration, RegistrationState
from tests.factories.accounts import UserFactory
from tests.factories.events import SeriesFactory, WebinarFactory
from tests.registration.helpers import mails, register
from tests.registration.test_pages import FORM, form_url, own_url

pytestmark = pytest.mark.django_db


def path(link: str) -> str:
    return link.removeprefix("http://testserver")


def later(**delta: float) -> Any:
    return timezone.now() + timedelta(**delta)


def shared(webinar: Webinar, **values: Any) -> Invitation:
    return services.make_shared_invitation(webinar=webinar, user=UserFactory(), name="", **values)


# --- When one cannot register --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"registration_opens_at": later(hours=1)}, 403, "Registration opens on"),
        ({"registration_closes_at": later(hours=-1)}, 410, "is closed"),
        ({"starts_at": later(hours=-2), "ends_at": later(hours=-1)}, 410, "is over"),
        ({"state": WebinarState.CANCELLED}, 410, "was cancelled"),
        ({"needs_invitation": True}, 403, "Only invited people"),
    ],
)
def test_page_says_why_nobody_can_register(client: Client, fields: dict[str, Any], status: int, text: str) -> None:
    answer = client.get(form_url(WebinarFactory(**fields)))
    assert (answer.status_code, text in answer.content.decode()) == (status, True)
    assert client.post(form_url(WebinarFactory(**fields)), FORM).status_code == status


def test_wrong_institution_is_said_at_the_field(client: Client) -> None:
    answer = client.post(form_url(WebinarFactory(email_domains=["who.int"])), FORM)
    assert answer.status_code == 422
    assert "Only addresses of these institutions can register: who.int" in answer.content.decode()


# --- Proof ---------------------------------------------------------------------------------------------------------
def test_proof_link_asks_first_and_registers_on_post(client: Client) -> None:
    webinar = WebinarFactory(email_domains=["example.org"])
    assert client.post(form_url(webinar), FORM).status_code == 302
    registration = webinar.registrations.get()
    link = path(proof_link_for(registration))
    assert "Confirm and register" in client.get(link).content.decode()
    registration.refresh_from_db()
    assert registration.state == RegistrationState.UNPROVED
    answer = Client(enforce_csrf_checks=True).post(link)
    registration.refresh_from_db()
    assert (answer["Location"], registration.state) == (own_url(registration), RegistrationState.CONFIRMED)
    assert client.get(link)["Location"] == own_url(registration)


def test_old_proof_link_says_that_it_has_expired(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = register(WebinarFactory(email_domains=["example.org"]))
    monkeypatch.setattr("registration.links.PROOF_LIFE", timedelta(seconds=-1))
    answer = client.post(path(proof_link_for(registration)))
    assert (answer.status_code, "has expired" in answer.content.decode()) == (410, True)


def test_proof_for_a_webinar_that_was_called_off_meanwhile_is_no_error(client: Client) -> None:
    registration = register(WebinarFactory(email_domains=["example.org"]))
    Webinar.objects.update(state=WebinarState.CANCELLED)
    answer = client.post(path(proof_link_for(registration)))
    assert (answer.status_code, "was cancelled" in answer.content.decode()) == (410, True)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (RegistrationState.PENDING, "waits for the organiser’s approval"),
        (RegistrationState.DECLINED, "could not accept your registration"),
        (RegistrationState.UNPROVED, "You are not registered yet"),
    ],
)
def test_own_page_and_join_page_tell_each_state(client: Client, state: str, text: str) -> None:
    registration = register(WebinarFactory())
    Registration.objects.update(state=state)
    assert text in client.get(own_url(registration)).content.decode()
    assert client.get(own_url(registration, "cancel")).status_code == 200
    assert client.get(own_url(registration, "change")).status_code == 200


# --- Invitations ---------------------------------------------------------------------------------------------------
def test_invitation_opens_the_form_with_its_address_filled_in(client: Client) -> None:
    webinar = WebinarFactory(needs_invitation=True)
    services.invite(webinar=webinar, people=[("anna@example.org", "Anna")], user=UserFactory())
    link = path(invitation_link_for(webinar.invitations.get()))
    page = client.get(link)
    assert 'value="anna@example.org"' in page.content.decode()
    assert (page["Referrer-Policy"], page["Cache-Control"]) == ("strict-origin", "no-store, private")
    answer = client.post(link, FORM)
    assert (answer.status_code, webinar.registrations.get().state) == (302, RegistrationState.CONFIRMED)
    assert "Check your mail" in client.get(answer["Location"]).content.decode()
    assert client.get(link).status_code == 410


def test_invitation_of_somebody_else_is_refused_at_the_address(client: Client) -> None:
    webinar = WebinarFactory(needs_invitation=True)
    services.invite(webinar=webinar, people=[("eva@example.org", "")], user=UserFactory())
    answer = client.post(path(invitation_link_for(webinar.invitations.get())), FORM)
    assert answer.status_code == 422
    assert "works for the address that it was sent to" in answer.content.decode()


def test_revoked_and_forged_invitations_have_their_pages(client: Client) -> None:
    invitation = shared(WebinarFactory(needs_invitation=True))
    link = path(invitation_link_for(invitation))
    services.revoke_invitation(invitation=invitation, user=UserFactory())
    assert client.get(link).status_code == 410
    forged = link[:30] + ("A" if link[30] != "A" else "B") + link[31:]
    assert client.get(forged).status_code == 404


# --- Series --------------------------------------------------------------------------------------------------------
def test_series_form_registers_for_the_sessions_that_were_chosen(client: Client) -> None:
    series = SeriesFactory()
    sessions = [WebinarFactory(series=series, organisation=series.organisation) for _ in range(3)]
    invited = WebinarFactory(series=series, needs_invitation=True, title="For invited people")
    url = reverse("registration:register_series", args=[series.slug])
    page = client.get(url).content.decode()
    assert page.count('name="sessions"') == 3
    assert form_url(invited) in page
    answer = client.post(url, {**FORM, "sessions": [str(sessions[0].pk), str(sessions[2].pk)]})
    assert answer.status_code == 302
    assert client.get(answer["Location"]).status_code == 200
    assert [session.registrations.count() for session in sessions] == [1, 0, 1]
    assert mails(sessions[0].registrations.get()) == ["confirmation"]


@pytest.mark.parametrize("sessions", [[], ["nonsense"], ["00000000-0000-0000-0000-000000000000"]])
def test_series_form_wants_a_session(client: Client, sessions: list[str]) -> None:
    session = WebinarFactory(series=SeriesFactory())
    url = reverse("registration:register_series", args=[session.series.slug])
    assert client.post(url, {**FORM, "sessions": sessions}).status_code == 422


def test_series_without_open_sessions_says_so(client: Client) -> None:
    url = reverse("registration:register_series", args=[SeriesFactory().slug])
    assert client.get(url).status_code == 410


# --- All registrations of an account -------------------------------------------------------------------------------
def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_account_sees_registrations_of_proved_addresses_only() -> None:
    user = UserFactory(email="anna@example.org")
    EmailAddress.objects.create(user=user, email="Anna@example.org", verified=True)
    EmailAddress.objects.create(user=user, email="other@example.org", verified=False)
    mine = register(WebinarFactory(title="Mine"))
    register(WebinarFactory(title="Not mine"), "other@example.org")
    page = signed_in(user).get(reverse("registration:all_own"))
    assert page.status_code == 200
    assert token_for(mine).partition("~")[0] in page.content.decode()  # what follows tells the second it was made in
    assert "Not mine" not in page.content.decode()


def test_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/registrations/")["Location"].startswith("/accounts/login/")


# --- The form itself -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["en", "ar", "fr"])
def test_long_lists_are_the_same_as_django_would_write_them(client: Client, language: str) -> None:
    page = client.get(form_url(WebinarFactory(time_zone="Asia/Kathmandu")), headers={"Accept-Language": language})
    html = page.content.decode()
    assert html.count('<option value="Asia/Kathmandu" selected>') == 1
    assert html.count("selected>") >= 2
    wrong = client.post(form_url(WebinarFactory()), {**FORM, "country": "FR", "name": ""})
    assert '<option value="FR" selected>France</option>' in wrong.content.decode()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"registration_opens_at": later(hours=1)}, "Registration opens on"),
        ({"registration_closes_at": later(hours=-1)}, "Registration is closed."),
        ({"needs_invitation": True}, "Only invited people can register"),
        ({}, "/register/"),
    ],
)
def test_webinars_page_says_how_to_register(client: Client, fields: dict[str, Any], text: str) -> None:
    webinar = WebinarFactory(**fields)
    assert text in client.get(reverse("library:webinar", args=[webinar.slug])).content.decode()
