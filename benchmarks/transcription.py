"""What recognition costs: audio seconds per CPU second, and the most memory, of three ways side by side.

    python -m benchmarks.transcription [--minutes 10 180] [--model fixture|tiny|base|small] [--runs 1] [--threads 1]
        [--only a b c] [--audio FILE --language TAG] [--no-words] [--json]

(a) the `whisper` command as other platforms run it, (b) our openai-whisper path, (c) our faster-whisper path, each in a
process of its own, one after the other, on the same sound. `fixture` is the demo's model; the others have made weights
of that size (benchmarks/speech_models.py), which cost what real ones cost but say the same words whatever they hear.
Our guards keep none of those and would have everything heard again; that is left out for them. The ratios are of this
machine, now: what else runs on it counts less in CPU seconds than on the clock, but it counts.

The aims: (b) costs no more CPU time than (a), (c) at most a quarter of it, and the most memory of (b) and (c) is the
same, within a tenth, for the shortest and the longest sound. Ends with 1 if one of them is missed.

The command follows five possible answers at a time, which is its default; (b) follows the likeliest alone, which is the
library's, and (c) five, which is faster-whisper's. Our paths do more than the command in turn: they find speech, hear
which language it is, and time every word, which the command does only when asked. `--no-words` leaves the last out of
ours, for a comparison of the recognition alone.
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
    parser.add_argument("--minutes", type=float, nargs="+", default=[10], help="lengths of sound to measure")
    parser.add_argument("--model", default="fixture", choices=["fixture", "tiny", "base", "small"])
    parser.add_argument("--only", nargs="*", choices=["a", "b", "c"], default=["a", "b", "c"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="of each; the one with the least CPU time counts")
    parser.add_argument("--no-words", action="store_true", help="our paths do not time single words")
    parser.add_argument("--json", action="store_true", help="one JSON object per way and length")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)  # what the child processes are called with
    options = parser.parse_args()
    if options.work:
        engine, model, sound = options.work
        _work(engine, model, sound, options.language, has_words=not options.no_words)
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint, converted = MODELS / "whisper-tiny-webinar.pt", MODELS / "faster-whisper-tiny-webinar"
        if options.model != "fixture":
            from benchmarks.speech_models import make_model

            checkpoint, converted = make_model(options.model, folder, vocabulary_of=converted)
        for minutes in options.minutes:
            sound = _repeated(options.audio, minutes, folder)
            for way in options.only:
                command = _command(way, options, sound, checkpoint, converted)
                runs = [_measured(command, options.threads) for _run in range(options.runs)]
                cpu_s, wall_s, peak_mb = min(runs)
                row = {
                    "way": way, "minutes": minutes, "model": options.model, "threads": options.threads,
                    "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb, "speed": minutes * 60 / cpu_s,
                }  # fmt: skip
                first = next((one for one in rows if one["way"] == "a" and one["minutes"] == minutes), row)
                row["times_a"] = first["cpu_s"] / cpu_s if first["way"] == "a" else None
                rows.append(row)
                _show(row, as_json=options.json)
    missed = _missed(rows)
    for one in missed:
        print(one, file=sys.stderr)
    sys.exit(1 if missed else 0)


WAYS = {"a": "whisper command", "b": "ours, openai-whisper", "c": "ours, faster-whisper"}


def _command(way: str, options: argparse.Namespace, sound: Path, checkpoint: Path, converted: Path) -> list[str]:
    if way == "a":
        return [
            str(Path(sys.executable).parent / "whisper"), str(sound), "--model", str(checkpoint), "--device", "cpu",
            "--fp16", "False", "--language", options.language, "--threads", str(options.threads),
            "--output_format", "vtt", "--output_dir", str(sound.parent), "--verbose", "False",
        ]  # fmt: skip
    engine, model = ("openai-whisper", checkpoint) if way == "b" else ("faster-whisper", converted)
    own = [sys.executable, "-m", "benchmarks.transcription", "--language", options.language]
    return [*own, *(["--no-words"] if options.no_words else []), "--work", engine, str(model), str(sound)]


def _show(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(row), flush=True)
        return
    ratio = f"{row['times_a']:5.2f} x (a)" if row["times_a"] is not None else ""
    print(
        f"({row['way']}) {WAYS[row['way']]:22} {row['minutes']:6g} min, {row['model']}, {row['threads']} thread(s) "
        f"{row['speed']:7.1f} x CPU {row['wall_s']:8.1f} s {row['peak_mb']:6.0f} MB  {ratio}",
        flush=True,
    )


def _missed(rows: list[dict[str, Any]]) -> list[str]:
    """Which aims were not reached."""
    missed = []
    for row in rows:
        aim = {"b": 1, "c": 4}.get(row["way"])
        if aim is not None and row["times_a"] is not None and row["times_a"] < aim:
            missed.append(
                f"missed: ({row['way']}) is {row['times_a']:.2f} x (a) at {row['minutes']:g} min, not {aim} x"
            )
    for way in ("b", "c"):
        peaks = [row["peak_mb"] for row in sorted(rows, key=lambda row: row["minutes"]) if row["way"] == way]
        if len(peaks) > 1 and peaks[-1] > 1.1 * peaks[0]:
            missed.append(
                f"missed: ({way}) needs {peaks[0]:.0f} MB for the shortest and {peaks[-1]:.0f} MB for the longest"
            )
    return missed


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


def _work(engine: str, model: str, sound: str, language: str, *, has_words: bool) -> None:
    """One whole recording the way a worker does it: part by part, never all of its samples at once."""
    import django

    django.setup()
    import soundfile
    import torch
    from django.conf import settings

    from transcripts import engines
    from transcripts.services import recognition

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    settings.WHISPER_ENGINE, settings.WHISPER_MODEL, settings.WHISPER_DEVICE = engine, model, "cpu"
    if not Path(model).is_relative_to(MODELS):
        # Of what such a model says the guards keep nothing, so that everything would be listened to twice.
        recognition.MOST_RETRIES = 0
    if not has_words:
        engines.is_demo = lambda path: bool(path)  # what the demo's model is never asked for
    length_ms = soundfile.info(sound).frames * 1000 // RATE

    def read(start_ms: int, end_ms: int) -> Any:
        samples, _rate = soundfile.read(
            sound, start=start_ms * RATE // 1000, stop=min(end_ms, length_ms) * RATE // 1000, dtype="float32"
        )
        return samples

    started = time.perf_counter()
    for start in range(0, length_ms, recognition.PART_MS):
        end = min(start + recognition.PART_MS, length_ms)
        recognition.recognise(read, {"start_ms": start, "end_ms": end}, language=language)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{engine}: {time.perf_counter() - started:.1f} s, {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
