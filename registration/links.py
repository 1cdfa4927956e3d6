"""Personal links of registrants: their own page, and their way into the live room.

The two have different tokens, so that a join link passed on to a colleague does not open the registration.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.links import make_token, read_token
from registration.models import CalendarFeed, Group, Invitation, Registration

SESSION_KEY = "registrations"  # {webinar id: "registration id.nonce"}
PROOF_LIFE = timedelta(days=3)  # the mail says so: templates/mail/proof
_OWN, _JOIN, _PROOF, _INVITATION, _GROUP = "registration", "join", "proof", "invitation", "group"
_FEED = "feed"


def token_for(registration: Registration) -> str:
    return make_token(purpose=_OWN, pk=registration.pk, nonce=registration.link_nonce)


def link_for(registration: Registration) -> str:
    """Return the absolute address of the registrant's own page."""
    return settings.BASE_URL + reverse("registration:own", args=[token_for(registration)])


def join_link_for(registration: Registration) -> str:
    """Return the absolute address that leads the registrant into the live room."""
    token = make_token(purpose=_JOIN, pk=registration.pk, nonce=registration.link_nonce)
    return settings.BASE_URL + reverse("registration:join", args=[token])


def certificate_link_for(registration: Registration) -> str:
    """Return the absolute address at which the registrant gets their certificate."""
    return settings.BASE_URL + reverse("registration:certificate", args=[token_for(registration)])


def proof_link_for(registration: Registration) -> str:
    """Return the absolute address that proves that its reader reads the mails of this registration's address."""
    token = make_token(purpose=_PROOF, pk=registration.pk, nonce=registration.link_nonce)
    return settings.BASE_URL + reverse("registration:prove", args=[token])


def invitation_link_for(invitation: Invitation) -> str:
    """Return the absolute address of the form that this invitation opens."""
    token = make_token(purpose=_INVITATION, pk=invitation.pk, nonce=invitation.link_nonce)
    return settings.BASE_URL + reverse("registration:invited", args=[token])


def group_token_for(group: Group) -> str:
    return make_token(purpose=_GROUP, pk=group.pk, nonce=group.link_nonce)


def group_link_for(group: Group) -> str:
    """Return the absolute address of the page on which a coordinator keeps their team."""
    return settings.BASE_URL + reverse("registration:group", args=[group_token_for(group)])


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


def registration_by_proof_token(token: str) -> Registration:
    """Return the registration whose address this link proves.

    Raises:
        accounts.links.LinkExpired: it is older than three days.
        accounts.links.LinkError: it opens nothing.
    """
    return read_token(purpose=_PROOF, token=token, queryset=_registrations(), life=PROOF_LIFE)


def invitation_by_token(token: str) -> Invitation:
    """Return the invitation of a link, whether or not it still opens the form.

    Raises:
        accounts.links.LinkError: it opens nothing.
    """
    invitations = Invitation.objects.select_related("webinar__organisation")
    return read_token(purpose=_INVITATION, token=token, queryset=invitations)


def group_by_token(token: str) -> Group:
    """Return the team whose coordinator holds this link.

    Raises:
        accounts.links.LinkError: it opens nothing.
    """
    return read_token(purpose=_GROUP, token=token, queryset=Group.objects.select_related("webinar__organisation"))


def feed_link_for(feed: CalendarFeed) -> str:
    """Return the absolute, secret address of the calendar with all of a person's webinars."""
    token = make_token(purpose=_FEED, pk=feed.pk, nonce=feed.link_nonce)
    return settings.BASE_URL + reverse("registration:feed", args=[token])


def feed_by_token(token: str) -> CalendarFeed:
    """Return the calendar that this address opens.

    Raises:
        accounts.links.LinkError: it opens nothing (any more).
    """
    return read_token(purpose=_FEED, token=token, queryset=CalendarFeed.objects.all())


def remember_registration(request: HttpRequest, registration: Registration) -> None:
    """Keep in this browser's session that its holder opened the link; recordings for registrants ask for it."""
    known = request.session.get(SESSION_KEY, {})
    value = f"{registration.pk}.{registration.link_nonce}"
    if known.get(str(registration.webinar_id)) != value:
        request.session[SESSION_KEY] = {**known, str(registration.webinar_id): value}


def _registrations() -> "QuerySet[Registration]":
    return Registration.objects.select_related("webinar__organisation")
