"""Who may register now. A webinar's conditions add up: its times, its institutions, its invitations."""

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from events.models import Webinar, WebinarState
from registration.errors import RegistrationClosed, RegistrationNotOpen, WebinarCancelled, WrongDomain
from registration.times import moment_in_zone


def require_open(webinar: Webinar, *, user: User | None = None) -> None:
    """Check that people can register now. An organiser (`user`) may add somebody outside the opening times too.

    Raises:
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled: they cannot.
    """
    if webinar.state == WebinarState.CANCELLED:
        raise WebinarCancelled(_("This webinar was cancelled."))
    if webinar.is_over:
        raise RegistrationClosed(_("This webinar is over."))
    if webinar.state != WebinarState.PUBLISHED:
        raise RegistrationClosed(_("Registration for this webinar is closed."))
    if user is not None:
        return
    now = timezone.now()
    if webinar.registration_opens_at is not None and now < webinar.registration_opens_at:
        raise RegistrationNotOpen(
            _("Registration opens on %(moment)s.")
            % {
                "moment": moment_in_zone(
                    webinar.registration_opens_at, time_zone=webinar.time_zone, language=get_language() or "en"
                )
            }
        )
    if webinar.registration_closes_at is not None and now >= webinar.registration_closes_at:
        raise RegistrationClosed(_("Registration for this webinar is closed."))


def require_domain(webinar: Webinar, address: str) -> None:
    """Check that an address belongs to one of the institutions whose people may register, if only theirs may.

    `example.org` stands for its subdomains too, so that `health.example.org` need not be listed.

    Raises:
        WrongDomain: it does not.
    """
    domain = address.rpartition("@")[2]
    if not webinar.email_domains or any(domain == one or domain.endswith(f".{one}") for one in webinar.email_domains):
        return
    shown = ", ".join(webinar.email_domains[:5]) + (" …" if len(webinar.email_domains) > 5 else "")
    raise WrongDomain(
        _("Only addresses of these institutions can register: %(domains)s. Use your work address.")
        % {"domains": shown},
        field="email",
    )
