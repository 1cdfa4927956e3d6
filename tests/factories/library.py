"""Recordings of webinars."""

import factory
from factory.django import DjangoModelFactory

from library.models import Recording
from tests.factories.events import WebinarFactory
from tests.factories.media import AssetFactory


class RecordingFactory(DjangoModelFactory[Recording]):
    """A draft recording."""

    class Meta:
        model = Recording

    webinar = factory.SubFactory(WebinarFactory)
    asset = factory.SubFactory(AssetFactory, organisation=factory.SelfAttribute("..webinar.organisation"))
