"""Teams, and lists of people from spreadsheets (promise A9)."""

import contextlib
import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from events.models import Webinar
from notifications.models import Message
from registration import imports, services
from registration.errors import ConsentMissing, FileUnreadable, GroupFull, InvitationNeeded, WrongState
from registration.links import group_link_for
from registration.list_files import MAX_BYTES, decode, guess_columns, match_columns, read_table, values_in
from registration.models import Group, RegistrationImport, RegistrationSource, RegistrationState
from registration.services import groups
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import check_counts, mails, register
from work.errors import DomainError
from work.models import WorkState
from work.services import execute, request_cancel

CSV = "Name;E-mail;Country\r\nAnna Müller;anna@example.org;Germany\r\nÉva;eva@example.org;\r\n"


def team(webinar: Webinar, **values: Any) -> Group:
    given = {
        "name": "Ward 4",
        "coordinator_name": "Carla",
        "coordinator_email": "carla@example.org",
        "language": "fr",
        "has_agreed": True,
    }
    return services.start_group(webinar=webinar, **{**given, **values})


def upload(content: bytes | str, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def workbook(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read_people(content: bytes, name: str = "a.csv") -> list[tuple[int, dict[str, str]]]:
    table = read_table(io.BytesIO(content), file_name=name)
    columns = guess_columns(table, {})
    return [(number, values_in(cells, columns)) for number, cells in table.lines]


# --- Reading files -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_list_is_read_in_any_usual_encoding(encoding: str) -> None:
    people = read_people(CSV.encode(encoding))
    assert [(number, values["name"]) for number, values in people] == [(2, "Anna Müller"), (3, "Éva")]


def test_cyrillic_and_arabic_code_pages_are_recognised() -> None:
    russian = "Имя,E-mail\nАлександр Сергеевич Пушкин,a@example.org\nМихаил Юрьевич Лермонтов,m@example.org\n"
    assert decode(russian.encode("cp1251")) == russian
    arabic = "الاسم,email\nمحمد عبد الله الأحمد,m@example.org\nفاطمة الزهراء بنت محمد,f@example.org\n"
    assert decode(arabic.encode("cp1256")) == arabic


def test_workbook_is_read_like_a_csv_file() -> None:
    content = workbook([["First name", "Surname", "Mail"], ["Anna", "Example", "anna@example.org"], [None, None, None]])
    assert [values for _number, values in read_people(content, "a.xlsx")] == [
        {"email": "anna@example.org", "name": "Anna Example"}
    ]


def test_columns_are_known_by_the_labels_of_our_own_forms_in_every_language() -> None:
    assert match_columns(["Nom", "Adresse électronique", "e-mail", "Pays"])["country"] == 3
    assert set(match_columns(["Name", "E-mail address", "Sector", "Time zone"])) == {
        "name",
        "email",
        "sector",
        "time_zone",
    }


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"Name,Phone\nAnna,1\n", "a.csv"),
        (b"PK\x03\x04 no zip", "a.xlsx"),
        (b"\x00\x01\x02" * 50, "a.csv"),
        (b"x" * (MAX_BYTES + 1), "a.csv"),
        (b'"' + b"a" * 200_000, "a.csv"),
        (b"text", "a.xlsx"),
    ],
)
def test_files_that_are_no_list_are_refused_with_a_reason(content: bytes, name: str) -> None:
    with pytest.raises(FileUnreadable):
        read_people(content, name)


def test_list_without_any_address_is_refused_with_the_columns_found() -> None:
    with pytest.raises(FileUnreadable, match="Found: Name, Phone"):
        read_people(b"Name,Phone\nAnna,1\n")


# --- Importing -----------------------------------------------------------------------------------------------------
def prepared(webinar: Webinar, content: str = CSV, **values: Any) -> RegistrationImport:
    return imports.prepare(webinar=webinar, file=upload(content), **{"user": UserFactory(), **values})


