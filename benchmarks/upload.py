"""Uploads one large file every way there is, and measures speed and memory of everybody who takes part.

    python -m benchmarks.upload --megabytes 2000 [--browser] [--folder /a/disk]

Over loopback: to our own endpoint (gunicorn, local files) and to S3 (a real Swift), in parts as the API documents them,
by a program or by a real browser. Beside them, in the same run, the plain alternatives: writing the file to the same
disk, and one single PUT by curl to the same S3. "Ready" is the time from completion until the asset is stored, with
its hash checked and the file inspected. Needs about five times the file's size on disk for a while; all of it is
deleted at the end.
"""

import argparse
import hashlib
import json
import os
import resource
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support import s3
from tests.support.browser import build_frontend, chromium
from tests.support.web import WebServer

MB = 1_000_000
LANES = 4
WORK = """
import resource, time
from media.models import Upload
from work import services
begun = time.monotonic()
for pk in Upload.objects.filter(state="queued").values_list("pk", flat=True):
    services.execute("media.upload", pk)
answer = {
    "seconds": time.monotonic() - begun,
    "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    "states": list(Upload.objects.values_list("state", "error")),
}
"""


@dataclass
class Result:
    """One way; memory is the peak of resident memory, in MB."""

    way: str
    seconds: float
    mb_per_s: float
    ready_s: float | None = None
    client_mb: float | None = None
    server_mb: float | None = None
    worker_mb: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000, help="size of the file (default %(default)s)")
    parser.add_argument("--browser", action="store_true", help="also with Chromium, which hashes beside the sending")
    parser.add_argument("--no-s3", action="store_true", help="our own endpoint alone")
    parser.add_argument("--folder", type=Path, default=None, help="where everything is kept; default: a temporary one")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--send", nargs=2, metavar=("UPLOAD", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        send(json.loads(options.send[0]), Path(options.send[1]))
        return
    with tempfile.TemporaryDirectory(prefix="rostrum-upload-", dir=options.folder) as name:
        folder = Path(name)
        os.environ["ROSTRUM_TEST_RUN"] = name
        file = make_file(folder / "talk.wav", options.megabytes * MB)
        results = [write_plainly(file)]
        results += to_our_endpoint(file, folder, browser=options.browser)
        if not options.no_s3:
            results += to_s3(file, folder, browser=options.browser)
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    else:
        show(results, options.megabytes)


def make_file(path: Path, size: int) -> Path:
    """A sound file that inspection accepts and that nothing can compress."""
    rate, channels, bits = 192_000, 2, 32
    block = channels * bits // 8
    size -= (size - 44) % block
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, channels, rate,
                         rate * block, block, bits, b"data", size - 44)  # fmt: skip
    noise = secrets.token_bytes(8 * MB)
    with path.open("wb") as out:
        out.write(header)
        left = size - 44
        while left:
            left -= out.write(noise[: min(left, len(noise))])
    return path


# --- The plain alternatives ----------------------------------------------------------------------------------------


def write_plainly(file: Path) -> Result:
    target = file.with_suffix(".copy")
    with timed() as spent, file.open("rb") as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, MB)
        os.fsync(out.fileno())
    target.unlink()
    return result("plain write to disk, with fsync", file, spent())


def put_plainly(file: Path, server: s3.S3Server) -> Result:
    bucket = server.make_bucket()
    url = server.client().generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "plain"})
    with timed() as spent:
        subprocess.run(["curl", "-sf", "-T", str(file), "-H", "Expect:", url], check=True)
    server.client().delete_object(Bucket=bucket, Key="plain")
    return result("plain single PUT to S3 (curl)", file, spent())


# --- Our way -------------------------------------------------------------------------------------------------------


def to_our_endpoint(file: Path, folder: Path, *, browser: bool) -> Iterator[Result]:
    with WebServer(folder / "local", DEBUG="False" if not browser else "True") as web:
        yield upload(web, file, "program, our endpoint", by_program)
        if browser:
            yield upload(web, file, "browser, our endpoint", by_browser)


def to_s3(file: Path, folder: Path, *, browser: bool) -> Iterator[Result]:
    with swift(folder / "s3") as server:
        yield put_plainly(file, server)
        settings = {
            "S3_BUCKET": server.make_bucket(),
            "S3_ENDPOINT_URL": server.endpoint_url,
            "S3_ACCESS_KEY": s3.ACCESS_KEY,
            "S3_SECRET_KEY": s3.SECRET_KEY,
            "S3_REGION": s3.REGION,
            "DEBUG": "True" if browser else "False",
        }
        with WebServer(folder / "with-s3", **settings) as web:
            yield upload(web, file, "program, straight to S3", by_program)
            if browser:
                yield upload(web, file, "browser, straight to S3", by_browser)


Client = Callable[[WebServer, Path], tuple[float, float]]  # -> seconds until completed, peak memory in MB


