import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from media.models import Package
from tests.factories.media import AssetFactory
from tests.transcripts.speech import Speech, word_errors
from transcripts import cues, engines, selectors, services
from transcripts.cues import SpeechSegment
from transcripts.engines.base import SAMPLE_RATE, Audio, Transcriber, Wish
from transcripts.errors import LanguageNotSupported, LanguageUnknown, ModelMissing, RecognitionFailed
from transcripts.models import TextTrack, TrackKind, TrackOrigin
from transcripts.services import recognition
from work.errors import Skip, TemporaryFailure

PackageOf = Callable[[Speech], Package]


def result_of(*segments: SpeechSegment, start_ms: int = 0) -> dict[str, Any]:
    return {
        "start_ms": start_ms,
        "end_ms": start_ms + 60_000,
        "engine": "openai-whisper",
        "model": "/secret/place/tiny.pt",
        "segments": cues.segments_to_rows(segments),
    }


WELCOME = SpeechSegment(500, 3_000, "Welcome to this webinar.", (), "en", 0.9)
THANKS = SpeechSegment(61_000, 63_000, "Thank you for your attention.", (), "en", 0.8)


def test_speech_becomes_captions(package_of: PackageOf, french: Speech) -> None:
    package = package_of(french)
    parts = services.plan_transcription(asset=package.asset, package=package)
    results = [services.transcribe_part(package=package, part=part, language="fr", hints=["OMS"]) for part in parts]
    track = services.write_captions(asset=package.asset, results=json.loads(json.dumps(results)), language="fr")
    found = selectors.cues_of(track)
    assert parts == [{"start_ms": 0, "end_ms": french.duration_ms}]
    assert word_errors(french.text, " ".join(cue.plain_text for cue in found)) <= 0.10
    assert french.start_errors_ms([cue.start_ms for cue in found]) <= 500
    assert track.current_revision is not None
    assert track.current_revision.model == "whisper-tiny-webinar.pt"


def test_long_sound_is_cut_in_silence_and_joined_without_loss(
    package_of: PackageOf, french: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "PART_MS", 30_000)
    monkeypatch.setattr(recognition, "LONGEST_PART_MS", 50_000)
    said = french
    package = package_of(said)
    parts = services.plan_transcription(asset=package.asset, package=package)
    assert parts[0]["start_ms"] == 0
    assert parts[-1]["end_ms"] == said.duration_ms
    assert [part["end_ms"] for part in parts[:-1]] == [part["start_ms"] for part in parts[1:]]
    assert len(parts) == 2
    for cut in (part["end_ms"] / 1000 for part in parts[:-1]):
        assert not any(segment["start"] < cut < segment["end"] for segment in said.segments)
    results = [services.transcribe_part(package=package, part=part, language="fr") for part in reversed(parts)]
    track = services.write_captions(asset=package.asset, results=results, language="fr")
    assert word_errors(said.text, " ".join(cue.plain_text for cue in selectors.cues_of(track))) <= 0.10


def test_the_quietest_moment_is_found() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE * 10).astype(np.float32)
    noise[SAMPLE_RATE * 6 : SAMPLE_RATE * 7] *= 0.01
    assert 6_000 < recognition.quietest_ms(noise) < 7_000
    assert recognition.quietest_ms(noise[:1000]) == 31


def test_recording_without_sound_has_no_parts(db: None, package_of: PackageOf, french: Speech) -> None:
    package = package_of(french)
    package.asset.has_audio = False
    assert services.plan_transcription(asset=package.asset, package=package) == []


def test_silence_is_skipped_with_its_reason(package_of: PackageOf, silence: Speech) -> None:
    package = package_of(silence)
    part = {"start_ms": 0, "end_ms": silence.duration_ms}
    result = services.transcribe_part(package=package, part=part, language="en")
    assert result["segments"] == []
    with pytest.raises(Skip, match="No speech"):
        services.write_captions(asset=package.asset, results=[result], language="en")
    assert not TextTrack.objects.exists()


