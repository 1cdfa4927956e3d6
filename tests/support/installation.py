"""A whole Rostrum in a folder of its own: real web server, workers and scheduler, started as its users start it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`manage.py demo` as a process, and what a test wants to know of it.

    Args:
        folder: its VAR_DIR.
        settings: environment variables on top of the embedded defaults.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://localhost:{self.port}"
        # Nothing of the test run's own settings may leak in.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL")
            and not name.startswith(("S3_", "PYTEST", "DJANGO_"))
        }
        self.environment = {**inherited, "VAR_DIR": str(folder), "BASE_URL": self.base_url, **settings}
        self.output = folder / "demo.out"
        self.process: subprocess.Popen[bytes] | None = None
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"  # a kept one may be closed while it is asked again

    def start_demo(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_demo(self, *, seconds: float = 600) -> None:
        self.wait("the demo to finish", lambda: "Everything worked" in self.output.read_text(), seconds=seconds)

    def wait(self, what: str, is_true: Callable[[], bool], *, seconds: float = 120, every_s: float = 0.2) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            assert self.process is not None
            assert self.process.poll() is None, f"ended while waiting for {what}:\n{self.report()}"
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}:\n{self.report()}"
            time.sleep(every_s)

    def report(self) -> str:
        """The output and the ends of all logs, for a failing test's message."""
        logs = sorted((self.folder / "log").glob("*.log"))
        parts = [self.output.read_text()[-3000:], *(f"== {log.name}\n{log.read_text()[-3000:]}" for log in logs)]
        return "\n".join(parts)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            for child in self.children():
                os.killpg(child, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=300,
        )

    # --- Over HTTP -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return found

    def sign_in(self, email: str = "organiser@demo.example") -> None:
        page = f"{self.base_url}/accounts/login/"
        self.session.get(page, timeout=30)
        token = self.session.cookies["csrftoken"]
        answer = self.session.post(
            page,
            data={"login": email, "password": self.state["password"], "csrfmiddlewaretoken": token},
            headers={"Referer": page},
            timeout=30,
        )
        assert "/accounts/login" not in answer.url

    def api(self, path: str) -> Any:
        answer = self.session.get(f"{self.base_url}/api/v1/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def get(self, url: str, **options: Any) -> requests.Response:
        """Fetch as a stranger would, without cookies."""
        url = url if url.startswith("http") else self.base_url + url
        answer = requests.get(url, timeout=60, **options)
        answer.raise_for_status()
        return answer

    # --- Processes -------------------------------------------------------------------------------------------------

    def children(self) -> dict[int, str]:
        """Process id and command line of each process that the supervisor started."""
        assert self.process is not None
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, ValueError):
                continue  # it ended meanwhile
            if parent == self.process.pid:
                found[int(stat.parent.name)] = command
        return found

    def kill_worker(self, name: str) -> None:
        """SIGKILL the worker of that name with all its processes, as a power cut would."""
        victims = [pid for pid, command in self.children().items() if f"{name}@" in command]
        assert len(victims) == 1, victims
        os.killpg(victims[0], signal.SIGKILL)
