"""Claiming, outcomes, retrying and sweeping of work rows (promises J1-J5, J9, J11, J13)."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

import sandbox
from events.models import Material
from tests.support.redis import Redis
from tests.work.conftest import Stage
from work import leases, services
from work.errors import LeaseLost, Parked, PermanentFailure, Skip, StaleState, TemporaryFailure
from work.leases import Lease
from work.models import WorkState

pytestmark = pytest.mark.django_db


def raiser(error: Exception) -> Any:
    def handle(lease: Lease[Material]) -> None:
        raise error

    return handle


def test_work_that_returns_is_done(stage: Stage) -> None:
    row = stage.row()
    assert services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.progress, row.attempt, row.lease_expires_at) == ("done", 100, 1, None)
    assert stage.outcomes == ["done"]


def test_a_message_for_a_finished_row_does_nothing(stage: Stage) -> None:
    row = stage.row()
    services.execute("test", row.pk)
    assert not services.execute("test", row.pk)
    row.refresh_from_db()
    assert row.attempt == 1


def test_a_message_for_a_deleted_row_does_nothing(stage: Stage) -> None:
    row = stage.row()
    pk = row.pk
    row.delete()
    assert not services.execute("test", pk)


def test_a_row_is_not_claimed_before_it_is_due(stage: Stage) -> None:
    row = stage.row(due_at=timezone.now() + timedelta(minutes=5))
    assert services.claim(Material, row.pk) is None


def test_a_permanent_failure_is_not_tried_again(stage: Stage) -> None:
    row = stage.row()
    stage.handle = raiser(PermanentFailure("The file is empty.", code="empty"))
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.error, row.error_code) == ("failed", "The file is empty.", "empty")


def test_nothing_to_do_counts_as_finished(stage: Stage) -> None:
    row = stage.row()
    stage.handle = raiser(Skip("No sound."))
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == ("skipped", "No sound.")


def test_an_unexpected_error_is_tried_three_times_and_then_fails_with_the_reason(stage: Stage) -> None:
    row = stage.row()
    stage.handle = raiser(ZeroDivisionError("division by zero"))
    for left in (2, 1):
        services.execute("test", row.pk)
        row.refresh_from_db()
        assert (row.state, row.tries_left) == ("queued", left)
        assert row.due_at is not None
        assert row.due_at > timezone.now()
        Material.objects.filter(pk=row.pk).update(due_at=None)
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert row.state == "failed"
    assert "division by zero" in row.error
    assert stage.outcomes == ["failed"]


def test_waiting_that_is_nobodys_fault_costs_no_try(stage: Stage) -> None:
    row = stage.row()
    stage.handle = raiser(TemporaryFailure("Too many mails.", delay_s=60, costs_try=False))
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.tries_left) == ("queued", 3)


def test_an_error_after_another_worker_took_over_changes_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Its folder is cleared up by then, so that whatever it does next fails."""
    row = stage.row()

    def lose_the_folder(lease: Lease[Material]) -> None:
        Material.objects.filter(pk=lease.row.pk).update(attempt=2)
        raise FileNotFoundError("work-1")

    stage.handle = lose_the_folder
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempt, row.tries_left, row.error) == ("running", 2, 3, "")
    assert "end of attempt 1 came too late" in caplog.text


def test_a_parked_row_waits_until_it_is_enqueued_again(stage: Stage) -> None:
    row = stage.row()
    stage.handle = raiser(Parked("Waiting for the parts."))
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert (row.state, row.tries_left) == ("waiting", 3)
    assert stage.outcomes == ["waiting"]


def test_a_worker_that_lost_its_lease_cannot_write(stage: Stage) -> None:
    row = stage.row()
    frozen = services.claim(Material, row.pk)
    assert frozen is not None
    Material.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    services.sweep()
    second = services.claim(Material, row.pk)
    assert second is not None
    with pytest.raises(LeaseLost):
        frozen.write(title="from the dead")
    with pytest.raises(LeaseLost), frozen.fenced():
        Material.objects.filter(pk=row.pk).update(title="from the dead")
    second.write(title="from the living")
    row.refresh_from_db()
    assert row.title == "from the living"


def test_a_late_result_changes_nothing(stage: Stage) -> None:
    row = stage.row()

    def lose_lease(lease: Lease[Material]) -> None:
        Material.objects.filter(pk=row.pk).update(attempt=99)

    stage.handle = lose_lease
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert row.state == "running"
    assert stage.outcomes == []


def test_the_sweeper_requeues_what_a_dead_worker_left(stage: Stage) -> None:
    row = stage.row()
    services.claim(Material, row.pk)
    Material.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert services.sweep() == {"test": 1}
    row.refresh_from_db()
    assert (row.state, row.tries_left) == ("queued", 2)


