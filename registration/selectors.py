"""Reads of registrations that pages and the API share."""

import contextlib
import re
import uuid
from collections.abc import Mapping

from allauth.account.models import EmailAddress
from django.db.models import Case, Q, QuerySet, When
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import rules
from accounts.models import ApiToken, Role, User
from accounts.rules import Person
from events.models import Series, Visibility, Webinar, WebinarState
from registration.models import (
    Invitation,
    Places,
    Registration,
    RegistrationSource,
    RegistrationState,
)


def registrations_readable_by(person: Person, *, token: ApiToken | None = None) -> "QuerySet[Registration]":
    """Those at webinars of organisations whose organiser the person is; reviewers have no need of personal data.

    A token that may only read reads them too, within its own organisation.
    """
    organisations = rules.organisations_of(person, Role.ORGANISER)
    if token is not None:
        organisations = organisations.filter(pk=token.organisation_id)
    return Registration.objects.filter(webinar__organisation__in=organisations).select_related("webinar__organisation")


def invitations_readable_by(person: Person, *, token: ApiToken | None = None) -> "QuerySet[Invitation]":
    """Those to webinars of organisations whose organiser the person is (see `registrations_readable_by`)."""
    organisations = rules.organisations_of(person, Role.ORGANISER)
    if token is not None:
        organisations = organisations.filter(pk=token.organisation_id)
    return Invitation.objects.filter(webinar__organisation__in=organisations).select_related("webinar__organisation")


def registrations_of(user: User) -> "QuerySet[Registration]":
    """Those under any of the addresses that the person proved to be theirs; the next session first, past ones last."""
    addresses = [
        address.lower()
        for address in EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    ]
    return (
        Registration.objects.alias(address=Lower("email"))
        .filter(address__in=addresses)
        .exclude(state=RegistrationState.UNPROVED)
        .select_related("webinar__organisation")
        .annotate(is_past=Case(When(webinar__ends_at__lte=timezone.now(), then=1), default=0))
        .order_by("is_past", "webinar__starts_at", "pk")
    )


def search_registrations(
    rows: "QuerySet[Registration]", *, search: str = "", filters: Mapping[str, str] | None = None
) -> "QuerySet[Registration]":
    """Narrow registrations down; page, table and API share these words.

    Args:
        search: words, each of which must be in the name, the address or the organisation.
        filters: `state`, `country`, `language`, `source`, `group` (its id) and `invitation`; empty values and values
            that cannot be meant are left out.
    """
    wanted = {name: value for name, value in (filters or {}).items() if value}
    if wanted.get("state") in RegistrationState.values:
        rows = rows.filter(state=wanted["state"])
    if wanted.get("source") in RegistrationSource.values:
        rows = rows.filter(source=wanted["source"])
    if re.fullmatch(r"[A-Za-z]{2}", wanted.get("country", "")):
        rows = rows.filter(country=wanted["country"].upper())
    if re.fullmatch(r"[A-Za-z0-9-]{2,35}", wanted.get("language", "")):
        rows = rows.filter(language__iexact=wanted["language"])
    for name in ("group", "invitation"):
        with contextlib.suppress(ValueError):
            if name in wanted:
                rows = rows.filter(**{name: uuid.UUID(wanted[name])})
    for word in search.replace("\0", " ").split()[:10]:
        rows = rows.filter(Q(name__icontains=word) | Q(email__icontains=word) | Q(affiliation__icontains=word))
    return rows


def open_sessions(series: Series) -> "QuerySet[Webinar]":
    """Sessions of a series for which everybody can register now with the common form, in order."""
    now = timezone.now()
    return (
        _announced_sessions(series)
        .filter(
            Q(registration_opens_at=None) | Q(registration_opens_at__lte=now),
            Q(registration_closes_at=None) | Q(registration_closes_at__gt=now),
            needs_invitation=False,
        )
        .order_by("starts_at", "pk")
    )


def sessions_apart(series: Series) -> "QuerySet[Webinar]":
    """Announced sessions to come that have a form of their own: invited people only, or not open yet."""
    return _announced_sessions(series).exclude(pk__in=open_sessions(series).values("pk")).order_by("starts_at", "pk")


def _announced_sessions(series: Series) -> "QuerySet[Webinar]":
    return Webinar.objects.filter(
        series=series, state=WebinarState.PUBLISHED, visibility=Visibility.PUBLIC, ends_at__gt=timezone.now()
    ).select_related("organisation")


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
