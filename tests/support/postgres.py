"""A private PostgreSQL for one test run: its own data folder, a socket in a temporary folder, no port."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path


def _bin(name: str) -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    raise RuntimeError("PostgreSQL's server is missing: run `make setup`, which installs it.")


class Postgres:
    """`start` returns a DATABASE_URL; `stop` ends the server and removes its data."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rostrum-pg-"))
        # initdb and postgres refuse to run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.user = "postgres" if self.prefix else pwd.getpwuid(os.geteuid()).pw_name

    def start(self) -> str:
        if self.prefix:
            shutil.chown(self.folder, "postgres")
        data = self.folder / "data"
        self._run(_bin("initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"
        self._run(_bin("pg_ctl"), "-D", str(data), "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        return f"postgres://{self.user}@/{self.folder}/postgres"  # django-environ's form for a socket's folder

    def stop(self) -> None:
        self._run(_bin("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command: str) -> None:
        done = (
            subprocess.run(
                [*self.prefix, *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                check=False,
            )
            if command[0].endswith("initdb")
            else subprocess.run(
                # pg_ctl's server would keep a pipe open for ever
                [*self.prefix, *command],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd="/",
                check=False,
            )
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{command[0]} failed: {done.stdout or ''}{log.read_text() if log.exists() else ''}")
