"""Viewing statistics: what a player may tell, what nobody can inflate, and what is shown of it."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from library import services, viewings
from library.models import Recording, Viewing, ViewingDay
from library.playback import make_grant
from library.rules import Right
from library.selectors import watched_by
from registration.models import Registration
from tests.factories.library import watchable_recording
from tests.factories.registration import RegistrationFactory

pytestmark = pytest.mark.django_db


def door(recording: Recording, registration: Registration | None = None) -> str:
    package = recording.asset.current_package
    assert package is not None
    viewer = registration.pk if registration else None
    grant = make_grant(recording=recording, package=package, right=Right("public"), registration_id=viewer)
    return f"/playback/{grant}/beats/"


def beat(**fields: Any) -> dict[str, Any]:
    return {"viewing": str(uuid.uuid4()), "watched_ms": 0, "seen": [], **fields}


def send(client: Client, address: str, data: Any) -> int:
    return client.post(address, json.dumps(data), content_type="text/plain").status_code


def age(viewing: uuid.UUID | str, **passed: float) -> None:
    Viewing.objects.filter(pk=viewing).update(created_at=timezone.now() - timedelta(**passed))


def make_viewing(recording: Recording, seen: str = "111111", days_ago: float = 0, **fields: Any) -> Viewing:
    fields = {"watched_ms": 60_000, "last_beat_at": timezone.now(), **fields}
    viewing: Viewing = Viewing.objects.create(recording=recording, seen=seen, **fields)
    age(viewing.pk, days=days_ago)
    return viewing


# --- Beats ---------------------------------------------------------------------------------------------------------
def test_one_row_is_kept_per_opening(client: Client) -> None:
    address = door(watchable_recording())
    first = beat(startup_ms=700, captions="ar", audio="en")
    assert send(client, address, first) == 204
    age(first["viewing"], minutes=1)
    assert send(client, address, {**first, "watched_ms": 25_000, "seen": [[0, 2]], "stalls": 1, "startup_ms": 9}) == 204
    viewing = Viewing.objects.get()
    assert (viewing.watched_ms, viewing.seen, viewing.startup_ms, viewing.stalls) == (25_000, "111000", 700, 1)
    assert (viewing.caption_language, viewing.audio_language, viewing.registration) == ("ar", "en", None)


def test_no_more_is_counted_than_the_clock_allows(client: Client) -> None:
    address = door(watchable_recording())
    told = beat(watched_ms=10**9, seen=[[0, 5]])
    assert send(client, address, told) == 204
    viewing = Viewing.objects.get()
    assert viewing.watched_ms <= viewings.SLACK_MS
    assert viewing.seen.count("1") <= 4
    age(told["viewing"], seconds=20)
    send(client, address, told)
    assert Viewing.objects.get().watched_ms < 36_000


def test_what_was_counted_is_never_taken_back(client: Client) -> None:
    address = door(watchable_recording())
    told = beat(watched_ms=9000, seen=[[0, 1]])
    send(client, address, told)
    send(client, address, {**told, "watched_ms": 10, "seen": []})
    assert (Viewing.objects.get().watched_ms, Viewing.objects.get().seen) == (9000, "110000")


def test_the_registration_is_noted_only_for_a_personal_link(client: Client) -> None:
    recording = watchable_recording()
    registration = RegistrationFactory.create(webinar=recording.webinar)
    send(client, door(recording, registration), beat())
    send(client, door(recording), beat())
    assert {row.registration for row in Viewing.objects.all()} == {registration, None}


def test_a_beat_needs_a_grant_that_stands(client: Client) -> None:
    recording = watchable_recording()
    address = door(recording)
    services.withdraw_recording(recording=recording)
    assert send(client, address, beat()) == 404
    assert send(client, "/playback/forged/beats/", beat()) == 404
    assert Viewing.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_beat_of_what_is_being_deleted_is_no_fault_of_the_server(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = RegistrationFactory()
    address = door(watchable_recording(webinar=registration.webinar), registration)
    # What comes between the reading of the grant and the writing of the beat.
    monkeypatch.setattr("library.views.beats._is_too_often", lambda *_args: registration.delete() and False)
    assert send(client, address, beat()) == 404
    assert not Viewing.objects.exists()


def test_one_recordings_viewing_cannot_be_told_as_anothers(client: Client) -> None:
    told = beat()
    assert send(client, door(watchable_recording()), told) == 204
    assert send(client, door(watchable_recording()), told) == 400


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        {},
        {"viewing": "x", "watched_ms": 1},
        beat(watched_ms=-1),
        beat(watched_ms="1"),
        beat(watched_ms=True),
        beat(watched_ms=2**40),
        beat(seen=[[0]]),
        beat(seen="0-1"),
        beat(seen=[[0, 1]] * 501),
        beat(captions="=cmd()"),
        beat(captions=7),
        beat(audio="\0"),
        beat(stalls=-1),
    ],
)
def test_what_is_no_beat_is_refused(client: Client, data: Any) -> None:
    assert send(client, door(watchable_recording()), data) == 400


def test_a_beat_is_short(client: Client) -> None:
    assert send(client, door(watchable_recording()), beat(captions="x" * 20_000)) == 413


def test_too_many_beats_of_one_viewing_are_refused(client: Client) -> None:
    address, told = door(watchable_recording()), beat()
    answers = [send(client, address, told) for _ in range(61)]
    assert (set(answers[:60]), answers[60]) == ({204}, 429)


def test_reading_counts_nothing(client: Client) -> None:
    assert client.get(door(watchable_recording())).status_code == 405


def test_a_beat_takes_as_many_queries_for_a_long_recording_as_for_a_short_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for duration_ms, told in ((60_000, [[0, 0]]), (8 * 3_600_000, [[0, 2000]])):
        recording = watchable_recording(asset__duration_ms=duration_ms)
        address, first = door(recording), beat(seen=told)
        send(client, address, first)
        with django_assert_num_queries(7):  # the grant: 2; is it the first; read; write; savepoint and its release
            send(client, address, first)


# --- What is read --------------------------------------------------------------------------------------------------
def test_statistics_add_up() -> None:
    recording = watchable_recording()
    for seen, startup_ms in (("111111", 400), ("111000", 500), ("100000", 600), ("111111", 700), ("000000", None)):
        make_viewing(recording, seen, startup_ms=startup_ms, caption_language="ar", stalls=startup_ms == 600)
    make_viewing(watchable_recording())
    found = viewings.statistics(recording)
    assert (found.openings, found.watched_ms, found.completed, found.completion) == (5, 300_000, 2, 0.4)
    assert found.curve == [0.8, 0.6, 0.6, 0.4, 0.4, 0.4]
    assert (found.median_startup_ms, found.stalled) == (None, 1)  # four start-up times are too few
    assert [(row.language, row.count) for row in found.captions] == [("ar", 5)]


def test_small_groups_are_not_shown() -> None:
    recording = watchable_recording()
    for _ in range(4):
        make_viewing(recording, startup_ms=500, caption_language="bm", audio_language="en")
    found = viewings.statistics(recording)
    assert found.openings == 4
    assert (found.completed, found.completion, found.median_startup_ms, found.stalled) == (None, None, None, None)
    assert (found.curve, found.captions, found.audio) == ([], [], [])


def test_rare_languages_are_counted_together() -> None:
    recording = watchable_recording()
    for language in ["fr"] * 6 + ["bm", "wo", "ff", "so", "ti"]:
        make_viewing(recording, caption_language=language)
    found = viewings.statistics(recording)
    assert [(row.language, row.count) for row in found.captions] == [("fr", 6), ("", 5)]


def test_the_curve_of_a_long_recording_has_few_points() -> None:
    recording = watchable_recording(asset__duration_ms=3_600_000)
    for _ in range(5):
        make_viewing(recording, "1" * 180 + "0" * 180)
    found = viewings.statistics(recording)
    assert (len(found.curve), found.curve_step_ms) == (60, 60_000)
    assert found.curve == [1.0] * 30 + [0.0] * 30


def test_what_a_registrant_watched_is_the_union_of_their_viewings() -> None:
    recording = watchable_recording()
    registration = RegistrationFactory.create(webinar=recording.webinar)
    assert watched_by(registration) == viewings.Watched(0, 0.0)
    make_viewing(recording, "110000", registration=registration, watched_ms=20_000)
    make_viewing(recording, "011000", registration=registration, watched_ms=21_000)
    make_viewing(recording, "111111")
    assert watched_by(registration) == viewings.Watched(41_000, 0.5)


# --- Keeping only what is needed -----------------------------------------------------------------------------------
def test_old_viewings_become_sums_per_day(settings: Settings) -> None:
    settings.VIEWING_KEEP_DAYS = 30
    recording = watchable_recording()
    make_viewing(recording, days_ago=31)
    make_viewing(recording, "100000", days_ago=31)
    fresh = make_viewing(recording, days_ago=29)
    before = viewings.statistics(recording)
    assert viewings.forget_old_viewings() == 2
    assert list(Viewing.objects.all()) == [fresh]
    day = ViewingDay.objects.get()
    assert (day.openings, day.completed, day.watched_ms) == (2, 1, 120_000)
    assert viewings.forget_old_viewings() == 0
    assert viewings.statistics(recording).days == before.days


def test_a_late_sum_is_added_to_the_days_sum(settings: Settings) -> None:
    settings.VIEWING_KEEP_DAYS = 30
    recording = watchable_recording()
    for _ in range(2):
        make_viewing(recording, days_ago=31)
        viewings.forget_old_viewings()
    assert ViewingDay.objects.get().openings == 2
