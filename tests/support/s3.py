"""A real S3 server for tests: OpenStack Swift with s3api, as private processes on free ports.

Real because access is what is tested: an imitation accepted tampered and expired addresses.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

if TYPE_CHECKING:
    from media.storage import S3PrivateStorage

SCRIPTS = Path(__file__).parent / "s3_server"
ACCESS_KEY, SECRET_KEY, REGION = "test:tester", "testing", "us-east-1"
PORTS = 5
NEEDED = ("swift-proxy-server", "swift-object-server", "swift-ring-builder", "memcached", "curl")


@dataclass(frozen=True)
class S3Server:
    endpoint_url: str

    def make_bucket(self) -> str:
        """Create an empty bucket and return its name."""
        name = f"test-{uuid.uuid4().hex[:16]}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> Any:
        import boto3  # slow, and most test runs start no S3 server
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=Config(
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # On a busy machine one of Swift's four servers may be late, which it calls unavailable.
                retries={"total_max_attempts": 10, "mode": "standard"},
            ),
        )

    def options(self, bucket: str) -> dict[str, object]:
        """What settings.STORAGES["default"]["OPTIONS"] holds for this server."""
        return {
            "bucket_name": bucket,
            "endpoint_url": self.endpoint_url,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "region_name": REGION,
            "addressing_style": "path",
            "signature_version": "s3v4",
            "querystring_auth": True,
            "file_overwrite": False,
            "default_acl": None,
        }


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server per test run, shared by xdist's workers: the first starts it, the last to finish stops it."""
    folder = Path(os.environ["ROSTRUM_TEST_RUN"]) / "s3"
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    me = users / str(os.getpid())
    with _locked(folder):
        port_file = folder / "port"
        if not port_file.exists():
            port_file.write_text(str(_start(folder)))
        me.touch()
    try:
        yield S3Server(f"http://127.0.0.1:{port_file.read_text()}")
    finally:
        with _locked(folder):
            me.unlink()
            if not any(users.iterdir()):
                _stop(folder)
                port_file.unlink()


@pytest.fixture
def s3_storage(s3_server: S3Server, settings: Settings) -> "S3PrivateStorage":
    """Make an empty bucket the private storage of this test."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "media.storage.S3PrivateStorage",
            "OPTIONS": s3_server.options(s3_server.make_bucket()),
        },
    }
    return cast("S3PrivateStorage", storages["default"])


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> int:
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        raise RuntimeError(f"{', '.join(missing)} missing: run `make setup`, which installs the S3 server for tests.")
    port = _free_ports()
    subprocess.run(["bash", SCRIPTS / "make", folder, str(port)], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        ["bash", SCRIPTS / "start", folder, str(port)], stdout=subprocess.PIPE, text=True, check=False, timeout=180
    )
    if done.returncode:
        _stop(folder)
        raise RuntimeError(done.stdout)
    return port


def _stop(folder: Path) -> None:
    pids = [int(path.read_text()) for path in (folder / "run").glob("*.pid")]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    ends_at = time.monotonic() + 5
    while time.monotonic() < ends_at and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.05)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder / "node", ignore_errors=True)


def _free_ports() -> int:
    """Return the first of five ports in a row that nobody listens on, below those that the kernel hands out."""
    for _try in range(200):
        first = random.randrange(20_000, 32_000)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + PORTS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no five free ports in a row")
