import shutil
from pathlib import Path

from pytest_django import Settings

from transcripts import doctor


def answers() -> dict[str, tuple[bool | None, str]]:
    return {check.name: (check.ok, check.detail + check.advice) for check in doctor.checks()}


def test_demo_models_work_but_an_operator_should_know() -> None:
    found = answers()
    assert found["Speech recognition engine"] == (True, "openai-whisper")
    for name, setting in (("Speech recognition model", "WHISPER_MODEL"), ("Translation model", "TRANSLATION_MODEL")):
        ok, words = found[name]
        assert ok is None
        assert "40 sentences" in words
        assert setting in words


def test_missing_models_are_failures_with_advice(settings: Settings) -> None:
    settings.WHISPER_MODEL = settings.TRANSLATION_MODEL = "/nowhere/model.pt"
    found = answers()
    assert found["Speech recognition model"][0] is False
    assert found["Translation model"][0] is False
    assert "/nowhere/model.pt" in found["Translation model"][1]


def test_named_model_is_said_to_be_downloaded_later(settings: Settings, tmp_path: Path) -> None:
    settings.WHISPER_MODEL, settings.MODEL_DIR = "small", tmp_path
    assert answers()["Speech recognition model"][0] is None
    (tmp_path / "small.pt").touch()
    assert answers()["Speech recognition model"][0] is True


def test_downloaded_faster_whisper_model_is_found(settings: Settings, tmp_path: Path) -> None:
    settings.WHISPER_ENGINE, settings.WHISPER_MODEL, settings.MODEL_DIR = "faster-whisper", "small", tmp_path
    assert answers()["Speech recognition model"][0] is None
    folder = tmp_path / "models--Systran--faster-whisper-small" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    assert answers()["Speech recognition model"][0] is True


def test_unknown_engines_and_device_are_failures(settings: Settings) -> None:
    settings.WHISPER_ENGINE, settings.TRANSLATION_ENGINE, settings.WHISPER_DEVICE = "dictaphone", "babel", "abacus"
    found = answers()
    for name in ("Speech recognition engine", "Translation engine", "Speech recognition device"):
        assert found[name][0] is False


def test_real_translator_says_how_many_languages_it_knows(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.DEMO_MODEL_DIR / "m2m-tiny-webinar", tmp_path / "real")
    settings.TRANSLATION_MODEL = str(tmp_path / "real")
    ok, words = answers()["Translation model"]
    assert ok is True
    assert "languages" in words


def test_translation_switched_off_is_only_a_warning(settings: Settings) -> None:
    settings.TRANSLATION_ENGINE = "none"
    assert answers()["Translation"][0] is None
