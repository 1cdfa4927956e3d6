"""Registering as people do it: by keyboard alone, in two directions, on a phone, without scripts."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from events.models import Webinar
from registration import services
from registration.links import group_link_for, invitation_link_for, link_for, proof_link_for
from registration.models import Registration, RegistrationState
from tests.factories.accounts import UserFactory
from tests.factories.events import SeriesFactory, WebinarFactory
from tests.registration.helpers import register
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]


@pytest.fixture
def webinar() -> Webinar:
    return WebinarFactory(slug="webinar", title="Mental health", time_zone="Asia/Tokyo")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; nothing else brings it there."""
    for _press in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The keyboard does not reach {selector}.")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_form_is_filled_in_and_sent_by_keyboard_alone(visit: Visit, webinar: Webinar, locale: str) -> None:
    page = visit(locale=locale, timezone_id="Europe/Paris").open("/webinars/webinar/register/")
    assert page.get_attribute("html", "dir") == ("rtl" if locale == "ar" else "ltr")
    tab_to(page, "[name=name]")
    page.keyboard.type("آنا" if locale == "ar" else "Anna Example")
    tab_to(page, "[name=email]")
    page.keyboard.type("anna@example.org")
    tab_to(page, "[name=privacy]")
    page.keyboard.press("Space")
    tab_to(page, "main form [type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/register/sent/")
    registration = webinar.registrations.get()
    assert (registration.language, registration.time_zone) == (locale, "Europe/Paris")


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(visit: Visit, webinar: Webinar) -> None:
    visitor = visit(locale="en", timezone_id="Europe/Paris")
    page = visitor.open("/webinars/webinar/register/")
    page.get_by_label("Name").first.fill("Anna")
    page.get_by_label("E-mail address").fill("anna@nowhere")
    page.get_by_label("Country").select_option("FR")
    page.get_by_role("button", name="Register").click()
    field = page.get_by_label("E-mail address")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Country").input_value() == "FR"
    assert page.get_by_label("Your time zone").input_value() == "Europe/Paris"
    assert field.input_value() == "anna@nowhere"
    assert barriers(visitor) == []
    visitor.complaints.clear()  # Chromium notes the answer's status 422
    assert not webinar.registrations.exists()


def test_form_and_proof_work_on_a_phone_without_scripts(visit: Visit, webinar: Webinar) -> None:
    Webinar.objects.update(email_domains=["example.org"])
    page = visit(locale="en", java_script_enabled=False, viewport=PHONE).open("/webinars/webinar/register/")
    page.get_by_label("Name").first.fill("Anna Example")
    page.get_by_label("E-mail address").fill("anna@example.org")
    page.get_by_label("I have read the privacy notice and agree to it.").check()
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/register/sent/")
    registration = webinar.registrations.get()
    assert (registration.state, registration.time_zone) == (RegistrationState.UNPROVED, "Asia/Tokyo")
    page.goto(proof_link_for(registration).removeprefix("http://testserver"))
    page.get_by_role("button", name="Confirm and register").click()
    page.wait_for_url("**/registrations/**")
    assert page.get_by_text("You have a place.").is_visible()


def addresses(webinar: Webinar) -> list[str]:
    """Every page of registrants, with something on it."""
    series = SeriesFactory.create(slug="series")
    for number in range(2):
        WebinarFactory.create(series=series, slug=f"session-{number}")
    states = (RegistrationState.CONFIRMED, RegistrationState.PENDING, RegistrationState.WAITLISTED)
    people = [register(webinar, f"{state}@example.org") for state in states]
    for person, state in zip(people, states, strict=True):
        Registration.objects.filter(pk=person.pk).update(state=state, waitlist_position=1)
    unproved = register(webinar, "unproved@example.org")
    Registration.objects.filter(pk=unproved.pk).update(state=RegistrationState.UNPROVED)
    invitation = services.make_shared_invitation(webinar=webinar, user=UserFactory(), name="Ministry")
    group = services.start_group(
        webinar=webinar,
        name="Ward 4",
        coordinator_name="Carla",
        coordinator_email="carla@example.org",
        language="en",
        has_agreed=True,
    )
    services.add_member(group=group, name="Bea", email="bea@example.org")
    rows: list[dict[str, Any]] = [
        {"line": 2, "values": {"name": "Anna", "email": "a@example.org"}, "outcome": "new", "error": ""},
        {"line": 3, "values": {"name": "Eva", "email": "eva"}, "outcome": "wrong", "error": "This is no address."},
    ]
    read = {"heading": ["Name", "Mail"], "columns": {"name": 0, "email": 1}}
    lines = [row | {"cells": list(row["values"].values())} for row in rows]
    imported = group.imports.create(webinar=webinar, rows=lines, file_name="people.csv", **read)
    team = group_link_for(group)
    links = [
        *(link_for(person) for person in people),
        proof_link_for(unproved),
        invitation_link_for(invitation),
        team,
        f"{team}lists/{imported.pk}/",
        f"{team}withdraw/{group.members.get().pk}/",
    ]
    return [
        "/webinars/webinar/register/",
        "/webinars/webinar/register/team/",
        "/series/series/register/",
        *(link.removeprefix("http://testserver") for link in links),
    ]


@pytest.mark.parametrize(
    ("locale", "viewport"), [("en", DESKTOP), ("ar", PHONE)], ids=["english-desktop", "arabic-phone"]
)
def test_pages_have_no_serious_barriers_and_fit_the_screen(
    visit: Visit, webinar: Webinar, locale: str, viewport: dict[str, int]
) -> None:
    visitor = visit(locale=locale, viewport=viewport)
    found: dict[str, list[str]] = {}
    for address in addresses(webinar):
        page = visitor.open(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
        found[address] = barriers(visitor)
    assert found == {address: [] for address in found}
