"""Teams that one person registers.

The coordinator's address is proved first, by the mailed link to the team's page: nobody can have mails sent to
strangers in another's name. Each member has a registration, mails and a link of their own, and every condition of the
webinar holds for them.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import record_action
from events import validators
from events.models import Webinar
from notifications.addresses import clean_address
from registration import messages
from registration.answers import Cleaned
from registration.errors import ConsentMissing, GroupFull, InvitationNeeded, WrongState
from registration.models import Group, Registration, RegistrationSource
from registration.services import admission
from registration.services.registering import LINKS_AGAIN_AFTER, cancel_registration, register
from registration.validators import NAME_MAX, person_name, plain_text

MEMBERS_MAX = 200


def require_open_for_groups(webinar: Webinar) -> None:
    """Check that teams can be registered now.

    Raises:
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled: nobody can register.
        InvitationNeeded: only invited people can.
    """
    admission.require_open(webinar)
    if webinar.needs_invitation:
        raise InvitationNeeded(
            _("Only invited people can register for this webinar. Ask the organiser to invite your team.")
        )


def start_group(
    *,
    webinar: Webinar,
    name: str,
    coordinator_name: str,
    coordinator_email: str,
    language: str,
    has_agreed: bool,
    user: User | None = None,
) -> Group:
    """Make a team without members, and mail its coordinator the link to its page.

    The same coordinator's team of the same name is not made again; its link is mailed again, at most every ten minutes.

    Args:
        user: the organiser who begins it for the coordinator; None when they do it themselves.

    Raises:
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled, InvitationNeeded: see `require_open_for_groups`.
        ConsentMissing: the coordinator has not said that the members know.
        WrongDomain, InvalidDetail, events.errors.UnknownLanguage, notifications.errors.AddressRefused: a value cannot
            be meant; `field` names it.
    """
    require_open_for_groups(webinar)
    if not has_agreed:
        raise ConsentMissing(_("Confirm that the members of your team know of this."), field="privacy")
    values = {
        "name": plain_text(name, field="name", label=_("Name of the team"), max_length=NAME_MAX, required=True),
        "coordinator_email": clean_address(coordinator_email, field="coordinator_email"),
    }
    group = Group(
        webinar=webinar,
        coordinator_name=person_name(coordinator_name, field="coordinator_name"),
        language=validators.language_tag(language),
        **values,
    )
    with transaction.atomic():
        earlier = webinar.groups.filter(**values).select_related("webinar__organisation").first()
        if earlier is not None:
            if not messages.was_written_lately(f"group:{earlier.pk}", within=LINKS_AGAIN_AFTER):
                messages.send_group_link(earlier)
            return earlier
        group.save(force_insert=True)
        record_action(
            action="group.created",
            target=group,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "coordinator",
        )
        messages.send_group_link(group)
    return group


def add_member(
    *,
    group: Group,
    email: str,
    name: str,
    language: str = "",
    time_zone: str = "",
    country: str = "",
    profession: str = "",
    sector: str = "",
    affiliation: str = "",
    answers: Cleaned | None = None,
) -> None:
    """Register one more person for a team. Whoever is registered already only gets their links again.

    Returns nothing, so that a coordinator does not learn who was registered before (promise A9).

    Args:
        answers: what the coordinator knows of the organiser's own questions; the rest is asked on the person's page,
            as is their agreement, which nobody can give for another.

    Raises:
        GroupFull: the team has two hundred members.
        Everything that `register` raises.
    """
    if group.members.count() >= MEMBERS_MAX:
        raise GroupFull(_("A team has at most %(max)s members. Start another one.") % {"max": MEMBERS_MAX})
    register(
        webinar=group.webinar,
        email=email,
        name=name,
        language=language or group.language,
        time_zone=time_zone or group.webinar.time_zone,
        consents=["privacy"],
        said_by="coordinator",
        source=RegistrationSource.GROUP,
        group=group,
        answers=answers,
        country=country,
        profession=profession,
        sector=sector,
        affiliation=affiliation,
    )


def withdraw_member(*, group: Group, registration: Registration, user: User | None = None) -> Registration:
    """Take a member out of the team. Their registration is cancelled, with mail, if the team made it.

    Who had registered before is only no longer shown in the team.

    Raises:
        WrongState: they are no member of this team.
    """
    if registration.group_id != group.pk:
        raise WrongState(_("This person is not a member of your team."))
    with transaction.atomic():
        record_action(
            action="group.member_withdrawn",
            target=registration,
            organisation=group.webinar.organisation,
            user=user,
            actor="" if user else "coordinator",
        )
        if registration.source == RegistrationSource.GROUP:
            registration = cancel_registration(registration=registration, user=user)
        Registration.objects.filter(pk=registration.pk).update(group=None, updated_at=timezone.now())
    registration.group = None
    return registration
