"""A private PostgreSQL for one test run: its own data folder, a socket in a temporary folder, no port.

Applying all migrations takes longer than most test files. What they make is therefore kept as a dump, named by a hash
of all that it depends on, and new databases begin with it; Django then finds nothing left to migrate.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def schema_dump() -> Path:
    """Return where the dump of a fresh database of this very state of the project is, or will be."""
    digest = hashlib.sha256()
    sources = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/models.py"), *ROOT.glob("requirements/*.txt")]
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return ROOT / "var" / "test-schema" / f"{digest.hexdigest()[:20]}.sql"


def _bin(name: str) -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    raise RuntimeError("PostgreSQL's server is missing: run `make setup`, which installs it.")


def _as_owner() -> list[str]:
    # initdb and postgres refuse to run as root.
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def keep_schema(*, folder: str, database: str) -> None:
    """Keep a freshly migrated database of the server in `folder` for the next runs, unless that was done."""
    dump = schema_dump()
    if dump.exists():
        return
    command = [*_as_owner(), _bin("pg_dump"), "-h", folder, database]
    made = subprocess.run(command, stdout=subprocess.PIPE, cwd="/", check=True)
    dump.parent.mkdir(parents=True, exist_ok=True)
    for former in dump.parent.glob("*.sql"):
        former.unlink(missing_ok=True)
    unfinished = dump.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(made.stdout)
    unfinished.rename(dump)


def dump(*, folder: str, database: str) -> bytes:
    """A backup of one database of the server in `folder`, for `pg_restore`; not packed, so that texts show in it."""
    command = [*_as_owner(), _bin("pg_dump"), "-Fc", "-Z0", "-h", folder, database]
    return subprocess.run(command, stdout=subprocess.PIPE, cwd="/", check=True).stdout


def restore(backup: bytes, *, folder: str, database: str) -> None:
    """Make a new database of a backup."""
    subprocess.run([*_as_owner(), _bin("createdb"), "-h", folder, "-T", "template0", database], cwd="/", check=True)
    command = [*_as_owner(), _bin("pg_restore"), "--exit-on-error", "-h", folder, "-d", database]
    subprocess.run(command, input=backup, cwd="/", check=True)


def drop(*, folder: str, database: str) -> None:
    subprocess.run([*_as_owner(), _bin("dropdb"), "--if-exists", "-h", folder, database], cwd="/", check=True)


class Postgres:
    """`start` returns a DATABASE_URL; `stop` ends the server and removes its data."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rostrum-pg-"))
        self.prefix = _as_owner()
        self.user = "postgres" if self.prefix else pwd.getpwuid(os.geteuid()).pw_name

    def start(self) -> str:
        if self.prefix:
            shutil.chown(self.folder, "postgres")
        data = self.folder / "data"
        self._run(_bin("initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"
        self._run(_bin("pg_ctl"), "-D", str(data), "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        dump = schema_dump()
        if dump.exists():
            with dump.open("rb") as file:
                subprocess.run(
                    [*self.prefix, _bin("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "template1"],
                    stdin=file,
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    check=True,
                )
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
