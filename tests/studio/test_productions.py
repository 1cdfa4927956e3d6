"""What follows what: starting, moving on, parts, retrying, leaving out, cancelling, publishing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from studio import pipeline, selectors, services
from studio.errors import ProductionOver
from studio.models import Production, StepPart, StepRow
from studio.pipeline import Run, Step
from tests.factories.library import RecordingFactory
from work import services as work_services
from work.errors import PermanentFailure, Skip, StaleState
from work.models import WorkState

pytestmark = pytest.mark.django_db

Play = Callable[..., Production]


def nothing(run: Run) -> None:
    """A step that has nothing to do."""


def fail(run: Run) -> None:
    raise PermanentFailure("The disk is full.", code="disk_full")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Start a production with a table of steps of the test's own."""

    def start(*steps: Step, **options: Any) -> Production:
        monkeypatch.setattr(pipeline, "STEPS", steps)
        monkeypatch.setattr(pipeline, "STEPS_BY_NAME", {step.name: step for step in steps})
        defaults: dict[str, Any] = {"spoken_language": "en", "subtitle_languages": ["fr"]}
        return services.start_production(recording=RecordingFactory(), user=None, **{**defaults, **options})

    return start


def work_off(production: Production) -> dict[str, str]:
    """Do whatever is queued until nothing is, and return the steps' states."""
    while True:
        parts = StepPart.objects.filter(step__production=production, state=WorkState.QUEUED, due_at=None)
        steps = StepRow.objects.filter(production=production, state=WorkState.QUEUED, due_at=None)
        todo = [("studio.part", part.pk) for part in parts] + [("studio.step", step.pk) for step in steps]
        if not todo:
            return {step.name: step.state for step in production.steps.all()}
        for kind, pk in todo:
            work_services.execute(kind, pk)


def step(production: Production, name: str) -> StepRow:
    return production.steps.get(name=name)


def test_a_step_runs_only_after_its_predecessors(start: Play) -> None:
    order: list[str] = []
    production = start(
        Step("one", lambda run: order.append("one")),
        Step("two", lambda run: order.append("two"), after=("one",)),
        Step("three", lambda run: order.append("three"), after=("one", "two")),
    )
    assert {row.name: row.state for row in production.steps.all()} == {
        "one": "queued",
        "two": "waiting",
        "three": "waiting",
    }
    work_off(production)
    assert order == ["one", "two", "three"]


def test_there_is_one_translation_step_per_language_and_none_for_the_spoken_one(start: Play) -> None:
    production = start(Step("translate", nothing, per_language=True), subtitle_languages=["fr", "en", "ar", "fr"])
    assert [row.name for row in production.steps.all()] == ["translate:fr", "translate:ar"]


def test_each_language_step_knows_its_language(start: Play) -> None:
    seen: list[str] = []
    production = start(
        Step("translate", lambda run: seen.append(run.language), per_language=True), subtitle_languages=["fr", "ar"]
    )
    work_off(production)
    assert sorted(seen) == ["ar", "fr"]


def test_a_failed_step_holds_up_what_needs_it_and_nothing_else(start: Play) -> None:
    production = start(Step("bad", fail), Step("good", nothing), Step("needs_bad", nothing, after=("bad",)))
    assert work_off(production) == {"bad": "failed", "good": "done", "needs_bad": "waiting"}
    assert selectors.state_of(production) == "failed"
    assert step(production, "bad").error == "The disk is full."


def test_a_failed_optional_step_holds_up_nothing(start: Play) -> None:
    production = start(Step("extra", fail, optional=True), Step("next", nothing, after=("extra",)))
    assert work_off(production) == {"extra": "failed", "next": "done"}
    assert selectors.state_of(production) == "published"


def test_a_skipped_step_counts_as_finished(start: Play) -> None:
    def skip(run: Run) -> None:
        raise Skip("No sound.")

    production = start(Step("audio", skip), Step("next", nothing, after=("audio",)))
    assert work_off(production) == {"audio": "skipped", "next": "done"}


def test_parts_are_done_one_by_one_and_then_joined_in_order(start: Play) -> None:
    joined: list[Any] = []
    production = start(
        Step(
            "encode",
            plan=lambda production: [{"from": n} for n in range(3)],
            run_part=lambda run, part: {"made": part["from"] * 10},
            join=lambda run, results: joined.append(results),
        )
    )
    assert work_off(production) == {"encode": "done"}
    assert joined == [[{"made": 0}, {"made": 10}, {"made": 20}]]


def test_a_step_without_parts_is_joined_at_once(start: Play) -> None:
    joined: list[Any] = []
    production = start(
        Step(
            "encode",
            plan=lambda production: [],
            run_part=lambda run, part: {},
            join=lambda run, results: joined.append(results),
        )
    )
    assert work_off(production) == {"encode": "done"}
    assert joined == [[]]


