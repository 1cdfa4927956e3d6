"""Reports for funders: the figures, the groups that are hidden, the page and its files."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Organisation
from events.models import Webinar, WebinarState
from library.models import DownloadDay, Viewing, ViewingDay
from registration import documents
from registration.models import Attendance, AttendanceSource, Certificate, Registration, RegistrationState
from studio import reports
from studio.reports import Group, grouped, report_on
from tests.factories.events import MaterialFactory, SeriesFactory, WebinarFactory
from tests.factories.library import RecordingFactory, watchable_recording
from tests.factories.registration import RegistrationFactory
from tests.studio.conftest import Person

STARTS_AT = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)


@pytest.fixture
def webinar(organisation: Organisation) -> Webinar:
    return WebinarFactory(
        organisation=organisation, title="Mental health", starts_at=STARTS_AT, ends_at=STARTS_AT + timedelta(hours=1)
    )


def there(webinar: Webinar, minutes: int = 60, **values: Any) -> Registration:
    registration = RegistrationFactory(webinar=webinar, **values)
    end = webinar.starts_at + timedelta(minutes=minutes)
    Attendance.objects.create(
        registration=registration, joined_at=webinar.starts_at, left_at=end, source=AttendanceSource.ZOOM
    )
    return registration


def full(webinar: Webinar) -> None:
    """Somebody who stayed, one who left early, one who was away; a view, a certificate, a download."""
    anna = there(webinar, 60, country="BE")
    there(webinar, 30)
    RegistrationFactory(webinar=webinar)
    RegistrationFactory(webinar=webinar, state=RegistrationState.CANCELLED)
    recording = RecordingFactory(webinar=webinar)
    Viewing.objects.create(recording=recording, last_beat_at=STARTS_AT, watched_ms=1_800_000, seen="1111111111")
    ViewingDay.objects.create(recording=recording, day=date(2026, 3, 5), openings=4, completed=1, watched_ms=1_800_000)
    Certificate.objects.create(registration=anna, number=f"A-{anna.pk.hex}", language="en", key="none")
    DownloadDay.objects.get_or_create(webinar=webinar, kind="video", day=date(2026, 3, 5), defaults={"count": 7})


def test_figures_add_up(webinar: Webinar) -> None:
    full(webinar)
    found = report_on(Webinar.objects.filter(pk=webinar.pk)).total
    assert (found.registered, found.attended, found.stayed, found.minutes, found.certificates) == (3, 2, 1, 90, 1)
    assert (found.openings, found.watched_hours, found.completed, found.downloads) == (5, 1.0, 2, 7)
    assert (found.attended_percent, found.stayed_percent, found.completion_percent) == (67, 50, 40)
    assert found.average_minutes == 45


def test_whoever_came_without_a_place_counts_and_whose_minutes_are_unknown_lowers_no_mean(webinar: Webinar) -> None:
    there(webinar, 60, state=RegistrationState.WAITLISTED)
    by_link = RegistrationFactory(webinar=webinar)
    Attendance.objects.create(registration=by_link, joined_at=STARTS_AT, source=AttendanceSource.JOIN_LINK)
    found = report_on(Webinar.objects.filter(pk=webinar.pk)).total
    assert (found.registered, found.attended, found.average_minutes) == (2, 2, 60)


def test_as_few_questions_are_asked_for_many_as_for_one(webinar: Webinar) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            report_on(Webinar.objects.filter(organisation=webinar.organisation))
        return len(captured)

    full(webinar)
    before = count()
    for _number in range(3):
        full(webinar)
        full(WebinarFactory(organisation=webinar.organisation))
    assert (before, count()) == (7, 7)


# --- Groups --------------------------------------------------------------------------------------------------------
def people(**groups: tuple[int, int]) -> list[tuple[str, bool]]:
    """For each group how many attended and how many did not."""
    return [
        (name, has_attended)
        for name, counts in groups.items()
        for has_attended, count in zip((True, False), counts, strict=True)
        for _one in range(count)
    ]


def shown(*found: Group) -> list[tuple[str, int, int | None]]:
    return [(group.name, group.registered, group.attended) for group in found]


def test_groups_are_shown_the_largest_first() -> None:
    assert shown(*grouped(people(BE=(5, 5), FR=(20, 0), SY=(0, 6)))) == [("FR", 20, 20), ("BE", 10, 5), ("SY", 6, 0)]


def test_small_groups_are_put_together() -> None:
    assert shown(*grouped(people(BE=(10, 0), FR=(3, 0), SY=(3, 0)))) == [("BE", 10, 10), ("others", 6, 6)]


def test_no_small_group_can_be_found_by_subtraction() -> None:
    assert shown(*grouped(people(BE=(10, 0), FR=(8, 0), SY=(1, 0)))) == [("BE", 10, 10), ("others", 9, 9)]


def test_few_who_attended_are_not_told_nor_to_be_found_by_subtraction() -> None:
    found = grouped(people(BE=(20, 10), FR=(10, 8), SY=(2, 10)))
    assert shown(*found) == [("BE", 30, 20), ("FR", 18, None), ("SY", 12, None)]


def test_nothing_is_told_of_a_handful() -> None:
    assert grouped(people(BE=(4, 0))) == []
    assert grouped([("", True)] * 50) == []


def test_spellings_are_one_group() -> None:
    said = [("Nurse", True)] * 4 + [(" nurse", True)] * 3 + [("", True)] * 5
    assert shown(*grouped(said)) == [("Nurse", 7, 7), ("not told", 5, 5)]


# --- Page and files ------------------------------------------------------------------------------------------------
def test_page_is_about_what_was_chosen(webinar: Webinar, organiser: Person, stranger: Person) -> None:
    full(webinar)
    series = SeriesFactory(organisation=webinar.organisation)
    other = WebinarFactory(organisation=webinar.organisation, series=series, title="Second")
    WebinarFactory(organisation=webinar.organisation, state=WebinarState.DRAFT)

    def titles(query: str, person: Person = organiser) -> list[str]:
        answer = person.client.get(reverse("studio:report") + query)
        return [str(row.webinar.title) for row in answer.context["report"].webinars]

    assert titles("") == ["Mental health", "Second"]
    assert titles("?first=2026-03-04&last=2026-03-04") == ["Mental health"]
    assert titles(f"?series={series.pk}") == ["Second"]
    assert titles(f"?series={series.pk}", stranger) == []
    assert titles("", stranger) == []
    wrong = organiser.client.get(reverse("studio:report") + "?first=2026-03-04&last=2026-03-03&series=x")
    assert (wrong.status_code, wrong.context["report"].webinars) == (422, [])
    assert other.series == series


def test_table_runs_no_formula(webinar: Webinar, organiser: Person) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(title="=cmd|x")
    for _number in range(6):
        RegistrationFactory(webinar=webinar, profession="@SUM(A1)", country="BE")
    address = reverse("studio:webinar_report_file", args=[webinar.pk, "csv"])

    rows = list(csv.reader(io.StringIO(organiser.client.get(address).getvalue().decode("utf-8-sig"))))

    assert rows[1][:5] == ["Webinar", "'=cmd|x", "2026-03-04", "6", "0"]
    assert rows[4][:5] == ["Professions", "'@SUM(A1)", "", "6", "0"]
    book = load_workbook(io.BytesIO(organiser.client.get(address.replace(".csv", ".xlsx")).content))
    assert "f" not in {cell.data_type for line in book.worksheets[0] for cell in line}


def test_document_holds_the_figures(webinar: Webinar, organiser: Person) -> None:
    full(webinar)
    answer = organiser.client.get(reverse("studio:webinar_report_file", args=[webinar.pk, "pdf"]))
    assert answer["Content-Disposition"] == f'attachment; filename="report-{webinar.slug}.pdf"'
    document = pypdfium2.PdfDocument(answer.content)
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert "Mental health" in text
    assert "67 %" in text


def test_another_format_is_not_found(webinar: Webinar, organiser: Person) -> None:
    assert organiser.client.get(reverse("studio:webinar_report_file", args=[webinar.pk, "doc"])).status_code == 404


# --- Downloads -----------------------------------------------------------------------------------------------------
def test_downloads_are_counted_without_looks_and_resumptions(client: Client, db: None) -> None:
    webinar = WebinarFactory()
    watchable_recording(webinar=webinar)
    material = MaterialFactory(webinar=webinar)
    address = reverse("library:download_material", args=[webinar.slug, material.pk])

    answers = [
        client.head(address),
        client.get(address, headers={"Range": "bytes=100-"}),
        *(client.get(address) for _time in range(2)),
    ]
    for answer in answers:
        b"".join(answer)  # read to its end, which closes the file

    assert [answer.status_code for answer in answers[2:]] == [200, 200]
    assert list(DownloadDay.objects.values_list("webinar", "kind", "count")) == [(webinar.pk, "material", 2)]


def test_days_are_those_of_the_organisation(organisation: Organisation) -> None:
    Organisation.objects.filter(pk=organisation.pk).update(time_zone="Pacific/Auckland")
    late = WebinarFactory(organisation=organisation, starts_at=datetime(2026, 3, 4, 23, tzinfo=UTC))
    own = Organisation.objects.filter(pk=organisation.pk)
    assert list(reports.webinars_in(own, first=date(2026, 3, 5), last=date(2026, 3, 5))) == [late]
    assert list(reports.webinars_in(own, last=date.max)) == [late]


def test_without_pango_the_page_says_what_to_do(
    webinar: Webinar, organiser: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise documents.DocumentsUnavailable("Documents cannot be made")

    monkeypatch.setattr(documents, "_weasyprint", refuse)
    for address in (
        reverse("studio:webinar_report_file", args=[webinar.pk, "pdf"]),
        reverse("studio:report_file", args=["pdf"]),
        reverse("studio:certificate_preview", args=[webinar.pk]),
    ):
        assert "Documents cannot be made" in organiser.client.get(address, follow=True).content.decode()
