"""A tool that froze is seen as a worker that froze (promise J13)."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

import sandbox
from events.models import Material
from tests.work.conftest import Stage
from work import leases, services
from work.leases import Lease

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_FOR_EVER = "import time\nwhile True: print(time.monotonic(), flush=True); time.sleep(0.02)"


def tool_pids(words: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes().split(b"\0")
            if words.encode() in command and b"bwrap" not in command[0]:
                found.append(int(path.parent.name))
    return found


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_stopped_tool_is_shown_as_stalled_and_its_row_is_taken_over(
    stage: Stage, settings: Settings, tmp_path: Path
) -> None:
    settings.WORK_HEARTBEAT_S, settings.WORK_LEASE_S = 0.4, 3
    word = f"marker-{os.getpid()}"
    row = stage.row()

    def handle(lease: Lease[Material]) -> None:
        with leases.listening() as heard:
            sandbox.run(
                ["/usr/bin/python3", "-c", COUNT_FOR_EVER, word],
                inputs={},
                output_dir=tmp_path,
                limits=sandbox.Limits(wall_s=60),
                on_line=lambda line: None,
                on_alive=heard,
                should_stop=lambda: lease.should_stop,
            )

    def work() -> None:
        try:
            services.execute("test", row.pk)
        finally:
            connection.close()

    def is_stalled() -> bool:
        return Material.objects.get(pk=row.pk).is_stalled

    stage.handle = handle
    worker = threading.Thread(target=work)
    worker.start()
    try:
        wait_until(lambda: bool(tool_pids(word)), "the tool to start")
        time.sleep(1.5)
        assert not is_stalled()
        for pid in tool_pids(word):
            os.kill(pid, signal.SIGSTOP)
        wait_until(is_stalled, "the row to be shown as stalled")
        # Nobody helps it: after its lease the sweeper gives it to another worker, and the tool is ended.
        wait_until(lambda: bool(services.sweep()), "the sweeper to take the row")
        worker.join(20)
        assert not worker.is_alive()
        assert tool_pids(word) == []
    finally:
        for pid in tool_pids(word):
            os.kill(pid, signal.SIGKILL)
        worker.join()
    row.refresh_from_db()
    assert (row.state, row.tries_left) == ("queued", 2)


def test_a_tool_that_works_without_a_word_is_not_stalled(stage: Stage, settings: Settings, tmp_path: Path) -> None:
    settings.WORK_HEARTBEAT_S, settings.WORK_LEASE_S = 0.4, 3
    row = stage.row()
    stalled: list[bool] = []

    def handle(lease: Lease[Material]) -> None:
        def look() -> bool:
            stalled.append(Material.objects.get(pk=row.pk).is_stalled)
            return lease.should_stop

        with leases.listening() as heard:
            sandbox.run(
                ["/usr/bin/python3", "-c", "import time\nend = time.time() + 2.5\nwhile time.time() < end: pass"],
                inputs={},
                output_dir=tmp_path,
                limits=sandbox.Limits(wall_s=60),
                on_alive=heard,
                should_stop=look,
            )

    stage.handle = handle
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert len(stalled) > 3
    assert not any(stalled)


def test_without_a_lease_nobody_listens() -> None:
    with leases.listening() as heard:
        heard()
