"""Personal links: whoever holds one is the person it was sent to. No account is needed.

A token names its row and repeats the row's nonce, signed with the service's key: it cannot be guessed or forged, and
replacing the nonce (`revoke`) ends all links sent so far.
"""

import uuid
from datetime import timedelta
from typing import TypeVar

from django.core import signing
from django.db import models
from django.utils.translation import gettext_lazy as _

from work.errors import DomainError

M = TypeVar("M", bound=models.Model)


class LinkError(DomainError):
    """A personal link does not open anything."""

    code = "link_invalid"
    status = 404


class LinkExpired(LinkError):
    code = "link_expired"
    status = 410


def make_token(*, purpose: str, pk: uuid.UUID, nonce: str) -> str:
    """Return the token for a row; `purpose` keeps one kind of link from opening another."""
    return signing.TimestampSigner(salt=f"link.{purpose}").sign(f"{pk.hex}.{nonce}").replace(":", "~")


def read_token(*, purpose: str, token: str, queryset: "models.QuerySet[M]", life: timedelta | None = None) -> M:
    """Return the row that a token opens.

    Args:
        queryset: where the row may be; it must have a `link_nonce` field.
        life: how long after it was made a link works; None for ever.

    Raises:
        LinkExpired: it was right once.
        LinkError: it is forged, damaged, revoked, or its row is gone. These answer alike on purpose.
    """
    signer = signing.TimestampSigner(salt=f"link.{purpose}")
    try:
        value = signer.unsign(token.replace("~", ":"), max_age=life)
    except signing.SignatureExpired:
        raise LinkExpired(_("This link has expired. Ask for a new one.")) from None
    except signing.BadSignature:
        raise LinkError(_("This link is not valid. Check that it was copied whole.")) from None
    pk, _dot, nonce = value.partition(".")
    row = queryset.filter(pk=uuid.UUID(hex=pk), link_nonce=nonce).first()
    if row is None:
        raise LinkError(_("This link is not valid. Check that it was copied whole."))
    return row
