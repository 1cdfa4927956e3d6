"""Attendance, certificates and reports in a real browser, in English on a desk and in Arabic on a phone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Role, User
from events.models import Webinar
from registration.links import token_for
from registration.models import Attendance, AttendanceImport, AttendanceSource, Certificate, CertificateRule
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]
FACTS = {
    "name": "ليلى منصور",
    "title": "الصحة النفسية",
    "organisation": "Health Programme",
    "when": "الخميس، 4 مارس 2027، 14:00–15:00",
    "zone": "توقيت وسط أوروبا",
    "text": "نقطتان من التعليم المستمر",
    "signatory": "Dr Haddad",
    "issued_on": "5 مارس 2027",
}


@pytest.fixture
def organiser() -> User:
    organisation = OrganisationFactory.create(name="Health Programme")
    user: User = MembershipFactory.create(organisation=organisation, role=Role.ORGANISER).user
    return user


@pytest.fixture
def webinar(organiser: User) -> Webinar:
    """An hour that ended an hour ago, with people who came, a report to look at and a certificate."""
    organisation = organiser.memberships.get().organisation
    starts_at = timezone.now() - timedelta(hours=2)
    made: Webinar = WebinarFactory.create(organisation=organisation, title="Mental health", starts_at=starts_at)
    WebinarFactory.create(organisation=organisation, starts_at=starts_at - timedelta(days=7))
    for number in range(8):
        registration = RegistrationFactory.create(webinar=made, country="BE", profession="Nurse", name="ليلى منصور")
        Attendance.objects.create(
            registration=registration,
            joined_at=starts_at,
            left_at=starts_at + timedelta(minutes=10 * number),
            source=AttendanceSource.ZOOM,
        )
    CertificateRule.objects.create(webinar=made, min_share=0.5, needs_survey=True)
    Certificate.objects.create(
        registration=registration, number="2027-7KQ4-X2MB", language="ar", key="none", facts=FACTS, minutes=58
    )
    row = {"joined_at": starts_at.isoformat(), "left_at": made.ends_at.isoformat()}
    people = [("iPhone", "", "none"), ("ليلى منصور (Guest)", str(registration.pk), "name")]
    AttendanceImport.objects.create(
        webinar=made,
        system="zoom",
        file_name="report.csv",
        rows=[
            {"line": line, "name": name, "email": "", "registration": pk, "match": match, **row}
            for line, (name, pk, match) in enumerate(people, 2)
        ],
    )
    return made


@pytest.fixture
def signed_in(visit: Visit, live_server: Any, organiser: User) -> Visit:
    """Like `visit`, but as the organiser, with pages in the language of the browser."""

    def start(*, locale: str, **options: Any) -> Visitor:
        client = Client()
        client.force_login(organiser, backend="django.contrib.auth.backends.ModelBackend")
        visitor = visit(locale=locale, **options)
        cookies = {"sessionid": client.cookies["sessionid"].value, "django_language": locale}
        visitor.context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()]
        )
        return visitor

    return start


@pytest.mark.parametrize(
    ("locale", "viewport"), [("en", DESKTOP), ("ar", PHONE)], ids=["english-desktop", "arabic-phone"]
)
def test_pages_have_no_serious_barriers_and_fit_the_screen(
    signed_in: Visit, webinar: Webinar, locale: str, viewport: dict[str, int]
) -> None:
    visitor = signed_in(locale=locale, viewport=viewport)
    certificate = Certificate.objects.select_related("registration__webinar").get()
    report = AttendanceImport.objects.get()
    inside = f"/studio/webinars/{webinar.pk}"
    addresses = [
        f"{inside}/attendance/",
        f"{inside}/attendance/reports/{report.pk}/",
        f"{inside}/attendance/people/{certificate.registration_id}/",
        f"{inside}/certificates/",
        f"{inside}/certificates/rule/",
        f"{inside}/certificates/{certificate.pk}/revoke/",
        f"{inside}/report/",
        "/studio/report/",
        f"/certificates/{certificate.code}/",
        f"/registrations/{token_for(certificate.registration)}/",
    ]

    found: dict[str, list[str]] = {}
    for address in addresses:
        page = visitor.open(address)
        assert page.get_attribute("html", "dir") == ("rtl" if locale == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
        found[address] = barriers(visitor)

    assert found == {address: [] for address in addresses}


def test_report_is_matched_and_counted_by_keyboard(signed_in: Visit, webinar: Webinar) -> None:
    visitor = signed_in(locale="en")
    report = AttendanceImport.objects.get()
    matched_already = report.rows[1]["registration"]
    address = webinar.registrations.exclude(pk=matched_already)[0].email
    page = visitor.open(f"/studio/webinars/{webinar.pk}/attendance/reports/{report.pk}/")

    page.locator("input[type=email]").first.focus()
    page.keyboard.type(address)
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 registrants are being counted.")).to_be_visible()
    report.refresh_from_db()
    assert (report.state, [row["match"] for row in report.rows]) == ("queued", ["chosen", "name"])
