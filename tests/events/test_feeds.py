"""Calendars to subscribe to, read back with a parser."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from events.models import Visibility, Webinar, WebinarState
from tests.factories.accounts import MembershipFactory
from tests.factories.events import SeriesFactory, WebinarFactory

pytestmark = pytest.mark.django_db


def entries(client: Client, path: str) -> list[tuple[str, str]]:
    """Title and status of every entry."""
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(response.content)
    assert calendar["METHOD"] == "PUBLISH"
    return [(str(event["SUMMARY"]), str(event["STATUS"])) for event in calendar.walk("VEVENT")]


def test_webinars_own_calendar_holds_it_alone(client: Client) -> None:
    webinar = WebinarFactory(title="Mental health")
    WebinarFactory()
    assert entries(client, f"/webinars/{webinar.slug}/calendar.ics") == [("Mental health", "CONFIRMED")]


def test_site_calendar_holds_what_is_announced(client: Client) -> None:
    WebinarFactory(title="Announced")
    WebinarFactory(title="Called off", state=WebinarState.CANCELLED)
    WebinarFactory(state=WebinarState.DRAFT)
    for visibility in (Visibility.UNLISTED, Visibility.REGISTERED, Visibility.ORGANISATION):
        WebinarFactory(visibility=visibility)
    old = timezone.now() - timedelta(days=400)
    WebinarFactory(starts_at=old)
    assert sorted(entries(client, "/calendar.ics")) == [("Announced", "CONFIRMED"), ("Called off", "CANCELLED")]


def test_series_calendar_holds_its_own_webinars(client: Client) -> None:
    series = SeriesFactory()
    WebinarFactory(series=series, title="Part 1")
    WebinarFactory()
    assert entries(client, f"/series/{series.slug}/calendar.ics") == [("Part 1", "CONFIRMED")]


def test_hidden_series_has_no_calendar(client: Client) -> None:
    assert client.get(f"/series/{SeriesFactory(is_public=False).slug}/calendar.ics").status_code == 404


@pytest.mark.parametrize(
    "fields", [{"state": WebinarState.DRAFT}, {"visibility": Visibility.ORGANISATION}], ids=["draft", "internal"]
)
def test_hidden_webinar_has_a_calendar_for_members_alone(client: Client, fields: dict[str, str]) -> None:
    webinar: Webinar = WebinarFactory(**fields)
    path = f"/webinars/{webinar.slug}/calendar.ics"
    assert client.get(path).status_code == 404
    client.force_login(MembershipFactory(organisation=webinar.organisation).user)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/calendar.ics", "/webinars/{slug}/calendar.ics"])
def test_shared_calendars_hold_neither_join_link_nor_people(client: Client, path: str) -> None:
    webinar = WebinarFactory()
    text = client.get(path.format(slug=webinar.slug)).content.decode().replace("\r\n ", "")
    assert webinar.join_url not in text
    assert "ATTENDEE" not in text


def test_site_calendar_costs_the_same_for_one_and_for_many(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    WebinarFactory()
    with django_assert_num_queries(1):
        client.get("/calendar.ics")
    for _number in range(5):
        WebinarFactory()
    with django_assert_num_queries(1):
        client.get("/calendar.ics")
