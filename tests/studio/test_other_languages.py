"""Sessions in more than one language: what is asked for reaches the recognition."""

import json

import pytest
from django.urls import reverse

from library.models import Recording
from studio import services
from studio.models import Production
from tests.factories.library import RecordingFactory
from tests.studio.conftest import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(organiser: Person) -> Recording:
    organisation = organiser.user.memberships.get().organisation
    return Recording.objects.get(pk=RecordingFactory.create(webinar__organisation=organisation).pk)


def test_other_languages_are_kept_once_and_without_the_main_one(recording: Recording) -> None:
    production = services.start_production(
        recording=recording, user=None, spoken_language="en", subtitle_languages=[], other_languages=["fr", "en", "fr"]
    )
    assert Production.objects.get(pk=production.pk).other_languages == ["fr"]


def test_an_organiser_says_what_else_is_spoken(organiser: Person, recording: Recording) -> None:
    address = reverse("studio:production_start", args=[recording.pk])
    assert "More than one language is spoken" in organiser.client.get(address).content.decode()
    organiser.client.post(address, {"spoken_language": "en", "other_languages": ["fr", "ar"]})
    assert Production.objects.get().other_languages == ["fr", "ar"]
    assert organiser.client.post(address, {"spoken_language": "en", "other_languages": ["xx-not"]}).status_code == 200
    assert Production.objects.count() == 1


def test_programs_see_what_else_is_spoken(organiser: Person, recording: Recording) -> None:
    production = services.start_production(
        recording=recording, user=None, spoken_language="en", subtitle_languages=[], other_languages=["fr"]
    )
    body = json.loads(organiser.client.get(f"/api/v1/productions/{production.pk}/").content)
    assert body["other_languages"] == ["fr"]
