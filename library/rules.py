"""Who may see a webinar's page and watch its recording.

The answer is a `Right`: not only yes or no, but why. Playlists carry it, so that each fetch can ask again whether that
reason still holds (promise A4).
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts import rules as accounts_rules
from accounts.models import ApiToken, Organisation, Role, User
from events import rules as events_rules
from events.models import Visibility, Webinar, WebinarState
from library.models import EmbedLink, Recording, RecordingState
from registration.links import SESSION_KEY
from registration.models import Registration, RegistrationState
from transcripts.models import ReviewLink


@dataclass(frozen=True)
class Right:
    """Why somebody may watch: everybody may, they registered, they are a member of the organisation, or they look at
    a page that an embed link was made for, or they were asked by link to review its subtitles."""

    kind: Literal["public", "registration", "member", "embed", "review"]
    holder: str = ""  # the registration's, the user's, the embed link's or the review link's id


def viewing_right(recording: Recording, request: HttpRequest | Request) -> Right | None:
    """The strongest reason why this visitor may watch, or None."""
    webinar = recording.webinar
    if is_member(request, webinar.organisation):
        return Right("member", str(request.user.pk))
    if holds(Right("public"), recording):
        return Right("public")
    registration_id = registration_in_session(request, webinar)
    if registration_id is not None:
        right = Right("registration", str(registration_id))
        if holds(right, recording):
            return right
    return None


def can_watch(recording: Recording, request: HttpRequest | Request) -> bool:
    """Drafts and withdrawn recordings are for members only; see `Visibility` for the rest."""
    return viewing_right(recording, request) is not None


def holds(right: Right, recording: Recording) -> bool:
    """Whether a right given earlier still stands."""
    if right.kind == "member":
        person = User.objects.filter(pk=right.holder, is_active=True).first()
        return person is not None and accounts_rules.has_role(person, recording.webinar.organisation, Role.REVIEWER)
    if right.kind == "review":
        link = ReviewLink.objects.filter(pk=right.holder, track__asset=recording.asset_id)
        return link.filter(revoked_at=None, expires_at__gt=timezone.now()).exists()
    if recording.state != RecordingState.PUBLISHED or recording.webinar.state == WebinarState.DRAFT:
        return False
    if right.kind == "public":
        return recording.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
    if right.kind == "embed":
        return EmbedLink.objects.live().filter(pk=right.holder, recording=recording).exists()
    return recording.visibility == Visibility.REGISTERED and _is_confirmed(uuid.UUID(right.holder), recording.webinar)


def own_registration(recording: Recording, request: HttpRequest | Request) -> uuid.UUID | None:
    """The confirmed registration whose personal link was opened in this browser, whatever the right to watch."""
    found = registration_in_session(request, recording.webinar)
    return found if found is not None and _is_confirmed(found, recording.webinar) else None


def can_see_webinar(webinar: Webinar, request: HttpRequest | Request) -> bool:
    """Whether this visitor may open the webinar's page."""
    return events_rules.can_see_webinar(webinar, request.user, token=_token_of(request))


def can_get_materials(webinar: Webinar, request: HttpRequest | Request) -> bool:
    """Whether this visitor may have the slides: whoever sees the page, unless the webinar is for registered people."""
    if is_member(request, webinar.organisation):
        return True
    if webinar.visibility != Visibility.REGISTERED:
        return can_see_webinar(webinar, request)
    registration_id = registration_in_session(request, webinar)
    return registration_id is not None and _is_confirmed(registration_id, webinar)


def is_member(request: HttpRequest | Request, organisation: Organisation) -> bool:
    return accounts_rules.has_role(request.user, organisation, Role.REVIEWER, token=_token_of(request))


def registration_in_session(request: HttpRequest | Request, webinar: Webinar) -> uuid.UUID | None:
    """The registration whose link was opened in this browser, unless that link was revoked since."""
    session = getattr(request, "session", None)
    known = session.get(SESSION_KEY, {}) if session is not None else {}
    pk, _dot, nonce = str(known.get(str(webinar.pk), "")).partition(".")
    if not pk:
        return None
    return Registration.objects.filter(pk=pk, link_nonce=nonce).values_list("pk", flat=True).first()


def _is_confirmed(registration_id: uuid.UUID, webinar: Webinar) -> bool:
    return Registration.objects.filter(pk=registration_id, webinar=webinar, state=RegistrationState.CONFIRMED).exists()


def _token_of(request: HttpRequest | Request) -> ApiToken | None:
    auth = getattr(request, "auth", None)
    return auth if isinstance(auth, ApiToken) else None
