"""How far behind the queues are, and what is said about it (promises J10, O3)."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from events.models import Material
from tests.work.conftest import Stage
from work import doctor, health, leases, services
from work.health import QueueHealth
from work.models import WorkState

pytestmark = pytest.mark.django_db


def queue(name: str = "default") -> QueueHealth:
    return next(found for found in health.queues() if found.name == name)


def queued_for(row: Material, seconds: float) -> None:
    Material.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(seconds=seconds))


def test_an_empty_queue_is_not_late(stage: Stage) -> None:
    assert queue() == QueueHealth(name="default", waiting=0, oldest_s=0, running=0, stalled=0)


def test_the_oldest_waiting_row_gives_the_age(stage: Stage) -> None:
    queued_for(stage.row(), 500)
    queued_for(stage.row(), 20)
    found = queue()
    assert found.waiting == 2
    assert found.oldest_s == pytest.approx(500, abs=5)


def test_a_row_that_is_not_due_does_not_wait(stage: Stage) -> None:
    queued_for(stage.row(due_at=timezone.now() + timedelta(minutes=5)), 500)
    assert queue().waiting == 0


def test_a_row_waits_only_since_it_was_due(stage: Stage) -> None:
    queued_for(stage.row(due_at=timezone.now() - timedelta(seconds=30)), 5000)
    assert queue().oldest_s == pytest.approx(30, abs=5)


def test_waiting_while_nobody_works_is_stuck(stage: Stage) -> None:
    queued_for(stage.row(), 500)
    assert health.stuck_queues(longer_than_s=240) == ["default"]
    assert health.stuck_queues(longer_than_s=600) == []


def test_waiting_behind_other_work_is_not_stuck(stage: Stage) -> None:
    services.claim(Material, stage.row().pk)
    queued_for(stage.row(), 500)
    assert health.stuck_queues(longer_than_s=240) == []


def test_waiting_behind_a_dead_worker_is_stuck(stage: Stage) -> None:
    held = stage.row()
    services.claim(Material, held.pk)
    Material.objects.filter(pk=held.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    queued_for(stage.row(), 500)
    assert queue().stalled == 1
    assert health.stuck_queues(longer_than_s=240) == ["default"]


def test_a_sweep_is_remembered(stage: Stage) -> None:
    assert health.seconds_since_sweep() is None
    services.sweep()
    assert health.seconds_since_sweep() == pytest.approx(0, abs=5)


def test_a_sweep_survives_a_cache_that_is_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("cache is away")

    stage.row()
    monkeypatch.setattr(cache, "set", refuse)
    assert services.sweep() == {"test": 1}


def test_nobody_knows_of_sweeps_while_the_cache_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError("cache is away")

    monkeypatch.setattr(cache, "get", refuse)
    assert health.seconds_since_sweep() is None


def test_doctor_names_a_queue_that_nobody_serves(stage: Stage) -> None:
    queued_for(stage.row(), 5000)
    answers = {check.name: check for check in doctor.checks()}
    assert answers["queue default"].ok is False
    assert "-Q default" in answers["queue default"].advice
    assert answers["queue mail"].ok is True
    assert answers["sweeper"].ok is None


def test_doctor_says_when_sweeps_are_late(settings: Settings) -> None:
    settings.WORK_SWEEP_S = 60
    assert doctor.sweep_check(30).ok is True
    assert doctor.sweep_check(1000).ok is False


def test_a_stopping_worker_passes_a_message_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    row = stage.row()
    passed: list[object] = []
    monkeypatch.setattr(services, "hint", lambda found: passed.append(found.pk))
    leases.stopping.set()
    try:
        assert not services.execute("test", row.pk)
    finally:
        leases.stopping.clear()
    row.refresh_from_db()
    assert (row.state, row.attempt) == (WorkState.QUEUED, 0)
    assert passed == [row.pk]
