"""The base of API resources that belong to an organisation."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import viewsets

from accounts import rules
from accounts.api.idempotency import IdempotencyMixin
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.models import User

M = TypeVar("M", bound=Model)


class OrganisationViewSet(IdempotencyMixin, viewsets.GenericViewSet[M]):
    """Shows members their organisations' rows; other rows answer 404. Subclasses set `queryset` and the path."""

    permission_classes = (OrganisationPermission,)
    organisation_path = "organisation"

    def get_queryset(self) -> "QuerySet[M]":
        rows: QuerySet[M] = super().get_queryset()
        found: QuerySet[M] = rules.visible_to(
            rows, self.request.user, path=self.organisation_path, token=token_of(self.request)
        )
        return found

    @property
    def organiser(self) -> User:
        """Who changes something; `permission_classes` saw that it is a person, or a token of one."""
        assert self.user is not None
        return self.user

    @property
    def user(self) -> User | None:
        user: Any = self.request.user
        return user if isinstance(user, User) else None
