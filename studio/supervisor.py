"""Runs the processes of a small installation: web server, workers, scheduler. Starts again what dies."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

STOP_GRACE_S = 20  # running work hands its rows back within seconds


@dataclass
class Child:
    name: str
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    start_at: float = field(default_factory=time.monotonic)


def commands(*, port: int, host: str) -> dict[str, list[str]]:
    """The processes by name. Mail has its own worker, so it never waits for a video; speech has its own too."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "config"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return {
        "web": [
            *(python, "-m", "gunicorn", "config.wsgi", "--bind", f"{host}:{port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120"),
            *("--worker-tmp-dir", str(settings.WORK_DIR), "--access-logfile", "/dev/null"),
        ],
        "worker-default": [*celery, "worker", "-n", "default@%h", "-Q", "default,mail", "-c", "2", *quiet],
        "worker-media": [*celery, "worker", "-n", "media@%h", "-Q", "media", "-c", "1", *quiet],
        "worker-speech": [*celery, "worker", "-n", "speech@%h", "-Q", "speech", "-c", "1", *quiet],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
    }


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
        """Start dead processes again, with a growing pause, until `stop` is called."""
        while not self._stopping.wait(1):
            for child in self.children:
                if child.process is None:
                    if time.monotonic() >= child.start_at:
                        self._start(child)
                elif child.process.poll() is not None:
                    logger.warning("%s ended with %s; starting it again", child.name, child.process.returncode)
                    child.deaths += 1
                    child.start_at = time.monotonic() + min(60, 2**child.deaths)
                    child.process = None

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
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
