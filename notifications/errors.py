"""What can be wrong with a mail before it is queued."""

from work.errors import DomainError


class NotificationError(DomainError):
    """Base of this app's errors."""


class AddressRefused(NotificationError):
    """An e-mail address that we do not write to."""

    code = "address_invalid"


class UnusableWords(NotificationError):
    """An organisation's own words for a mail hold something that cannot be meant. `field` names which."""

    code = "unusable_words"


class MailboxUnreachable(NotificationError):
    """The mailbox to which undeliverable mails return cannot be read."""

    code = "mailbox_unreachable"
