from collections.abc import Callable

import pytest

import media.services
from media.models import Package
from tests.factories.media import PackageFactory
from tests.transcripts.speech import Speech


@pytest.fixture
def package_of(monkeypatch: pytest.MonkeyPatch, db: None) -> Callable[[Speech], Package]:
    """A package whose sound is a recording of the fixtures, read as samples at the adapter's edge."""

    def make(said: Speech) -> Package:
        monkeypatch.setattr(media.services, "read_speech_audio", said.read, raising=False)
        made: Package = PackageFactory(asset__has_audio=True, asset__duration_ms=said.duration_ms)
        return made

    return make
