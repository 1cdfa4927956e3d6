"""Measures the memory of each step of a production, for a short and a long recording.

    python -m benchmarks.memory --short-s 600 --long-s 10800

Each step runs in a fresh process, as in a worker's child. "worker" is that process's peak resident memory, "tool" the
peak of the largest tool that it started (ffmpeg, ffprobe). Sources are 1080p, made by repeating ten seconds without
encoding. The aims: a worker's memory does not grow with the length, and ffmpeg stays below 700 MB.
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

from benchmarks.private_service import ROOT, make_source, settings_for

STEPS = ("inspect", "first_look", "encode_part", "audio")
MOST_TOOL_MB = 700
MOST_GROWTH_MB = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short-s", type=int, default=600)
    parser.add_argument("--long-s", type=int, default=3 * 3600)
    parser.add_argument(
        "--encoded", action="store_true", help="a source that cannot be copied (10 bits), so all is encoded"
    )
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--folder", type=Path, default=None, help="where to put sources; needs some hundred megabytes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(play(options.step)))
        return
    results = []
    with tempfile.TemporaryDirectory(prefix="rostrum-memory-", dir=options.folder) as name:
        for seconds in (options.short_s, options.long_s):
            folder = Path(name) / str(seconds)
            folder.mkdir()
            source = folder / "source.mp4"
            make_source(source, seconds, size="1920x1080", clip_s=10, is_10_bit=options.encoded)
            results += measure(folder, seconds, options.steps.split(","))
    growth = {
        step: max(r["worker_mb"] for r in results if r["step"] == step and r["seconds"] == options.long_s)
        - min(r["worker_mb"] for r in results if r["step"] == step and r["seconds"] == options.short_s)
        for step in options.steps.split(",")
    }
    if options.json:
        print(json.dumps({"results": results, "growth_mb": growth}, indent=1))
    else:
        print_table(results, growth)
    if max(growth.values()) > MOST_GROWTH_MB or max(r["tool_mb"] for r in results) > MOST_TOOL_MB:
        sys.exit(1)


def measure(folder: Path, seconds: int, steps: list[str]) -> list[dict[str, Any]]:
    environment = settings_for(
        folder, database_url=f"sqlite:///{folder}/db.sqlite3", broker_url="memory://", part_s=120
    )
    environment = {**os.environ, **environment, "SOURCE": str(folder / "source.mp4")}
    found = []
    for step in ("prepare", *steps):
        command = [sys.executable, "-m", "benchmarks.memory", "--step", step]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{step} of {seconds} s failed:\n{done.stderr[-3000:]}")
        if step != "prepare":
            found.append({"step": step, "seconds": seconds, **json.loads(done.stdout.splitlines()[-1])})
    return found


def play(step: str) -> dict[str, float]:
    """Do one step in this process, and say what it took."""
    import django

    django.setup()
    from django.conf import settings

    import media.services
    from studio.models import Production

    workdir = Path(settings.WORK_DIR)
    if step == "prepare":
        from benchmarks.private_service import start_production

        start_production(Path(os.environ["SOURCE"]))
        return {}
    production = Production.objects.get()
    asset = production.asset
    package = production.package
    if package is None and step != "inspect":
        package = production.package = media.services.start_package(asset=asset)
        production.save()
    began = time.monotonic()
    if package is None:
        media.services.inspect_source(asset=asset, workdir=workdir)
    elif step == "first_look":
        media.services.make_first_look(package=package, workdir=workdir)
    elif step == "encode_part":
        parts = media.services.plan_encode_parts(package=package)
        media.services.encode_part(package=package, part=parts[len(parts) // 2], workdir=workdir)
    elif step == "audio":
        media.services.make_audio(package=package, workdir=workdir)
    return {
        "worker_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        # Of the largest process that was waited for, however far down.
        "tool_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "took_s": round(time.monotonic() - began, 1),
    }


def print_table(results: list[dict[str, Any]], growth: dict[str, int]) -> None:
    print(f"{'step':<12} {'recording':>10} {'worker MB':>10} {'tool MB':>8} {'seconds':>8}")
    for row in sorted(results, key=lambda row: (STEPS.index(row["step"]), row["seconds"])):
        minutes = f"{row['seconds'] / 60:.0f} min"
        print(f"{row['step']:<12} {minutes:>10} {row['worker_mb']:>10} {row['tool_mb']:>8} {row['took_s']:>8.1f}")
    print("growth of the worker: " + ", ".join(f"{step} {mb} MB" for step, mb in growth.items()))


if __name__ == "__main__":
    main()
