"""What recognition costs: audio seconds per CPU second, and the most memory, of three ways side by side.

    python -m benchmarks.transcription [--audio FILE] [--minutes 10] [--model fixture|tiny|base|small] [--runs 1]

(a) the `whisper` command as other platforms run it, (b) our openai-whisper path, (c) our faster-whisper path, each in a
process of its own, one after the other, on the same sound. `fixture` is the demo's model; the others have random
weights of that size (benchmarks/speech_models.py): a token costs what it costs with real ones, but the answers are
nonsense and as long as can be. The ratios are of this machine, now.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "demo" / "models"
DEFAULT = ROOT / "tests" / "data" / "speech" / "fr_75s.flac"
RATE = 16_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, default=DEFAULT, help="16 kHz mono speech, repeated up to the length")
    parser.add_argument("--language", default="fr")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--model", default="fixture", choices=["fixture", "tiny", "base", "small"])
    parser.add_argument("--only", nargs="*", choices=["a", "b", "c"], default=["a", "b", "c"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)  # what the child processes are called with
    options = parser.parse_args()
    if options.work:
        engine, model, sound = options.work
        _work(engine, model, sound, options.language)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = _repeated(options.audio, options.minutes, folder)
        checkpoint, converted = MODELS / "whisper-tiny-webinar.pt", MODELS / "faster-whisper-tiny-webinar"
        if options.model != "fixture":
            from benchmarks.speech_models import make_random

            checkpoint, converted = make_random(options.model, folder, vocabulary_of=converted)
        whisper = [
            str(Path(sys.executable).parent / "whisper"), str(sound), "--model", str(checkpoint), "--device", "cpu",
            "--fp16", "False", "--language", options.language, "--threads", str(options.threads),
            "--output_format", "vtt", "--output_dir", name, "--verbose", "False",
        ]  # fmt: skip
        own = [sys.executable, "-m", "benchmarks.transcription", "--language", options.language, "--work"]
        ways = {
            "a": ("whisper command", whisper),
            "b": ("ours, openai-whisper", [*own, "openai-whisper", str(checkpoint), str(sound)]),
            "c": ("ours, faster-whisper", [*own, "faster-whisper", str(converted), str(sound)]),
        }
        rows = {key: _measured(ways[key][1], options.threads) for key in options.only}
    print(f"{options.minutes:g} minutes, model {options.model}, {options.threads} thread(s)")
    for key, (cpu_s, wall_s, peak_mb) in rows.items():
        speed = options.minutes * 60 / cpu_s
        ratio = f"{rows['a'][0] / cpu_s:5.2f} x (a)" if "a" in rows else ""
        print(f"({key}) {ways[key][0]:22} {speed:7.1f} x CPU  {wall_s:7.1f} s  {peak_mb:6.0f} MB  {ratio}")


def _repeated(audio: Path, minutes: float, folder: Path) -> Path:
    import numpy as np
    import soundfile

    samples, rate = soundfile.read(audio, dtype="int16")
    assert rate == RATE, "the sound must have 16 kHz"
    wanted = int(minutes * 60 * RATE)
    path = folder / "sound.flac"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        while wanted > 0:
            file.write(np.asarray(samples[:wanted]))
            wanted -= len(samples)
    return path


def _measured(command: list[str], threads: int) -> tuple[float, float, float]:
    """CPU seconds, wall-clock seconds and the most memory in MB of one process and its children."""
    environment = {
        **os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }  # fmt: skip
    # A process of its own asks for the usage of its children: of this process the largest child ever would be told.
    code = (
        "import json, resource, subprocess, sys, time; at = time.perf_counter(); "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True); "
        "use = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "done.returncode and sys.exit(done.stderr[-2000:]); "
        "print(json.dumps([use.ru_utime + use.ru_stime, time.perf_counter() - at, use.ru_maxrss / 1024]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, env=environment, cwd=ROOT
    )
    if done.returncode:
        sys.exit(done.stderr)
    cpu_s, wall_s, peak_mb = json.loads(done.stdout)
    return cpu_s, wall_s, peak_mb


def _work(engine: str, model: str, sound: str, language: str) -> None:
    """One whole recording the way a worker does it: part by part, never all of its samples at once."""
    import django

    django.setup()
    import soundfile
    import torch
    from django.conf import settings

    from transcripts.services.recognition import PART_MS, recognise

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    settings.WHISPER_ENGINE, settings.WHISPER_MODEL, settings.WHISPER_DEVICE = engine, model, "cpu"
    length_ms = soundfile.info(sound).frames * 1000 // RATE

    def read(start_ms: int, end_ms: int) -> Any:
        samples, _rate = soundfile.read(
            sound, start=start_ms * RATE // 1000, stop=min(end_ms, length_ms) * RATE // 1000, dtype="float32"
        )
        return samples

    started = time.perf_counter()
    for start in range(0, length_ms, PART_MS):
        recognise(read, {"start_ms": start, "end_ms": min(start + PART_MS, length_ms)}, language=language)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{engine}: {time.perf_counter() - started:.1f} s, {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
