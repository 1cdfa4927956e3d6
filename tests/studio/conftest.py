"""People of two organisations, as browsers, and a webinar of the first one."""

from dataclasses import dataclass

import pytest
from django.test import Client

from accounts.models import Organisation, Role, User
from events.models import Webinar
from library.models import Recording
from studio import services
from studio.models import Production
from tests.factories.accounts import MembershipFactory, OrganisationFactory, UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory


@dataclass
class Person:
    """A signed-in browser and whose it is."""

    client: Client
    user: User


def signed_in(user: User) -> Person:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return Person(client, user)


def member(organisation: Organisation, role: Role) -> Person:
    return signed_in(MembershipFactory(organisation=organisation, role=role).user)


@pytest.fixture
def organisation(db: None) -> Organisation:
    return OrganisationFactory(name="Health Programme")


@pytest.fixture
def organiser(organisation: Organisation) -> Person:
    return member(organisation, Role.ORGANISER)


@pytest.fixture
def reviewer(organisation: Organisation) -> Person:
    return member(organisation, Role.REVIEWER)


@pytest.fixture
def stranger(db: None) -> Person:
    """An owner, but of another organisation."""
    return member(OrganisationFactory(), Role.OWNER)


@pytest.fixture
def outsider(db: None) -> Person:
    """Signed in, without any organisation."""
    return signed_in(UserFactory())


@pytest.fixture
def webinar(organisation: Organisation) -> Webinar:
    return WebinarFactory(organisation=organisation, title="Mental health")


@pytest.fixture
def recording(webinar: Webinar) -> Recording:
    return RecordingFactory(webinar=webinar)


@pytest.fixture
def production(recording: Recording) -> Production:
    return services.start_production(
        recording=recording, user=None, spoken_language="en", subtitle_languages=["fr", "ar"]
    )
