"""What the list of tracks can be narrowed by."""

import django_filters

from transcripts.models import GlossaryTerm, TextTrack


class TrackFilter(django_filters.FilterSet):
    class Meta:
        model = TextTrack
        fields = ("asset", "language", "kind", "state")


class TermFilter(django_filters.FilterSet):
    class Meta:
        model = GlossaryTerm
        fields = ("organisation", "webinar")
