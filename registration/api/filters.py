"""Filters of the registrations resource."""

import django_filters
from django.db.models import QuerySet

from registration.models import Invitation, Registration, RegistrationSource, RegistrationState
from registration.selectors import search_registrations


class RegistrationFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")
    state = django_filters.ChoiceFilter(choices=RegistrationState.choices)
    source = django_filters.ChoiceFilter(choices=RegistrationSource.choices)
    country = django_filters.CharFilter(field_name="country", lookup_expr="iexact", label="ISO 3166-1 alpha-2")
    language = django_filters.CharFilter(field_name="language", lookup_expr="iexact", label="a BCP 47 tag")
    group = django_filters.UUIDFilter(field_name="group", label="a team's id")
    invitation = django_filters.UUIDFilter(field_name="invitation", label="an invitation's id")
    q = django_filters.CharFilter(method="search", label="words in name, address or organisation")
    email = django_filters.CharFilter(field_name="email", lookup_expr="iexact", label="the whole address")

    class Meta:
        model = Registration
        fields = ("webinar", "state", "source", "country", "language", "group", "invitation", "q", "email")

    def search(self, rows: "QuerySet[Registration]", _name: str, value: str) -> "QuerySet[Registration]":
        return search_registrations(rows, search=value[:100])


class InvitationFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")

    class Meta:
        model = Invitation
        fields = ("webinar",)
