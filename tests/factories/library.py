"""Recordings of webinars, and what makes them watchable."""

import factory
from django.core.files.base import ContentFile
from factory.django import DjangoModelFactory

from library.models import Recording, RecordingState
from media.models import Asset, Derivative, DerivativeKind, Package, PackageState, Rendition, RenditionKind
from media.storage import private_storage
from tests.factories.events import WebinarFactory
from tests.factories.media import AssetFactory
from transcripts.models import Revision, TextTrack, TrackKind, TrackOrigin, TrackState

# One init section and two media segments, as media/mp4.py would index them.
INDEX = {"init": [0, 800], "segments": [[800, 5000, 6000], [5800, 4000, 4000]], "key_sizes": [2000, 1500]}


class RecordingFactory(DjangoModelFactory[Recording]):
    """A draft recording."""

    class Meta:
        model = Recording

    webinar = factory.SubFactory(WebinarFactory)
    asset = factory.SubFactory(AssetFactory, organisation=factory.SelfAttribute("..webinar.organisation"))


def give_package(asset: Asset) -> Package:
    """A complete package of two rungs, sound, poster, storyboard and downloads. Its files are a few bytes each."""
    package = Package.objects.create(asset=asset, state=PackageState.COMPLETE)
    for name, kind, codecs, width, height, bandwidth in (
        ("720p", RenditionKind.VIDEO, "avc1.64001f", 1280, 720, 900_000),
        ("360p", RenditionKind.VIDEO, "avc1.64001e", 640, 360, 300_000),
        ("audio", RenditionKind.AUDIO, "mp4a.40.2", None, None, 96_000),
    ):
        Rendition.objects.create(
            package=package,
            name=name,
            kind=kind,
            codecs=codecs,
            width=width,
            height=height,
            frame_rate=25.0 if width else None,
            bandwidth=bandwidth,
            average_bandwidth=bandwidth // 2,
            key=_store(package, f"{name}.mp4", b"\0" * 9800),
            size=9800,
            duration_ms=10_000,
            index=INDEX,
        )
    for derivative, name, file_name, content_type in (
        (DerivativeKind.POSTER, "", "poster.jpg", "image/jpeg"),
        (DerivativeKind.STORYBOARD, "", "storyboard.jpg", "image/jpeg"),
        (DerivativeKind.LIGHT_AUDIO, "", "light.m4a", "audio/mp4"),
        (DerivativeKind.MP4, "720p", "download-720p.mp4", "video/mp4"),
        (DerivativeKind.MP4, "360p", "download-360p.mp4", "video/mp4"),
        (DerivativeKind.MP4_SUBTITLED, "720p", "subtitled.mp4", "video/mp4"),
    ):
        size = 2000 if name == "720p" else 1000
        Derivative.objects.create(
            package=package,
            kind=derivative,
            name=name,
            key=_store(package, file_name, b"\0" * size),
            size=size,
            content_type=content_type,
            facts={
                "tile_width": 160,
                "tile_height": 90,
                "columns": 5,
                "count": 2,
                "interval_ms": 5000,
                "duration_ms": 10_000,
            }
            if derivative == DerivativeKind.STORYBOARD
            else {},
        )
    asset.current_package = package
    asset.save(update_fields=["current_package"])
    return package


def give_track(
    asset: Asset, language: str, texts: list[str], *, kind: str = TrackKind.SUBTITLES, state: str = TrackState.PUBLISHED
) -> TextTrack:
    """A text track with one cue of two seconds per text, one after another."""
    track = TextTrack.objects.create(asset=asset, language=language, kind=kind, state=state)
    cues: list[dict[str, object]] = [
        {
            "id": str(number),
            "start_ms": 2000 * number,
            "end_ms": 2000 * number + 1900,
            "text": text,
            "speaker": "",
            "confidence": None,
            "source_ids": [],
        }
        for number, text in enumerate(texts)
    ]
    track.current_revision = Revision.objects.create(
        track=track, number=1, origin=TrackOrigin.PERSON, cues=cues, cue_count=len(cues)
    )
    track.save(update_fields=["current_revision"])
    return track


def watchable_recording(**fields: object) -> Recording:
    """A published recording of a public webinar, with a package and English captions, unless `fields` say otherwise."""
    fields = {"state": RecordingState.PUBLISHED, "asset__duration_ms": 60_000, "asset__has_video": True, **fields}
    recording: Recording = RecordingFactory.create(**fields)
    give_package(recording.asset)
    give_track(recording.asset, "en", ["Good morning.", "Access to care matters."], kind=TrackKind.CAPTIONS)
    return recording


def _store(package: Package, name: str, content: bytes) -> str:
    return str(private_storage().save(f"{package.prefix}/{name}", ContentFile(content)))
