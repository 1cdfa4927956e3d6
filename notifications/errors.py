"""What can be wrong with a mail before it is queued."""

from work.errors import DomainError


class NotificationError(DomainError):
    """Base of this app's errors."""


class AddressRefused(NotificationError):
    """An e-mail address that we do not write to."""

    code = "address_invalid"
