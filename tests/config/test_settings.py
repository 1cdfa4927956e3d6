"""Settings as a new process reads them: refused when unsafe or unreadable, and documented."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

SAFE = {
    "ENVIRONMENT": "production",
    "DEBUG": "False",
    "SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "webinars.example.org",
    "BASE_URL": "https://webinars.example.org",
}
CODE = "import django; django.setup(); from django.core.management import call_command; call_command('check')"


def start(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Start a process with these variables, as a server would."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **SAFE, **changes}
    environment |= {"VAR_DIR": str(tmp_path), "DATABASE_URL": "", "BROKER_URL": "filesystem://"}
    return subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_safe_production_settings_start(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DEBUG": "True"}, "DEBUG is on"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is missing or shorter"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name"),
        ({"BASE_URL": "http://webinars.example.org"}, "BASE_URL must begin with https://"),
        ({"ENVIRONMENT": "staging"}, "ENVIRONMENT must be"),
        ({"WORK_LEASE_S": "soon"}, "WORK_LEASE_S must be of type int"),
        ({"EMAIL_URL": "pigeon://"}, "EMAIL_URL must begin with"),
    ],
)
def test_unsafe_or_unreadable_settings_are_refused_by_name(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    done = start(tmp_path, **changes)
    assert done.returncode != 0
    assert said in done.stderr.splitlines()[-1]


def test_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 60)
    environment = {**os.environ, **SAFE, "VAR_DIR": str(tmp_path), "SECRET_KEY_FILE": str(tmp_path / "key")}
    del environment["SECRET_KEY"]
    code = "from config import settings; print(settings.SECRET_KEY)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "f" * 60


def test_settings_page_is_current() -> None:
    call_command("settings_table", "--check")
