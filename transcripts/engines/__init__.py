"""Speech recognition engines. Importing this package loads no model and none of their large libraries."""

import functools
import importlib
import os
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from transcripts import languages
from transcripts.engines.base import Transcriber
from transcripts.errors import EngineUnknown

# Read when PyTorch and CTranslate2 load their OpenMP, so it is set before. By default its threads wait for each other
# by spinning: measured beside an encoder on two cores, recognition then took 5 to 8 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# name in WHISPER_ENGINE -> module and class
_ENGINES = {
    "openai-whisper": ("transcripts.engines.openai_whisper", "OpenAIWhisper"),
    "faster-whisper": ("transcripts.engines.faster_whisper", "FasterWhisper"),
}

# What Whisper models were trained on (whisper.tokenizer.LANGUAGES, which a test compares; importing it would bring
# torch into the web process).
_WHISPER_LANGUAGES = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is
    it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk
    sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
"""
WHISPER_LANGUAGES = frozenset(_WHISPER_LANGUAGES.split())
# The demo's models know the sentences of demo/phrasebook.json in these languages and nothing else.
DEMO_LANGUAGES = frozenset({"en", "fr", "es", "uk", "ar"})
_WHISPER_NAMES = {"nb": "no", "prs": "fa", "jv": "jw"}


def get() -> Transcriber:
    """Return this process's warm engine, as the settings name it; the first call loads the model.

    Raises:
        EngineUnknown: WHISPER_ENGINE names none.
        ModelMissing, ModelUnusable: WHISPER_MODEL cannot be had or loaded.
    """
    return _load(settings.WHISPER_ENGINE, settings.WHISPER_MODEL, settings.WHISPER_DEVICE)


# A failed load is not remembered, so a retry tries again.
@functools.lru_cache(maxsize=1)
def _load(engine: str, model: str, device: str) -> Transcriber:
    if engine not in _ENGINES:
        raise EngineUnknown(
            _("WHISPER_ENGINE is “%(engine)s”; it must be one of %(engines)s.")
            % {"engine": engine, "engines": ", ".join(_ENGINES)}
        )
    module, name = _ENGINES[engine]
    made = getattr(importlib.import_module(module), name)(model, device)
    assert isinstance(made, Transcriber)
    return made


def is_demo(path: str) -> bool:
    """True for one of the models shipped for the demo."""
    return Path(path).is_relative_to(settings.DEMO_MODEL_DIR)


def whisper_language(tag: str) -> str | None:
    """Whisper's name for a language; None if its models do not know it.

    >>> whisper_language("pt-BR")
    'pt'
    """
    name = languages.primary(tag)
    name = _WHISPER_NAMES.get(name, name)
    return name if name in WHISPER_LANGUAGES else None


def tag_of(name: str) -> str:
    """The BCP 47 tag of a language as Whisper names it."""
    return {"jw": "jv"}.get(name, name)


def can_transcribe(language: str) -> bool:
    """True if the configured model may know the language. Loads nothing."""
    if not languages.is_known(language):
        return False
    name = whisper_language(language)
    if is_demo(settings.WHISPER_MODEL):
        return name in DEMO_LANGUAGES
    if settings.WHISPER_MODEL.endswith(".en"):
        return name == "en"
    return name is not None
