"""The list of registrants and its download."""

import csv
import io
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from events.models import Webinar
from registration.models import RegistrationSource, RegistrationState
from studio.exports import safe_cell
from tests.factories.registration import RegistrationFactory
from tests.studio.conftest import Person


def names(person: Person, webinar: Webinar, query: str = "") -> list[str]:
    answer = person.client.get(reverse("studio:registrants", args=[webinar.pk]) + query)
    return [row.name for row in answer.context["page"]]


def download(person: Person, webinar: Webinar) -> list[list[str]]:
    answer = person.client.post(reverse("studio:registrants_csv", args=[webinar.pk]))
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_list_shows_who_registered_and_how_many(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(webinar=webinar, name="Anna")
    RegistrationFactory(webinar=webinar, name="Jean", state=RegistrationState.WAITLISTED)
    RegistrationFactory(name="Somebody of another webinar")

    answer = organiser.client.get(reverse("studio:registrants", args=[webinar.pk]))

    assert [row.name for row in answer.context["page"]] == ["Jean", "Anna"]
    counts = answer.context["counts"]
    assert (counts.confirmed, counts.waitlisted, counts.cancelled) == (1, 1, 0)


def test_search_finds_words_in_name_address_and_organisation(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(webinar=webinar, name="Anna Müller", affiliation="Hospital of Ghent")
    RegistrationFactory(webinar=webinar, name="محمد الأحمد", email="m@ghent.example")
    RegistrationFactory(webinar=webinar, name="Jean")

    assert names(organiser, webinar, "?q=ghent") == ["محمد الأحمد", "Anna Müller"]
    assert names(organiser, webinar, "?q=anna+ghent") == ["Anna Müller"]
    assert names(organiser, webinar, "?q=محمد") == ["محمد الأحمد"]


def test_list_can_be_limited_to_a_state(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(webinar=webinar, name="Anna")
    RegistrationFactory(webinar=webinar, name="Jean", state=RegistrationState.WAITLISTED)

    assert names(organiser, webinar, "?state=waitlisted") == ["Jean"]
    assert names(organiser, webinar, "?state=nonsense") == ["Jean", "Anna"]


def test_list_shows_what_is_still_open_and_can_be_limited_to_it(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(webinar=webinar, name="Anna")
    said = {"privacy": {"version": "1", "at": "2027-01-01T00:00:00+00:00", "by": "coordinator"}}
    RegistrationFactory(webinar=webinar, name="Maria", source=RegistrationSource.GROUP, consents=said)

    assert names(organiser, webinar, "?open=1") == ["Maria"]
    answer = organiser.client.get(reverse("studio:registrants", args=[webinar.pk]))
    assert [missing for _row, missing in answer.context["rows"]] == [["privacy notice"], []]
    header, *rows = download(organiser, webinar)
    assert [row[header.index("Still to be answered")] for row in rows] == ["privacy notice", ""]


def test_names_are_text(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(webinar=webinar, name="<script>alert(1)</script>")

    page = organiser.client.get(reverse("studio:registrants", args=[webinar.pk])).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_list_is_paged_and_asks_as_few_questions_for_many_as_for_one(webinar: Webinar, organiser: Person) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            names(organiser, webinar)
        return len(captured)

    RegistrationFactory(webinar=webinar)
    before = count()
    RegistrationFactory.create_batch(60, webinar=webinar)

    assert count() == before
    assert (len(names(organiser, webinar)), len(names(organiser, webinar, "?page=2"))) == (50, 11)


def test_table_holds_everybody(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory(
        webinar=webinar, name="محمد", email="m@example.org", affiliation="Hospital; Ghent", country="BE"
    )

    header, row = download(organiser, webinar)

    assert header[:3] == ["Name", "E-mail address", "State"]
    assert row[:8] == ["محمد", "m@example.org", "confirmed", "en", "Europe/Brussels", "BE", "", "Hospital; Ghent"]


def test_taking_the_table_is_recorded(webinar: Webinar, organiser: Person) -> None:
    download(organiser, webinar)

    entry = AuditEntry.objects.get(action="registrations.export")
    assert (entry.user, entry.target_id) == (organiser.user, str(webinar.pk))


def test_table_runs_no_formula(webinar: Webinar, organiser: Person, corpus: Path) -> None:
    with open(corpus / "strings" / "formulas.csv", encoding="utf-8", newline="") as file:
        hostile = [row["name"] for row in csv.DictReader(file)]
    for name in hostile:
        RegistrationFactory(webinar=webinar, name=name[:150], affiliation=name)

    cells = [cell for row in download(organiser, webinar)[1:] for cell in row]

    dangerous = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    assert [cell for cell in cells if cell.lstrip(' "').startswith(dangerous)] == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("＝1+1", "'＝1+1"),
        ("Anna;=1+1", "'Anna;=1+1"),
        ("Line\n+1", "'Line\n+1"),
        ("+49 30 1234567", "'+49 30 1234567"),
        ("Anna-Maria O'Neil", "Anna-Maria O'Neil"),
        ("a = b", "a = b"),
        (None, ""),
        (3, "3"),
    ],
)
def test_only_cells_that_may_be_formulas_are_marked(value: object, cell: str) -> None:
    assert safe_cell(value) == cell
