"""Stored media."""

import factory
from factory.django import DjangoModelFactory

from media.models import Asset
from tests.factories.accounts import OrganisationFactory


class AssetFactory(DjangoModelFactory[Asset]):
    """An inspected recording of one minute; its file does not exist."""

    class Meta:
        model = Asset

    organisation = factory.SubFactory(OrganisationFactory)
    file_name = "recording.mp4"
    source_key = factory.Sequence(lambda n: f"originals/{n}")
    size = 1_000_000
    sha256 = "0" * 64
    has_video = True
    has_audio = True
    duration_ms = 60_000
    width = 1280
    height = 720
    frame_rate = 25.0