def test_progress_is_shown_and_stopping_costs_no_try(package_of: PackageOf, french: Speech) -> None:
    seen: list[tuple[float, str]] = []
    part = {"start_ms": 0, "end_ms": 60_000}
    with pytest.raises(TemporaryFailure) as caught:
        services.transcribe_part(
            package=package_of(french),
            part=part,
            language="fr",
            progress=lambda percent, activity: seen.append((percent, activity)),
            should_stop=lambda: True,
        )
    assert not caught.value.costs_try
    assert [activity for _percent, activity in seen][:2] == ["Loading the speech model", "Listening"]


def test_missing_model_is_a_domain_error(package_of: PackageOf, french: Speech, settings: Settings) -> None:
    settings.WHISPER_MODEL = "/nowhere.pt"
    with pytest.raises(ModelMissing, match="WHISPER_MODEL"):
        services.transcribe_part(package=package_of(french), part={"start_ms": 0, "end_ms": 1000}, language="fr")


@pytest.mark.parametrize(
    ("tag", "error"), [("bm", LanguageNotSupported), ("de", LanguageNotSupported), ("xx", LanguageUnknown)]
)
def test_language_that_no_model_knows_is_refused(
    package_of: PackageOf, french: Speech, tag: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        services.transcribe_part(package=package_of(french), part={"start_ms": 0, "end_ms": 1000}, language=tag)


def test_sound_of_another_language_is_shown_and_not_followed(package_of: PackageOf, french: Speech) -> None:
    package = package_of(french)
    part = {"start_ms": 0, "end_ms": 20_000}
    result = services.transcribe_part(package=package, part=part, language="en")
    assert next(iter(result["sounds_like"])) == "fr"
    result["segments"] = cues.segments_to_rows([WELCOME])
    track = services.write_captions(asset=package.asset, results=[result], language="en")
    assert track.current_revision is not None
    (note,) = [note for note in track.current_revision.notes if note["code"] == "sounds_like"]
    assert selectors.worded(note) == (
        "From 0:00 to 0:20 the speech sounds like français, but English was said to be spoken."
    )


def test_each_utterance_is_written_in_its_own_language(package_of: PackageOf, bilingual: Speech) -> None:
    package = package_of(bilingual)
    part = {"start_ms": 0, "end_ms": 25_000}
    result = services.transcribe_part(package=package, part=part, language="en", other_languages=["fr"])
    heard = cues.segments_from_rows(result["segments"])
    truth = " ".join(one["text"] for one in bilingual.segments if one["end"] <= 25)
    assert {one.language for one in heard} == {"en", "fr"}
    assert word_errors(truth, " ".join(one.text for one in heard)) <= 0.25


def test_gaps_are_listened_to_again_once(
    package_of: PackageOf, french: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    class Deaf(Transcriber):
        name = "deaf"

        def _transcribe(self, audio: Audio, wish: Wish) -> list[SpeechSegment]:
            calls.append(len(audio) // SAMPLE_RATE)
            return [SpeechSegment(0, 3_900, "Bonjour à toutes et à tous.")] if len(calls) == 1 else []

        def _detect_language(self, audio: Audio) -> dict[str, float]:
            return {"fr": 1.0}

    monkeypatch.setattr(engines, "get", lambda: Deaf(""))
    package = package_of(french)
    result = services.transcribe_part(package=package, part={"start_ms": 0, "end_ms": 20_000}, language="fr")
    assert 1 <= result["listened_again"] == len(calls) - 1
    track = services.write_captions(asset=package.asset, results=[result], language="fr")
    assert track.current_revision is not None
    assert {note["code"] for note in track.current_revision.notes} == {"gap"}
    assert "gap" in {finding.code for finding in selectors.quality_of(track)}


@pytest.mark.parametrize("failure", [RuntimeError("out of memory"), ValueError("bad tensor")])
def test_engine_that_crashes_fails_the_part_with_its_reason(
    package_of: PackageOf, french: Speech, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    class Broken(Transcriber):
        name = "broken"

        def _transcribe(self, audio: Audio, wish: Wish) -> list[SpeechSegment]:
            raise failure

        def _detect_language(self, audio: Audio) -> dict[str, float]:
            return {}

    monkeypatch.setattr(engines, "get", lambda: Broken("/secret/tiny.pt"))
    with pytest.raises(RecognitionFailed, match=str(failure)) as caught:
        services.transcribe_part(package=package_of(french), part={"start_ms": 0, "end_ms": 5_000}, language="fr")
    assert "secret" not in str(caught.value)


@pytest.mark.django_db
def test_what_was_left_out_is_named() -> None:
    result = result_of(WELCOME) | {"speech": [[400, 3_100]], "detector": "silero"}
    result["left_out"] = [{"start_ms": 65_000, "text": "Thanks for watching!"}]
    track = services.write_captions(asset=AssetFactory(), results=[result], language="en")
    assert track.current_revision is not None
    assert selectors.notes_of(track.current_revision) == [
        "Left out at 1:05, where nobody seems to speak: “Thanks for watching!”."
    ]
    assert selectors.speech_of(track.asset) == [(400, 3_100)]


@pytest.mark.django_db
def test_parts_are_put_in_order() -> None:
    results = [result_of(THANKS, start_ms=60_000), result_of(WELCOME)]
    track = services.write_captions(asset=AssetFactory(), results=results, language="en")
    assert [cue.text for cue in selectors.cues_of(track)] == [WELCOME.text, THANKS.text]
    assert (track.language, track.kind, track.state) == ("en", TrackKind.CAPTIONS, "draft")


@pytest.mark.django_db
def test_language_that_was_heard_is_taken_when_none_was_said() -> None:
    assert services.write_captions(asset=AssetFactory(), results=[result_of(WELCOME)], language=None).language == "en"


@pytest.mark.django_db
def test_writing_captions_twice_stores_them_once() -> None:
    asset = AssetFactory()
    for _time in range(2):
        track = services.write_captions(asset=asset, results=[result_of(WELCOME)], language="en")
    assert track.revisions.count() == 1


@pytest.mark.django_db
def test_new_recognition_replaces_the_machines_own() -> None:
    asset = AssetFactory()
    services.write_captions(asset=asset, results=[result_of(WELCOME)], language="en")
    track = services.write_captions(asset=asset, results=[result_of(WELCOME, THANKS)], language="en")
    assert len(selectors.cues_of(track)) == 2
    assert selectors.unused_machine_revision(track) is None


@pytest.mark.django_db
def test_a_persons_captions_stay_and_the_machines_are_kept_beside() -> None:
    asset = AssetFactory()
    track = services.write_captions(asset=asset, results=[result_of(WELCOME)], language="en")
    edited = [cues.Cue("a", 0, 1000, "By hand.")]
    services.save_cues(track=track, base_revision=1, cues=edited, user=None)
    track = services.write_captions(asset=asset, results=[result_of(WELCOME, THANKS)], language="en")
    assert [cue.text for cue in selectors.cues_of(track)] == ["By hand."]
    unused = selectors.unused_machine_revision(track)
    assert unused is not None
    assert (unused.number, unused.cue_count, unused.origin) == (3, 2, TrackOrigin.MACHINE)


@pytest.mark.django_db
def test_text_in_other_letters_than_the_language_is_noted() -> None:
    heard = SpeechSegment(0, 2_000, "مرحبا بكم في هذه الندوة", (), "ar", 0.9)
    track = services.write_captions(asset=AssetFactory(), results=[result_of(heard)], language="en")
    assert track.current_revision is not None
    assert [note["code"] for note in track.current_revision.notes] == ["language_mismatch"]
    assert selectors.notes_of(track.current_revision)[0].startswith("The text is not in the letters")
