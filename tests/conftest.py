"""Fixtures that every test may use."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase
from kombu.transport import memory
from pytest_django import DjangoDbBlocker, Settings

from tests.support.emptying import empty_filled_tables
from tests.support.postgres import keep_schema

pytest_plugins = ["tests.support.s3"]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings) -> None:
    """Templates may name static files without a build; tests/browser builds and serves the real ones."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def own_store(settings: Settings, tmp_path: Path) -> Path:
    """A private store that no test filled before: a rolled back database leaves its files behind."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.LocalPrivateStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    return tmp_path


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _empty_queues() -> None:
    memory.Channel.queues.clear()


@pytest.fixture(autouse=True)
def _no_connection_without_database(request: pytest.FixtureRequest) -> None:
    """A test that may not use the database must not find the one that an earlier test on this process left open: Django
    asks it something at the end of every request. Which test came before depends on how xdist shared them out.
    """
    if not request.node.get_closest_marker("django_db") and not {"db", "transactional_db"} & set(request.fixturenames):
        connections.close_all()


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories with real browsers, workers and schedulers may be told twice: they share two cores with each other, and a
    program of others that came late once says nothing about ours. What is wrong fails twice; the summary shows retries.
    """
    for item in items:
        if item.path.parent.name in ("browser", "flows") or item.path.name.startswith("test_uploads_"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_configure() -> None:
    setattr(TransactionTestCase, "_fixture_teardown", empty_filled_tables)  # noqa: B010 for mypy it is no attribute
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when there is none


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite's tests use a file, as installations do: threads and processes cannot share Django's in-memory one."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database["TEST"] = {
            **database.get("TEST", {}),
            "NAME": f"{os.environ['ROSTRUM_TEST_RUN']}/test-{worker}.sqlite3",
        }


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As usual; and the next run's databases begin with what the migrations made of this one."""
    database = connection.settings_dict
    if connection.vendor != "postgresql":
        yield
        return
    keep_schema(folder=database["HOST"], database=database["NAME"])
    yield
    with django_db_blocker.unblock():
        # A thread that ends late, or the pool that replaces a lost connection, would keep it from being dropped.
        postgres = cast(Any, connection)
        postgres.close()
        postgres.close_pool()
        with postgres._nodb_cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {connection.ops.quote_name(database['NAME'])} ALLOW_CONNECTIONS false")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database["NAME"]]
            )


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of hostile inputs with its manifest.json, made once per run and shared by xdist's workers."""
    folder = Path(os.environ["ROSTRUM_TEST_RUN"]) / "corpus"
    maker = Path(__file__).parent / "corpus" / "make_bad_inputs.py"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            subprocess.run([sys.executable, str(maker), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder
