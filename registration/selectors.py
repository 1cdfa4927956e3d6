"""Reads of registrations that pages and the API share."""

import uuid

from django.db.models import QuerySet

from accounts import rules
from accounts.models import ApiToken, Role
from accounts.rules import Person
from registration.models import Places, Registration, RegistrationState


def registrations_readable_by(person: Person, *, token: ApiToken | None = None) -> "QuerySet[Registration]":
    """Those at webinars of organisations whose organiser the person is; reviewers have no need of personal data.

    A token that may only read reads them too, within its own organisation.
    """
    organisations = rules.organisations_of(person, Role.ORGANISER)
    if token is not None:
        organisations = organisations.filter(pk=token.organisation_id)
    return Registration.objects.filter(webinar__organisation__in=organisations).select_related("webinar__organisation")


def waitlist_rank(registration: Registration) -> int | None:
    """How many wait up to and including this person: 1 is next. None when they are not waiting."""
    if registration.state != RegistrationState.WAITLISTED or registration.waitlist_position is None:
        return None
    return Registration.objects.filter(
        webinar=registration.webinar_id,
        state=RegistrationState.WAITLISTED,
        waitlist_position__lte=registration.waitlist_position,
    ).count()


def has_free_place(webinar_id: uuid.UUID) -> bool:
    """Whether the next to register gets a place, as far as can be told now."""
    places = Places.objects.filter(pk=webinar_id).first()
    return places is None or places.capacity is None or places.confirmed < places.capacity
