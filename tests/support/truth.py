"""What was really said, and how far a transcript is from it."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import jiwer

DEMO = Path(__file__).resolve().parent.parent.parent / "demo"


def normalised(text: str) -> str:
    """Lower-case words without punctuation, so that only what was said counts."""
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def word_error_rate(truth: str, heard: str) -> float:
    return float(jiwer.wer(normalised(truth), normalised(heard)))


def truth(path: Path = DEMO / "truth.json") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["segments"]
    return found


def spoken(language: str, segments: list[dict[str, Any]] | None = None) -> str:
    """The whole text, in any language of the phrase book."""
    book = json.loads((DEMO / "phrasebook.json").read_text(encoding="utf-8"))["phrases"]
    texts = {phrase["id"]: phrase["text"] for phrase in book}
    return " ".join(texts[s["phrase_id"]][language] for s in (segments or truth()))


def median_start_error_s(cues: list[tuple[float, str]], segments: list[dict[str, Any]]) -> float:
    """Median distance in seconds from each sentence's true start to the nearest cue start."""
    errors: list[float] = [min(abs(s["start"] - start) for start, _text in cues) for s in segments]
    return statistics.median(errors)
