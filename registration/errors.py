"""Why somebody cannot register, and what is wrong with what they typed."""

from work.errors import DomainError


class RegistrationError(DomainError):
    """Base of this app's errors."""

    code = "registration_error"


class InvalidDetail(RegistrationError):
    """A field holds something that cannot be meant. `field` names it."""

    code = "invalid"


class RegistrationClosed(RegistrationError):
    """Registration has ended, or never began."""

    code = "registration_closed"
    status = 410


class WebinarCancelled(RegistrationError):
    code = "webinar_cancelled"
    status = 410


class ConsentMissing(RegistrationError):
    """Without agreeing to the privacy notice nobody can be registered."""

    code = "consent_missing"


class NotRegistered(RegistrationError):
    """The registration is cancelled, so that this is no longer possible."""

    code = "not_registered"
    status = 409
