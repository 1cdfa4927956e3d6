"""Prepares the environment before Django reads it. Loaded by `-p tests.support.plugin` (pyproject.toml).

The first process of a run starts PostgreSQL; xdist's workers inherit its address.
"""

import os
import shutil
import tempfile

import pytest

from tests.support.postgres import Postgres

_postgres: Postgres | None = None
_folder: str | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    global _postgres, _folder
    if "ROSTRUM_TEST_RUN" not in os.environ:
        os.environ["ROSTRUM_TEST_RUN"] = _folder = tempfile.mkdtemp(prefix="rostrum-test-")
        if os.environ.get("ROSTRUM_TEST_DATABASE") == "sqlite":
            os.environ["DATABASE_URL"] = f"sqlite:///{_folder}/test.sqlite3"
        else:
            _postgres = Postgres()
            os.environ["DATABASE_URL"] = _postgres.start()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ.update(
        VAR_DIR=f"{os.environ['ROSTRUM_TEST_RUN']}/{worker}",
        ENVIRONMENT="development",
        DEBUG="False",
        SECRET_KEY="only-for-tests-" + "x" * 40,
        BASE_URL="http://testserver",
        ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
        BROKER_URL="memory://",
        S3_BUCKET="",
        EMAIL_URL="eml://",
        HF_HUB_OFFLINE="1",
        PYTHONHASHSEED="0",
        # What is withdrawn is gone at once; the test of remembering turns it on.
        PLAYBACK_CACHED_S="0",
        # Playwright runs an event loop in the test's thread; Django's ORM is used beside it, never inside it.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )


def pytest_unconfigure() -> None:
    if _postgres is not None:
        _postgres.stop()
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
