"""What changes people, roles and tokens, and the record of who did what."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, IdempotentAnswer, Membership, Organisation, Role, User


def create_organisation(*, name: str, slug: str, owner: User, **fields: Any) -> Organisation:
    """Create an organisation with its first owner."""
    organisation = Organisation.objects.create(name=name, slug=slug, **fields)
    add_member(organisation=organisation, user=owner, role=Role.OWNER)
    return organisation


def add_member(*, organisation: Organisation, user: User, role: Role) -> Membership:
    """Give a person a role, replacing the one they had in this organisation."""
    membership, _created = Membership.objects.update_or_create(
        organisation=organisation, user=user, defaults={"role": role}
    )
    return membership


def create_api_token(
    *,
    organisation: Organisation,
    created_by: User,
    name: str,
    can_write: bool = False,
    life: timedelta | None = None,
) -> tuple[ApiToken, str]:
    """Return the new token's row and the token itself, which cannot be shown again."""
    token = f"rst_{secrets.token_urlsafe(32)}"
    row = ApiToken.objects.create(
        organisation=organisation,
        created_by=created_by,
        name=name,
        can_write=can_write,
        token_hash=_hash(token),
        prefix=token[:10],
        expires_at=timezone.now() + life if life else None,
    )
    return row, token


def find_api_token(*, token: str) -> ApiToken | None:
    """Return the live token of a live account, and note its use (to the minute, not at every call)."""
    now = timezone.now()
    row = (
        ApiToken.objects.select_related("created_by", "organisation")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .filter(token_hash=_hash(token), revoked_at__isnull=True, created_by__is_active=True)
        .first()
    )
    if row is not None and (row.last_used_at is None or now - row.last_used_at > timedelta(minutes=1)):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def revoke_api_token(*, token: ApiToken, user: User) -> None:
    """End a token at once. Ending it twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record_action(action="token.revoked", target=token, organisation=token.organisation, user=user)


def forget_idempotent_answers() -> None:
    """Remove answers that are no longer kept; called at every sweep."""
    IdempotentAnswer.objects.filter(started_at__lt=timezone.now() - IdempotentAnswer.KEPT_FOR).delete()


def _hash(token: str) -> str:
    # The token holds 256 random bits, so a plain hash is enough; a slow one would only slow every call.
    return hashlib.sha256(token.encode()).hexdigest()


def record_action(
    *,
    action: str,
    target: models.Model,
    organisation: Organisation | None,
    user: User | None = None,
    actor: str = "",
    **detail: Any,
) -> AuditEntry:
    """Write who did what. `detail` holds facts of the change, never more personal data than needed."""
    return AuditEntry.objects.create(
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        organisation=organisation,
        user=user,
        actor=actor or ("user" if user else "system"),
        detail=detail,
    )
