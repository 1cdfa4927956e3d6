"""faster-whisper: Whisper on CTranslate2, int8 on a CPU and float16 on a GPU, with voice activity detection."""

import math
from pathlib import Path
from typing import Any

import ctranslate2
import faster_whisper
import huggingface_hub
from faster_whisper import utils

from transcripts.cues import SpeechSegment, Word
from transcripts.engines import base, models, whisper_language
from transcripts.engines.base import Audio, Stopped, Transcriber, Wish

SETTING = "WHISPER_MODEL"
BATCH_WINDOWS = 8  # of 30 s; half a gigabyte more of memory with a `base` model


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

        self._batched = faster_whisper.BatchedInferencePipeline(self._whisper)

    def _transcribe(self, audio: Audio, wish: Wish) -> list[SpeechSegment]:
        found, info = self._batched.transcribe(
            audio,
            language=whisper_language(wish.language) if wish.language else None,
            task="translate" if wish.to_english else "transcribe",
            hotwords=wish.prompt or None,  # unlike an initial prompt, heard in every window
            vad_filter=True,
            batch_size=BATCH_WINDOWS,
            without_timestamps=False,  # the pipeline's default loses the times of sentences, and with them many words
            word_timestamps=wish.with_words,
        )
        language = "en" if wish.to_english else info.language
        segments: list[SpeechSegment] = []
        for raw in found:  # recognition happens here, some windows at a time
            if wish.should_stop():
                raise Stopped
            wish.progress(min(99.0, 100 * raw.end / max(info.duration, 1)))
            confidence = math.exp(min(0.0, raw.avg_logprob))
            if base.is_believable(no_speech=raw.no_speech_prob, confidence=confidence):
                start, end = base.milliseconds(raw.start), base.milliseconds(raw.end)
                text = raw.text.strip()
                segments.append(
                    SpeechSegment(start, max(end, start + 1), text, _words(raw), language, round(confidence, 3))
                )
        return segments

    def _detect_language(self, audio: Audio) -> dict[str, float]:
        if not self._whisper.model.is_multilingual:
            return {}
        _language, _probability, every = self._whisper.detect_language(audio)
        return {name: float(share) for name, share in every}


def _words(raw: Any) -> tuple[Word, ...]:
    return tuple(
        Word(base.milliseconds(word.start), base.milliseconds(word.end), word.word, round(float(word.probability), 3))
        for word in raw.words or ()
    )


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
