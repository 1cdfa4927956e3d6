"""Organisation roles as API permissions."""

from typing import Any

from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import rules
from accounts.models import ApiToken, Role


def token_of(request: Request) -> ApiToken | None:
    return request.auth if isinstance(request.auth, ApiToken) else None


class OrganisationPermission(permissions.IsAuthenticated):
    """Members may read what is their organisation's; organisers may change it.

    The view sets `organisation_path`, the lookup from its rows to their organisation. Its queryset must already be
    limited with `rules.visible_to`, so that another organisation's rows answer 404, not 403.
    """

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        path: str = getattr(view, "organisation_path", "organisation")
        needed = Role.REVIEWER if request.method in permissions.SAFE_METHODS else Role.ORGANISER
        return rules.has_role(request.user, rules.organisation_of(obj, path), needed, token=token_of(request))
