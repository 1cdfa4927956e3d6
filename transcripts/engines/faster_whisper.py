"""faster-whisper: Whisper on CTranslate2, int8 on a CPU and float16 on a GPU, with voice activity detection."""

import math
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import faster_whisper
import huggingface_hub
from faster_whisper import utils

from transcripts.cues import SpeechSegment
from transcripts.engines import base, models, whisper_language
from transcripts.engines.base import Audio, Stopped, Transcriber

SETTING = "WHISPER_MODEL"


class FasterWhisper(Transcriber):
    name = "faster-whisper"

    def __init__(self, model: str, device: str) -> None:
        """Load a CTranslate2 folder, downloading a named one once.

        Raises:
            ModelMissing, ModelUnusable: it cannot be had or loaded.
        """
        super().__init__(model)
        folder = _folder(model)
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        try:
            self._whisper = faster_whisper.WhisperModel(
                folder, device=device, compute_type="int8" if device == "cpu" else "float16"
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise models.not_loaded(model, reason=error, setting=SETTING) from error

    def _transcribe(
        self,
        audio: Audio,
        language: str | None,
        prompt: str,
        progress: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> list[SpeechSegment]:
        found, info = self._whisper.transcribe(
            audio,
            language=whisper_language(language) if language else None,
            hotwords=prompt or None,  # unlike an initial prompt, heard in every window
            vad_filter=True,
        )
        segments: list[SpeechSegment] = []
        for raw in found:  # recognition happens here, window by window
            if should_stop():
                raise Stopped
            progress(min(99.0, 100 * raw.end / max(info.duration, 1)))
            confidence = math.exp(min(0.0, raw.avg_logprob))
            if base.is_believable(no_speech=raw.no_speech_prob, confidence=confidence):
                start, end = base.milliseconds(raw.start), base.milliseconds(raw.end)
                segments.append(
                    SpeechSegment(start, max(end, start + 1), raw.text.strip(), (), info.language, round(confidence, 3))
                )
        return segments


def _folder(model: str) -> str:
    if models.looks_like_path(model):
        path = Path(model).expanduser()
        if not path.is_dir():
            raise models.no_such_path(model, setting=SETTING)
        return str(path)
    name = utils._MODELS.get(model, model if model.count("/") == 1 else None)
    if name is None:
        raise models.no_such_name(model, faster_whisper.available_models(), setting=SETTING)
    with models.download_lock() as folder:
        try:
            return str(utils.download_model(model, cache_dir=str(folder)))
        except Exception as error:  # whatever the library's HTTP client raises
            address = f"{huggingface_hub.constants.ENDPOINT}/{name}"
            raise models.not_downloaded(model, address=address, reason=_short(error), setting=SETTING) from error


def _short(error: BaseException) -> str:
    return str(error).partition("\n")[0]
