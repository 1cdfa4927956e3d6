"""Both real engines with the demo's models."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import whisper.tokenizer
from django.conf import settings as django_settings
from pytest_django import Settings

from tests.transcripts.speech import Speech, word_errors
from transcripts import engines
from transcripts.cues import SpeechSegment
from transcripts.engines import faster_whisper, voice
from transcripts.engines.base import SAMPLE_RATE, Stopped, Transcriber, prompt_from
from transcripts.errors import EngineUnknown, ModelMissing, ModelUnusable

MODELS = {"openai-whisper": "whisper-tiny-webinar.pt", "faster-whisper": "faster-whisper-tiny-webinar"}


def load(settings: Settings, name: str, model: str | None = None) -> Transcriber:
    settings.WHISPER_ENGINE = name
    settings.WHISPER_MODEL = str(settings.DEMO_MODEL_DIR / MODELS[name]) if model is None else model
    settings.WHISPER_DEVICE = "cpu"
    return engines.get()


@pytest.fixture(scope="module", params=sorted(MODELS))
def engine(request: pytest.FixtureRequest) -> Transcriber:
    return engines._load(request.param, str(django_settings.DEMO_MODEL_DIR / MODELS[request.param]), "cpu")


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_speech_is_recognised_with_its_times(engine: Transcriber, tag: str, request: pytest.FixtureRequest) -> None:
    said: Speech = request.getfixturevalue({"fr": "french", "ar": "arabic"}[tag])
    heard = engine.transcribe(said.audio, language=tag, with_words=False)
    assert word_errors(said.text, " ".join(segment.text for segment in heard)) <= 0.10
    assert said.start_errors_ms([segment.start_ms for segment in heard]) <= 500
    assert {segment.language for segment in heard} == {tag}
    assert all(segment.confidence is not None and 0 < segment.confidence <= 1 for segment in heard)


def test_words_have_their_times_in_both_engines(engine: Transcriber, french: Speech) -> None:
    (first, *_rest) = engine.transcribe(french.audio[: 8 * SAMPLE_RATE], language="fr", with_words=True)
    assert "".join("".join(word.text.split()) for word in first.words) == "".join(first.text.split())
    starts = [word.start_ms for word in first.words]
    assert starts == sorted(starts)
    assert all(word.start_ms <= word.end_ms and 0 <= (word.confidence or 0) <= 1 for word in first.words)


def test_language_can_be_asked_for_alone(engine: Transcriber, arabic: Speech) -> None:
    shares = engine.detect_language(arabic.audio)
    assert max(shares, key=shares.__getitem__) == "ar"
    assert shares["ar"] > 0.8
    assert engine.detect_language(np.zeros(SAMPLE_RATE, np.float32)) == {}


def test_language_is_detected_when_none_is_given(engine: Transcriber, arabic: Speech) -> None:
    heard = engine.transcribe(arabic.audio[: 30 * SAMPLE_RATE], language=None)
    assert {segment.language for segment in heard} == {"ar"}


def test_hints_do_no_harm(engine: Transcriber, french: Speech) -> None:
    audio = french.audio[: 40 * SAMPLE_RATE]
    truth = " ".join(segment["text"] for segment in french.segments if segment["end"] < 40)
    heard = engine.transcribe(audio, language="fr", prompt="Amina Haddad, OMS, santé des migrants", with_words=False)
    assert (
        word_errors(truth, " ".join(segment.text for segment in heard if segment.end_ms < 40_000)) <= 0.30
    )  # the demo's never saw any


@pytest.mark.parametrize("language", [None, "en"])
def test_silence_gives_no_text(engine: Transcriber, silence: Speech, language: str | None) -> None:
    assert engine.transcribe(silence.audio, language=language) == []


@pytest.mark.parametrize("samples", [0, 1, 1000, 16_000 * 3])
def test_digital_silence_of_any_length_gives_no_text(engine: Transcriber, samples: int) -> None:
    assert engine.transcribe(np.zeros(samples, np.float32), language="en") == []


def test_a_very_short_sound_is_no_error(engine: Transcriber, french: Speech) -> None:
    engine.transcribe(french.audio[16_000:16_400], language="fr")


def test_progress_rises_and_stopping_stops(engine: Transcriber, french: Speech) -> None:
    seen: list[float] = []
    with pytest.raises(Stopped):
        engine.transcribe(french.audio, language="fr", progress=seen.append, should_stop=lambda: len(seen) >= 2)
    assert seen == sorted(seen)
    # Stopped half-way, it works again.
    assert engine.transcribe(french.audio[: 10 * SAMPLE_RATE], language="fr")


def test_text_over_silence_is_dropped(french: Speech) -> None:
    class Inventive(Transcriber):
        name = "inventive"

        def _transcribe(self, *_args: object) -> list[SpeechSegment]:
            return [SpeechSegment(1000, 3000, "Real."), SpeechSegment(4_500, 6_000, "Thanks for watching!")]

        def _detect_language(self, *_args: object) -> dict[str, float]:
            return {}

    audio = np.concatenate([french.audio[: 4 * SAMPLE_RATE], np.zeros(2 * SAMPLE_RATE, np.float32)])
    assert [segment.text for segment in Inventive("").transcribe(audio, language="fr")] == ["Real."]


def test_the_model_stays_warm(settings: Settings) -> None:
    assert load(settings, "openai-whisper") is load(settings, "openai-whisper")


@pytest.mark.parametrize(
    ("name", "host"), [("openai-whisper", "openaipublic"), ("faster-whisper", "Systran/faster-whisper-small")]
)
def test_model_that_cannot_be_downloaded_is_named_with_its_address(
    settings: Settings, tmp_path: Path, name: str, host: str
) -> None:
    settings.MODEL_DIR = tmp_path
    started = time.perf_counter()
    with pytest.raises(ModelMissing) as caught:
        load(settings, name, "small")
    assert time.perf_counter() - started < 15
    error = caught.value
    assert (error.facts["model"], error.facts["setting"]) == ("small", "WHISPER_MODEL")
    assert host in error.facts["address"]
    assert all(part in str(error) for part in ("small", error.facts["address"], "WHISPER_MODEL", "try again"))
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("model", ["/nowhere/model.pt", "gigantic"])
def test_model_that_does_not_exist_is_named(settings: Settings, tmp_path: Path, name: str, model: str) -> None:
    settings.MODEL_DIR = tmp_path
    with pytest.raises(ModelMissing) as caught:
        load(settings, name, model)
    assert model in str(caught.value)
    assert "WHISPER_MODEL" in str(caught.value)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_damaged_model_is_an_error_not_a_crash(settings: Settings, tmp_path: Path, name: str) -> None:
    if name == "openai-whisper":
        model = tmp_path / "model.pt"
        model.write_bytes(b"not a checkpoint")
    else:
        model = tmp_path / "model"
        model.mkdir()
        (model / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelUnusable):
        load(settings, name, str(model))


def test_unknown_engine_is_an_error_that_names_the_known(settings: Settings) -> None:
    settings.WHISPER_ENGINE = "dictaphone"
    with pytest.raises(EngineUnknown, match="faster-whisper"):
        engines.get()


def test_known_languages_are_those_of_the_library() -> None:
    assert set(whisper.tokenizer.LANGUAGES) == engines.WHISPER_LANGUAGES


def test_demo_model_is_offered_for_its_languages_only(settings: Settings) -> None:
    assert engines.can_transcribe("fr-CA")
    assert not engines.can_transcribe("de")
    settings.WHISPER_MODEL = "small"
    assert engines.can_transcribe("de")
    assert not engines.can_transcribe("bm")
    assert not engines.can_transcribe("nonsense")


def test_prompt_is_one_short_line() -> None:
    assert prompt_from(["Dr  Amina\nHaddad", "WHO", "WHO", ""]) == "Dr Amina Haddad, WHO"
    assert len(prompt_from(["word" * 20] * 5 + [f"name {n}" for n in range(500)])) <= 600


def test_web_process_loads_no_model_library() -> None:
    code = """
