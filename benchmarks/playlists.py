"""Two hundred viewers press play at once: how many playlists and media addresses a second, and how long each waits.

Starts a private PostgreSQL and gunicorn as `manage.py serve` runs it, makes one recording of an hour, and lets all
viewers fetch the master playlist, the playlists of picture and sound, and media segments, each over a connection of
its own. In the same run, alternating, as many requests go to a page that only returns a word: the ratio of the two
says what the checks of the right cost, whatever the machine.

    python -m benchmarks.playlists --viewers 200 --rounds 3
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.private_service import ROOT, settings_for
from tests.support.installation import free_port
from tests.support.postgres import Postgres

SEGMENTS = 600  # of six seconds: an hour
SEGMENT_BYTES = 150_000
FETCHED = 5  # segments of picture, and as many of sound, per viewer
STATIC = "/health/live"


@dataclass
class Run:
    """What came of one crowd: seconds per answer by kind of address, and what was wrong."""

    seconds: float = 0.0
    waits: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return sum(map(len, self.waits.values()))


@dataclass(frozen=True)
class Request:
    kind: str
    path: str
    range: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--store", choices=["local", "s3"], default="local", help="s3: redirects only, no server needed"
    )
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as name:
        postgres = Postgres()
        try:
            figures = measure(Path(name), postgres.start(), options)
        finally:
            postgres.stop()
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    if any(row["wrong"] for row in figures["kinds"].values()):
        sys.exit(1)


def measure(folder: Path, database_url: str, options: argparse.Namespace) -> dict[str, Any]:
    port = free_port()
    store: dict[str, Any] = {} if options.store == "local" else dict(FAKE_S3)
    environment = settings_for(
        folder,
        database_url=database_url,
        broker_url="memory://",
        BASE_URL=f"http://127.0.0.1:{port}",
        ALLOWED_HOSTS="127.0.0.1",
        **store,
    )
    os.environ.update(environment)
    base = prepare(is_local=options.store == "local")
    server = start_server(port, folder)
    try:
        wait_for(port)
        viewing = viewer_requests(base, options.store)
        static = [Request("static text", STATIC)] * len(viewing)
        asyncio.run(crowd(port, 20, viewing))  # warm caches and connections
        runs: dict[str, list[Run]] = {"viewers": [], "static": []}
        for _ in range(options.rounds):
            runs["viewers"].append(asyncio.run(crowd(port, options.viewers, viewing)))
            runs["static"].append(asyncio.run(crowd(port, options.viewers, static)))
    finally:
        server.terminate()
        server.wait()
    return summary(runs, options)


# Signing needs no server: what is measured is the redirect.
FAKE_S3 = {
    "S3_BUCKET": "bench",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret",
}


def prepare(*, is_local: bool) -> str:
    """Make the tables and one public recording of an hour; return where its playlists are."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from library.playback import make_grant
    from library.rules import Right
    from media.models import Package, PackageState, Rendition, RenditionKind
    from tests.factories.library import RecordingFactory, give_track

    call_command("migrate", verbosity=0)
    recording = RecordingFactory.create(state="published", asset__duration_ms=SEGMENTS * 6000)
    package = Package.objects.create(asset=recording.asset, state=PackageState.COMPLETE)
    recording.asset.current_package = package
    recording.asset.save()
    segments = [[1000 + number * SEGMENT_BYTES, SEGMENT_BYTES, 6000] for number in range(SEGMENTS)]
    for name, height in (
        ("1080p", 1080),
        ("720p", 720),
        ("480p", 480),
        ("audio", None),
    ):
        key = f"{package.prefix}/{name}.mp4"
        Rendition.objects.create(
            package=package,
            name=name,
            kind=RenditionKind.VIDEO if height else RenditionKind.AUDIO,
            codecs="avc1.64001f" if height else "mp4a.40.2",
            width=height and height * 16 // 9,
            height=height,
            frame_rate=25.0 if height else None,
            bandwidth=200_000,
            average_bandwidth=200_000,
            key=key,
            size=1000 + SEGMENTS * SEGMENT_BYTES,
            duration_ms=SEGMENTS * 6000,
            index={"init": [0, 1000], "segments": segments},
        )
        if is_local:
            path = Path(settings.MEDIA_ROOT) / key
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.truncate(1000 + SEGMENTS * SEGMENT_BYTES)  # a hole: no disk is measured here
    for language in ("en", "fr", "ar", "uk"):
        give_track(recording.asset, language, ["Good morning."] * 600)
    grant = make_grant(recording=recording, package=package, right=Right("public"))
    connections.close_all()
    return f"/playback/{grant}/"


