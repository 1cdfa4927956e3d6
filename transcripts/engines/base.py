"""What every speech recogniser offers, in our words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from transcripts.cues import SpeechSegment

SAMPLE_RATE = 16_000  # Hz, mono: what all Whisper models hear
Audio = NDArray[np.float32]

SILENCE_PEAK = 10 ** (-60 / 20)  # below -60 dBFS nothing was said
NO_SPEECH = 0.8  # an engine this sure that nobody speaks is believed when its text is also doubtful
DOUBTFUL = 0.3


@dataclass(frozen=True)
class Wish:
    """What is wanted of one recognition.

    Attributes:
        language: BCP 47, or None to detect it (for the whole audio).
        prompt: words that are likely to occur, such as names.
        to_english: write in English what is said in `language`.
        with_words: times for words too.
        speech: when somebody speaks, in milliseconds, where the caller has listened for it.
    """

    language: str | None
    prompt: str = ""
    to_english: bool = False
    with_words: bool = True
    speech: Sequence[tuple[int, int]] = ()
    progress: Callable[[float], None] = lambda _percent: None
    should_stop: Callable[[], bool] = lambda: False


class Transcriber(ABC):
    """A warm model. Made once per worker process by `transcripts.engines.get`; never in the web process.

    To add an engine: a module with a subclass, and a row in `transcripts.engines._ENGINES`.
    """

    name: ClassVar[str]

    def __init__(self, model: str) -> None:
        self.model = model  # as in WHISPER_MODEL

    def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None,
        prompt: str = "",
        to_english: bool = False,
        with_words: bool = True,
        speech: Sequence[tuple[int, int]] = (),
        progress: Callable[[float], None] = lambda _percent: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[SpeechSegment]:
        """Return what is said, with times in milliseconds from the start of the audio.

        Args:
            audio: mono, 16 kHz, -1 to 1; some minutes.
            language, prompt, to_english, with_words, speech: see `Wish`.
            progress: called with a percentage now and then.
            should_stop: asked often; when it is true, `Stopped` is raised.

        Raises:
            Stopped: see `should_stop`.
        """
        if not len(audio) or is_silent(audio):
            return []
        audio = np.require(audio, np.float32, "W")  # PyTorch warns of memory that it might write to and must not
        heard = self._transcribe(audio, Wish(language, prompt, to_english, with_words, speech, progress, should_stop))
        return [segment for segment in heard if segment.text and not _is_over_silence(segment, audio)]

    @abstractmethod
    def _transcribe(self, audio: Audio, wish: Wish) -> list[SpeechSegment]: ...

    def detect_language(self, audio: Audio) -> dict[str, float]:
        """Which languages the first 30 s sound like, with their probabilities. {} for silence or an English model."""
        if not len(audio) or is_silent(audio):
            return {}
        return self._detect_language(np.require(audio[: 30 * SAMPLE_RATE], np.float32, "W"))

    @abstractmethod
    def _detect_language(self, audio: Audio) -> dict[str, float]: ...


class Stopped(Exception):
    """Recognition was asked to stop."""


def is_silent(audio: Audio) -> bool:
    return float(np.abs(audio).max()) < SILENCE_PEAK


def _is_over_silence(segment: SpeechSegment, audio: Audio) -> bool:
    """Whisper models invent text over silence; nobody speaks below -60 dBFS."""
    heard = audio[segment.start_ms * SAMPLE_RATE // 1000 : segment.end_ms * SAMPLE_RATE // 1000]
    return not len(heard) or is_silent(heard)


def is_believable(*, no_speech: float, confidence: float) -> bool:
    """False for text that the engine itself doubts, where it also hears no speech."""
    return not (no_speech > NO_SPEECH and confidence < DOUBTFUL)


def milliseconds(seconds: Any) -> int:
    return max(0, round(float(seconds) * 1000))


def prompt_from(hints: Sequence[str], *, most_chars: int = 600) -> str:
    """One line of likely words; a model reads no more than about 220 tokens of it."""
    line = ""
    for hint in dict.fromkeys(" ".join(hint.split()) for hint in hints):
        longer = f"{line}, {hint}" if line else hint
        if hint and len(longer) <= most_chars:
            line = longer
    return line
