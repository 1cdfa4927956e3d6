from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.dispatch import Signal

from accounts.links import LinkError
from accounts.models import AuditEntry
from events import services, signals
from events.errors import (
    EditConflict,
    EndsBeforeStart,
    ImpossibleLocalTime,
    InvalidValue,
    NoAddress,
    SlugTaken,
    UnknownTimeZone,
    WrongState,
    ZoneChangeUnclear,
)
from events.models import Series, Speaker, Webinar, WebinarState
from tests.factories.accounts import OrganisationFactory, UserFactory
from tests.factories.events import SeriesFactory, SpeakerFactory, WebinarFactory

pytestmark = pytest.mark.django_db

STARTS = datetime(2027, 5, 4, 14, 0)


def create(**fields: Any) -> Webinar:
    given: dict[str, Any] = {
        "title": "Mental health",
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(hours=1),
        "time_zone": "Europe/Brussels",
    }
    given |= fields
    return services.create_webinar(
        organisation=given.pop("organisation", None) or OrganisationFactory(), user=UserFactory(), **given
    )


@contextmanager
def heard(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    """Collect what a signal announces."""
    calls: list[dict[str, Any]] = []

    def receiver(**arguments: Any) -> None:
        calls.append({k: v for k, v in arguments.items() if k not in ("signal", "sender")})

    signal.connect(receiver)
    try:
        yield calls
    finally:
        signal.disconnect(receiver)


# --- Creating ---


def test_created_webinar_is_a_draft_with_its_local_times_in_utc() -> None:
    webinar = Webinar.objects.get(pk=create().pk)
    assert (webinar.state, webinar.slug, str(webinar.title)) == (WebinarState.DRAFT, "mental-health", "Mental health")
    assert webinar.starts_at == datetime(2027, 5, 4, 12, 0, tzinfo=UTC)


def test_creating_leaves_an_audit_entry() -> None:
    webinar = create()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id, entry.organisation) == (
        "webinar.created",
        str(webinar.pk),
        webinar.organisation,
    )


def test_webinar_that_ends_before_it_starts_is_refused_at_its_end() -> None:
    with pytest.raises(EndsBeforeStart) as refused:
        create(ends_at=STARTS)
    assert refused.value.field == "ends_at"
    assert not Webinar.objects.exists()


def test_impossible_local_time_is_refused_at_its_field() -> None:
    with pytest.raises(ImpossibleLocalTime) as refused:
        create(starts_at=datetime(2027, 3, 28, 2, 30), ends_at=datetime(2027, 3, 28, 4, 0))
    assert refused.value.field == "starts_at"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"capacity": 0}, "capacity"),
        ({"capacity": 10**12}, "capacity"),
        ({"join_url": "javascript:alert(1)"}, "join_url"),
        ({"join_url": "room"}, "join_url"),
        ({"visibility": "secret"}, "visibility"),
        ({"spoken_language": "klingon"}, "spoken_language"),
        ({"subtitle_languages": ["fr", "??"]}, "subtitle_languages"),
        ({"slug": "UPPER and spaces"}, "slug"),
        ({"topic": "x" * 101}, "topic"),
        ({"registration_closes_at": datetime(2027, 6, 1)}, "registration_closes_at"),
        ({"starts_at": None}, "starts_at"),
    ],
)
def test_value_that_cannot_be_meant_is_refused_at_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        create(**fields)
    assert refused.value.field == field


def test_unknown_time_zone_is_refused() -> None:
    with pytest.raises(UnknownTimeZone):
        create(time_zone="Brussels")


def test_series_of_another_organisation_is_refused() -> None:
    with pytest.raises(InvalidValue) as refused:
        create(series=SeriesFactory())
    assert refused.value.field == "series"


# --- Addresses ---


def test_second_webinar_of_one_title_gets_its_own_address() -> None:
    first, second = create(), create()
    assert first.slug == "mental-health"
    assert second.slug.startswith("mental-health-")


@pytest.mark.parametrize("title", ["الصحة النفسية", "心理健康 2027", "?!", "new"])
def test_title_without_latin_letters_gets_a_random_address(title: str) -> None:
    slug = create(title=title).slug
    assert slug.isascii()
    assert slug.startswith(("webinar-", "new-"))


def test_address_comes_from_the_title_that_has_latin_letters() -> None:
    assert create(title={"ar": "الصحة", "fr": "Santé mentale"}).slug == "sante-mentale"


def test_given_address_that_is_taken_is_refused() -> None:
    create(slug="here")
    with pytest.raises(SlugTaken):
        create(slug="here")


def test_published_webinar_keeps_its_address() -> None:
    webinar = WebinarFactory()
    with pytest.raises(WrongState):
        services.update_webinar(webinar=webinar, user=None, slug="elsewhere")


