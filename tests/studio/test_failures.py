"""What goes wrong around a production: each has a clear reason, leaves nothing behind, and can be tried again (D6)."""

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage, storages
from django.utils import timezone
from pytest_django import Settings

from media.models import Rendition
from studio import services
from studio.models import Production, StepRow
from tests.factories.library import RecordingFactory
from tests.factories.media import make_asset
from tests.media.clips import make_clip
from tests.support.s3 import S3Server
from work import services as work_services
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)


def start(clip: Path) -> Production:
    """Begin to produce a clip in a language that is not transcribed; nothing is done yet."""
    return services.start_production(
        recording=RecordingFactory(asset=make_asset(clip)), user=None, spoken_language="bm", subtitle_languages=[]
    )


def do(production: Production, name: str) -> StepRow:
    """Do a step now, whatever it waited for, and return what became of it."""
    row = production.steps.get(name=name)
    if row.state == WorkState.WAITING:
        work_services.enqueue(row)
    StepRow.objects.filter(pk=row.pk).update(due_at=None)
    work_services.execute("studio.step", row.pk)
    row.refresh_from_db()
    return row


class SmallDisk:
    """A file system of its own; `resize` makes room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def mount(self, size: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", self.folder], check=True)

    def resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if os.geteuid() != 0:
        pytest.fail("Only root can mount a small disk: run this test as root, in a container for example.")
    disk = SmallDisk(tmp_path / "small")
    disk.mount("400k")
    yield disk
    disk.unmount()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Some 500 kB."""
    return make_clip(tmp_path / "clip.mp4", seconds=4, size="640x360", extra=("-b:v", "1500k"))


def test_a_full_working_disk_is_said_and_leaves_nothing(
    small_disk: SmallDisk, clip: Path, settings: Settings, tmp_path: Path
) -> None:
    production = start(clip)
    assert do(production, "inspect").state == "done"
    settings.WORK_DIR = small_disk.folder
    row = do(production, "first_look")
    assert (row.state, row.error_code) == ("failed", "disk_full")
    assert "make room" in row.error
    assert list(small_disk.folder.iterdir()) == []
    assert not Rendition.objects.exists()

    small_disk.resize("100m")
    services.retry_step(step=row, user=None)
    assert do(production, "first_look").state == "done"
    assert list(small_disk.folder.iterdir()) == []


def test_a_full_store_is_said_and_leaves_nothing(small_disk: SmallDisk, clip: Path, settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "media.storage.LocalPrivateStorage",
            "OPTIONS": {"location": str(small_disk.folder)},
        },
    }
    small_disk.resize("1m")
    production = start(clip)
    assert do(production, "inspect").state == "done"
    before = {path for path in small_disk.folder.rglob("*") if path.is_file()}
    (small_disk.folder / "filler").write_bytes(b"x" * (1024**2 - clip.stat().st_size - 100 * 1024))
    row = do(production, "first_look")
    assert (row.state, row.error_code) == ("failed", "store_full")
    assert "make room" in row.error
    (small_disk.folder / "filler").unlink()
    assert {path for path in small_disk.folder.rglob("*") if path.is_file()} == before

    small_disk.resize("100m")
    services.retry_step(step=row, user=None)
    assert do(production, "first_look").state == "done"


def test_a_vanished_source_is_said_and_may_come_back(clip: Path) -> None:
    production = start(clip)
    assert do(production, "inspect").state == "done"
    key = production.asset.source_key
    path = Path(default_storage.path(key))
    path.rename(path.with_suffix(".away"))
    row = do(production, "first_look")
    assert (row.state, row.error_code) == ("failed", "source_missing")
    assert "Upload" in row.error

    path.with_suffix(".away").rename(path)
    services.retry_step(step=row, user=None)
    assert do(production, "first_look").state == "done"


def test_a_damaged_source_keeps_the_tools_last_words(clip: Path) -> None:
    production = start(clip)
    assert do(production, "inspect").state == "done"
    path = Path(default_storage.path(production.asset.source_key))
    path.chmod(0o640)
    path.write_bytes(b"no video any more" * 1000)
    row = do(production, "first_look")
    assert row.state == "failed"
    assert row.log_tail


class Gate:
    """A way to a server that can be shut, as if the server were stopped."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.server: socket.socket | None = None
        self.port = 0
        self.open_sockets: list[socket.socket] = []
        self.open()

    def open(self) -> None:
        self.server = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self.server.getsockname()[1])
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def shut(self) -> None:
        assert self.server is not None
        # Else the thread that waits in accept() would take one more.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for one in self.open_sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open_sockets.clear()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = server.accept()
                target = socket.create_connection(("127.0.0.1", self.target))
                self.open_sockets += [client, target]
                for source, sink in ((client, target), (target, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def gate(s3_server: S3Server, settings: Settings) -> Iterator[Gate]:
    """An empty bucket as the private storage, behind a gate."""
    options: dict[str, Any] = s3_server.options(s3_server.make_bucket())
    gate = Gate(int(s3_server.endpoint_url.rpartition(":")[2]))
    options["endpoint_url"] = f"http://127.0.0.1:{gate.port}"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.S3PrivateStorage", "OPTIONS": options},
    }
    assert storages["default"] is not None
    yield gate
    gate.shut()


@pytest.mark.parametrize("step", ["inspect", "first_look", "audio"])
def test_work_waits_for_a_store_that_is_away_and_goes_on_by_itself(step: str, gate: Gate, clip: Path) -> None:
    production = start(clip)
    for before in ("inspect", "first_look"):
        if before == step:
            break
        assert do(production, before).state == "done"
    gate.shut()
    for _time in range(4):  # more often than a fault of its own would be forgiven
        row = do(production, step)
        assert (row.state, row.tries_left, row.error_code) == ("queued", 3, "store_unavailable")
        assert "cannot be reached" in row.error
        assert row.due_at is not None
        assert row.due_at > timezone.now()
    gate.open()
    row = do(production, step)
    assert (row.state, row.error) == ("done", "")
