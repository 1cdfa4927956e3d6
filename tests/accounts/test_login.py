import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

import work.services
from notifications.models import Delivery, Message
from tests.factories.accounts import PASSWORD, UserFactory
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def sign_in(client: Client, email: str, password: str, **headers: str) -> int:
    return client.post(LOGIN, {"login": email, "password": password}, headers=headers).status_code


def test_person_signs_in_with_address_and_password(client: Client) -> None:
    user = UserFactory()
    response = client.post(LOGIN, {"login": user.email.upper(), "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/studio/")


def test_person_signs_in_with_a_mailed_code(client: Client) -> None:
    user = UserFactory()
    client.post("/accounts/login/code/", {"email": user.email})
    mail = Message.objects.get()
    assert mail.recipient_email == user.email
    code = re.search(r"^\s*([0-9A-Z-]{6,12})\s*$", mail.text, re.MULTILINE)
    assert code is not None, mail.text
    client.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_unknown_address_and_wrong_password_are_answered_alike(client: Client) -> None:
    user = UserFactory()
    pages = [
        Client().post(LOGIN, {"login": email, "password": "wrong"}).content.decode().replace(email, "")
        for email in (user.email, "nobody@example.org")
    ]
    secret = re.compile(r'csrf[^>]*value="[^"]*"|X-CSRFToken[^}]*')
    assert secret.sub("", pages[0]) == secret.sub("", pages[1])


@pytest.mark.parametrize("path", ["/accounts/password/reset/", "/accounts/login/code/"])
def test_known_and_unknown_addresses_get_the_same_answer(path: str) -> None:
    user = UserFactory()
    known, unknown = (Client().post(path, {"email": email}) for email in (user.email, "nobody@example.org"))
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_mail_to_an_unknown_address_offers_no_sign_up() -> None:
    Client().post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert "signup" not in Message.objects.get().text


def test_what_a_mail_about_signing_in_says_is_forgotten_once_it_left(smtp: SmtpServer) -> None:
    Client().post("/accounts/login/code/", {"email": UserFactory().email})
    mail = Message.objects.get()
    work.services.execute("notifications.message", mail.pk)
    mail.refresh_from_db()
    assert (mail.delivery, mail.text) == (Delivery.SENT, "")
    assert len(smtp.received) == 1


def test_a_code_that_nobody_waits_for_any_more_is_not_sent(smtp: SmtpServer) -> None:
    Client().post("/accounts/login/code/", {"email": UserFactory().email})
    mail = Message.objects.get()
    Message.objects.update(created_at=timezone.now() - timedelta(hours=1))
    work.services.execute("notifications.message", mail.pk)
    assert smtp.received == []


def test_tries_are_limited_and_a_forged_header_does_not_help(client: Client) -> None:
    user = UserFactory()
    for number in range(12):
        sign_in(client, user.email, "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"})
    sign_in(client, user.email, PASSWORD, **{"X-Forwarded-For": "10.9.9.9"})
    assert "_auth_user_id" not in client.session


def test_many_accounts_tried_from_one_address_are_limited_too(client: Client) -> None:
    answers = [sign_in(client, f"person{number}@example.org", "wrong") for number in range(40)]
    user = UserFactory()
    sign_in(client, user.email, PASSWORD)
    assert "_auth_user_id" not in client.session
    assert all(status in (200, 403, 429) for status in answers)


def test_nobody_makes_an_account_alone(client: Client) -> None:
    page = client.get("/accounts/signup/")
    assert b"Accounts are given" in page.content
    client.post("/accounts/signup/", {"email": "me@example.org", "password1": PASSWORD})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(client: Client, target: str) -> None:
    user = UserFactory()
    response = client.post(LOGIN, {"login": user.email, "password": PASSWORD, "next": target})
    assert response["Location"] == "/studio/"


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(UserFactory())
    client.get("/accounts/logout/")
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("language", [code for code, _name in django_settings.LANGUAGES])
@pytest.mark.parametrize(
    "path", ["login/", "login/code/", "password/reset/", "password/reset/done/", "signup/", "inactive/"]
)
def test_pages_are_shown_in_every_language(client: Client, path: str, language: str) -> None:
    response = client.get(f"/accounts/{path}", headers={"Accept-Language": language})
    assert response.status_code == 200
    assert f'lang="{language}"' in response.content.decode()
    assert "style=" not in response.content.decode()


@pytest.mark.parametrize("path", ["password/change/", "email/", "logout/"])
def test_pages_of_ones_own_account_are_shown(client: Client, path: str) -> None:
    client.force_login(UserFactory())
    assert client.get(f"/accounts/{path}", follow=True).status_code == 200


def test_admin_is_entered_by_the_one_login_page(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/admin/login/?next=/admin/")
    assert response["Location"].startswith(LOGIN)
