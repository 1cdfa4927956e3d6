"""A person's own calendar: all their webinars, nobody else's, at an address that can be replaced."""

from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from events.ical import webinar_uid
from events.models import WebinarState
from registration import calendars, messages
from registration.links import feed_link_for, token_for
from registration.models import Registration, RegistrationState
from registration.services import cancel_registration
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from tests.registration.helpers import register

pytestmark = pytest.mark.django_db


def read(client: Client, registration: Registration) -> list[Any]:
    address = feed_link_for(calendars.feed_of(registration)).removeprefix("http://testserver")
    response = client.get(address)
    assert response.status_code == 200
    text = response.content.decode().replace("\r\n ", "")
    assert "METHOD:PUBLISH" in text
    assert "ATTENDEE" not in text
    assert "/join/" not in text
    return list(Calendar.from_ical(response.content).walk("VEVENT"))


def test_it_holds_the_places_of_one_address_under_the_uids_of_their_invitations(client: Client) -> None:
    first = register(WebinarFactory())
    second = register(WebinarFactory())
    register(first.webinar, "somebody-else@example.org")
    RegistrationFactory(email=first.email, state=RegistrationState.WAITLISTED)
    RegistrationFactory(email=first.email, webinar__state=WebinarState.DRAFT)
    expected = {webinar_uid(one.webinar, one.pk.hex[:16]) for one in (first, second)}
    assert {str(event["UID"]) for event in read(client, first)} == expected
    assert str(next(iter(expected))) in messages.calendar_for(first, "REQUEST") + messages.calendar_for(
        second, "REQUEST"
    )


def test_a_place_given_up_is_shown_as_cancelled(client: Client) -> None:
    registration = register(WebinarFactory())
    before = read(client, registration)[0]["SEQUENCE"]
    cancel_registration(registration=registration)
    (event,) = read(client, registration)
    assert (str(event["STATUS"]), event["SEQUENCE"] > before) == ("CANCELLED", True)


def test_a_new_address_ends_the_old(client: Client) -> None:
    registration = register(WebinarFactory())
    old = feed_link_for(calendars.feed_of(registration))
    page = f"/registrations/{token_for(registration)}/subscribe/"
    assert old in client.get(page).content.decode()
    client.post(page)
    assert old not in client.get(page).content.decode()
    assert client.get(old.removeprefix("http://testserver")).status_code == 404
    assert len(read(client, registration)) == 1
