"""Answers to requests that failed: a page for people, a problem (RFC 9457) for programs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from accounts.api.problems import problem


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400, "bad_request", _("This request could not be understood."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, "forbidden", _("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's secret is missing or old: cookies are off, or somebody signed in or out in another tab."""
    return _answer(request, 403, "csrf", _("Reload the page and try again."), template="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "not_found", _("There is nothing at this address."))


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, **_facts: Any) -> HttpResponse:
    """Too many failed tries to sign in (django-axes)."""
    return _answer(request, 429, "locked_out", _("Too many failed tries to sign in. Wait a quarter of an hour."))


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours. The page asks the database for nothing, since that may be what is missing."""
    if _is_api(request):
        return problem(title=_("Something went wrong on our side."), status=500, code="server_error")
    return HttpResponse(loader.get_template("500.html").render({"SITE_NAME": settings.SITE_NAME}), status=500)


def _answer(request: HttpRequest, status: int, code: str, title: str, *, template: str = "") -> HttpResponse:
    if _is_api(request):
        return problem(title=title, status=status, code=code)
    return render(request, template or f"{status}.html", status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
