"""Machine translation. Importing this package loads no model and none of their libraries."""

import functools
import importlib
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from transcripts import languages
from transcripts.engines import DEMO_LANGUAGES, is_demo
from transcripts.errors import EngineUnknown
from transcripts.translators import libretranslate, vocabulary
from transcripts.translators.base import Translator

# name in TRANSLATION_ENGINE -> module and class
_ENGINES = {
    "ctranslate2": ("transcripts.translators.ctranslate2", "CTranslate2Translator"),
    "libretranslate": ("transcripts.translators.libretranslate", "LibreTranslator"),
}


def get() -> Translator:
    """Return this process's warm translator, as the settings name it; the first call loads the model.

    Raises:
        EngineUnknown: TRANSLATION_ENGINE is `none`, or names none.
        ModelMissing, ModelUnusable: TRANSLATION_MODEL is not there or cannot be loaded.
    """
    is_server = settings.TRANSLATION_ENGINE == "libretranslate"
    model = settings.TRANSLATION_URL if is_server else settings.TRANSLATION_MODEL
    return _load(settings.TRANSLATION_ENGINE, model, settings.WHISPER_DEVICE)


@functools.lru_cache(maxsize=1)
def _load(engine: str, model: str, device: str) -> Translator:
    if engine == "none":
        raise EngineUnknown(
            _("Machine translation is switched off (TRANSLATION_ENGINE is `none`). Upload subtitles instead.")
        )
    if engine not in _ENGINES:
        raise EngineUnknown(
            _("TRANSLATION_ENGINE is “%(engine)s”; it must be one of %(engines)s, or `none`.")
            % {"engine": engine, "engines": ", ".join(_ENGINES)}
        )
    module, name = _ENGINES[engine]
    made = getattr(importlib.import_module(module), name)(model, device)
    assert isinstance(made, Translator)
    return made


def can_translate(source: str, target: str, *, otherwise: bool = False) -> bool:
    """True if the configured model or server names both languages. Loads nothing; False when there is neither.

    Args:
        otherwise: the answer while a server cannot be reached, when nobody knows.
    """
    if settings.TRANSLATION_ENGINE not in _ENGINES:
        return False
    if settings.TRANSLATION_ENGINE == "libretranslate":
        return libretranslate.can_translate(source, target, otherwise=otherwise)
    try:
        known = vocabulary.of(Path(settings.TRANSLATION_MODEL).expanduser())
    except OSError:
        return False
    if known is None or known.code(source) is None or known.code(target) is None:
        return False
    if known.code(source) == known.code(target):
        return False
    if is_demo(settings.TRANSLATION_MODEL):
        # Its vocabulary names a hundred languages; it was taught five.
        return {languages.primary(source), languages.primary(target)} <= DEMO_LANGUAGES
    return True
