"""Runs the processes of a small installation: web server, workers, scheduler. Starts again what dies."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import connection

from work import health

logger = logging.getLogger(__name__)

STOP_GRACE_S = 20  # running work hands its rows back within seconds


@dataclass
class Child:
    name: str
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    start_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    kill_at: float | None = None  # it was asked to end, and has until then

    @property
    def queues(self) -> set[str]:
        """The queues that a worker serves."""
        return set(self.command[self.command.index("-Q") + 1].split(",")) if "-Q" in self.command else set()


def commands(*, port: int, host: str) -> dict[str, list[str]]:
    """The processes by name. No mail waits for a video, no confirmation for ten thousand reminders or an import."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "config"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return {
        "web": [
            *(python, "-m", "gunicorn", "config.wsgi", "--bind", f"{host}:{port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120"),
            *("--keep-alive", "30", "--no-control-socket"),
            *("--worker-tmp-dir", str(settings.WORK_DIR), "--access-logfile", "/dev/null"),
        ],
        "worker-mail": [*celery, "worker", "-n", "mail@%h", "-Q", "mail", "-c", "1", *quiet],
        "worker-default": [*celery, "worker", "-n", "default@%h", "-Q", "default,bulk", "-c", "2", *quiet],
        "worker-media": [*celery, "worker", "-n", "media@%h", "-Q", "media", "-c", "1", *quiet],
        "worker-speech": [*celery, "worker", "-n", "speech@%h", "-Q", "speech", "-c", "1", *quiet],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
    }


def on_ending(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Say what happens when this process shall end: Ctrl-C, a service manager's wish, a terminal that was closed.

    Without a handler the last two would leave all children running. What is ignored from the start (`nohup`) stays so.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


class Supervisor:
    """Starts each process in its own session with its own log file in `VAR_DIR/log`."""

    def __init__(self, *, port: int, host: str = "127.0.0.1") -> None:
        self.children = [Child(name, command) for name, command in commands(port=port, host=host).items()]
        self.logs = Path(settings.VAR_DIR) / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._stopping = threading.Event()

    def start(self) -> None:
        for child in self.children:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.started_at, child.kill_at = time.monotonic(), None
        with open(self.logs / f"{child.name}.log", "ab") as log:
            child.process = subprocess.Popen(
                child.command,
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def watch(self) -> None:
        """Start again what died, with a growing pause, and what stopped working, until `stop` is called."""
        look_at = time.monotonic() + settings.WORK_STUCK_S / 4
        while not self._stopping.wait(1):
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + settings.WORK_STUCK_S / 4
                self._restart_stuck()
            for child in self.children:
                if child.kill_at is not None and child.process is not None and time.monotonic() >= child.kill_at:
                    child.kill_at = None
                    _kill(child.process)
                if child.process is None:
                    if time.monotonic() >= child.start_at:
                        self._start(child)
                elif child.process.poll() is not None:
                    logger.warning("%s ended with %s; starting it again", child.name, child.process.returncode)
                    if child.kill_at is None:
                        child.deaths += 1
                        child.start_at = time.monotonic() + min(60, 2**child.deaths)
                    child.process = None

    def _restart_stuck(self) -> None:
        """End the workers of queues in which work waits though nobody does any (promise J10); `watch` starts them.

        A broker connection may die without a word, and its worker then listens to nothing for ever. Without sweeps,
        which the same workers do, what waits elsewhere may not even have a message.
        """
        try:
            stuck = set(health.stuck_queues(longer_than_s=settings.WORK_STUCK_S))
            swept = health.seconds_since_sweep()
        except Exception:  # whatever a database or cache driver raises: next time
            logger.warning("could not look at the queues", exc_info=True)
            return
        finally:
            connection.close()
        if swept is not None and swept > settings.WORK_STUCK_S + 2 * settings.WORK_SWEEP_S:
            stuck.add("default")
        now = time.monotonic()
        for child in self.children:
            is_old = now - child.started_at > settings.WORK_STUCK_S
            if child.process is not None and child.kill_at is None and is_old and child.queues & stuck:
                logger.warning("%s does nothing though work waits; starting it again", child.name)
                child.process.send_signal(signal.SIGTERM)
                child.kill_at = now + STOP_GRACE_S

    def stop(self) -> None:
        """End all processes: politely, then for good."""
        self._stopping.set()
        alive = [c.process for c in self.children if c.process is not None and c.process.poll() is None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE_S
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process with all of its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
