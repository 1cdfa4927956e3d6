"""The base of API resources that belong to an organisation."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import viewsets
from rest_framework.request import Request

from accounts import rules
from accounts.api.idempotency import IdempotencyMixin
from accounts.api.permissions import OrganisationPermission, token_of
from accounts.models import Organisation, Role, User

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


def organised_by(request: Request) -> "QuerySet[Organisation]":
    """Organisations whose personal data the caller may read: organisers may, reviewers have no need to."""
    found = rules.organisations_of(request.user, Role.ORGANISER)
    token = token_of(request)
    return found if token is None else found.filter(pk=token.organisation_id)


class OrganisedViewSet(OrganisationViewSet[M]):
    """The same for rows that hold personal data: only those of organisations that the caller organises."""

    def get_queryset(self) -> "QuerySet[M]":
        rows: QuerySet[M] = super().get_queryset()
        return rows.filter(**{f"{self.organisation_path}__in": organised_by(self.request)})
