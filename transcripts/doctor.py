"""Are the speech and translation models there that the settings name? Loads no model."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from transcripts import engines, languages, translators
from transcripts.translators import libretranslate, vocabulary
from work.doctor import Check
from work.errors import DomainError

_MODULES = {
    "openai-whisper": "whisper",
    "faster-whisper": "faster_whisper",
    "ctranslate2": "ctranslate2",
    "libretranslate": "requests",
}


def checks() -> Iterator[Check]:
    yield _library("WHISPER_ENGINE", settings.WHISPER_ENGINE)
    yield _speech_model()
    yield _device()
    if settings.TRANSLATION_ENGINE == "none":
        yield Check(
            _("Translation"),
            None,
            _("Machine translation is switched off."),
            _("Set TRANSLATION_ENGINE=ctranslate2 and TRANSLATION_MODEL to have subtitles translated."),
        )
        return
    yield _library("TRANSLATION_ENGINE", settings.TRANSLATION_ENGINE)
    yield _translation_server() if settings.TRANSLATION_ENGINE == "libretranslate" else _translation_model()


def _translation_server() -> Check:
    name, advice = _("Translation server"), _("Set TRANSLATION_URL to the address of a LibreTranslate server.")
    if not settings.TRANSLATION_URL:
        return Check(name, False, _("TRANSLATION_URL is not set."), advice)
    try:
        pairs = libretranslate.known_pairs(tries=1)
    except DomainError as error:
        return Check(name, False, str(error), advice)
    return Check(
        name, True, _("%(path)s (%(count)s languages)") % {"path": settings.TRANSLATION_URL, "count": len(pairs)}
    )


def _library(setting: str, engine: str) -> Check:
    name = _("Speech recognition engine") if setting == "WHISPER_ENGINE" else _("Translation engine")
    module = _MODULES.get(engine)
    if module is None:
        return Check(
            name,
            False,
            _("%(setting)s names “%(engine)s”, which does not exist.") % {"setting": setting, "engine": engine},
            _("Set it to one of: %(engines)s.") % {"engines": ", ".join(_choices(setting))},
        )
    if importlib.util.find_spec(module) is None:
        return Check(
            name,
            False,
            _("The library of %(engine)s is not installed.") % {"engine": engine},
            _("Install the requirements again."),
        )
    return Check(name, True, engine)


def _choices(setting: str) -> list[str]:
    if setting == "WHISPER_ENGINE":
        return ["openai-whisper", "faster-whisper"]
    return ["ctranslate2", "libretranslate", "none"]


def _demo(name: str, setting: str, example: str) -> Check:
    return Check(
        name,
        None,
        _("Only the demo's model is set: it knows the 40 sentences of the demo in five languages, and nothing else."),
        _("Set %(setting)s to a real model, such as %(example)s.") % {"setting": setting, "example": example},
    )


def _speech_model() -> Check:
    name, model = _("Speech recognition model"), settings.WHISPER_MODEL
    path = Path(model).expanduser()
    is_there = path.is_file() if settings.WHISPER_ENGINE == "openai-whisper" else (path / "model.bin").is_file()
    if is_there and engines.is_demo(model):
        return _demo(name, "WHISPER_MODEL", "small")
    if is_there:
        return Check(name, True, model)
    if model.startswith((".", "/", "~")) or model.endswith(".pt"):
        return Check(
            name,
            False,
            _("There is no model at %(path)s.") % {"path": model},
            _("Correct WHISPER_MODEL, or put the model there."),
        )
    if _is_downloaded(model):
        return Check(name, True, _("%(model)s, downloaded") % {"model": model})
    return Check(
        name,
        None,
        _("“%(model)s” is not on this machine yet; the first recording downloads it to %(folder)s.")
        % {"model": model, "folder": settings.MODEL_DIR},
        _("Without a way to the internet, set WHISPER_MODEL to the path of a model."),
    )


def _is_downloaded(model: str) -> bool:
    """Where the two libraries put what they download."""
    folder = Path(settings.MODEL_DIR)
    if settings.WHISPER_ENGINE == "openai-whisper":
        return any(
            (folder / f"{name}.pt").is_file()
            for name in (model, {"turbo": "large-v3-turbo", "large": "large-v3"}.get(model))
        )
    return any(folder.glob(f"models--*{model.replace('/', '--')}/snapshots/*/model.bin"))


def _device() -> Check:
    name = _("Speech recognition device")
    if settings.WHISPER_DEVICE not in ("auto", "cpu", "cuda"):
        return Check(
            name,
            False,
            _("WHISPER_DEVICE is “%(device)s”.") % {"device": settings.WHISPER_DEVICE},
            _("Set it to auto, cpu or cuda."),
        )
    return Check(name, True, settings.WHISPER_DEVICE)


def _translation_model() -> Check:
    name, model = _("Translation model"), settings.TRANSLATION_MODEL
    folder = Path(model).expanduser()
    advice = _("Set TRANSLATION_MODEL to a folder with a CTranslate2 model of the M2M100 or NLLB type.")
    try:
        known = vocabulary.of(folder) if (folder / "model.bin").is_file() else None
    except OSError as error:
        return Check(name, False, _("It cannot be read: %(reason)s") % {"reason": error}, advice)
    if not (folder / "model.bin").is_file():
        return Check(name, False, _("There is no model at %(path)s.") % {"path": model}, advice)
    if known is None:
        return Check(name, False, _("The model at %(path)s is of another type.") % {"path": model}, advice)
    if engines.is_demo(model):
        return _demo(name, "TRANSLATION_MODEL", "m2m100_418M")
    works = sum(translators.can_translate("en", language.tag) for language in languages.every())
    return Check(name, True, _("%(path)s (%(count)s languages)") % {"path": model, "count": works})
