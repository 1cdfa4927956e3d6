"""The calendar with all of a person's webinars, and the page that gives them its address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.links import LinkError
from events.views import calendar_response
from registration import calendars
from registration.links import feed_by_token, feed_link_for, registration_by_token
from registration.models import Registration
from registration.views import personal_page


@require_safe
def feed(_request: HttpRequest, token: str) -> HttpResponse:
    """The calendar itself, for programs: whoever has the address may read it, and an old address is gone."""
    try:
        found = feed_by_token(token)
    except LinkError as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    return calendar_response(calendars.personal_calendar(found), file_name="my-webinars.ics")


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page(registration_by_token)
def subscribe(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Says the address; a POST makes a new one and ends the old."""
    if request.method == "POST":
        calendars.replace_address(registration=registration)
        return redirect(request.path)
    address = feed_link_for(calendars.feed_of(registration))
    context = {
        "registration": registration,
        "token": request.path.split("/")[-3],
        "address": address,
        "webcal": "webcal://" + address.partition("://")[2],
    }
    return render(request, "registration/subscribe.html", context)
