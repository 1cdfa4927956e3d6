"""The page of a production: what it shows, and what a person can do there."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media.models import Package
from studio.models import Production, StepPart, StepRow
from studio.pipeline import STEPS
from studio.steps import title_of
from tests.studio.conftest import Person
from work.models import WorkState


def page(person: Person, production: Production, name: str = "production") -> str:
    url = reverse(f"studio:{name}", args=[production.pk])
    return person.client.get(url, headers={"HX-Request": "true"}).content.decode()


def put(production: Production, name: str, **fields: Any) -> StepRow:
    production.steps.filter(name=name).update(**fields)
    return production.steps.get(name=name)


def finish_all(production: Production, *but: str) -> None:
    production.steps.exclude(name__in=but).update(state=WorkState.DONE, finished_at=timezone.now())


def test_every_step_of_the_pipeline_has_words_for_people() -> None:
    names = [f"{step.name}:fr" if step.per_language else step.name for step in STEPS]

    assert [name for name in names if title_of(name) == name.replace("_", " ")] == []


def test_step_that_runs_shows_its_progress(production: Production, organiser: Person) -> None:
    lease = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
    put(
        production,
        "audio",
        state=WorkState.RUNNING,
        progress=42,
        activity="Measuring the loudness",
        started_at=timezone.now(),
        lease_expires_at=lease,
    )

    text = page(organiser, production)

    assert '<progress max="100" value="42"' in text
    assert "Measuring the loudness" in text
    assert "stalled" not in text


def test_worker_that_stopped_answering_is_shown_as_stalled(production: Production, organiser: Person) -> None:
    put(production, "audio", state=WorkState.RUNNING, started_at=timezone.now(), lease_expires_at=timezone.now())

    assert ">stalled</span>" in page(organiser, production)


def test_parts_are_counted(production: Production, organiser: Person) -> None:
    encode = put(production, "encode", state=WorkState.WAITING)
    for number, state in enumerate([WorkState.DONE, WorkState.DONE, WorkState.QUEUED]):
        StepPart.objects.create(step=encode, number=number, state=state, progress=100 if state == "done" else 0)

    assert "2 of 3 parts" in page(organiser, production)


def test_failed_step_says_why_with_its_log(production: Production, organiser: Person) -> None:
    put(production, "inspect", state=WorkState.FAILED, error="This is <not> a video.", log_tail="moov atom <missing>")

    text = page(organiser, production)

    assert "This is &lt;not&gt; a video." in text
    assert "moov atom &lt;missing&gt;" in text


def test_failed_step_is_tried_again(production: Production, organiser: Person) -> None:
    step = put(production, "inspect", state=WorkState.FAILED, error="Disk full", finished_at=timezone.now())

    organiser.client.post(reverse("studio:step_retry", args=[step.pk]))

    step.refresh_from_db()
    assert (step.state, step.error) == (WorkState.QUEUED, "")


def test_trying_what_is_done_again_is_refused_with_a_reason(production: Production, organiser: Person) -> None:
    step = put(production, "inspect", state=WorkState.DONE)

    answer = organiser.client.post(reverse("studio:step_retry", args=[step.pk]), follow=True)

    assert "can be tried again" in answer.content.decode()


def test_subtitles_that_failed_can_be_left_out(production: Production, organiser: Person) -> None:
    finish_all(production, "transcribe", "captions")
    step = put(production, "transcribe", state=WorkState.FAILED, error="No model")

    offered = reverse("studio:step_skip", args=[step.pk]) in page(organiser, production)
    organiser.client.post(reverse("studio:step_skip", args=[step.pk]))

    step.refresh_from_db()
    assert (offered, step.state) == (True, WorkState.SKIPPED)


def test_picture_that_failed_cannot_be_left_out(production: Production, organiser: Person) -> None:
    step = put(production, "encode", state=WorkState.FAILED)

    assert reverse("studio:step_skip", args=[step.pk]) not in page(organiser, production)


def test_publishing_asks_for_it_once_it_is_ready(production: Production, organiser: Person) -> None:
    organiser.client.post(reverse("studio:production_publish", args=[production.pk]))

    production.refresh_from_db()
    assert production.publish_requested_at is not None
    assert reverse("studio:production_publish", args=[production.pk]) not in page(organiser, production)


def test_stopping_asks_first(production: Production, organiser: Person) -> None:
    url = reverse("studio:production_cancel", args=[production.pk])

    organiser.client.get(url)
    production.refresh_from_db()
    before = production.cancelled_at
    organiser.client.post(url)
    production.refresh_from_db()

    assert before is None
    assert production.cancelled_at is not None
    assert reverse("studio:production_start", args=[production.recording_id]) in page(organiser, production)


def test_link_to_watch_appears_with_the_first_version(production: Production, organiser: Person) -> None:
    watch = f'href="{reverse("library:watch", args=[production.recording.webinar.slug])}"'
    before = watch in page(organiser, production)
    asset = production.recording.asset
    asset.current_package = Package.objects.create(asset=asset)
    asset.save()

    assert (before, watch in page(organiser, production)) == (False, True)


def test_page_asks_again_every_two_seconds_while_something_moves(production: Production, organiser: Person) -> None:
    url = reverse("studio:production_steps", args=[production.pk])

    assert f'hx-get="{url}" hx-trigger="every 2s"' in page(organiser, production)


def test_page_stops_asking_when_only_a_person_can_go_on(production: Production, organiser: Person) -> None:
    finish_all(production, "publish", "follow_up")

    text = page(organiser, production)

    assert "The recording is ready" in text
    assert "hx-trigger" not in text


def test_page_goes_on_asking_while_other_steps_run_beside_a_failed_one(
    production: Production, organiser: Person
) -> None:
    put(production, "transcribe", state=WorkState.FAILED)
    put(production, "encode", state=WorkState.QUEUED)

    assert "hx-trigger" in page(organiser, production)


def test_polled_part_is_only_that_part(production: Production, organiser: Person) -> None:
    text = page(organiser, production, "production_steps")

    assert "<html" not in text
    assert text.lstrip().startswith('<div id="production"')


def test_page_asks_as_few_questions_for_many_steps_as_for_few(organiser: Person, production: Production) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(organiser, production)
        return len(captured)

    encode = production.steps.get(name="encode")
    StepPart.objects.create(step=encode, number=0)
    before = count()
    for number in range(1, 20):
        StepPart.objects.create(step=encode, number=number)
    for number in range(20):
        StepRow.objects.create(production=production, name=f"translate:x{number}", position=100 + number)

    assert count() == before


@pytest.mark.parametrize("name", ["production_publish", "production_cancel"])
def test_pressing_twice_is_harmless(name: str, production: Production, organiser: Person) -> None:
    url = reverse(f"studio:{name}", args=[production.pk])

    answers = [organiser.client.post(url, follow=True).status_code for _time in range(2)]

    assert answers == [200, 200]
