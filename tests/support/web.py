"""A real web server (gunicorn, started as `serve` starts it) over a database and a store of its own, to be killed."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from tests.support.installation import ROOT, free_port

_WORLD = """
from accounts.models import Role
from accounts.services import create_api_token
from django.test import Client
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
webinar = WebinarFactory.create()
user = MembershipFactory.create(organisation=webinar.organisation, role=Role.ORGANISER).user
_row, token = create_api_token(organisation=webinar.organisation, created_by=user, name="test", can_write=True)
client = Client()
client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
answer = {
    "webinar": str(webinar.pk), "organisation": str(webinar.organisation_id), "user": str(user.pk), "token": token,
    "organisation_slug": webinar.organisation.slug, "webinar_slug": webinar.slug,
    "session": client.cookies["sessionid"].value,
}
"""
# What a worker would do, until nothing is left to do.
_WORK = """
from media.models import Upload
from work import services
from work.models import WorkState
services.sweep()
for pk in Upload.objects.filter(state=WorkState.QUEUED).values_list("pk", flat=True):
    Upload.objects.filter(pk=pk).update(due_at=None)
    services.execute("media.upload", pk)
answer = {str(u.pk): [u.state, u.error_code, u.error] for u in Upload.objects.all()}
"""


class WebServer:
    """Use as a context manager: `with WebServer(folder) as web`. SQLite and local files unless `settings` say else."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.base_url = f"http://localhost:{self.port}"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "BROKER_URL", "BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL", "DEBUG")
            and not name.startswith(("S3_", "PYTEST"))
        }
        # With DEBUG the static files are served as they were built, without being collected first.
        self.environment = {
            **inherited,
            "VAR_DIR": str(folder),
            "BASE_URL": self.base_url,
            "ALLOWED_HOSTS": "localhost,testserver",
            "DEBUG": "True",
            "BROKER_URL": "filesystem://",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.world: dict[str, str] = {}

    def __enter__(self) -> "WebServer":
        self.make_database()
        self.world = self.run(_WORLD)
        self.start()
        return self

    def make_database(self) -> None:
        """Copy a migrated database, which the first one in a test run makes: migrating takes its time."""
        template = Path(os.environ["ROSTRUM_TEST_RUN"]) / "template.sqlite3"
        with open(template.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                subprocess.run(
                    [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                    cwd=ROOT,
                    env=self.environment,
                    check=True,
                    timeout=600,
                )
                shutil.copy(self.folder / "rostrum.sqlite3", template)
                return
        shutil.copy(template, self.folder / "rostrum.sqlite3")

    def __exit__(self, *_exception: object) -> None:
        self.kill()

    def start(self) -> None:
        with open(self.folder / "web.log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}"),
                    *("--worker-class", "gthread", "--workers", "1", "--threads", "8", "--timeout", "120"),
                    *("--keep-alive", "30", "--no-control-socket"),
                ],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ends_at = time.monotonic() + 180
        while True:
            try:
                requests.get(f"{self.base_url}/health/live", timeout=60)
            except requests.RequestException:
                if time.monotonic() > ends_at:
                    self.kill()
                    raise AssertionError((self.folder / "web.log").read_text()[-3000:]) from None
                time.sleep(0.2)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut would: at once, with all its processes."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def run(self, code: str) -> Any:
        """Run Python with Django set up in this installation; what it puts into `answer` comes back through JSON."""
        script = f"import django\ndjango.setup()\nanswer = None\n{code}\nimport json\nprint(json.dumps(answer))"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def work(self) -> dict[str, list[str]]:
        """Do the background work of uploads; return state, error code and error by upload."""
        states: dict[str, list[str]] = self.run(_WORK)
        return states

    # --- Over HTTP, with the token -----------------------------------------------------------------------------------

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.world['token']}", **options.pop("headers", {})}
        return requests.request(method, f"{self.base_url}/api/v1/{path}", headers=headers, timeout=120, **options)

    def announce(self, size: int, **fields: Any) -> dict[str, Any]:
        purpose = f"recording:{self.world['webinar']}"
        answer = self.api(
            "POST", "uploads/", json={"file_name": "talk.mp4", "size": size, "purpose": purpose, **fields}
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def send_part(self, upload: dict[str, Any], number: int, data: bytes) -> requests.Response:
        address = self.api("GET", f"uploads/{upload['id']}/parts/{number}/").json()
        size = upload["part_size"]
        return requests.request(
            address["method"], address["url"], data=data[(number - 1) * size : number * size], timeout=120
        )

    def state_of(self, upload: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"uploads/{upload['id']}/").json()
        return found
