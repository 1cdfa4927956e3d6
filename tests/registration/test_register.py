"""Registering, again, after cancelling, and when it is not possible (promises B3, A9)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from events.errors import InvalidValue
from events.models import WebinarState
from notifications.errors import AddressRefused
from notifications.models import Message
from registration.errors import ConsentMissing, InvalidDetail, RegistrationClosed, WebinarCancelled
from registration.models import Registration, RegistrationState
from registration.services import cancel_registration, send_links_again
from tests.factories.events import WebinarFactory
from tests.registration.helpers import check_counts, mails, register

pytestmark = pytest.mark.django_db


def test_register_gives_a_place_and_one_mail() -> None:
    registration = register(WebinarFactory(), "Anna@Example.org", country="de", profession=" Nurse ")
    assert registration.state == RegistrationState.CONFIRMED
    assert (registration.email, registration.country, registration.profession) == ("anna@example.org", "DE", "Nurse")
    assert registration.consents["privacy"]["version"] == "1"
    assert mails(registration) == ["confirmation"]
    assert AuditEntry.objects.get(action="registration.created").actor == "registrant"


def test_registering_again_in_any_case_returns_the_same_and_mails_nothing_new() -> None:
    webinar = WebinarFactory()
    first = register(webinar, "user@example.org")
    again = register(webinar, "USER@example.ORG", name="Somebody Else")
    assert again.pk == first.pk
    assert again.name == "Anna Example"
    assert mails(first) == ["confirmation"]
    assert check_counts(webinar) == (1, 0)


def test_registering_again_later_mails_the_links_again() -> None:
    webinar = WebinarFactory()
    registration = register(webinar)
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    register(webinar)
    register(webinar)
    assert mails(registration) == ["confirmation", "confirmation"]


def test_registering_after_cancelling_brings_the_row_back() -> None:
    webinar = WebinarFactory()
    registration = register(webinar)
    cancel_registration(registration=registration)
    again = register(webinar, name="Anna Newname")
    assert (again.pk, again.state, again.name) == (registration.pk, RegistrationState.CONFIRMED, "Anna Newname")
    assert again.cancelled_at is None
    assert mails(registration) == ["confirmation", "cancelled", "confirmation"]
    assert check_counts(webinar) == (1, 0)


def test_full_webinar_puts_people_on_the_waiting_list_in_order() -> None:
    webinar = WebinarFactory(capacity=1)
    register(webinar, "a@example.org")
    waiting = [register(webinar, f"{name}@example.org") for name in "bc"]
    assert [registration.state for registration in waiting] == [RegistrationState.WAITLISTED] * 2
    assert [registration.waitlist_position for registration in waiting] == [1, 2]
    assert mails(waiting[0]) == ["waitlisted"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"state": WebinarState.CANCELLED}, WebinarCancelled),
        ({"state": WebinarState.DRAFT}, RegistrationClosed),
        ({"registration_closes_at": timezone.now() - timedelta(minutes=1)}, RegistrationClosed),
        (
            {"starts_at": timezone.now() - timedelta(hours=3), "ends_at": timezone.now() - timedelta(hours=2)},
            RegistrationClosed,
        ),
    ],
)
def test_nobody_registers_when_it_is_not_open(fields: dict[str, object], error: type[Exception]) -> None:
    webinar = WebinarFactory(**fields)
    with pytest.raises(error):
        register(webinar)
    assert not Registration.objects.exists()


def test_webinar_cancelled_a_moment_ago_is_noticed() -> None:
    webinar = WebinarFactory()
    type(webinar).objects.update(state=WebinarState.CANCELLED)
    with pytest.raises(WebinarCancelled):
        register(webinar)


def test_consent_is_needed() -> None:
    with pytest.raises(ConsentMissing):
        register(WebinarFactory(), consents=[])


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("email", "a@localhost", AddressRefused),
        ("name", " \u200b ", InvalidDetail),
        ("name", "x" * 151, InvalidDetail),
        ("country", "ZZ", InvalidDetail),
        ("profession", "see https://evil.example/", InvalidDetail),
        ("language", "xx-nonsense-tag-", InvalidValue),
        ("time_zone", "Mars/Olympus", InvalidValue),
    ],
)
def test_bad_values_name_their_field(field: str, value: str, error: type[InvalidDetail]) -> None:
    with pytest.raises(error) as caught:
        register(WebinarFactory(), **{field: value})
    assert caught.value.field == field
    assert not Registration.objects.exists()


def test_hostile_names_are_refused_or_stored_as_one_line(corpus: Path) -> None:
    webinar = WebinarFactory()
    refused = 0
    for number, name in enumerate(json.loads((corpus / "strings" / "person_names.json").read_text())):
        try:
            register(webinar, f"p{number}@example.org", name=name)
        except InvalidDetail:
            refused += 1
    stored = list(webinar.registrations.values_list("name", flat=True))
    assert refused > 5
    assert "{{settings.SECRET_KEY}}" in stored
    assert [name for name in stored if set(name) & set("\r\n\0\x1b\u2028\u202e") or "://" in name] == []


def test_links_are_sent_again_only_to_registrants_and_not_every_minute() -> None:
    webinar = WebinarFactory()
    registration = register(webinar)
    send_links_again(email="stranger@example.org", webinar=webinar)
    send_links_again(email="ANNA@example.org", webinar=webinar)
    assert mails(registration) == ["confirmation"]
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    send_links_again(email="ANNA@example.org", webinar=webinar)
    assert mails(registration) == ["confirmation", "confirmation"]
    assert Message.objects.count() == 2
