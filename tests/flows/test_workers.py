"""What becomes of work when workers are killed, stopped, frozen, doubled, cancelled or cut off (promises J1 to J12)."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.installation import ROOT

pytestmark = pytest.mark.timeout(900)


def run(*command: str) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said, complaints = process.communicate(timeout=850)
    except subprocess.TimeoutExpired:
        process.terminate()  # it ends its workers and servers
        raise
    assert said, complaints[-6000:]
    found: dict[str, Any] = json.loads(said)
    return found


def play(name: str) -> dict[str, Any]:
    return run("tests.flows.scenes", name)


def assert_done_once(outcome: dict[str, Any]) -> None:
    assert outcome["state"] == "published"
    assert outcome["packages"] == 1
    assert outcome["renditions"] == ["480p", "720p", "audio"]
    # One about the registration, one about the recording; none of them twice.
    assert (outcome["mails"], outcome["different_mails"]) == (2, 2)
    assert (outcome["left"], outcome["tools"]) == ([], 0)


def test_kills_at_random_moments_cost_one_part_each_and_lose_nothing() -> None:
    """The small brother of `python -m benchmarks.kills` (J1, J3, J6, M1)."""
    result = run("benchmarks.kills", "--kills", "2", "--seconds", "36", "--json")
    assert result["faults"] == []
    assert all(kill["redone"] <= 1 for kill in result["kills"])


def test_a_worker_that_is_asked_to_stop_hands_its_part_back() -> None:
    """Its lease would have lasted five minutes (O4)."""
    seen = play("terminated")
    assert seen["stopped_after_s"] < 15
    assert seen["handed_back"]
    assert seen["row_tries_left"] == 3
    assert seen["tries_lost"] == 0
    assert_done_once(seen)


def test_a_worker_that_lost_its_lease_writes_nothing() -> None:
    """J2."""
    seen = play("frozen")  # waits for its being refused
    assert seen["same_results"]
    assert_done_once(seen)


def test_two_schedulers_two_workers_and_repeated_messages_do_everything_once() -> None:
    """J7 and J11."""
    seen = play("two_of_everything")
    assert seen["tries_lost"] == 0
    assert seen["connections_opened"] < seen["rows"], "workers keep their connections to the database"
    assert_done_once(seen)


def test_a_broker_that_forgot_everything_loses_nothing() -> None:
    """J3, and J11 without any scheduler."""
    seen = play("forgotten")
    assert seen["forgotten"]
    assert seen["idle"]
    assert_done_once(seen)


def test_cancelling_ends_tools_and_clears_up_within_ten_seconds() -> None:
    """J9."""
    seen = play("cancelled")
    assert seen["stopped_after_s"] < 10
    assert (seen["state"], seen["left"], seen["tools"]) == ("cancelled", [], 0)


def test_a_mail_does_not_wait_for_videos() -> None:
    """J12."""
    seen = play("mail_beside_media")
    assert seen["mail_after_s"] < 60
    assert seen["state"] != "published"


def test_workers_that_stopped_consuming_are_noticed_and_started_again() -> None:
    """J10."""
    seen = play("silent_broker")
    assert seen["alarmed"] != "published"
    assert_done_once(seen)