def upload(web: WebServer, file: Path, way: str, client: Client) -> Result:
    web.kill()
    web.start()
    seconds, client_mb = client(web, file)
    assert web.process is not None
    server_mb = sum(peak_mb(pid) for pid in processes_of(web.process.pid))
    worked: dict[str, Any] = web.run(WORK)
    assert all(state == "done" for state, _error in worked["states"]), worked["states"]
    web.run(FORGET)
    found = result(way, file, seconds)
    found.ready_s, found.client_mb = worked["seconds"], client_mb
    found.server_mb, found.worker_mb = server_mb, worked["memory_kb"] / 1024
    return found


FORGET = """
from media.models import Asset, Upload
from media.storage import private_storage
for asset in Asset.objects.all():
    private_storage().delete(asset.source_key)
    Upload.objects.filter(asset=asset).delete()
    asset.delete()
"""


def by_program(web: WebServer, file: Path) -> tuple[float, float]:
    """A process of its own, so that its memory is its own."""
    upload = web.announce(file.stat().st_size)
    facts = {**upload, "base_url": web.base_url, "token": web.world["token"]}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.upload", "--send", json.dumps(facts), str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def send(upload: dict[str, Any], file: Path) -> None:
    """The client of `by_program`: parts side by side, the hash beside them."""
    begun = time.monotonic()
    api = f"{upload['base_url']}/api/v1/uploads/{upload['id']}/"
    sessions = threading.local()

    def session() -> requests.Session:
        if not hasattr(sessions, "one"):
            sessions.one = requests.Session()
        found: requests.Session = sessions.one
        return found

    headers = {"Authorization": f"Bearer {upload['token']}"}

    def send_part(number: int) -> None:
        with file.open("rb") as source:
            source.seek((number - 1) * upload["part_size"])
            body = source.read(upload["part_size"])
        address = session().get(f"{api}parts/{number}/", headers=headers, timeout=60).json()
        session().put(address["url"], data=body, timeout=600).raise_for_status()

    def sha256() -> str:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()

    with ThreadPoolExecutor(LANES + 1) as pool:
        hashing = pool.submit(sha256)
        list(pool.map(send_part, range(1, upload["part_count"] + 1)))
        body = {"sha256": hashing.result()}
    session().post(f"{api}complete/", json=body, headers=headers, timeout=600).raise_for_status()
    print(json.dumps([time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def by_browser(web: WebServer, file: Path) -> tuple[float, float]:
    build_frontend()
    with chromium() as browser:
        context = browser.new_context()
        context.add_cookies([{"name": "sessionid", "value": web.world["session"], "url": web.base_url}])
        page = context.new_page()
        page.goto(f"{web.base_url}/studio/webinars/{web.world['webinar']}/recordings/new/")
        page.evaluate("addEventListener('rostrum:uploaded', (event) => event.preventDefault())")
        with timed() as spent:
            page.set_input_files("#upload-file", file)
            while not is_completed(web):
                page.wait_for_timeout(100)
        memory = descendants_mb("chromium")
        context.close()
    return spent(), memory


def is_completed(web: WebServer) -> bool:
    """Nothing has been announced yet, or parts still arrive, until this is true."""
    found = web.api("GET", "uploads/").json()["results"]
    return bool(found) and found[0]["state"] != "waiting"


# --- Measuring -----------------------------------------------------------------------------------------------------


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    begun = time.monotonic()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.monotonic()) - begun
    ended.append(time.monotonic())


def result(way: str, file: Path, seconds: float) -> Result:
    return Result(way, seconds, file.stat().st_size / MB / seconds)


def all_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def processes_of(group: int) -> list[int]:
    found = []
    for pid in all_processes():
        try:
            if os.getpgid(pid) == group:
                found.append(pid)
        except ProcessLookupError:
            continue
    return found


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has had (proc(5), VmHWM)."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass  # it has ended
    return 0


def descendants_mb(name: str) -> float:
    """Peak memory of our own descendants whose command has that word, added up."""
    return sum(peak_mb(pid) for pid in all_processes() if name in command_of(pid) and os.getpid() in ancestors(pid))


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return
        yield pid


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def swift(folder: Path) -> Iterator[s3.S3Server]:
    folder.mkdir()
    port = s3._start(folder)
    try:
        yield s3.S3Server(f"http://127.0.0.1:{port}")
    finally:
        s3._stop(folder)


def show(results: list[Result], megabytes: int) -> None:
    print(f"One file of {megabytes} MB over loopback, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    print(f"{'':34}{'s':>7}{'MB/s':>7}{'ready s':>11}{'client MB':>11}{'server MB':>11}{'worker MB':>11}")
    for row in results:
        rest = (row.ready_s, row.client_mb, row.server_mb, row.worker_mb)
        texts = "".join(f"{'' if value is None else round(value, 1):>11}" for value in rest)
        print(f"{row.way:34}{row.seconds:>7.1f}{row.mb_per_s:>7.0f}{texts}")


if __name__ == "__main__":
    main()
