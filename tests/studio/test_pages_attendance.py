"""The studio's pages about attendance and certificates."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Organisation
from events.models import Webinar
from library.models import Viewing
from registration.models import (
    Attendance,
    AttendanceImport,
    AttendanceSource,
    Certificate,
    CertificateBatch,
    CertificateRule,
    Registration,
)
from tests.factories.events import WebinarFactory
from tests.factories.library import RecordingFactory
from tests.factories.registration import RegistrationFactory
from tests.studio.conftest import Person
from work import services as work

HEADER = "Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,In waiting room\n"


@pytest.fixture
def webinar(organisation: Organisation) -> Webinar:
    """An hour that ended an hour ago."""
    starts_at = (timezone.now() - timedelta(hours=2)).replace(second=0, microsecond=0)
    return WebinarFactory(organisation=organisation, title="Mental health", starts_at=starts_at, time_zone="UTC")


def there(webinar: Webinar, minutes: int = 60, **values: Any) -> Registration:
    registration = RegistrationFactory(webinar=webinar, **values)
    end = webinar.starts_at + timedelta(minutes=minutes)
    Attendance.objects.create(
        registration=registration, joined_at=webinar.starts_at, left_at=end, source=AttendanceSource.ZOOM
    )
    return registration


def page(person: Person, webinar: Webinar, query: str = "") -> Any:
    return person.client.get(reverse("studio:attendance", args=[webinar.pk]) + query)


def names(answer: Any) -> list[str]:
    return [row.name for row, _there, _watched in answer.context["people"]]


def upload(person: Person, webinar: Webinar, *lines: str, **values: str) -> Any:
    first, last = (f"{moment:%m/%d/%Y %I:%M:%S %p}" for moment in (webinar.starts_at, webinar.ends_at))
    text = HEADER + "".join(line.format(first=first, last=last) + "\n" for line in lines)
    file = SimpleUploadedFile("report.csv", text.encode(), content_type="text/csv")
    address = reverse("studio:attendance_report_upload", args=[webinar.pk])
    return person.client.post(address, {"file": file, "time_zone": "UTC", **values})


# --- Attendance ----------------------------------------------------------------------------------------------------
def test_list_says_who_was_there_and_what_they_watched(webinar: Webinar, organiser: Person) -> None:
    anna, jean = there(webinar, 30, name="Anna"), RegistrationFactory(webinar=webinar, name="Jean")
    recording = RecordingFactory(webinar=webinar)
    for seen in ("1100", "0100"):
        Viewing.objects.create(recording=recording, registration=jean, last_beat_at=timezone.now(), seen=seen)

    answer = page(organiser, webinar)

    rows = [(row, one.minutes, watched and watched.percent) for row, one, watched in answer.context["people"]]
    assert rows == [(anna, 30, None), (jean, 0, 50)]
    assert names(page(organiser, webinar, "?segment=left_early")) == ["Anna"]
    assert names(page(organiser, webinar, "?segment=nonsense&q=jea")) == ["Jean"]


def test_list_asks_as_few_questions_for_many_as_for_one(webinar: Webinar, organiser: Person) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(organiser, webinar)
        return len(captured)

    there(webinar)
    before = count()
    for _number in range(5):
        there(webinar)
    assert count() == before


def test_report_is_read_looked_at_and_counted(webinar: Webinar, organiser: Person) -> None:
    anna = RegistrationFactory(webinar=webinar, name="Anna", email="anna@example.org")
    jean = RegistrationFactory(webinar=webinar, name="Jean", email="jean@example.org")

    answer = upload(
        organiser, webinar, "A.,anna@example.org,{first},{last},60,No,No", "iPhone <b>,,{first},{last},60,No,No"
    )

    report = AttendanceImport.objects.get()
    address = reverse("studio:attendance_report", args=[webinar.pk, report.pk])
    assert answer.url == address
    shown = organiser.client.get(address)
    assert "iPhone &lt;b&gt;" in shown.content.decode()
    key = shown.context["people"][0]["person"].key
    refused = organiser.client.post(address, {f"person-{key}": "nobody@example.org", f"before-{key}": ""})
    assert (refused.status_code, "nobody@example.org" in refused.content.decode()) == (422, True)
    assert organiser.client.post(address, {f"person-{key}": "jean@example.org"}).status_code == 302
    organiser.client.post(address, {f"person-{key}": "jean@example.org", "count": "1"})
    work.execute("registration.attendance_import", report.pk)
    assert [one.minutes for _row, one, _watched in page(organiser, webinar).context["people"]] == [60, 60]
    assert {anna.attendances.count(), jean.attendances.count()} == {1}


def test_what_is_no_report_is_refused_with_what_to_do(webinar: Webinar, organiser: Person) -> None:
    file = SimpleUploadedFile("report.xlsx", b"PK\x03\x04")
    answer = organiser.client.post(
        reverse("studio:attendance_report_upload", args=[webinar.pk]), {"file": file, "time_zone": "UTC"}
    )
    assert (answer.status_code, "This is no report of attendance." in answer.content.decode()) == (422, True)


def test_report_of_another_webinar_is_not_found(webinar: Webinar, organiser: Person) -> None:
    other = WebinarFactory(organisation=webinar.organisation)
    report = AttendanceImport.objects.create(webinar=other, system="zoom", file_name="x")
    assert organiser.client.get(reverse("studio:attendance_report", args=[webinar.pk, report.pk])).status_code == 404


def test_attendance_is_corrected_with_a_reason(webinar: Webinar, organiser: Person) -> None:
    anna = there(webinar, 10)
    address = reverse("studio:attendance_person", args=[webinar.pk, anna.pk])

    assert organiser.client.post(address, {"joined_at": "00:00"}).status_code == 422
    times = {"joined_at": f"{webinar.starts_at:%H:%M}", "left_at": f"{webinar.ends_at:%H:%M}", "reason": "By phone"}
    assert organiser.client.post(address, times).status_code == 302
    assert page(organiser, webinar).context["people"][0][1].minutes == 60
    organiser.client.post(address, {"remove": "1"})
    assert page(organiser, webinar).context["people"][0][1].minutes == 10
    organiser.client.post(address, {"was_away": "on", "reason": "Somebody else"})
    assert not page(organiser, webinar).context["people"][0][1].has_attended


def test_table_holds_everybody_runs_no_formula_and_is_recorded(webinar: Webinar, organiser: Person) -> None:
    there(webinar, 30, name="=1+1", email="a@example.org")
    answer = organiser.client.post(reverse("studio:attendance_table", args=[webinar.pk, "csv"]))
    [_header, row] = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert row[:5] == ["'=1+1", "a@example.org", "left early", "30", "50"]
    assert AuditEntry.objects.get(action="attendance.export").user == organiser.user


# --- Certificates --------------------------------------------------------------------------------------------------
def test_rule_is_set_and_shown(webinar: Webinar, organiser: Person) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(
        starts_at=timezone.now() + timedelta(days=1), ends_at=timezone.now() + timedelta(days=1, hours=1)
    )
    address = reverse("studio:certificate_rule", args=[webinar.pk])
    values = {"min_percent": "80", "needs_survey": "on", "text_en": "For {name}", "text_ar": "{name}"}

    assert organiser.client.post(address, {**values, "text_en": "{secret}"}).status_code == 422
    assert organiser.client.post(address, {"reason": ""}).status_code == 422
    assert organiser.client.post(address, values).status_code == 302

    rule = CertificateRule.objects.get()
    assert (rule.min_share, rule.needs_survey, rule.text.data) == (0.8, True, {"en": "For {name}", "ar": "{name}"})
    shown = organiser.client.get(reverse("studio:certificates", args=[webinar.pk])).content.decode()
    assert "attend at least 80 % of the session" in shown


def test_rule_is_fixed_once_the_session_began(webinar: Webinar, organiser: Person) -> None:
    address = reverse("studio:certificate_rule", args=[webinar.pk])
    refused = organiser.client.post(address, {"min_minutes": "10"})
    assert (refused.status_code, "reason" in refused.context["form"].errors) == (422, True)
    assert organiser.client.post(address, {"min_minutes": "10", "reason": "Forgotten"}).status_code == 302
    assert organiser.client.post(address, {"remove": "1", "reason": "No"}).status_code == 302
    assert not CertificateRule.objects.exists()


def test_as_many_are_issued_as_were_confirmed(webinar: Webinar, organiser: Person) -> None:
    CertificateRule.objects.create(webinar=webinar, min_minutes=30)
    there(webinar)
    there(webinar, 10)
    overview = reverse("studio:certificates", args=[webinar.pk])
    assert "1 of 2 people have earned a certificate." in organiser.client.get(overview).content.decode()

    for count in ("2", "", "١", "1"):
        organiser.client.post(reverse("studio:certificates_issue", args=[webinar.pk]), {"count": count})
    [batch] = CertificateBatch.objects.all()
    assert (
        "hx-get" in organiser.client.get(reverse("studio:certificate_batch_state", args=[webinar.pk])).content.decode()
    )
    organiser.client.post(reverse("studio:certificate_batch_cancel", args=[webinar.pk, batch.pk]))
    organiser.client.post(reverse("studio:certificate_batch_retry", args=[webinar.pk, batch.pk]))
    batch.refresh_from_db()
    assert batch.state == "queued"


def test_certificate_is_withdrawn_with_a_reason(webinar: Webinar, organiser: Person) -> None:
    certificate = Certificate.objects.create(
        registration=RegistrationFactory(webinar=webinar), number="2027-AAAA-BBBB", language="en", key="none"
    )
    address = reverse("studio:certificate_revoke", args=[webinar.pk, certificate.pk])
    assert organiser.client.post(address, {"reason": ""}).status_code == 422
    assert organiser.client.post(address, {"reason": "Mistake"}).status_code == 302
    certificate.refresh_from_db()
    assert (certificate.revoked_by, certificate.revoked_reason) == (organiser.user, "Mistake")
    shown = organiser.client.get(reverse("studio:certificates", args=[webinar.pk]) + "?q=2027-AAAA").content.decode()
    assert "Mistake" in shown


def test_preview_is_a_specimen(webinar: Webinar, reviewer: Person) -> None:
    CertificateRule.objects.create(webinar=webinar, min_minutes=30)
    answer = reviewer.client.get(reverse("studio:certificate_preview", args=[webinar.pk]) + "?language=xx-wrong")
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert Certificate.objects.count() == 0


def test_columns_with_unknown_headings_are_chosen_on_a_page(webinar: Webinar, organiser: Person) -> None:
    anna = RegistrationFactory(webinar=webinar, email="anna@example.org")
    day = f"{webinar.starts_at:%Y-%m-%d}"
    times = f"{day} {webinar.starts_at:%H:%M},{day} {webinar.ends_at:%H:%M}"
    text = f"<b>Nimi</b>,Email,Liittyi,Lähti\nAnna,anna@example.org,{times}\nEve,e@example.org,?,<i>\n"
    file = SimpleUploadedFile("report.csv", text.encode())
    address = reverse("studio:attendance_report_upload", args=[webinar.pk])
    organiser.client.post(address, {"file": file, "time_zone": "UTC"})
    report = AttendanceImport.objects.get()
    shown = organiser.client.get(reverse("studio:attendance_report", args=[webinar.pk, report.pk])).content.decode()
    assert "&lt;b&gt;Nimi&lt;/b&gt;" in shown
    assert '<option value="1" selected>2: Email</option>' in shown
    address = reverse("studio:attendance_report_columns", args=[webinar.pk, report.pk])
    wrong = organiser.client.post(address, {"joined": "2", "left": "x", "time_zone": "UTC"})
    assert wrong.status_code == 422
    columns = {"name": "0", "email": "1", "joined": "2", "left": "3", "time_zone": "UTC"}
    looked = organiser.client.post(address, columns, follow=True).content.decode()
    assert "by address" in looked
    assert "Eve | e@example.org | ? | &lt;i&gt;" in looked
    work.execute("registration.attendance_import", report.pk)
    assert organiser.client.post(address, columns).status_code == 302
    assert anna.attendances.count() == 0  # nobody confirmed it
