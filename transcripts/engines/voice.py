"""When somebody speaks: voice activity detection, the same for both engines.

Silero's network comes with faster-whisper and tells speech from music and noise. Where that library is missing the
sound's energy decides, which tells speech from silence only.
"""

import logging

import numpy as np

from transcripts.engines.base import SAMPLE_RATE, Audio
from transcripts.quality import Interval, merged

logger = logging.getLogger(__name__)

LEAST_SILENCE_MS = 400
LEAST_SPEECH_MS = 250
PAD_MS = 100
FRAME = SAMPLE_RATE // 50  # 20 ms
FLOOR = 10 ** (-50 / 20)  # softer than -50 dBFS is not speech
ABOVE_NOISE = 10 ** (8 / 20)


def speech_in(audio: Audio) -> tuple[list[Interval], str]:
    """Return when somebody speaks, in milliseconds from the start, and which detector says so."""
    if not len(audio):
        return [], "none"
    try:
        from faster_whisper import vad  # slow to import, and the web processes never need it
    except ImportError:
        logger.info("faster-whisper is not installed: speech is told from silence by its energy")
        return by_energy(audio), "energy"
    options = vad.VadOptions(
        min_speech_duration_ms=LEAST_SPEECH_MS, min_silence_duration_ms=LEAST_SILENCE_MS, speech_pad_ms=PAD_MS
    )
    found = vad.get_speech_timestamps(audio, options)
    rate = SAMPLE_RATE // 1000
    return merged((one["start"] // rate, one["end"] // rate) for one in found), "silero"


def by_energy(audio: Audio) -> list[Interval]:
    """Stretches that are clearly louder than the quiet tenth of the sound."""
    count = len(audio) // FRAME
    if not count:
        return []
    loudness = np.sqrt(np.square(audio[: count * FRAME].reshape(count, FRAME), dtype=np.float64).mean(axis=1))
    noise = float(np.percentile(loudness, 10))
    # In speech without a pause the quiet tenth is speech too: the threshold stays below the usual loudness.
    threshold = max(FLOOR, min(noise * ABOVE_NOISE, float(np.median(loudness)) / 2))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (loudness > threshold).astype(np.int8), [0]))))
    frame_ms = FRAME * 1000 // SAMPLE_RATE
    joined: list[Interval] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, end = int(first) * frame_ms, int(last) * frame_ms
        if joined and start - joined[-1][1] < LEAST_SILENCE_MS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    length = len(audio) * 1000 // SAMPLE_RATE
    return merged(
        (max(0, start - PAD_MS), min(length, end + PAD_MS)) for start, end in joined if end - start >= LEAST_SPEECH_MS
    )