@pytest.mark.django_db
def test_preview_tells_every_lines_outcome_and_writes_nothing() -> None:
    webinar = WebinarFactory()
    register(webinar, "eva@example.org")
    content = CSV + "Anna;ANNA@example.org;\r\n;no@example.org;\r\nBad;nonsense;\r\n=1+1;f@example.org;Atlantis\r\n"
    found = prepared(webinar, content)
    outcomes = [(row["line"], row["outcome"]) for row in found.rows]
    assert outcomes == [(2, "new"), (3, "again"), (4, "double"), (5, "wrong"), (6, "wrong"), (7, "wrong")]
    assert webinar.registrations.count() == 1
    assert found.state == WorkState.WAITING


@pytest.mark.django_db
def test_confirmed_list_registers_each_person_once() -> None:
    webinar, user = WebinarFactory(capacity=1, needs_approval=True), UserFactory()
    found = prepared(webinar, user=user)
    imports.confirm(imported=found, user=user)
    with pytest.raises(WrongState):
        imports.confirm(imported=found, user=user)
    assert execute("registration.import", found.pk)
    found.refresh_from_db()
    assert (found.state, [row["outcome"] for row in found.rows]) == (WorkState.DONE, ["done", "done"])
    assert check_counts(webinar) == (1, 1)
    anna = webinar.registrations.get(email="anna@example.org")
    assert (anna.country, anna.source, anna.decided_by) == ("DE", RegistrationSource.IMPORT, user)
    assert mails(anna) == ["confirmation"]


@pytest.mark.django_db
def test_lines_that_cannot_be_done_any_more_are_reported() -> None:
    webinar, user = WebinarFactory(), UserFactory()
    found = prepared(webinar, user=user)
    imports.confirm(imported=found, user=user)
    Webinar.objects.update(starts_at="2020-01-01T10:00Z", ends_at="2020-01-01T11:00Z")
    execute("registration.import", found.pk)
    found.refresh_from_db()
    assert [(row["outcome"], row["error"]) for row in found.rows] == [("failed", "This webinar is over.")] * 2


@pytest.mark.django_db
def test_stopped_import_goes_on_where_it_was() -> None:
    webinar, user = WebinarFactory(), UserFactory()
    found = prepared(webinar, user=user)
    imports.confirm(imported=found, user=user)
    request_cancel(found)
    assert webinar.registrations.count() == 0
    imports.retry(imported=found, user=user)
    execute("registration.import", found.pk)
    assert webinar.registrations.count() == 2


@pytest.mark.django_db
def test_lists_that_nobody_confirmed_are_forgotten() -> None:
    old, done = prepared(WebinarFactory()), prepared(WebinarFactory())
    RegistrationImport.objects.filter(pk=done.pk).update(state=WorkState.DONE)
    RegistrationImport.objects.update(updated_at=timezone.now() - timedelta(days=3))
    assert imports.remove_unconfirmed() == 1
    assert not RegistrationImport.objects.filter(pk=old.pk).exists()


# --- Teams ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_coordinator_gets_a_link_and_each_member_a_registration() -> None:
    webinar = WebinarFactory(capacity=1)
    group = team(webinar)
    assert Message.objects.get(purpose="registration.group").recipient_email == "carla@example.org"
    for name in "ab":
        services.add_member(group=group, name=name, email=f"{name}@example.org")
    states = list(group.members.order_by("created_at").values_list("state", "source", "language"))
    assert states == [("confirmed", "group", "fr"), ("waitlisted", "group", "fr")]


@pytest.mark.django_db
def test_member_who_had_registered_looks_like_any_other_and_keeps_their_place() -> None:
    webinar = WebinarFactory()
    own = register(webinar, "anna@example.org")
    group = team(webinar)
    services.add_member(group=group, name="Somebody", email="anna@example.org")
    services.add_member(group=group, name="Bea", email="bea@example.org")
    page = Client().get(group_link_for(group).removeprefix("http://testserver")).content.decode()
    assert "anna@example.org" in page
    assert "Anna Example" not in page
    for member in list(group.members.all()):
        services.withdraw_member(group=group, registration=member)
    own.refresh_from_db()
    assert (own.state, own.group) == (RegistrationState.CONFIRMED, None)
    assert webinar.registrations.get(email="bea@example.org").state == RegistrationState.CANCELLED


