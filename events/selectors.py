"""Reads of webinars that pages, feeds and the API share."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import rules
from accounts.models import ApiToken
from accounts.rules import Person
from events.models import Material, Series, Speaker, Visibility, Webinar, WebinarState

FEED_DAYS = 90  # how long a past webinar stays in calendar feeds
FEED_LENGTH = 500


def webinars_readable_by(person: Person, *, token: ApiToken | None = None) -> "QuerySet[Webinar]":
    """Those announced to everybody, and all of the person's own organisations."""
    announced = ~Q(state=WebinarState.DRAFT) & Q(visibility=Visibility.PUBLIC)
    own = Q(organisation__in=rules.organisations_of(person, token=token))
    return Webinar.objects.filter(announced | own).select_related("organisation", "series")


def calendar_webinars(*, series: Series | None = None) -> "list[Webinar]":
    """What a calendar feed holds: announced webinars from three months ago on, cancelled ones included.

    The cancelled stay so that subscribed calendars show them as such instead of silently losing them.
    """
    found = Webinar.objects.announced().filter(ends_at__gt=timezone.now() - timedelta(days=FEED_DAYS))
    if series is not None:
        found = found.filter(series=series)
    return list(found.select_related("organisation", "series").order_by("starts_at", "pk")[:FEED_LENGTH])


def has_kept_rows(webinar: Webinar) -> bool:
    """True if rows of apps above belong to the webinar (registrations, recordings), which deleting it would take.

    Counters with one row per webinar are no reason to keep it.
    """
    own = (Speaker, Material)
    return any(
        relation.related_model._default_manager.filter(**{relation.field.name: webinar}).exists()
        for relation in Webinar._meta.related_objects
        if relation.one_to_many and relation.related_model not in own
    )
