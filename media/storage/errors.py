"""What goes wrong with stored files."""

import contextlib
import errno
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from work.errors import DomainError


class StoreError(DomainError):
    """The store did not do what it was asked; trying again later may help."""

    code = "store_unavailable"
    status = 503
    is_temporary = True


class StoreFull(StoreError):
    """No space is left for the file: a person must make room, and then try again."""

    code = "store_full"
    status = 507
    is_temporary = False


class PartsGone(DomainError):
    """The parts of an upload are no longer there, and no joined file is either."""

    code = "parts_gone"
    status = 410


class PartDamaged(DomainError):
    """A stored part is not what was received."""

    code = "part_damaged"


class AddressInvalid(DomainError):
    """A signed address was changed, cut or made up."""

    code = "address_invalid"
    status = 403


class AddressExpired(AddressInvalid):
    """A signed address was right once."""

    code = "address_expired"


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn the operating system's refusals to write into errors that say what to do.

    Raises:
        StoreFull: the disk or its quota is full.
        StoreError: anything else that the disk refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(_("The server's disk is full. Ask its operator to make room, then try again.")) from error
        reason = error.strerror or type(error).__name__
        raise StoreError(_("The server could not store the file (%(reason)s).") % {"reason": reason}) from error