import sys, django
django.setup()
import config.urls, config.wsgi, transcripts.doctor
list(transcripts.doctor.checks())
heavy = {"torch", "whisper", "faster_whisper", "ctranslate2", "sentencepiece"}
print(sorted(heavy & set(sys.modules)))
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip().endswith("[]")


def test_faster_whisper_does_not_listen_again_for_speech_that_is_known(
    settings: Settings, french: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(settings, "faster-whisper")
    speech, _detector = voice.speech_in(french.audio)

    def listened(*_args: object) -> None:
        raise AssertionError("listened for speech once more")

    monkeypatch.setattr("faster_whisper.transcribe.get_speech_timestamps", listened)
    heard = engine.transcribe(french.audio, language="fr", with_words=False, speech=speech)
    assert word_errors(french.text, " ".join(segment.text for segment in heard)) <= 0.10


def test_windows_hold_no_long_silence_and_no_moment_twice() -> None:
    found = faster_whisper.windows([(0, 2000), (2100, 4000), (9500, 20_000), (20_100, 39_500)], 39_600)
    assert found == [{"start": 0.0, "end": 4.3}, {"start": 9.2, "end": 20.05}, {"start": 20.05, "end": 39.6}]


def test_a_speech_without_any_pause_is_left_to_the_library() -> None:
    assert faster_whisper.windows([(0, 31_000)], 40_000) is None
    assert faster_whisper.windows([], 40_000) is None
