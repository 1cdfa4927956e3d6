"""Registrants for tests. Rows only: for places, waiting lists and mails go through registration.services."""

import factory

from registration.models import Registration, RegistrationState
from tests.factories.events import WebinarFactory


class RegistrationFactory(factory.django.DjangoModelFactory[Registration]):
    """A confirmed registrant; the counter of places is not touched."""

    class Meta:
        model = Registration

    webinar = factory.SubFactory(WebinarFactory)
    state = RegistrationState.CONFIRMED
    email = factory.Sequence(lambda n: f"registrant{n}@example.org")
    name = factory.Sequence(lambda n: f"Registrant {n}")
    language = "en"
    time_zone = "Europe/Brussels"
    consents = factory.LazyFunction(lambda: {"privacy": {"version": "1", "at": "2027-01-01T00:00:00+00:00"}})
