"""openai-whisper: the reference implementation, on PyTorch."""

import hashlib
import logging
import math
import pickle
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import whisper

from transcripts.cues import SpeechSegment, Word
from transcripts.engines import base, models, whisper_language
from transcripts.engines.base import Audio, Stopped, Transcriber, Wish

logger = logging.getLogger(__name__)
SETTING = "WHISPER_MODEL"
CONNECT_S = 10
WINDOW_S = 30  # what a Whisper model hears at a time


class OpenAIWhisper(Transcriber):
    name = "openai-whisper"

    def __init__(self, model: str, device: str) -> None:
        """Load a checkpoint, downloading a named one once.

        Raises:
            ModelMissing, ModelUnusable: it cannot be had or loaded.
        """
        super().__init__(model)
        self._device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._whisper = _load(model, self._device)

    def _transcribe(self, audio: Audio, wish: Wish) -> list[SpeechSegment]:
        with self._watched(len(audio) / base.SAMPLE_RATE, wish.progress, wish.should_stop):
            result = self._whisper.transcribe(
                audio,
                language=whisper_language(wish.language) if wish.language else None,
                task="translate" if wish.to_english else "transcribe",
                initial_prompt=wish.prompt or None,
                carry_initial_prompt=bool(wish.prompt),
                word_timestamps=wish.with_words,
                fp16=self._device != "cpu",
                verbose=None,
            )
        language = "en" if wish.to_english else result["language"]
        return [segment for raw in result["segments"] if (segment := _segment(raw, language)) is not None]

    def _detect_language(self, audio: Audio) -> dict[str, float]:
        if not self._whisper.is_multilingual:
            return {}
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(audio), self._whisper.dims.n_mels)
        _tokens, probabilities = self._whisper.detect_language(mel.to(self._device))
        assert isinstance(probabilities, dict)
        return {name: float(share) for name, share in probabilities.items()}

    @contextmanager
    def _watched(
        self, duration_s: float, progress: Callable[[float], None], should_stop: Callable[[], bool]
    ) -> Iterator[None]:
        """Look at every window and every token: the library itself offers neither progress nor stopping."""
        windows = 0

        def at_window(*_args: Any) -> None:
            nonlocal windows
            windows += 1
            progress(min(99.0, 100 * (windows - 1) * WINDOW_S / max(duration_s, WINDOW_S)))

        def at_token(*_args: Any) -> None:
            # While it aligns words the library has hooks of its own in the model, and would leave them there.
            if whisper.model.MultiHeadAttention.use_sdpa and should_stop():
                raise Stopped

        hooks = [
            self._whisper.encoder.register_forward_pre_hook(at_window),
            self._whisper.decoder.register_forward_pre_hook(at_token),
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _segment(raw: dict[str, Any], language: str) -> SpeechSegment | None:
    confidence = math.exp(min(0.0, raw["avg_logprob"]))
    if not base.is_believable(no_speech=raw["no_speech_prob"], confidence=confidence):
        return None
    start, end = base.milliseconds(raw["start"]), base.milliseconds(raw["end"])
    words = tuple(
        Word(
            base.milliseconds(word["start"]),
            base.milliseconds(word["end"]),
            word["word"],
            round(float(word["probability"]), 3),
        )
        for word in raw.get("words", ())
    )
    return SpeechSegment(start, max(end, start + 1), raw["text"].strip(), words, language, round(confidence, 3))


def _load(model: str, device: str) -> whisper.Whisper:
    if models.looks_like_path(model):
        path = Path(model).expanduser()
        if not path.is_file():
            raise models.no_such_path(model, setting=SETTING)
        return _loaded(str(path), None, model, device)
    address = whisper._MODELS.get(model)
    if address is None:
        raise models.no_such_name(model, whisper.available_models(), setting=SETTING)
    with models.download_lock() as folder:
        if not _is_here(folder / address.rpartition("/")[2], address):
            _check_reachable(model, address)
        return _loaded(model, folder, model, device)


def _is_here(path: Path, address: str) -> bool:
    """The address holds the file's SHA-256; a download that was broken off is not taken for the model."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest in address:
        return True
    logger.warning("%s is incomplete and is downloaded again", path)
    path.unlink()
    return False


def _check_reachable(model: str, address: str) -> None:
    """Open the address for a moment: the library's own download would wait without end for a silent server.

    Raises:
        ModelMissing: it cannot be opened.
    """
    try:
        with urllib.request.urlopen(address, timeout=CONNECT_S):  # noqa: S310  # an https address of the library's table
            pass
    except OSError as error:  # URLError and time-outs too
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise models.not_downloaded(model, address=address, reason=reason, setting=SETTING) from error


def _loaded(name: str, folder: Path | None, model: str, device: str) -> whisper.Whisper:
    try:
        return whisper.load_model(name, device=device, download_root=str(folder) if folder else None)
    except OSError as error:
        address = whisper._MODELS.get(model, "")
        raise models.not_downloaded(model, address=address, reason=error, setting=SETTING) from error
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise models.not_loaded(model, reason=f"{type(error).__name__}: {error}", setting=SETTING) from error
