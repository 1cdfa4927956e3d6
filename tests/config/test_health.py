from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from kombu import Connection
from pytest_django import Settings

from accounts.models import Role
from config import health
from config.celery import app
from tests.factories.accounts import MembershipFactory, UserFactory


def test_live_asks_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", _fail)
    assert client.get("/health/live").status_code == 200


@pytest.mark.django_db
def test_ready_names_each_part(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"database": "ok", "storage": "ok", "broker": "ok"})


@pytest.mark.django_db
def test_details_say_how_far_behind_the_workers_are(client: Client) -> None:
    client.force_login(MembershipFactory(role=Role.REVIEWER).user)
    found = client.get("/health/details").json()
    assert set(found["queues"]) == {"default", "mail", "bulk", "media", "speech"}
    assert found["queues"]["media"] == {"waiting": 0, "oldest_s": 0, "running": 0, "stalled": 0}
    assert (found["stuck"], found["seconds_since_sweep"], found["sandbox"]) == ([], None, "strong")
    assert 0 < found["disk"]["free_bytes"] < found["disk"]["total_bytes"]


@pytest.mark.django_db
def test_details_are_for_members(client: Client) -> None:
    client.force_login(UserFactory())
    assert client.get("/health/details").status_code == 404


def _fail() -> None:
    raise ConnectionError("password=secret")


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "storage", "broker"])
def test_ready_says_which_part_failed_and_not_why(client: Client, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setitem(health.CHECKS, part, _fail)
    response = client.get("/health/ready")
    assert (response.status_code, response.json()[part]) == (503, "failed")
    assert b"secret" not in response.content


@pytest.mark.django_db
def test_missing_queue_folder_is_not_ready(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.BROKER_URL, settings.VAR_DIR = "filesystem://", tmp_path
    assert client.get("/health/ready").json()["broker"] == "failed"


def test_unreachable_broker_is_noticed_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens on port 1.
    monkeypatch.setattr(app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))
    with pytest.raises(Exception, match=r"(?i)connect"):
        health.check_broker()
