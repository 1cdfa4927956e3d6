"""What lists of recordings can be narrowed by."""

import uuid

import django_filters
from django.db.models import QuerySet

from library.models import Recording


class RecordingFilter(django_filters.FilterSet):
    webinar = django_filters.CharFilter(method="filter_webinar", label="The webinar's id or slug")
    language = django_filters.CharFilter(field_name="webinar__spoken_language", label="Spoken language")

    class Meta:
        model = Recording
        fields = ("webinar", "state", "visibility", "language")

    def filter_webinar(self, queryset: "QuerySet[Recording]", _name: str, value: str) -> "QuerySet[Recording]":
        try:
            return queryset.filter(webinar=uuid.UUID(value))
        except ValueError:
            return queryset.filter(webinar__slug=value)
