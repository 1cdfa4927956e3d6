"""Everything that is made from a recording, step by step, as the pipeline does it."""

import json
from pathlib import Path

from media import services
from media.models import Asset, Package


def produce(asset: Asset, workdir: Path) -> Package:
    """Run all steps from inspection to a complete package."""
    services.inspect_source(asset=asset, workdir=workdir)
    package = services.start_package(asset=asset)
    make_everything(package, workdir)
    return package


def make_everything(package: Package, workdir: Path) -> None:
    asset = package.asset
    services.make_first_look(package=package, workdir=workdir)
    encode(package, workdir)
    if asset.has_audio:
        services.make_audio(package=package, workdir=workdir)
    if asset.has_video:
        services.make_pictures(package=package, workdir=workdir)
    services.check_package(package=package, workdir=workdir)
    services.make_downloads(package=package, workdir=workdir)
    services.complete_package(package=package)


def encode(package: Package, workdir: Path) -> None:
    results = [
        # Results wait in the database between the parts and their joining.
        json.loads(json.dumps(services.encode_part(package=package, part=part, workdir=workdir)))
        for part in services.plan_encode_parts(package=package)
    ]
    if results:
        services.join_parts(package=package, results=results, workdir=workdir)
