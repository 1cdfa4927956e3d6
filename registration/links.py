"""Personal links of registrants: their own page, and their way into the live room.

The two have different tokens, so that a join link passed on to a colleague does not open the registration.
"""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.links import make_token, read_token
from registration.models import Registration

SESSION_KEY = "registrations"  # {webinar id: "registration id.nonce"}
_OWN, _JOIN = "registration", "join"


def token_for(registration: Registration) -> str:
    return make_token(purpose=_OWN, pk=registration.pk, nonce=registration.link_nonce)


def link_for(registration: Registration) -> str:
    """Return the absolute address of the registrant's own page."""
    return settings.BASE_URL + reverse("registration:own", args=[token_for(registration)])


def join_link_for(registration: Registration) -> str:
    """Return the absolute address that leads the registrant into the live room."""
    token = make_token(purpose=_JOIN, pk=registration.pk, nonce=registration.link_nonce)
    return settings.BASE_URL + reverse("registration:join", args=[token])


def registration_by_token(token: str) -> Registration:
    """Return the registration that an own-page link opens.

    Raises:
        accounts.links.LinkError: it opens nothing.
    """
    return read_token(purpose=_OWN, token=token, queryset=_registrations())


def registration_by_join_token(token: str) -> Registration:
    """Return the registration that a join link belongs to.

    Raises:
        accounts.links.LinkError: it opens nothing.
    """
    return read_token(purpose=_JOIN, token=token, queryset=_registrations())


def remember_registration(request: HttpRequest, registration: Registration) -> None:
    """Keep in this browser's session that its holder opened the link; recordings for registrants ask for it."""
    known = request.session.get(SESSION_KEY, {})
    value = f"{registration.pk}.{registration.link_nonce}"
    if known.get(str(registration.webinar_id)) != value:
        request.session[SESSION_KEY] = {**known, str(registration.webinar_id): value}


def _registrations() -> "QuerySet[Registration]":
    return Registration.objects.select_related("webinar__organisation")