# --- Changing ---


@pytest.mark.parametrize(
    ("fields", "changed", "sequence"),
    [
        ({"title": "New title"}, {"title"}, 1),
        ({"starts_at": STARTS + timedelta(minutes=30)}, {"starts_at"}, 1),
        ({"join_url": "https://room.example.org/2"}, {"join_url"}, 1),
        ({"time_zone": "Europe/Lisbon", "zone_change": "moment"}, {"time_zone"}, 1),
        ({"capacity": 40}, {"capacity"}, 0),
        ({"topic": "Access to care"}, {"topic"}, 0),
    ],
)
def test_change_is_announced_and_calendars_learn_of_what_they_show(
    fields: dict[str, Any], changed: set[str], sequence: int
) -> None:
    webinar = create()
    with heard(signals.webinar_changed) as calls:
        services.update_webinar(webinar=webinar, user=None, **fields)
    stored = Webinar.objects.get()
    assert [call["changes"] for call in calls] == [frozenset(changed)]
    assert stored.calendar_sequence == sequence
    assert AuditEntry.objects.get(action="webinar.updated").detail == {"changes": sorted(changed)}


def test_saving_without_a_change_announces_nothing() -> None:
    webinar = create()
    with heard(signals.webinar_changed) as calls:
        services.update_webinar(webinar=webinar, user=None, title="Mental health", capacity=None, starts_at=STARTS)
    assert calls == []
    assert Webinar.objects.get().updated_at == webinar.updated_at


def test_new_start_after_the_old_end_is_refused() -> None:
    webinar = create()
    with pytest.raises(EndsBeforeStart):
        services.update_webinar(webinar=webinar, user=None, starts_at=STARTS + timedelta(days=1))
    assert Webinar.objects.get().starts_at == webinar.starts_at


def test_second_editor_is_told_and_overwrites_nothing() -> None:
    webinar = create()
    seen = webinar.updated_at
    services.update_webinar(webinar=webinar, user=None, expected_updated_at=seen, topic="First")
    with pytest.raises(EditConflict) as refused:
        services.update_webinar(webinar=webinar, user=None, expected_updated_at=seen, topic="Second")
    assert refused.value.status == 409
    assert refused.value.facts["current"].topic == "First"
    assert Webinar.objects.get().topic == "First"


def test_what_a_receiver_refuses_is_not_saved() -> None:
    webinar = create()

    def refuse(**_arguments: Any) -> None:
        raise InvalidValue("no")

    signals.webinar_changed.connect(refuse)
    try:
        with pytest.raises(InvalidValue):
            services.update_webinar(webinar=webinar, user=None, topic="New")
    finally:
        signals.webinar_changed.disconnect(refuse)
    assert Webinar.objects.get().topic == ""


def test_cancelled_webinar_cannot_be_changed() -> None:
    webinar = WebinarFactory(state=WebinarState.CANCELLED)
    with pytest.raises(WrongState):
        services.update_webinar(webinar=webinar, user=None, topic="New")


# --- Publishing, cancelling, deleting ---


def test_publishing_announces_the_webinar_once() -> None:
    webinar = create()
    with heard(signals.webinar_published) as calls:
        services.publish_webinar(webinar=webinar, user=None)
        with pytest.raises(WrongState):
            services.publish_webinar(webinar=webinar, user=None)
    assert [call["webinar"].state for call in calls] == [WebinarState.PUBLISHED]
    assert Webinar.objects.get().published_at is not None


def test_cancelling_announces_it_with_a_higher_sequence() -> None:
    webinar = WebinarFactory()
    with heard(signals.webinar_cancelled) as calls:
        services.cancel_webinar(webinar=webinar, user=None)
    assert [call["webinar"].calendar_sequence for call in calls] == [1]
    assert Webinar.objects.get().state == WebinarState.CANCELLED


def test_cancelling_a_draft_announces_nothing() -> None:
    with heard(signals.webinar_cancelled) as calls:
        services.cancel_webinar(webinar=create(), user=None)
    assert calls == []


def test_cancelled_webinar_is_neither_cancelled_again_nor_published() -> None:
    webinar = WebinarFactory(state=WebinarState.CANCELLED)
    with pytest.raises(WrongState):
        services.cancel_webinar(webinar=webinar, user=None)
    with pytest.raises(WrongState):
        services.publish_webinar(webinar=webinar, user=None)


def test_draft_is_deleted_and_the_log_remembers() -> None:
    services.delete_webinar(webinar=create(), user=None)
    assert not Webinar.objects.exists()
    assert AuditEntry.objects.filter(action="webinar.deleted").count() == 1


def test_published_webinar_is_not_deleted() -> None:
    with pytest.raises(WrongState):
        services.delete_webinar(webinar=WebinarFactory(), user=None)
    assert Webinar.objects.exists()


