"""Attendance and certificates over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from accounts.services import create_api_token
from events.models import Webinar
from registration.models import Attendance, AttendanceSource, Certificate, CertificateRule, Registration
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from work import services as work

HEADER = "Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,In waiting room\n"


@pytest.fixture
def webinar(db: None) -> Webinar:
    starts_at = (timezone.now() - timedelta(hours=2)).replace(second=0, microsecond=0)
    return WebinarFactory(starts_at=starts_at, time_zone="UTC")


@pytest.fixture
def api(webinar: Webinar) -> Client:
    user = MembershipFactory(organisation=webinar.organisation, role=Role.ORGANISER).user
    _row, token = create_api_token(organisation=webinar.organisation, created_by=user, name="Test", can_write=True)
    return Client(headers={"Authorization": f"Bearer {token}"})


def post(api: Client, address: str, data: Any = None) -> Any:
    return api.post(f"/api/v1/{address}/", data or {}, content_type="application/json")


def there(webinar: Webinar, minutes: int = 60, **values: Any) -> Registration:
    registration = RegistrationFactory(webinar=webinar, **values)
    end = webinar.starts_at + timedelta(minutes=minutes)
    Attendance.objects.create(
        registration=registration, joined_at=webinar.starts_at, left_at=end, source=AttendanceSource.ZOOM
    )
    return registration


def test_attendance_is_listed_with_as_few_questions_for_many_as_for_one(webinar: Webinar, api: Client) -> None:
    def ask() -> tuple[int, list[Any]]:
        with CaptureQueriesContext(connection) as captured:
            answer = api.get("/api/v1/attendances/", {"webinar__slug": webinar.slug}).json()
        return len(captured), answer["results"]

    there(webinar, 30)
    there(WebinarFactory())
    ask()  # the token's first use is noted
    before, [row] = ask()
    found = row["attendance"]
    assert (found["segment"], found["minutes"], found["sources"]) == ("left_early", 30, ["zoom"])
    for _number in range(4):
        there(webinar)
    after, rows = ask()
    assert (after, len(rows)) == (before, 5)


def test_attendance_is_corrected_and_back(webinar: Webinar, api: Client) -> None:
    registration = there(webinar, 30)
    stay = {"joined_at": webinar.starts_at.isoformat(), "left_at": webinar.ends_at.isoformat()}

    found = post(api, f"attendances/{registration.pk}/correct", {"stays": [stay], "reason": "By phone"}).json()
    assert found["attendance"]["minutes"] == 60
    assert post(api, f"attendances/{registration.pk}/correct", {"stays": [stay], "reason": " "}).status_code == 400
    assert post(api, f"attendances/{registration.pk}/correct", {"stays": [{}], "reason": "x"}).status_code == 400
    assert post(api, f"attendances/{registration.pk}/uncorrect").json()["attendance"]["minutes"] == 30


def test_report_is_sent_decided_and_confirmed(webinar: Webinar, api: Client) -> None:
    RegistrationFactory(webinar=webinar, email="anna@example.org")
    first, last = (f"{moment:%m/%d/%Y %I:%M:%S %p}" for moment in (webinar.starts_at, webinar.ends_at))
    file = SimpleUploadedFile("zoom.csv", f"{HEADER}iPhone,,{first},{last},60,No,No\n".encode())

    made = api.post("/api/v1/attendance-imports/", {"webinar": webinar.slug, "file": file}).json()

    address = f"attendance-imports/{made['id']}"
    [person] = made["people"]
    assert (made["system"], person["match"], person["minutes"]) == ("zoom", "none", 60)
    assert post(api, f"{address}/confirm").status_code == 400
    assert post(api, f"{address}/decide", {"choices": {"x": "anna@example.org"}}).status_code == 400
    key = str(person["key"])
    assert (
        post(api, f"{address}/decide", {"choices": {key: "anna@example.org"}}).json()["people"][0]["match"] == "chosen"
    )
    assert post(api, f"{address}/confirm").json()["state"] == "queued"
    work.execute("registration.attendance_import", made["id"])
    assert Attendance.objects.count() == 1
    assert api.delete(f"/api/v1/{address}/").status_code == 204
    assert Attendance.objects.count() == 0


def test_rule_is_set_and_fixed(webinar: Webinar, api: Client) -> None:
    address = f"/api/v1/certificate-rules/{webinar.pk}/"
    assert api.get(address).json()["min_minutes"] is None
    refused = api.put(address, {"min_minutes": 30}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "rule_fixed")
    wrong = {"min_minutes": 30, "text": {"en": "{secret}"}, "reason": "Late"}
    assert api.put(address, wrong, content_type="application/json").status_code == 400
    values = {"min_minutes": 30, "text": {"en": "{name}"}, "reason": "Late"}
    assert api.put(address, values, content_type="application/json").json()["text"] == {"en": "{name}"}
    assert api.delete(address).status_code == 409
    assert api.delete(f"{address}?reason=No").status_code == 204


def test_batch_takes_the_number_that_is_confirmed(webinar: Webinar, api: Client) -> None:
    CertificateRule.objects.create(webinar=webinar, min_minutes=30)
    there(webinar)
    assert post(api, "certificate-batches", {"webinar": webinar.slug, "expected": 2}).status_code == 409
    made = post(api, "certificate-batches", {"webinar": webinar.slug, "expected": 1}).json()
    assert made["state"] == "queued"
    assert post(api, f"certificate-batches/{made['id']}/cancel").json()["state"] == "cancelled"
    assert post(api, f"certificate-batches/{made['id']}/retry").json()["state"] == "queued"
    assert post(api, f"certificate-batches/{made['id']}/retry").status_code == 409


def test_certificate_is_revoked(webinar: Webinar, api: Client) -> None:
    certificate = Certificate.objects.create(
        registration=RegistrationFactory(webinar=webinar), number="2027-AAAA-BBBB", language="en", key="none"
    )
    address = f"certificates/{certificate.pk}"
    [row] = api.get("/api/v1/certificates/", {"number": "2027-AAAA-BBBB"}).json()["results"]
    assert row["check_url"].endswith(f"/certificates/{certificate.code}/")
    assert post(api, f"{address}/revoke").status_code == 400
    assert post(api, f"{address}/revoke", {"reason": "Mistake"}).json()["revoked_reason"] == "Mistake"
