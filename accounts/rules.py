"""Who may do what in an organisation."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from accounts.models import ApiToken, Membership, Organisation, Role, User

Person = User | AnonymousUser

_LEVEL = {Role.REVIEWER: 1, Role.ORGANISER: 2, Role.OWNER: 3}


def role_in(person: Person, organisation: Organisation) -> Role | None:
    """The person's role there; administrators count as owners everywhere."""
    if not isinstance(person, User) or not person.is_active:
        return None
    if person.is_superuser:
        return Role.OWNER
    membership = Membership.objects.filter(user=person, organisation=organisation).first()
    return Role(membership.role) if membership else None


def has_role(person: Person, organisation: Organisation, role: Role, *, token: ApiToken | None = None) -> bool:
    """True if the person has at least that role, and the token, if one is used, reaches that far."""
    if token is not None:
        if token.organisation_id != organisation.pk:
            return False
        if role != Role.REVIEWER and not token.can_write:
            return False
    held = role_in(person, organisation)
    return held is not None and _LEVEL[held] >= _LEVEL[role]


def organisations_of(
    person: Person, role: Role = Role.REVIEWER, *, token: ApiToken | None = None
) -> "QuerySet[Organisation]":
    """Those in which the person has at least that role (and that the token reaches)."""
    if not isinstance(person, User) or not person.is_active:
        return Organisation.objects.none()
    found = Organisation.objects.all()
    if token is not None:
        if role != Role.REVIEWER and not token.can_write:
            return found.none()
        found = found.filter(pk=token.organisation_id)
    if person.is_superuser:
        return found
    enough = [r for r, level in _LEVEL.items() if level >= _LEVEL[role]]
    return found.filter(memberships__user=person, memberships__role__in=enough)


def visible_to(
    queryset: QuerySet[Any], person: Person, *, path: str = "organisation", token: ApiToken | None = None
) -> QuerySet[Any]:
    """Rows whose organisation (reached by the lookup `path`) the person belongs to."""
    return queryset.filter(**{f"{path}__in": organisations_of(person, token=token)})


def organisation_of(row: Model, path: str = "organisation") -> Organisation:
    """Follow a lookup path such as `webinar__organisation` from a row."""
    for name in path.split("__"):
        row = getattr(row, name)
    assert isinstance(row, Organisation)
    return row
