"""What lists can be narrowed by."""

import json

import django_filters
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from events.models import Material, Series, Speaker, Webinar


class WebinarFilter(django_filters.FilterSet):
    title = django_filters.CharFilter(method="filter_title", label="Words of the title, in any of its languages")
    starts_after = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Webinar
        fields = ("organisation", "series", "slug", "state", "visibility", "topic", "spoken_language")

    def filter_title(self, queryset: "QuerySet[Webinar]", _name: str, value: str) -> "QuerySet[Webinar]":
        # Titles are stored as JSON with escapes for everything beyond ASCII, so the words are escaped alike.
        words = json.dumps(value)[1:-1]
        return queryset.annotate(title_json=Cast("title", TextField())).filter(title_json__icontains=words)


class SeriesFilter(django_filters.FilterSet):
    class Meta:
        model = Series
        fields = ("organisation", "slug", "is_public")


class SpeakerFilter(django_filters.FilterSet):
    class Meta:
        model = Speaker
        fields = ("webinar",)


class MaterialFilter(django_filters.FilterSet):
    class Meta:
        model = Material
        fields = ("webinar", "speaker", "kind", "state")