def viewer_requests(base: str, store: str) -> list[Request]:
    kind = "segment" if store == "local" else "redirect to a segment"
    requests = [
        Request("master playlist", f"{base}master.m3u8"),
        Request("media playlist", f"{base}720p.m3u8"),
        Request("media playlist", f"{base}audio.m3u8"),
    ]
    for number in range(FETCHED):
        first = 1000 + number * SEGMENT_BYTES
        wanted = f"bytes={first}-{first + SEGMENT_BYTES - 1}"
        requests += [Request(kind, f"{base}files/{name}.mp4", wanted) for name in ("720p", "audio")]
    return requests


def start_server(port: int, folder: Path) -> "subprocess.Popen[bytes]":
    from studio.supervisor import commands

    with open(folder / "web.log", "wb") as log:
        return subprocess.Popen(
            commands(port=port, host="127.0.0.1")["web"], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )


def wait_for(port: int) -> None:
    import requests

    for _ in range(300):
        try:
            if requests.get(f"http://127.0.0.1:{port}{STATIC}", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise RuntimeError("The web server did not start.")


async def crowd(port: int, viewers: int, requests: list[Request]) -> Run:
    """All viewers at once, each one request after the other over one connection."""
    run = Run()
    begun = time.perf_counter()
    await asyncio.gather(*(viewer(port, requests, run) for _ in range(viewers)))
    run.seconds = time.perf_counter() - begun
    return run


async def viewer(port: int, requests: list[Request], run: Run) -> None:
    connection = None
    for request in requests:
        begun = time.perf_counter()
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            status, closes = await ask(connection, request)
        except (OSError, EOFError) as error:
            run.wrong[f"{request.kind}: {type(error).__name__}"] += 1
            connection = None
            continue
        run.waits.setdefault(request.kind, []).append(time.perf_counter() - begun)
        if status not in (200, 206, 302):
            run.wrong[f"{request.kind}: {status}"] += 1
        if closes:
            connection[1].close()
            connection = None
    if connection is not None:
        connection[1].close()


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: Request) -> tuple[int, bool]:
    """Send one request and read its whole answer (RFC 9112, as far as gunicorn uses it)."""
    reader, writer = connection
    wanted = f"Range: {request.range}\r\n" if request.range else ""
    writer.write(f"GET {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n{wanted}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    length = next((line for line in head.split("\r\n") if line.startswith("content-length:")), "")
    left = int(length.partition(":")[2] or 0)
    while left:
        chunk = await reader.read(min(left, 1 << 16))
        if not chunk:
            raise EOFError
        left -= len(chunk)
    return status, "connection: close" in head


def summary(runs: dict[str, list[Run]], options: argparse.Namespace) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(kind for group in runs.values() for run in group for kind in run.waits):
        waits = sorted(wait for group in runs.values() for run in group for wait in run.waits.get(name, []))
        wrong = sum(
            count
            for group in runs.values()
            for run in group
            for what, count in run.wrong.items()
            if what.startswith(name)
        )
        kinds[name] = {
            "requests": len(waits),
            "wrong": wrong,
            **{f"p{percent}_ms": round(1000 * waits[len(waits) * percent // 100], 1) for percent in (50, 95, 99)},
        }
    per_second = {name: statistics.median(run.count / run.seconds for run in group) for name, group in runs.items()}
    return {
        "viewers": options.viewers,
        "store": options.store,
        "kinds": kinds,
        "per_second": {name: round(rate) for name, rate in per_second.items()},
        "share_of_static": round(per_second["viewers"] / per_second["static"], 2),
    }


def table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['viewers']} viewers at once, store: {figures['store']}", ""]
    lines.append(f"{'':24}{'requests':>10}{'wrong':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
    for name, row in figures["kinds"].items():
        values = f"{row['requests']:>10}{row['wrong']:>7}{row['p50_ms']:>9}{row['p95_ms']:>9}{row['p99_ms']:>9}"
        lines.append(f"{name:24}{values}")
    rates = figures["per_second"]
    lines += [
        "",
        f"answers per second: viewers {rates['viewers']}, static text {rates['static']}, "
        f"ratio {figures['share_of_static']}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
