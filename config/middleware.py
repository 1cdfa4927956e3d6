"""Small request-wide rules."""

import functools
import zoneinfo
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

GetResponse = Callable[[HttpRequest], HttpResponse]


class RejectNulMiddleware:
    """Answer 400 to a NUL in an address, cookie or plain form: PostgreSQL cannot store one, and nobody types one.

    Fields of the API and of forms with files refuse NULs themselves, with a message at the field.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            "\0" in request.path
            or "%00" in request.META.get("QUERY_STRING", "")
            # Cookies can carry one as an escape in quotes, and the session's goes straight to the database.
            or any("\0" in value for value in request.COOKIES.values())
            or (_is_plain_form(request) and (b"%00" in request.body or b"\0" in request.body))
        ):
            raise BadRequest("NUL characters are not accepted.")
        return self.get_response(request)


def _is_plain_form(request: HttpRequest) -> bool:
    # Only these are read whole in any case; a body of another type may be a large file and must not be touched here.
    return request.method == "POST" and request.content_type == "application/x-www-form-urlencoded"


class PersonalTimeZoneMiddleware:
    """Show times in the signed-in person's zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_TIMELESS):
            return self.get_response(request)
        zone = getattr(request.user, "time_zone", "") if request.user.is_authenticated else ""
        if zone and zone in _time_zones():
            with timezone.override(zoneinfo.ZoneInfo(zone)):
                return self.get_response(request)
        return self.get_response(request)


# Fetched by players several times in a minute; they show no times, so nobody need be looked up.
_TIMELESS = ("/playback/", "/files/", "/parts/")


@functools.cache
def _time_zones() -> frozenset[str]:
    """The zones there are. Asking zoneinfo reads hundreds of folders' entries: more work than most requests are."""
    return frozenset(zoneinfo.available_timezones())
