"""The fixture speech and how recognition of it is measured."""

import json
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile

from transcripts.engines.base import SAMPLE_RATE, Audio

FOLDER = Path(__file__).parent.parent / "data" / "speech"
DEMO = Path(__file__).parent.parent.parent / "demo"


@dataclass(frozen=True)
class Speech:
    audio: Audio
    language: str
    segments: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return " ".join(segment["text"] for segment in self.segments)

    @property
    def duration_ms(self) -> int:
        return len(self.audio) * 1000 // SAMPLE_RATE

    def read(self, *, start_ms: int, end_ms: int, **_package: Any) -> Audio:
        """Stands in for media.services.read_speech_audio."""
        return self.audio[max(0, start_ms) * SAMPLE_RATE // 1000 : end_ms * SAMPLE_RATE // 1000]

    def start_errors_ms(self, starts: list[int]) -> float:
        """The median distance of each true start from the nearest of those found."""
        return float(
            statistics.median(
                min(abs(segment["start"] * 1000 - start) for start in starts) for segment in self.segments
            )
        )


def load(stem: str) -> Speech:
    audio, rate = soundfile.read(FOLDER / f"{stem}.flac", dtype="float32")
    assert rate == SAMPLE_RATE
    truth = json.loads((FOLDER / f"{stem}.json").read_text())
    return Speech(np.asarray(audio, np.float32), truth["language"], truth["segments"])


def word_errors(truth: str, heard: str) -> float:
    return float(jiwer.wer(_normal(truth), _normal(heard)))


def _normal(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def phrases(language: str) -> dict[str, str]:
    """The phrase book in one language, by phrase id."""
    book = json.loads((DEMO / "phrasebook.json").read_text())
    return {phrase["id"]: phrase["text"][language] for phrase in book["phrases"]}
