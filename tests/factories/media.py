"""Stored media for tests."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

import factory
from django.core.files import File
from django.core.files.storage import default_storage

from media.models import Asset, Derivative, DerivativeKind, Package, Rendition, RenditionKind
from tests.factories.accounts import OrganisationFactory


class AssetFactory(factory.django.DjangoModelFactory[Asset]):
    """A row that says a recording is stored; nothing is. `make_asset` stores a real file."""

    class Meta:
        model = Asset

    organisation = factory.SubFactory(OrganisationFactory)
    file_name = "recording.mp4"
    source_key = factory.Sequence(lambda n: f"sources/{n}")
    size = 1000
    sha256 = "0" * 64


class PackageFactory(factory.django.DjangoModelFactory[Package]):
    class Meta:
        model = Package

    asset = factory.SubFactory(AssetFactory)


class RenditionFactory(factory.django.DjangoModelFactory[Rendition]):
    """The row of a picture of 1280 x 720; no file behind it."""

    class Meta:
        model = Rendition

    package = factory.SubFactory(PackageFactory)
    name = "720p"
    kind = RenditionKind.VIDEO
    width = 1280
    height = 720
    frame_rate = 25.0
    codecs = "avc1.64001f"
    bandwidth = 900_000
    average_bandwidth = 400_000
    key = factory.Sequence(lambda n: f"assets/test/{n}.mp4")
    size = 5400
    duration_ms = 7480
    index = {"init": [0, 800], "segments": [[800, 4000, 6000], [4800, 600, 1480]], "key_sizes": [2000, 300]}


class DerivativeFactory(factory.django.DjangoModelFactory[Derivative]):
    class Meta:
        model = Derivative

    package = factory.SubFactory(PackageFactory)
    kind = DerivativeKind.POSTER
    key = factory.Sequence(lambda n: f"assets/test/{n}.jpg")
    size = 1000
    content_type = "image/jpeg"


def make_asset(path: Path, **fields: Any) -> Asset:
    """Store a real file and return its asset, as a finished upload leaves it."""
    asset: Asset = AssetFactory.build(
        organisation=fields.pop("organisation", None) or OrganisationFactory.create(),
        file_name=path.name,
        size=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        source_key=f"sources/{uuid.uuid4()}",
        **fields,
    )
    with path.open("rb") as file:
        default_storage.save(asset.source_key, File(file))
    asset.save()
    return asset
