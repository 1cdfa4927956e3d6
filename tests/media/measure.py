"""Measures what was made, by decoding it with ffmpeg directly."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.storage import default_storage

from media.models import Derivative, Rendition


def stored_path(row: Rendition | Derivative) -> Path:
    return Path(default_storage.path(row.key))


def probe(path: Path) -> dict[str, Any]:
    """Return ffprobe's streams by kind, and its format under "format"."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {stream["codec_type"]: stream for stream in found["streams"]} | {
        "format": found["format"],
        "streams": found["streams"],
        "chapters": found["chapters"],
    }


def brightness(path: Path, rate: float | None = None) -> "np.ndarray[Any, Any]":
    """Return the mean brightness of every picture, in order; with a rate, of what is shown at each 1 / `rate`."""
    grid = f"fps={rate}:start_time=0:round=up," if rate else ""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"{grid}scale=16:16", "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    means: np.ndarray[Any, Any] = np.frombuffer(data, np.uint8).reshape(-1, 256).mean(axis=1)
    return means


def loudness(path: Path, rate: int = 1000) -> "np.ndarray[Any, Any]":
    """Return the loudest sample of every 1 / `rate` second."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]
    samples = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)
    step = 48000 // rate
    result: np.ndarray[Any, Any] = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1)
    return result


def beginnings(values: "np.ndarray[Any, Any]", level: float, per_second: float) -> list[float]:
    """Return the seconds at which values rise above a level."""
    above = values > level
    found = np.flatnonzero(above & ~np.concatenate([[False], above[:-1]])) / per_second
    return [float(second) for second in found]


def integrated_loudness(path: Path) -> float:
    """Return LUFS as ffmpeg's own meter says (EBU R128)."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-map", "a", "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = re.search(r"\bI:\s+(\S+) LUFS", said[said.rfind("Summary:") :])
    assert found
    return float(found[1])
