"""What registrations still lack when people did not register themselves, and the columns of lists that answer."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook
from pytest_django import DjangoAssertNumQueries

from events.models import Webinar
from notifications.models import Message
from registration import consents, imports, questions, segments, services, surveys
from registration.errors import AnswersRefused, ConsentChanged, InvalidDetail, InvalidQuestion, WrongState
from registration.links import group_link_for, join_link_for, token_for
from registration.list_answers import ListQuestions
from registration.messages import about
from registration.models import Group, QuestionKind, Registration, RegistrationImport, RegistrationSource
from registration.open_points import lacking, open_points, open_points_of
from tests.factories.accounts import UserFactory
from tests.factories.events import SeriesFactory, WebinarFactory
from tests.factories.questions import ask, make_question, make_questionnaire
from tests.registration.helpers import register
from tests.registration.test_pages import FORM
from work.services import execute

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar() -> Webinar:
    return WebinarFactory(join_url="https://meet.example.org/room", title="First aid")


def read(webinar: Webinar, content: str | bytes, name: str = "people.csv", **values: Any) -> RegistrationImport:
    data = content.encode() if isinstance(content, str) else content
    return imports.prepare(webinar=webinar, file=SimpleUploadedFile(name, data), **{"user": UserFactory(), **values})


def done(imported: RegistrationImport) -> RegistrationImport:
    imports.confirm(imported=imported, user=imported.created_by)
    execute("registration.import", imported.pk)
    imported.refresh_from_db()
    return imported


def values_of(registration: Registration) -> dict[str, Any]:
    response = registration.responses.get()
    return {str(answer.item.question.label): answer.value for answer in response.answers.all()}


def team(webinar: Webinar) -> Group:
    return services.start_group(
        webinar=webinar,
        name="Ward 4",
        coordinator_name="Carla",
        coordinator_email="carla@example.org",
        language="en",
        has_agreed=True,
    )


def member(group: Group, email: str = "m@example.org") -> Registration:
    services.add_member(group=group, email=email, name="Maria")
    return group.members.get(email=email)


# --- Lists with answers --------------------------------------------------------------------------------------------
def test_columns_answer_questions_in_any_of_their_languages(webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    ask(questionnaire, QuestionKind.CHOICE, label={"en": "Colour", "fr": "Couleur"}, is_required=True)
    ask(questionnaire, QuestionKind.MULTIPLE, label="Days")
    born = ask(questionnaire, QuestionKind.DATE, label="Born")
    imported = read(
        webinar,
        f"Name;Email;Couleur;Days;{born.question_id}\nAnna;a@example.org;rouge;green | Blue;2000-02-29 00:00:00\n",
    )
    assert [row["outcome"] for row in imported.rows] == ["new"]
    done(imported)
    assert values_of(webinar.registrations.get()) == {"Colour": ["c1"], "Days": ["c2", "c3"], "Born": "2000-02-29"}


def test_dates_and_numbers_of_a_workbook_are_understood(webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    ask(questionnaire, QuestionKind.DATE, label="Born")
    ask(questionnaire, QuestionKind.NUMBER, label="Years")
    book = Workbook()
    assert book.active is not None
    book.active.append(["Name", "Email", "Born", "Years"])
    book.active.append(["Anna", "a@example.org", date(2000, 2, 29), 7])
    file = io.BytesIO()
    book.save(file)
    done(read(webinar, file.getvalue(), "people.xlsx"))
    assert values_of(webinar.registrations.get()) == {"Born": "2000-02-29", "Years": 7}


def test_preview_says_per_line_what_is_wrong_and_what_is_missing(webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    ask(questionnaire, QuestionKind.CHOICE, label="Colour", is_required=True)
    ask(questionnaire, QuestionKind.FILE, label="Diploma", is_required=True)
    imported = read(webinar, "Name,Email,Colour\nA,a@example.org,Red\nB,b@example.org,\nC,c@example.org,Mauve\n")
    assert [(row["outcome"], row["open"]) for row in imported.rows] == [
        ("new", "Diploma"),
        ("new", "Colour; Diploma"),
        ("wrong", ""),
    ]
    assert imported.rows[2]["error"] == "Colour: Choose from the list."


def test_seat_that_went_meanwhile_leaves_its_line_out(webinar: Webinar) -> None:
    ask(make_questionnaire(webinar), QuestionKind.CHOICE, label="Colour", seats={"c1": 1})
    imported = done(read(webinar, "Name,Email,Colour\nA,a@example.org,Red\nB,b@example.org,Red\n"))
    assert [row["outcome"] for row in imported.rows] == ["done", "failed"]
    assert (
        imported.rows[1]["error"] == "Colour: The last seat of your choice has just been taken. Please choose another."
    )
    assert webinar.registrations.count() == 1


# --- Columns by hand -----------------------------------------------------------------------------------------------
def test_columns_with_unknown_names_are_said_by_hand(webinar: Webinar) -> None:
    asked = ask(make_questionnaire(webinar), label="Ward")
    imported = read(webinar, "Wer;Wo;Station\nAnna;a@example.org;Four\nEva;b@example.org;Five\n")
    assert {row["outcome"] for row in imported.rows} == {"wrong"}
    assert imported.columns == {"email": 1}
    with pytest.raises(WrongState):
        imports.confirm(imported=imported, user=None)
    imported = imports.choose_columns(imported=imported, columns={"name": 0, "email": 1, asked.pk.hex: 2})
    assert [row["values"]["name"] for row in imported.rows] == ["Anna", "Eva"]
    imported = done(imported)
    assert values_of(webinar.registrations.get(email="a@example.org")) == {"Ward": "Four"}
    assert all("cells" not in row for row in imported.rows)


def test_list_without_a_heading_loses_nobody(webinar: Webinar) -> None:
    imported = read(webinar, "Anna,a@example.org\nEva,b@example.org\n")
    assert imported.heading == ["", ""]
    imported = imports.choose_columns(imported=imported, columns={"name": 0, "email": 1})
    assert [row["values"]["email"] for row in imported.rows] == ["a@example.org", "b@example.org"]


def test_heading_below_a_title_is_found(webinar: Webinar) -> None:
    imported = read(webinar, "Participants of spring\n\nName,Email\nAnna,a@example.org\n")
    assert [(row["line"], row["outcome"]) for row in imported.rows] == [(4, "new")]


@pytest.mark.parametrize(
    "columns", [{"name": 0}, {"email": 1}, {"name": 0, "email": 0}, {"name": 0, "email": 9}, {"name": 0, "pin": 1}]
)
def test_columns_that_cannot_be_meant_are_refused(webinar: Webinar, columns: dict[str, int]) -> None:
    imported = read(webinar, "Wer;Wo\nAnna;a@example.org\n")
    with pytest.raises(InvalidDetail):
        imports.choose_columns(imported=imported, columns=columns)


def test_coordinator_says_which_column_is_which(client: Client, webinar: Webinar) -> None:
    group = team(webinar)
    imported = read(webinar, "Wer;Wo\nAnna;a@example.org\n", user=None, group=group)
    token = group_link_for(group).rstrip("/").rpartition("/")[2]
    url = reverse("registration:group_import", args=[token, imported.pk])
    assert "could not tell which column" in client.get(url).content.decode()
    twice = client.post(url, {"columns": "1", "column_0": "email", "column_1": "email"})
    assert twice.status_code == 422
    assert client.post(url, {"columns": "1", "column_0": "name", "column_1": "email"}).status_code == 302
    assert "will be registered" in client.get(url).content.decode()


# --- What is open --------------------------------------------------------------------------------------------------
def test_member_is_asked_on_their_own_page_for_what_only_they_can_say(client: Client, webinar: Webinar) -> None:
    ask(make_questionnaire(webinar), label="Ward", is_required=True)
    text = consents.write_text(organisation=webinar.organisation, kind="recording", text="We record.", is_required=True)
    registration = member(team(webinar))
    points = open_points_of(registration)
    assert ([str(item.question.label) for item in points.questions], points.consents) == (
        ["Ward"],
        ("privacy", "recording"),
    )
    assert not consents.has_consent(registration, "privacy")
    mail = Message.objects.get(about=about(registration))
    assert "Something is still open" in mail.text
    token = token_for(registration)
    assert "Something is still open" in client.get(reverse("registration:own", args=[token])).content.decode()
    surveys.submit(
        registration=registration,
        questionnaire=webinar.questionnaires.get(),
        given={webinar.questionnaires.get().items.get().pk.hex: "Four"},
    )
    url = reverse("registration:consents", args=[token])
    client.post(url, {"kind": "privacy", "agree": "yes", "version": consents.PRIVACY_VERSION})
    client.post(url, {"kind": "recording", "agree": "yes", "version": str(text.pk)})
    registration.refresh_from_db()
    assert not open_points_of(registration)
    assert consents.has_consent(registration, "privacy")
    assert "by" not in registration.consents["privacy"]
    assert "Something is still open" not in client.get(reverse("registration:own", args=[token])).content.decode()


def test_way_into_the_room_leads_past_the_required_consents(client: Client, webinar: Webinar) -> None:
    registration = member(team(webinar))
    now = timezone.now()
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=now, ends_at=now + timedelta(hours=1))
    join = join_link_for(registration).removeprefix("http://testserver")
    asked = client.get(join)["Location"]
    assert asked.startswith(undated(reverse("registration:consents", args=[token_for(registration)])))
    assert not registration.attendances.exists()
    answer = client.post(asked, {"kind": "privacy", "agree": "yes", "version": consents.PRIVACY_VERSION})
    assert undated(answer["Location"]).endswith(undated(join))
    assert client.get(join)["Location"] == "https://meet.example.org/room"


def undated(address: str) -> str:
    """An address up to the second in which its token was made."""
    return address.partition("~")[0]


def test_own_privacy_notice_of_the_organisation_is_agreed_to_in_its_version(webinar: Webinar) -> None:
    registration = member(team(webinar))
    text = consents.write_text(organisation=webinar.organisation, kind="privacy", text="Our own notice.")
    with pytest.raises(ConsentChanged):
        consents.change(registration=registration, kind="privacy", is_given=True, version=consents.PRIVACY_VERSION)
    consents.change(registration=registration, kind="privacy", is_given=True, version=str(text.pk))
    assert registration.given_consents.get().text == text
    with pytest.raises(InvalidQuestion):
        consents.change(registration=registration, kind="privacy", is_given=False)


def test_whoever_used_the_form_is_not_asked_for_later_consents(webinar: Webinar) -> None:
    registration = register(webinar)
    consents.write_text(organisation=webinar.organisation, kind="recording", text="We record.", is_required=True)
    assert not open_points_of(registration)


def test_required_question_that_was_added_later_is_open_for_everybody(webinar: Webinar) -> None:
    registration = register(webinar)
    ask(make_questionnaire(webinar), label="Ward", is_required=True)
    assert open_points_of(registration).in_words() == ["Ward"]
    services.cancel_registration(registration=registration)
    registration.refresh_from_db()
    assert not open_points_of(registration)


def test_condition_of_a_question_holds_for_what_is_open(webinar: Webinar) -> None:
    questionnaire = make_questionnaire(webinar)
    colour = ask(questionnaire, QuestionKind.CHOICE, label="Colour")
    ask(questionnaire, label="Which red?", is_required=True, shown_if=colour, shown_if_choices=("c1",))
    done(read(webinar, "Name,Email,Colour\nA,a@example.org,Red\nB,b@example.org,Green\n"))
    rows = webinar.registrations.select_related("webinar").order_by("email")
    assert [len(open_points_of(row).questions) for row in rows] == [1, 0]


def test_open_points_of_many_cost_as_many_queries_as_of_one(
    webinar: Webinar, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask(make_questionnaire(webinar), label="Ward", is_required=True)
    group = team(webinar)
    for number in range(3):
        member(group, f"m{number}@example.org")
    for count in (1, 3):
        rows = list(webinar.registrations.select_related("webinar__organisation")[:count])
        with django_assert_num_queries(4):
            open_points(rows)


def test_those_who_lack_something_can_be_found_and_written_to(webinar: Webinar) -> None:
    services.register(
        webinar=webinar, email="f@example.org", name="Fay", language="en", time_zone="UTC", consents=["privacy"]
    )
    registration = member(team(webinar))
    assert list(lacking(webinar.registrations.all())) == [registration]
    assert list(segments.people(webinar, "lacking")) == [registration]
    consents.change(registration=registration, kind="privacy", is_given=True)
    assert not segments.people(webinar, "lacking").exists()


def test_those_who_answered_everything_are_not_read_to_find_who_lacks_something(
    webinar: Webinar, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    item = ask(make_questionnaire(webinar), label="Ward", is_required=True)
    for number in range(3):
        register(webinar, email=f"p{number}@example.org", answers=ListQuestions(webinar).clean({item.pk.hex: "ICU"}))
    with django_assert_num_queries(1):
        found = lacking(webinar.registrations.all())
    assert not found.exists()
    ask(item.questionnaire, label="Years", is_required=True)
    assert lacking(webinar.registrations.all()).count() == 3


def test_full_choice_does_not_tell_a_coordinator_who_is_registered(webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.CHOICE, seats={"c1": 1})
    taken = ListQuestions(webinar).clean({item.pk.hex: "c1"})
    register(webinar, answers=taken)
    group = team(webinar)
    for email in ("anna@example.org", "new@example.org"):
        with pytest.raises(AnswersRefused):
            services.add_member(group=group, email=email, name="Anna", answers=taken)


def test_team_page_takes_answers_with_the_rows(client: Client, webinar: Webinar) -> None:
    item = ask(make_questionnaire(webinar), QuestionKind.NUMBER, label="Years", is_required=True)
    group = team(webinar)
    url = group_link_for(group).removeprefix("http://testserver")
    rows = {
        "members-TOTAL_FORMS": "2",
        "members-INITIAL_FORMS": "0",
        "members-0-name": "Maria",
        "members-0-email": "m@example.org",
        f"members-0-q_{item.pk.hex}": "seven",
        "members-1-name": "Nora",
        "members-1-email": "n@example.org",
    }
    answer = client.post(url, rows)
    assert (answer.status_code, [row.email for row in group.members.all()]) == (422, ["n@example.org"])
    assert "Years: Enter a number." in answer.content.decode()
    client.post(url, {**rows, f"members-0-q_{item.pk.hex}": "7"})
    assert values_of(group.members.get(email="m@example.org")) == {"Years": 7}


# --- Series --------------------------------------------------------------------------------------------------------
def test_series_form_asks_each_question_once_and_each_session_gets_its_answers(client: Client) -> None:
    series = SeriesFactory()
    first, second, third = (WebinarFactory(series=series, organisation=series.organisation) for _ in range(3))
    shared = make_question(series.organisation, label="Ward")
    for webinar in (first, second):
        asked = make_questionnaire(webinar)
        questions.add_item(questionnaire=asked, question=shared, user=None, is_required=True)
    only = ask(make_questionnaire(second), QuestionKind.CHOICE, label="Colour", is_required=True)
    text = consents.write_text(organisation=series.organisation, kind="recording", text="We record.", is_required=True)
    url = reverse("registration:register_series", args=[series.slug])
    name, other = f"q_{shared.pk.hex}", f"q_{only.question_id.hex}"
    page = client.get(url).content.decode()
    assert page.count(f'name="{name}"') == 1
    chosen = {**FORM, "sessions": [str(first.pk), str(second.pk), str(third.pk)]}
    refused = client.post(url, {**chosen, name: "Four"})
    assert refused.status_code == 422
    assert refused.context["form"].errors == {other: ["Please answer this question."]}
    assert client.post(url, {**chosen, name: "Four", other: "c2"}).status_code == 422  # the consent is missing
    given = {**chosen, name: "Four", other: "c2", "consent_recording": str(text.pk)}
    assert client.post(url, given).status_code == 302
    assert values_of(first.registrations.get()) == {"Ward": "Four"}
    assert values_of(second.registrations.get()) == {"Ward": "Four", "Colour": ["c2"]}
    assert not third.registrations.get().responses.exists()
    assert third.registrations.get().given_consents.get().text == text
    assert first.registrations.get().source == RegistrationSource.FORM


def test_series_form_wants_no_answers_for_sessions_that_were_not_chosen(client: Client) -> None:
    series = SeriesFactory()
    first, second = (WebinarFactory(series=series, organisation=series.organisation) for _ in range(2))
    ask(make_questionnaire(second), label="Ward", is_required=True)
    url = reverse("registration:register_series", args=[series.slug])
    assert client.post(url, {**FORM, "sessions": [str(first.pk)]}).status_code == 302
    assert (first.registrations.count(), second.registrations.count()) == (1, 0)