def test_the_sweeper_leaves_living_work_alone(stage: Stage) -> None:
    row = stage.row()
    services.claim(Material, row.pk)
    assert services.sweep() == {}


def test_an_input_that_kills_its_worker_three_times_is_given_up(stage: Stage) -> None:
    row = stage.row()
    for _ in range(3):
        assert services.claim(Material, row.pk) is not None
        Material.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        services.sweep()
    row.refresh_from_db()
    assert (row.state, row.error_code) == ("failed", "worker_died")
    assert stage.outcomes == ["failed"]


def test_the_sweeper_sends_lost_messages_again(stage: Stage, django_capture_on_commit_callbacks: Any) -> None:
    row = stage.row(hinted_at=timezone.now() - timedelta(minutes=10))
    with django_capture_on_commit_callbacks(execute=True):
        services.sweep()
    row.refresh_from_db()
    assert row.hinted_at is not None
    assert timezone.now() - row.hinted_at < timedelta(minutes=1)


def test_behind_a_long_queue_a_message_is_not_taken_for_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(services, "SHORT_QUEUE", 3)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            services.enqueue(stage.row(state=WorkState.WAITING))
    Material.objects.update(hinted_at=timezone.now() - timedelta(minutes=10))
    assert services.sweep() == {}


def test_a_row_without_a_message_gets_one_however_long_the_queue(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SHORT_QUEUE", 0)
    stage.row(hinted_at=timezone.now() - timedelta(minutes=10))
    stage.row(hinted_at=None)
    assert services.sweep() == {"test": 1}


def test_messages_sent_again_make_no_queue_long(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(services, "SHORT_QUEUE", 3)
    for _ in range(5):
        stage.row(hinted_at=timezone.now() - timedelta(minutes=10))
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep() == {"test": 3}
    Material.objects.update(hinted_at=timezone.now() - timedelta(minutes=10))
    assert services.sweep() == {}


@pytest.fixture(params=["redis", "filesystem"])
def real_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Celery]:
    """An app with an empty broker of each sort that an installation may have."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(Redis()).url if request.param == "redis" else "filesystem://"
        broker = Celery("test", broker=url, set_as_current=False)
        if request.param == "filesystem":
            for name in ("messages", "control"):
                (tmp_path / name).mkdir()
            broker.conf.broker_transport_options = {
                "data_folder_in": str(tmp_path / "messages"),
                "data_folder_out": str(tmp_path / "messages"),
                "control_folder": str(tmp_path / "control"),
            }
        monkeypatch.setattr(services, "current_app", broker)
        yield broker
        broker.close()


def test_the_broker_tells_how_long_a_queue_is(
    stage: Stage, real_broker: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SHORT_QUEUE", 4)
    for _ in range(5):
        stage.row(hinted_at=timezone.now() - timedelta(minutes=10))
    assert services.sweep() == {"test": 4}
    for _ in range(3):
        real_broker.send_task("work.execute", queue="default")
    real_broker.send_task("work.execute", queue="mail")
    assert services.sweep() == {"test": 1}


def test_a_broker_that_does_not_answer_does_not_stop_the_sweep(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Celery("test", broker="redis://127.0.0.1:1/0", set_as_current=False)
    broker.conf.update(broker_connection_timeout=1)
    monkeypatch.setattr(services, "current_app", broker)
    stage.row(hinted_at=timezone.now() - timedelta(minutes=10))
    assert services.sweep() == {"test": 1}


def test_two_sweepers_abandon_a_row_once(stage: Stage) -> None:
    row = stage.row()
    services.claim(Material, row.pk)
    Material.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    services.sweep()
    services.sweep()
    row.refresh_from_db()
    assert row.tries_left == 2


def test_enqueueing_sends_no_message_when_the_transaction_is_rolled_back(
    stage: Stage, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        services.enqueue(stage.row(state=WorkState.WAITING))
        assert callbacks == []
    assert len(callbacks) == 1


def test_without_a_broker_the_row_stays_queued(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from work import tasks

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("broker is away")

    monkeypatch.setattr(tasks.execute, "apply_async", refuse)
    row = stage.row(state=WorkState.WAITING)
    with django_capture_on_commit_callbacks(execute=True):
        services.enqueue(row)
    row.refresh_from_db()
    assert (row.state, row.hinted_at) == ("queued", None)


def test_retry_gives_a_failed_row_three_tries_again(stage: Stage) -> None:
    row = stage.row(state=WorkState.FAILED, tries_left=0, attempt=3, error="Disk full.")
    services.retry(row)
    assert (row.state, row.tries_left, row.attempt, row.error) == ("waiting", 3, 3, "")


def test_what_is_done_cannot_be_retried(stage: Stage) -> None:
    with pytest.raises(StaleState):
        services.retry(stage.row(state=WorkState.DONE))


def test_cancelling_a_queued_row_ends_it_at_once(stage: Stage) -> None:
    row = stage.row()
    services.request_cancel(row)
    assert row.state == "cancelled"
    assert not services.execute("test", row.pk)


def test_a_chore_that_fails_does_not_stop_the_sweep(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from work import kinds

    def broken() -> None:
        raise OSError("disk")

    monkeypatch.setattr(kinds, "_chores", [broken])
    stage.row()
    assert services.sweep() == {"test": 1}


def test_progress_never_goes_back_within_an_attempt(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "REPORT_S", 0)
    row = stage.row()
    lease = services.claim(Material, row.pk)
    assert lease is not None
    lease.report(40, "encoding")
    lease.report(30, "still encoding")
    row.refresh_from_db()
    assert (row.progress, row.activity) == (40, "still encoding")


def test_a_row_without_heartbeats_is_shown_as_stalled(stage: Stage, settings: Settings) -> None:
    row = stage.row()
    lease = services.claim(Material, row.pk)
    assert lease is not None
    assert not lease.row.is_stalled
    missed = timedelta(seconds=settings.WORK_LEASE_S - 2 * settings.WORK_HEARTBEAT_S - 1)
    lease.row.lease_expires_at = timezone.now() + missed
    assert lease.row.is_stalled


def test_a_failed_tools_last_words_are_kept(stage: Stage) -> None:
    row = stage.row()

    def handle(lease: Lease[Material]) -> None:
        try:
            raise sandbox.ToolFailed("ffmpeg", 1, "x" * 9000 + "moov atom not found\n")
        except sandbox.ToolFailed as error:
            raise PermanentFailure("It is damaged.") from error

    stage.handle = handle
    services.execute("test", row.pk)
    row.refresh_from_db()
    assert row.error == "It is damaged."
    assert row.log_tail.endswith("moov atom not found\n")
    assert len(row.log_tail) == services.LOG_TAIL_CHARS


class TestWithThreads:
    """What only real transactions of several connections show."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_of_many_workers_exactly_one_claims_a_row(self, stage: Stage) -> None:
        row = stage.row()
        barrier, claims = threading.Barrier(8), []

        def worker() -> None:
            barrier.wait()
            claims.append(services.claim(Material, row.pk))
            connection.close()

        threads = [threading.Thread(target=worker) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([lease for lease in claims if lease]) == 1

    def test_running_work_notices_a_cancellation(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "POLL_S", 0.05)
        row = stage.row()

        def work(lease: Lease[Material]) -> None:
            services.request_cancel(Material.objects.get(pk=row.pk))
            for _ in range(200):
                lease.check()
                time.sleep(0.05)

        stage.handle = work
        services.execute("test", row.pk)
        row.refresh_from_db()
        assert row.state == "cancelled"
        assert stage.outcomes == ["cancelled"]

    def test_a_transaction_longer_than_the_lease_does_not_lose_it(self, stage: Stage, settings: Settings) -> None:
        """Heartbeats wait for the row's lock, and so does the sweeper that has read the row before."""
        settings.WORK_LEASE_S = -1  # over as soon as it was given
        row = stage.row()
        lease = services.claim(Material, row.pk)
        assert lease is not None
        begun = threading.Event()

        def write_for_long() -> None:
            with lease.fenced():
                begun.set()
                time.sleep(1.5)  # in which the sweeper comes to wait for the lock
                settings.WORK_LEASE_S = 60
            connection.close()

        thread = threading.Thread(target=write_for_long)
        thread.start()
        begun.wait()
        services.sweep()
        thread.join()
        row.refresh_from_db()
        assert (row.state, row.attempt, row.tries_left) == ("running", 1, 3)
        lease.write(title="from the slow")

    def test_heartbeats_extend_the_lease(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.WORK_HEARTBEAT_S = 0.1
        row = stage.row()
        seen: list[Any] = []

        def work(lease: Lease[Material]) -> None:
            seen.append(Material.objects.get(pk=row.pk).lease_expires_at)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                expires_at = Material.objects.get(pk=row.pk).lease_expires_at
                if expires_at != seen[0]:
                    seen.append(expires_at)
                    return
                time.sleep(0.05)

        stage.handle = work
        services.execute("test", row.pk)
        assert len(seen) == 2
        assert seen[1] > seen[0]

    def test_a_stopping_worker_hands_its_row_back_at_no_cost(self, stage: Stage) -> None:
        row = stage.row()

        def work(lease: Lease[Material]) -> None:
            leases.stopping.set()
            lease.check()

        stage.handle = work
        try:
            services.execute("test", row.pk)
        finally:
            leases.stopping.clear()
        row.refresh_from_db()
        assert (row.state, row.tries_left, row.attempt) == ("queued", 3, 1)
