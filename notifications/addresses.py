"""E-mail addresses: one spelling for each mailbox, and none that could do more than name one."""

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from notifications.errors import AddressRefused

LOCAL_PART_MAX = 64  # octets (RFC 5321, section 4.5.3.1.1)
_validate = EmailValidator(allowlist=[])


def clean_address(value: str, *, field: str = "email") -> str:
    """Return the address in lower case, its domain in ASCII.

    Quoted local parts, address literals (`a@[127.0.0.1]`) and hosts without a dot are valid in RFC 5321 and refused
    here: no person registers with one. Lower case, because every mail server in use ignores case.

    Raises:
        AddressRefused: it cannot be written to.
    """
    local, at, domain = value.strip(" \t").rpartition("@")
    try:
        if not at or len(local) > LOCAL_PART_MAX or '"' in local or "[" in domain:
            raise ValidationError("")
        # The built-in codec knows the older IDNA; names that need the newer one arrive from browsers as ASCII.
        address = f"{local}@{domain.encode('idna').decode('ascii')}".lower()
        _validate(address)
    except (ValidationError, UnicodeError):
        raise AddressRefused(
            _("“%(address)s” is not a complete e-mail address, such as name@example.org.") % {"address": value[:80]},
            field=field,
        ) from None
    return address
