"""Places and the waiting list, also when everything happens at once (promises B1-B5)."""

from functools import partial

import pytest
from django.core.management import call_command

from events.models import Webinar
from events.services import update_webinar
from notifications.models import Message
from registration import services
from registration.models import Places, Registration, RegistrationState
from tests.factories.events import WebinarFactory
from tests.registration.helpers import at_once, check_counts, mails, register


def states(webinar: Webinar) -> list[str]:
    return list(webinar.registrations.order_by("created_at").values_list("state", flat=True))


def resize(webinar: Webinar, capacity: int | None) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(capacity=capacity)
    services.set_capacity(webinar=webinar)


@pytest.mark.django_db
def test_freed_place_goes_to_the_first_in_the_queue() -> None:
    webinar = WebinarFactory(capacity=1)
    first, second, third = (register(webinar, f"{name}@example.org") for name in "abc")
    services.cancel_registration(registration=first)
    assert states(webinar) == ["cancelled", "confirmed", "waitlisted"]
    assert mails(second) == ["waitlisted", "promoted"]
    assert mails(third) == ["waitlisted"]


@pytest.mark.django_db
def test_cancelling_twice_frees_one_place() -> None:
    webinar = WebinarFactory(capacity=1)
    first, *_others = (register(webinar, f"{name}@example.org") for name in "abc")
    services.cancel_registration(registration=first)
    services.cancel_registration(registration=first)
    assert check_counts(webinar) == (1, 1)
    assert mails(first) == ["confirmation", "cancelled"]


@pytest.mark.django_db
def test_leaving_the_waiting_list_frees_no_place() -> None:
    webinar = WebinarFactory(capacity=1)
    _first, second, _third = (register(webinar, f"{name}@example.org") for name in "abc")
    services.cancel_registration(registration=second)
    assert check_counts(webinar) == (1, 1)


@pytest.mark.django_db
def test_raising_capacity_promotes_and_lowering_takes_nothing_away() -> None:
    webinar = WebinarFactory(capacity=1)
    for name in "abcd":
        register(webinar, f"{name}@example.org")
    resize(webinar, 3)
    assert check_counts(webinar) == (3, 1)
    resize(webinar, 1)
    assert check_counts(webinar) == (3, 1)
    services.cancel_registration(registration=Registration.objects.get(email="a@example.org"))
    assert check_counts(webinar) == (2, 1)
    resize(webinar, None)
    assert check_counts(webinar) == (3, 0)


@pytest.mark.django_db
def test_webinar_that_is_over_promotes_nobody() -> None:
    webinar = WebinarFactory(capacity=1)
    first, _second = (register(webinar, f"{name}@example.org") for name in "ab")
    Webinar.objects.update(starts_at="2020-01-01T10:00Z", ends_at="2020-01-01T11:00Z")
    services.cancel_registration(registration=first)
    assert states(webinar) == ["cancelled", "waitlisted"]


@pytest.mark.django_db
def test_recount_corrects_a_wrong_counter() -> None:
    webinar = WebinarFactory(capacity=5)
    register(webinar)
    Places.objects.update(confirmed=4, capacity=1)
    call_command("recount", webinar.slug)
    assert check_counts(webinar) == (1, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_fifty_at_once_for_ten_places_fill_exactly_ten(_round: int) -> None:
    webinar = WebinarFactory(capacity=10)
    results = at_once([partial(register, webinar, f"p{n}@example.org") for n in range(50)])
    assert all(isinstance(result, Registration) for result in results)
    assert check_counts(webinar) == (10, 40)
    positions = webinar.registrations.filter(state=RegistrationState.WAITLISTED).values_list("waitlist_position")
    assert sorted(position for (position,) in positions) == list(range(1, 41))
    assert Message.objects.count() == 50


@pytest.mark.django_db(transaction=True)
def test_twenty_identical_forms_at_once_make_one_registration_and_one_mail() -> None:
    webinar = WebinarFactory(capacity=10)
    cases = ("user@example.org", "User@Example.org", "USER@EXAMPLE.ORG", "useR@example.org")
    results = at_once([partial(register, webinar, cases[n % 4]) for n in range(20)])
    assert len({result.pk for result in results}) == 1
    assert check_counts(webinar) == (1, 0)
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_places_freed_at_once_go_to_the_next_in_order() -> None:
    webinar = WebinarFactory(capacity=5)
    registrations = [register(webinar, f"p{n}@example.org") for n in range(12)]
    Message.objects.all().delete()
    at_once(
        [partial(services.cancel_registration, registration=r) for r in registrations[:5]]
        + [partial(services.promote_from_waitlist, webinar=webinar)] * 3
        + [partial(services.set_capacity, webinar=webinar)] * 2
    )
    assert check_counts(webinar) == (5, 2)
    assert states(webinar) == ["cancelled"] * 5 + ["confirmed"] * 5 + ["waitlisted"] * 2
    assert [mails(registration) for registration in registrations[5:]] == [["promoted"]] * 5 + [[]] * 2


@pytest.mark.django_db(transaction=True)
def test_resizing_while_people_come_and_go_never_corrupts_the_count() -> None:
    webinar = WebinarFactory(capacity=5)
    registrations = [register(webinar, f"p{n}@example.org") for n in range(8)]
    results = at_once(
        [partial(update_webinar, webinar=webinar, user=None, capacity=n) for n in (3, 7, 9)]
        + [partial(register, webinar, f"new{n}@example.org") for n in range(8)]
        + [partial(services.cancel_registration, registration=r) for r in registrations[:3]]
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    confirmed, waiting = check_counts(webinar)
    webinar.refresh_from_db()
    assert webinar.capacity is not None
    assert confirmed + waiting == 13
    assert confirmed >= webinar.capacity
    assert Places.objects.get(pk=webinar.pk).capacity == webinar.capacity