@pytest.mark.django_db
def test_team_keeps_to_the_webinars_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvitationNeeded):
        team(WebinarFactory(needs_invitation=True))
    with pytest.raises(ConsentMissing):
        team(WebinarFactory(), has_agreed=False)
    webinar = WebinarFactory(email_domains=["example.org"])
    group = team(webinar)
    services.add_member(group=group, name="A", email="a@example.org")
    assert group.members.get().state == RegistrationState.UNPROVED
    monkeypatch.setattr(groups, "MEMBERS_MAX", 1)
    with pytest.raises(GroupFull):
        services.add_member(group=group, name="B", email="b@example.org")


@pytest.mark.django_db
def test_the_same_team_again_is_the_same_and_its_link_comes_again() -> None:
    webinar = WebinarFactory()
    group = team(webinar)
    assert team(webinar).pk == group.pk
    assert Message.objects.filter(purpose="registration.group").count() == 1
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    team(webinar)
    assert Message.objects.filter(purpose="registration.group").count() == 2


@pytest.mark.django_db
def test_team_page_adds_rows_and_lists_and_withdraws() -> None:
    webinar = WebinarFactory()
    register(webinar, "eva@example.org")
    group, client = team(webinar), Client(enforce_csrf_checks=True)
    url = group_link_for(group).removeprefix("http://testserver")
    rows = {
        "members-TOTAL_FORMS": "5",
        "members-INITIAL_FORMS": "0",
        "members-0-name": "A",
        "members-0-email": "a@x.org",
    }
    assert client.post(url, rows).status_code == 302
    wrong = client.post(url, {**rows, "members-0-name": "", "members-0-email": "b@x.org"})
    assert (wrong.status_code, "Fill in this field" in wrong.content.decode()) == (422, True)
    answer = client.post(f"{url}lists/", {"file": upload(CSV)})
    assert answer.status_code == 302
    preview = client.get(answer["Location"]).content.decode()
    assert "registered already" not in preview
    assert client.post(answer["Location"]).status_code == 302
    execute("registration.import", group.imports.get().pk)
    assert set(group.members.values_list("email", flat=True)) == {"a@x.org", "anna@example.org", "eva@example.org"}
    assert "The list is done" in client.get(answer["Location"]).content.decode()
    bad = client.post(f"{url}lists/", {"file": upload("Name\nAnna\n")})
    assert bad.status_code == 422
    member = group.members.get(email="a@x.org")
    assert client.get(f"{url}withdraw/{member.pk}/").status_code == 200
    assert client.post(f"{url}withdraw/{member.pk}/").status_code == 302
    member.refresh_from_db()
    assert member.state == RegistrationState.CANCELLED


# --- Bad input -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)  # the lease's own connection must see the row for longer than a moment
def test_hostile_texts_in_lists_and_teams_are_refused_or_cleaned(corpus: Path) -> None:
    webinar, user = WebinarFactory(), UserFactory()
    texts = [text for file in sorted((corpus / "strings").glob("*.json")) for text in json.loads(file.read_text())]
    texts = [text for text in texts if isinstance(text, str)]
    assert len(texts) > 50
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["Name", "Email", "Country", "Organisation", "Sector", "Language", "Time zone"])
    for number, text in enumerate(texts):
        writer.writerow([text, f"p{number}@example.org", "", text, text, "", ""])
        writer.writerow(["Anna", text, text, "", "", text, text])
    content = lines.getvalue().replace("\0", "").encode("utf-8", "replace")
    found = imports.prepare(webinar=webinar, file=upload(content), user=user)
    assert {row["outcome"] for row in found.rows} <= {"new", "wrong", "double"}
    imports.confirm(imported=found, user=user)
    execute("registration.import", found.pk)
    found.refresh_from_db()
    assert found.state == WorkState.DONE
    for name in webinar.registrations.values_list("name", flat=True):
        assert "\n" not in name
    for text in texts:
        with contextlib.suppress(DomainError):
            team(webinar, name=text, coordinator_name=text)
        with contextlib.suppress(DomainError):
            services.make_shared_invitation(webinar=webinar, user=user, name=text)
    services.invite(webinar=webinar, people=[(text, text) for text in texts][:400], user=user)
