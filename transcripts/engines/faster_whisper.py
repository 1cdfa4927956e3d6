"""faster-whisper: Whisper on CTranslate2, int8 on a CPU and float16 on a GPU, with voice activity detection."""

import math
from collections.abc import Sequence
from itertools import pairwise
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
PAD_MS = 300  # of silence around speech
LONGEST_MS = 30_000 - 2 * PAD_MS
MOST_SILENCE_MS = 5000  # over a longer one a model begins to invent
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
            clip_timestamps=windows(wish.speech, len(audio) * 1000 // base.SAMPLE_RATE),
            vad_filter=True,  # only where there are no windows
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


def windows(speech: Sequence[tuple[int, int]], end_ms: int) -> list[dict[str, float]] | None:
    """Stretches of at most half a minute, in seconds, that begin and end where nobody speaks; None if there are none.

    The library would find its own: with these it does not listen a second time for what is known already.

    >>> windows([(1000, 9000), (12000, 28000), (40000, 65000)], 70_000)
    [{'start': 0.7, 'end': 28.3}, {'start': 39.7, 'end': 65.3}]
    """
    joined: list[tuple[int, int]] = []
    for start, end in speech:
        if joined and start - joined[-1][1] <= MOST_SILENCE_MS and end - joined[-1][0] <= LONGEST_MS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    if not joined or any(end - start > LONGEST_MS for start, end in joined):
        return None  # somebody speaks on and on; the library knows how to cut that
    # Half of the silence between two at most, so that no word is heard twice.
    edges = [0, *((before[1] + after[0]) // 2 for before, after in pairwise(joined)), end_ms]
    return [
        {"start": max(start - PAD_MS, edges[at]) / 1000, "end": min(end + PAD_MS, edges[at + 1]) / 1000}
        for at, (start, end) in enumerate(joined)
    ]


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
