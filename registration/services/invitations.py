"""Keys to a webinar that is not open to all: personal ones, mailed to an address, and shared ones.

An invitation is used by a conditional UPDATE of its counter, as a place is taken; a registration that is cancelled or
declined gives its use back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events import validators
from events.models import Webinar, WebinarState
from notifications.addresses import clean_address
from registration import messages
from registration.errors import InvalidDetail, InvitationEnded, InvitationForAnother, InvitationNeeded, WrongState
from registration.models import Invitation, Registration, RegistrationState
from registration.validators import person_name
from work.errors import DomainError

INVITED_AT_ONCE = 500
_ENDED = (RegistrationState.CANCELLED, RegistrationState.DECLINED)


@dataclass
class Invited:
    """What became of a list of people to invite."""

    made: list[Invitation] = field(default_factory=list)
    again: list[Invitation] = field(default_factory=list)  # invited before; the mail was sent once more
    wrong: list[tuple[int, str]] = field(default_factory=list)  # line number, what is wrong with it


def invite(
    *,
    webinar: Webinar,
    people: Iterable[tuple[str, str]],
    user: User,
    language: str = "",
    expires_at: datetime | None = None,
) -> Invited:
    """Mail each of these people (address, name) a link that works for their address alone.

    Somebody who holds a valid invitation gets the same one again. A line that cannot be meant stops none of the others.

    Args:
        language: of the mail, a BCP 47 tag; empty takes the organisation's.
        expires_at: from when the links no longer open the form; None for never.

    Raises:
        WrongState: the webinar is not published, so its form cannot be opened.
        InvalidDetail: more than 500 at once.
        events.errors.UnknownLanguage: there is no such language.
    """
    _require_published(webinar)
    spoken = validators.language_tag(language or webinar.organisation.language)
    result = Invited()
    lines = list(people)
    if len(lines) > INVITED_AT_ONCE:
        raise InvalidDetail(
            _("Invite at most %(max)s people at once; these are %(count)s.")
            % {"max": INVITED_AT_ONCE, "count": len(lines)},
            field="people",
        )
    for number, (email, name) in enumerate(lines, start=1):
        try:
            address, called = clean_address(email), person_name(name, required=False)
        except DomainError as error:
            result.wrong.append((number, str(error)))
            continue
        with transaction.atomic():
            earlier = usable(webinar).filter(email=address).first()
            invitation = earlier or Invitation(webinar=webinar, email=address, max_uses=1, created_by=user)
            invitation.webinar = webinar
            invitation.name, invitation.language, invitation.expires_at = called, spoken, expires_at
            invitation.save()
            record_action(action="invitation.sent", target=invitation, organisation=webinar.organisation, user=user)
            messages.send_invitation(invitation)
        (result.again if earlier else result.made).append(invitation)
    return result


def make_shared_invitation(
    *,
    webinar: Webinar,
    user: User,
    name: str,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> Invitation:
    """Make a link that whoever has it may register with, so often.

    Args:
        name: what it is for, such as "Ministry of Health"; for the organisers alone.
        max_uses: how many registrations; None for no limit.

    Raises:
        InvalidDetail: a value cannot be meant.
    """
    if max_uses is not None and not 1 <= max_uses <= 1_000_000:
        raise InvalidDetail(_("Give a number from 1 to 1000000, or none for no limit."), field="max_uses")
    with transaction.atomic():
        invitation = Invitation.objects.create(
            webinar=webinar,
            name=person_name(name, required=False),
            language=webinar.organisation.language,
            max_uses=max_uses,
            expires_at=expires_at,
            created_by=user,
        )
        record_action(action="invitation.created", target=invitation, organisation=webinar.organisation, user=user)
    return invitation


def revoke_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """End an invitation. Who registered with it before keeps their place. Twice is once."""
    with transaction.atomic():
        changed = Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(
            revoked_at=timezone.now(), updated_at=timezone.now()
        )
        if changed:
            record_action(
                action="invitation.revoked",
                target=invitation,
                organisation=invitation.webinar.organisation,
                user=user,
            )
    invitation.refresh_from_db(fields=["revoked_at"])
    return invitation


def usable(webinar: Webinar) -> "QuerySet[Invitation]":
    """Invitations of the webinar that still open its form."""
    return Invitation.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
        Q(max_uses=None) | Q(uses__lt=F("max_uses")),
        webinar=webinar,
        revoked_at=None,
    )


def require_invitation(webinar: Webinar, invitation: Invitation | None) -> None:
    """Check that the form may be opened, with this invitation or without one.

    Raises:
        InvitationNeeded: there is none, and the webinar wants one.
        InvitationEnded: it was revoked, has expired, or is used up.
    """
    if invitation is not None:
        require_usable(invitation)
    elif webinar.needs_invitation:
        raise InvitationNeeded(
            _("Only invited people can register for this webinar. Open the link in your invitation.")
        )


def require_usable(invitation: Invitation) -> None:
    """Check that an invitation opens the form now.

    Raises:
        InvitationEnded: it does not, and why.
    """
    if invitation.revoked_at is not None:
        raise InvitationEnded(_("This invitation was withdrawn. Ask the organiser."))
    if invitation.expires_at is not None and invitation.expires_at <= timezone.now():
        raise InvitationEnded(_("This invitation has expired. Ask the organiser for a new one."))
    if invitation.max_uses is not None and invitation.uses >= invitation.max_uses:
        raise InvitationEnded(_("This invitation has been used as often as it can be."))


# --- For this package: inside a transaction that holds the webinar's lock ------------------------------------------
def require(webinar: Webinar, invitation: Invitation | None, address: str) -> Invitation | None:
    """Return the invitation as it is now, if it lets this address register.

    Raises:
        InvitationNeeded: there is none, and the webinar wants one.
        InvitationEnded: it was revoked, has expired, or is used up.
        InvitationForAnother: it was sent to another address.
    """
    if invitation is None:
        require_invitation(webinar, None)
        return None
    current = Invitation.objects.filter(pk=invitation.pk, webinar=webinar).first()
    if current is None:
        raise InvitationEnded(_("This invitation was withdrawn. Ask the organiser."))
    require_usable(current)
    if current.email and current.email != address:
        raise InvitationForAnother(
            _("This invitation works for the address that it was sent to. Use that one."), field="email"
        )
    return current


def use(registration: Registration, invitation: Invitation | None) -> None:
    """Count one more use, and note on the registration with which invitation it was made; the caller saves it.

    Raises:
        InvitationEnded: somebody else was faster.
    """
    registration.invitation = invitation
    if invitation is None:
        return
    room = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    if not Invitation.objects.filter(room, pk=invitation.pk, revoked_at=None).update(uses=F("uses") + 1):
        raise InvitationEnded(_("This invitation has been used as often as it can be."))


def use_again(registration: Registration) -> None:
    """Count the use of a registration that was declined and is let in after all, whatever became of its invitation."""
    if registration.invitation_id is not None:
        Invitation.objects.filter(pk=registration.invitation_id).update(uses=F("uses") + 1)


def give_back(registration: Registration) -> None:
    """Take one use back, for a registration that ends; a second time does nothing, by the states of registrations."""
    if registration.invitation_id is not None and registration.state not in _ENDED:
        Invitation.objects.filter(pk=registration.invitation_id, uses__gt=0).update(uses=F("uses") - 1)


def _require_published(webinar: Webinar) -> None:
    if webinar.state != WebinarState.PUBLISHED or webinar.is_over:
        raise WrongState(_("Publish the webinar first; invitations lead to its form."))
