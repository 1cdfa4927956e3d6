import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from config import errors
from config.urls import urlpatterns as real

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def crash(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


def refuse(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [
    path("crash/", crash),
    path("api/crash/", crash),
    path("refuse/", refuse),
    path("api/refuse/", refuse),
    *real,
]
handler400, handler403 = errors.bad_request, errors.forbidden
handler404, handler500 = errors.not_found, errors.server_error


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/crash/", 500, "server_error"),
        ("/refuse/", 403, "forbidden"),
        ("/no/such/page/", 404, "not_found"),
        ("/?q=%00", 400, "bad_request"),
    ],
)
def test_people_get_a_page_and_programs_a_problem(address: str, status: int, code: str) -> None:
    client = Client(raise_request_exception=False)
    page, answer = client.get(address), client.get(f"/api{address}")
    assert (page.status_code, answer.status_code) == (status, status)
    assert page["Content-Type"].startswith("text/html")
    assert b"<h1>" in page.content
    assert (answer["Content-Type"], answer.json()["code"]) == ("application/problem+json", code)
    assert b"secret detail" not in page.content + answer.content


def test_form_without_its_secret_is_refused_with_what_to_do() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@b.cd", "password": "x"})
    assert response.status_code == 403
    assert b"out of date" in response.content


@pytest.mark.parametrize("header", [{"Cookie": 'sessionid="abcdefgh\\000"'}, {"Cookie": 'csrftoken="\\000"'}])
def test_nul_in_a_cookie_is_a_bad_request(header: dict[str, str]) -> None:
    assert Client(raise_request_exception=False).get("/studio/", headers=header).status_code == 400


@pytest.mark.parametrize("body", ["login=a%00b&password=x", "login=a\0b&password=x"])
def test_nul_in_a_form_is_a_bad_request(body: str) -> None:
    response = Client(raise_request_exception=False).post(
        "/accounts/login/", body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 400


def test_server_error_page_needs_no_database() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert errors.server_error(request).status_code == 500