def test_a_retry_makes_only_the_part_that_is_missing(start: Play) -> None:
    made: list[int] = []
    broken = {1}

    def run_part(run: Run, part: dict[str, Any]) -> dict[str, Any]:
        if part["n"] in broken:
            raise PermanentFailure("Damaged.", code="damaged")
        made.append(part["n"])
        return {"n": part["n"]}

    production = start(
        Step(
            "encode", plan=lambda production: [{"n": n} for n in range(3)], run_part=run_part, join=lambda run, r: None
        ),
        Step("next", nothing, after=("encode",)),
    )
    assert work_off(production) == {"encode": "failed", "next": "waiting"}
    assert step(production, "encode").error == "Damaged."
    broken.clear()
    services.retry_step(step=step(production, "encode"), user=None)
    assert work_off(production) == {"encode": "done", "next": "done"}
    assert sorted(made) == [0, 1, 2]


def test_what_was_skipped_because_of_a_failure_gets_a_new_chance_with_the_retry(start: Play) -> None:
    healthy: list[bool] = []

    def transcribe(run: Run) -> None:
        if not healthy:
            raise PermanentFailure("No model.")

    def translate(run: Run) -> None:
        if not healthy:
            raise Skip("No captions.")

    production = start(
        Step("transcribe", transcribe, optional=True), Step("translate", translate, after=("transcribe",))
    )
    assert work_off(production) == {"transcribe": "failed", "translate": "skipped"}
    healthy.append(True)
    services.retry_step(step=step(production, "transcribe"), user=None)
    assert work_off(production) == {"transcribe": "done", "translate": "done"}


def test_a_person_can_go_on_without_a_step_that_allows_it(start: Play) -> None:
    production = start(Step("captions", fail, can_be_skipped=True), Step("next", nothing, after=("captions",)))
    work_off(production)
    services.skip_step(step=step(production, "captions"), user=None)
    assert work_off(production) == {"captions": "skipped", "next": "done"}


def test_nobody_can_go_on_without_the_picture(start: Play) -> None:
    production = start(Step("encode", fail))
    work_off(production)
    with pytest.raises(StaleState):
        services.skip_step(step=step(production, "encode"), user=None)


def test_publication_waits_for_the_decision(start: Play) -> None:
    production = start(
        Step("ready", nothing), Step("publish", nothing, after=("ready",), gate=pipeline._is_publication_requested)
    )
    assert work_off(production) == {"ready": "done", "publish": "waiting"}
    assert selectors.state_of(production) == "ready"
    services.request_publication(production=production, user=None)
    services.request_publication(production=production, user=None)
    assert work_off(production) == {"ready": "done", "publish": "done"}


def test_cancelling_stops_everything_that_has_not_ended(start: Play) -> None:
    production = start(Step("one", nothing), Step("two", nothing, after=("one",)))
    services.cancel_production(production=production, user=None)
    assert work_off(production) == {"one": "cancelled", "two": "cancelled"}
    assert selectors.state_of(production) == "cancelled"
    with pytest.raises(ProductionOver):
        services.retry_step(step=step(production, "one"), user=None)


def test_working_folders_are_gone_afterwards(start: Play, settings: Any) -> None:
    seen: list[Any] = []

    def write(run: Run) -> None:
        (run.workdir / "half.mp4").write_bytes(b"x")
        seen.append(run.workdir)
        raise PermanentFailure("Broken.")

    production = start(Step("one", write))
    work_off(production)
    assert not seen[0].exists()


def test_progress_shows_a_step_in_parts_as_running_with_its_mean(start: Play) -> None:
    production = start(
        Step(
            "encode",
            plan=lambda production: [{}, {}],
            run_part=lambda run, part: {},
            join=lambda run, results: None,
        )
    )
    row = step(production, "encode")
    work_services.execute("studio.step", row.pk)
    first, _second = row.parts.all()
    work_services.execute("studio.part", first.pk)
    (shown,) = selectors.production_progress(production)["steps"]
    assert (shown["state"], shown["progress"], shown["parts_done"], shown["parts"]) == ("running", 50, 1, 2)


def test_progress_costs_the_same_queries_for_one_step_and_for_many(start: Play, django_assert_num_queries: Any) -> None:
    production = start(*(Step(f"step{n}", nothing) for n in range(20)))
    with django_assert_num_queries(2):
        selectors.production_progress(production)


def test_every_step_of_the_real_table_follows_steps_that_exist() -> None:
    names = {step.name for step in pipeline.STEPS}
    assert [step.name for step in pipeline.STEPS if not set(step.after) <= names] == []


def test_the_real_table_names_each_step_before_what_follows_it() -> None:
    seen: set[str] = set()
    for entry in pipeline.STEPS:
        assert set(entry.after) <= seen, entry.name
        seen.add(entry.name)


@pytest.mark.django_db(transaction=True)
def test_two_parts_that_end_at_the_same_moment_wake_their_step_once(start: Play) -> None:
    joined: list[Any] = []
    production = start(
        Step(
            "encode",
            plan=lambda production: [{} for _ in range(6)],
            run_part=lambda run, part: {},
            join=lambda run, results: joined.append(len(results)),
        )
    )
    row = step(production, "encode")
    work_services.execute("studio.step", row.pk)
    barrier = threading.Barrier(6)

    def worker(pk: Any) -> None:
        barrier.wait()
        work_services.execute("studio.part", pk)
        connection.close()

    threads = [threading.Thread(target=worker, args=(part.pk,)) for part in row.parts.all()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row.refresh_from_db()
    assert row.state == WorkState.QUEUED
    assert work_off(production) == {"encode": "done"}
    assert joined == [6]