# --- Series ---


def test_series_is_hidden_until_it_is_made_public() -> None:
    organisation = OrganisationFactory()
    series = services.create_series(organisation=organisation, user=None, title="Migrant health")
    assert (series.slug, series.is_public) == ("migrant-health", False)
    services.update_series(series=series, user=None, is_public=True)
    assert Series.objects.get().is_public


def test_deleting_a_series_keeps_its_webinars() -> None:
    series = SeriesFactory()
    webinar = WebinarFactory(series=series, organisation=series.organisation)
    services.delete_series(series=series, user=None)
    webinar.refresh_from_db()
    assert webinar.series is None


# --- Speakers ---


def test_speakers_stand_in_the_order_they_were_added() -> None:
    webinar = WebinarFactory()
    for name in ("Ada", "Bo"):
        services.add_speaker(webinar=webinar, user=None, name=name)
    assert [speaker.name for speaker in webinar.speakers.all()] == ["Ada", "Bo"]


@pytest.mark.parametrize("fields", [{"name": " \n"}, {"email": "nobody"}, {"biography": "x" * 4001}, {"position": -1}])
def test_speaker_with_a_value_that_cannot_be_meant_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue) as refused:
        services.add_speaker(**{"webinar": WebinarFactory(), "user": None, "name": "Ada", **fields})
    assert refused.value.field == next(iter(fields))


def test_invitation_is_announced_and_its_link_opens_the_speaker() -> None:
    speaker = SpeakerFactory()
    with heard(signals.speaker_invited) as calls:
        services.invite_speaker(speaker=speaker)
    assert [call["speaker"] for call in calls] == [speaker]
    token = services.speaker_link(speaker).removeprefix("http://testserver/speak/").rstrip("/")
    assert services.speaker_by_token(token) == speaker


def test_speaker_without_an_address_cannot_be_invited() -> None:
    with pytest.raises(NoAddress):
        services.invite_speaker(speaker=SpeakerFactory(email=""))


def test_new_address_ends_the_link_sent_to_the_old_one() -> None:
    speaker = SpeakerFactory()
    token = services.speaker_link(speaker).split("/")[-2]
    services.update_speaker(speaker=speaker, user=None, email="new@example.org")
    with pytest.raises(LinkError):
        services.speaker_by_token(token)


def test_removed_speakers_link_opens_nothing() -> None:
    speaker = SpeakerFactory()
    token = services.speaker_link(speaker).split("/")[-2]
    services.remove_speaker(speaker=speaker, user=None)
    assert not Speaker.objects.exists()
    with pytest.raises(LinkError):
        services.speaker_by_token(token)


def test_two_editors_of_a_speaker_do_not_overwrite_each_other() -> None:
    speaker = SpeakerFactory()
    seen = Speaker.objects.get().updated_at
    services.update_speaker(speaker=speaker, user=None, expected_updated_at=seen, biography="First")
    with pytest.raises(EditConflict):
        services.update_speaker(speaker=speaker, user=None, expected_updated_at=seen, biography="Second")


def test_a_new_zone_alone_must_say_what_it_means() -> None:
    webinar = create(starts_at=datetime(2027, 7, 1, 14, 0), ends_at=datetime(2027, 7, 1, 15, 0))
    with pytest.raises(ZoneChangeUnclear) as refused:
        services.update_webinar(webinar=webinar, user=None, time_zone="Europe/Lisbon")
    assert refused.value.field == "zone_change"
    webinar.refresh_from_db()
    assert webinar.time_zone == "Europe/Brussels"


def test_a_new_zone_keeps_the_moment_or_the_clock_time() -> None:
    webinar = create(starts_at=datetime(2027, 7, 1, 14, 0), ends_at=datetime(2027, 7, 1, 15, 0))
    moved = services.update_webinar(webinar=webinar, user=None, time_zone="Europe/Lisbon", zone_change="moment")
    assert moved.starts_at == datetime(2027, 7, 1, 12, 0, tzinfo=UTC)
    moved = services.update_webinar(webinar=webinar, user=None, time_zone="Asia/Kathmandu", zone_change="clock")
    assert moved.starts_at == datetime(2027, 7, 1, 7, 15, tzinfo=UTC)  # 13:00 in Lisbon, now 13:00 in Kathmandu
    assert moved.calendar_sequence == 2


def test_a_clock_time_that_the_new_zone_skips_is_refused() -> None:
    webinar = create(starts_at=datetime(2027, 3, 28, 2, 30), ends_at=datetime(2027, 3, 28, 4, 0), time_zone="UTC")
    with pytest.raises(ImpossibleLocalTime):
        services.update_webinar(webinar=webinar, user=None, time_zone="Europe/Brussels", zone_change="clock")
