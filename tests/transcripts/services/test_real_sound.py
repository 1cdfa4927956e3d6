"""From a real recording through the media app's own sound to captions."""

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

import media.services
from tests.factories.media import AssetFactory
from tests.transcripts.speech import DEMO, word_errors
from transcripts import selectors, services
from transcripts.models import TextTrack


@pytest.mark.django_db
def test_demo_recording_becomes_captions_and_subtitles(tmp_path: Path) -> None:
    data = (DEMO / "recording.mp4").read_bytes()
    asset = AssetFactory(source_key=default_storage.save("sources/demo", ContentFile(data)), size=len(data))
    media.services.inspect_source(asset=asset, workdir=tmp_path)
    package = media.services.start_package(asset=asset)
    media.services.make_audio(package=package, workdir=tmp_path)
    parts = services.plan_transcription(asset=asset, package=package)
    results = [services.transcribe_part(package=package, part=part, language="en") for part in parts]
    captions = services.write_captions(asset=asset, results=results, language="en")
    arabic = services.translate_track(asset=asset, source_track=captions, language="ar")

    truth = json.loads((DEMO / "truth.json").read_text())["segments"]
    book = json.loads((DEMO / "phrasebook.json").read_text())["phrases"]
    in_arabic = {phrase["id"]: phrase["text"]["ar"] for phrase in book}
    assert errors(captions, [segment["text"] for segment in truth]) <= 0.10
    assert errors(arabic, [in_arabic[segment["phrase_id"]] for segment in truth]) <= 0.10


def errors(track: TextTrack, sentences: list[str]) -> float:
    said = " ".join(cue.plain_text for cue in selectors.cues_of(track))
    return word_errors(" ".join(sentences), said)
