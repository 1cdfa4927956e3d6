"""Filters of the registrations resource."""

import django_filters

from registration.models import Registration, RegistrationState


class RegistrationFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(field_name="webinar__slug", label="the webinar's slug")
    state = django_filters.ChoiceFilter(choices=RegistrationState.choices)
    email = django_filters.CharFilter(field_name="email", lookup_expr="iexact", label="the whole address")

    class Meta:
        model = Registration
        fields = ("webinar", "state", "email")
