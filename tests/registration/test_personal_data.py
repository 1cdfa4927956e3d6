"""Handing out and forgetting a person: the marker tests (promises P1, P2, P4), and keeping times (P3)."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import keeping
from accounts.models import AuditEntry, ErasedPerson, IdempotentAnswer, Purge, User
from accounts.personal_data import digest_of, erase_person, export_person, repeat_erasures
from accounts.services import record_action
from events.models import Speaker, Webinar
from media.storage import private_storage
from notifications.models import Bounce, BounceKind, Message, OptOut, Suppression
from notifications.services import send
from registration import answers, consents, services
from registration.links import token_for
from registration.models import (
    Answer,
    Attendance,
    AttendanceImport,
    AttendanceSource,
    CalendarFeed,
    Certificate,
    ChoiceSeats,
    Group,
    Invitation,
    Places,
    QuestionKind,
    Registration,
    RegistrationImport,
    RegistrationState,
    Response,
)
from registration.personal_data import is_anonymous
from tests.factories.accounts import MembershipFactory
from tests.factories.events import MaterialFactory, SpeakerFactory, WebinarFactory
from tests.factories.questions import ask, make_questionnaire
from tests.factories.registration import RegistrationFactory
from tests.factories.transcripts import TrackFactory
from tests.registration.helpers import register
from transcripts.models import ReviewLink, Revision
from work.models import WorkState
from work.services import execute

pytestmark = pytest.mark.usefixtures("own_store")

MARK = "zzmarker"
EMAIL = f"{MARK}@example.org"


@pytest.fixture
def webinar(db: None) -> Webinar:
    return WebinarFactory(capacity=2)


def plant(webinar: Webinar, mark: str = MARK) -> Registration:
    """A person whose mark stands in every field that holds something about people."""
    email = f"{mark}@example.org"
    questionnaire = make_questionnaire(webinar)
    items = [ask(questionnaire, kind) for kind in (QuestionKind.TEXT, QuestionKind.FILE)]
    seated = ask(questionnaire, QuestionKind.CHOICE, seats={"c1": 5})
    given = {
        items[0].pk.hex: f"{mark} wrote this",
        items[1].pk.hex: SimpleUploadedFile(f"{mark}.pdf", f"%PDF-{mark}".encode()),
        seated.pk.hex: "c1",
    }
    text = consents.write_text(organisation=webinar.organisation, kind="contact", text="We write to you.")
    registration = register(
        webinar,
        email=email.upper(),
        name=f"{mark} Name",
        country="BE",
        profession="Nurse",
        sector=f"{mark} sector",
        affiliation=f"{mark} Hospital",
        answers=answers.clean_answers(questionnaire=questionnaire, given=given),
        consent_texts=[text],
    )
    group = Group.objects.create(webinar=webinar, name="Team", coordinator_name=mark, coordinator_email=email)
    Registration.objects.filter(pk=registration.pk).update(group=group)
    Invitation.objects.create(webinar=webinar, email=email, name=mark)
    CalendarFeed.objects.create(email=email)
    start = timezone.now()
    Attendance.objects.create(
        registration=registration, joined_at=start, left_at=start + timedelta(minutes=9), source=AttendanceSource.ZOOM
    )
    key = private_storage().save(f"certificates/{mark}-x.pdf", ContentFile(f"%PDF {mark}".encode()))
    Certificate.objects.create(
        registration=registration, number=f"N-{registration.pk.hex[:8]}", language="en", key=key, facts={"name": mark}
    )
    line = {"line": 2, "values": {"email": email, "name": mark}, "outcome": "new", "error": "", "registration": ""}
    RegistrationImport.objects.create(webinar=webinar, file_name="list.csv", rows=[line])
    AttendanceImport.objects.create(
        webinar=webinar, system="zoom", file_name="a.csv", rows=[{"line": 2, "name": f"{mark} Name", "email": ""}]
    )
    SpeakerFactory.create(webinar=webinar, email=email, name=f"{mark} Speaker", biography=mark)
    Suppression.objects.create(email=email, reason="asked")
    OptOut.objects.create(email=email, organisation=webinar.organisation, scope="news")
    Bounce.objects.create(
        message=Message.objects.filter(recipient_email=email).first(),
        email=email,
        kind=BounceKind.SOFT,
        detail=f"{email} full",
    )
    IdempotentAnswer.objects.create(
        caller=mark[:5], key=registration.pk.hex, request_hash="x", started_at=start, body=json.dumps({"email": email})
    )
    User.objects.create_user(email, name=mark)
    record_action(action="test", target=webinar, organisation=webinar.organisation, typed=f"to {email}")
    registration.refresh_from_db()
    return registration


def database() -> str:
    """Everything that the database holds, as text."""
    rows: Iterator[Any] = (row for model in apps.get_models() for row in model._base_manager.all())
    return str(serializers.serialize("json", rows)).lower()


def stored_files() -> str:
    """Everything in the store, as text."""

    def walk(folder: str) -> Iterator[str]:
        folders, files = default_storage.listdir(folder)
        for name in files:
            with default_storage.open(f"{folder}/{name}") as file:
                yield f"{folder}/{name} {file.read()!r}"
        for name in folders:
            yield from walk(f"{folder}/{name}" if folder else name)

    return "\n".join(text for folder in ("answers", "certificates", "erased") for text in _walked(folder, walk)).lower()


def _walked(folder: str, walk: Callable[[str], Iterator[str]]) -> list[str]:
    try:
        return list(walk(folder))
    except FileNotFoundError:
        return []


def exported(content: bytes) -> tuple[dict[str, Any], str]:
    """The data of an export, and the whole of it as text."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    texts = [f"{name} {archive.read(name).decode('utf-8', 'replace')}" for name in archive.namelist()]
    return json.loads(archive.read("data.json")), "\n".join(texts).lower()


# --- Forgetting ----------------------------------------------------------------------------------------------------
def test_erased_person_is_nowhere(webinar: Webinar, django_capture_on_commit_callbacks: Any) -> None:
    plant(webinar)
    assert database().count(MARK) > 25
    assert MARK in stored_files()

    with django_capture_on_commit_callbacks(execute=True):
        erase_person(email=EMAIL.upper(), actor="registrant")

    assert [line for line in database().split("{") if MARK in line] == []
    assert MARK not in stored_files()


def test_a_reviewer_of_subtitles_is_nowhere_and_their_work_stays(db: None) -> None:
    track = TrackFactory()
    link = ReviewLink.objects.create(
        track=track, email=EMAIL, name=f"{MARK} Reviewer", expires_at=timezone.now() + timedelta(days=9)
    )
    Revision.objects.filter(pk=track.current_revision_id).update(review_link=link)
    assert MARK in database()
    erase_person(email=EMAIL)
    assert MARK not in database()
    track.refresh_from_db()
    assert track.current_revision is not None


def test_nobody_elses_data_go(webinar: Webinar, django_capture_on_commit_callbacks: Any) -> None:
    plant(webinar)
    other = plant(WebinarFactory.create(), "zzother")
    before = database().count("zzother")
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(email=EMAIL)
    assert database().count("zzother") == before
    other.refresh_from_db()
    assert not is_anonymous(other)


def test_numbers_stay_right(webinar: Webinar) -> None:
    registration = plant(webinar)
    now = timezone.now()
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2))

    erase_person(email=EMAIL)

    registration = Registration.objects.get(pk=registration.pk)
    assert is_anonymous(registration)
    assert (registration.state, registration.country, registration.profession) == ("confirmed", "BE", "Nurse")
    assert registration.attendances.count() == 1
    assert Answer.objects.get(response__registration=registration).value == ["c1"]
    assert (Places.objects.get(webinar=webinar).confirmed, ChoiceSeats.objects.get().taken) == (1, 1)
    assert not services.recount(webinar=webinar)


def test_place_at_a_session_to_come_goes_to_the_next(webinar: Webinar) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(capacity=1)
    webinar.refresh_from_db()
    services.set_capacity(webinar=webinar)
    plant(webinar)
    waiting = register(webinar, email="b@example.org")
    assert waiting.state == RegistrationState.WAITLISTED

    erase_person(email=EMAIL)

    waiting.refresh_from_db()
    assert waiting.state == RegistrationState.CONFIRMED
    assert Places.objects.get(webinar=webinar).confirmed == 1
    assert ChoiceSeats.objects.get().taken == 0


def test_organisation_forgets_only_its_own(webinar: Webinar) -> None:
    here = RegistrationFactory.create(webinar=webinar, email=EMAIL)
    elsewhere = RegistrationFactory.create(email=EMAIL)
    erase_person(email=EMAIL, organisation=webinar.organisation)
    here.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (is_anonymous(here), is_anonymous(elsewhere)) == (True, False)


def test_forgotten_person_gets_no_mail(webinar: Webinar) -> None:
    registration = RegistrationFactory.create(webinar=webinar, email=EMAIL)
    erase_person(email=EMAIL)
    registration.refresh_from_db()
    facts: dict[str, Any] = {"recipient_name": "", "language": "en", "template": "cancelled", "context": {}}
    assert send(purpose="x", about="y", recipient_email=registration.email, **facts) is None


def test_erasing_is_recorded_without_the_address(webinar: Webinar) -> None:
    RegistrationFactory.create(webinar=webinar, email=EMAIL)
    erase_person(email=EMAIL, actor="registrant")
    entry = AuditEntry.objects.get(action="person.erased")
    assert (entry.actor, entry.detail) == ("registrant", {"counts": {"registrations": 1}})
    assert ErasedPerson.objects.get().digest == digest_of(EMAIL)


def test_account_with_a_role_stays(webinar: Webinar) -> None:
    member = MembershipFactory.create(user__email=EMAIL)
    erase_person(email=EMAIL)
    assert User.objects.filter(pk=member.user_id).exists()


# --- After a restore -----------------------------------------------------------------------------------------------
def test_restored_backup_forgets_again(webinar: Webinar, django_capture_on_commit_callbacks: Any) -> None:
    backup_of = RegistrationFactory.create(webinar=webinar, email=EMAIL, name=f"{MARK} Name")
    Speaker.objects.create(webinar=webinar, name=MARK, email=EMAIL)
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(email=EMAIL)
    # The backup is older: it knows the person, and not that they were erased.
    ErasedPerson.objects.all().delete()
    Registration.objects.filter(pk=backup_of.pk).update(email=EMAIL, name=f"{MARK} Name")
    Speaker.objects.create(webinar=webinar, name=MARK, email=EMAIL)
    Speaker.objects.update(created_at=timezone.now() - timedelta(days=1))

    assert repeat_erasures() == 1

    assert MARK not in database()
    assert repeat_erasures() == 0


def test_who_comes_back_stays(webinar: Webinar, django_capture_on_commit_callbacks: Any) -> None:
    RegistrationFactory.create(webinar=webinar, email=EMAIL)
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(email=EMAIL)
    again = register(webinar, email=EMAIL)
    assert repeat_erasures() == 0
    again.refresh_from_db()
    assert again.email == EMAIL


# --- Handing out ---------------------------------------------------------------------------------------------------
def test_export_holds_all_about_the_person_and_nobody_else(webinar: Webinar) -> None:
    plant(webinar)
    plant(webinar, "zzother")

    data, text = exported(export_person(email=EMAIL))

    assert "zzother" not in text
    assert set(data) == {"address", "made_at", "account", "speaker", "mails", "registrations"}
    told = data["registrations"][0]
    assert told["name"] == f"{MARK} Name"
    assert [one["answer"] for one in told["answers"]] == [f"{MARK} wrote this", f"{MARK}.pdf", "Red"]
    assert (len(told["agreed_to"]), len(told["attended"]), len(told["certificates"])) == (1, 1, 1)
    assert f"%pdf-{MARK}" in text
    assert f"%pdf {MARK}" in text


def test_export_for_an_organisation_holds_only_what_is_its_own(webinar: Webinar) -> None:
    RegistrationFactory.create(webinar=webinar, email=EMAIL)
    RegistrationFactory.create(email=EMAIL)
    data, _text = exported(export_person(email=EMAIL, organisation=webinar.organisation))
    assert [one["organisation"] for one in data["registrations"]] == [webinar.organisation.name]


# --- Own pages -----------------------------------------------------------------------------------------------------
def test_own_page_hands_out_and_erases(webinar: Webinar, client: Client) -> None:
    registration = RegistrationFactory.create(webinar=webinar, email=EMAIL)
    token = token_for(registration)
    page = reverse("registration:data", args=[token])
    assert client.get(page).status_code == 200
    data, _text = exported(client.get(reverse("registration:data_file", args=[token])).content)
    assert data["address"] == EMAIL

    assert client.post(page, {"email": "somebody@example.org"}).status_code == 422
    assert client.post(page, {"email": f" {EMAIL.upper()}"}).status_code == 200

    registration.refresh_from_db()
    assert is_anonymous(registration)
    assert client.get(page).status_code == 404


# --- Keeping times -------------------------------------------------------------------------------------------------
def ended(days: int, **webinar: Any) -> Webinar:
    at = timezone.now() - timedelta(days=days)
    return WebinarFactory(starts_at=at - timedelta(hours=1), ends_at=at, **webinar)


def test_each_kind_goes_after_its_time(db: None) -> None:
    old, recent = ended(1100), ended(100)
    for one in (old, recent):
        RegistrationFactory.create(webinar=one)
        RegistrationImport.objects.create(
            webinar=one, file_name="a", rows=[{"line": 1}], state=WorkState.DONE, finished_at=one.ends_at
        )
    Group.objects.create(webinar=old, name="T", coordinator_name="A", coordinator_email="a@example.org")
    entry = record_action(action="x", target=old, organisation=old.organisation)
    AuditEntry.objects.filter(pk=entry.pk).update(at=timezone.now() - timedelta(days=1900))

    expected = {"registrations": 1, "registration_lists": 2, "groups": 1, "audit": 1}
    assert {name: count for name, count in keeping.preview().items() if count} == expected
    assert {name: count for name, count in keeping.purge().items() if count} == expected
    assert not any(keeping.preview().values())

    assert [is_anonymous(row) for row in Registration.objects.order_by("webinar__ends_at")] == [True, False]


def test_words_go_before_numbers(db: None) -> None:
    webinar = ended(400)
    questionnaire = make_questionnaire(webinar)
    text, choice = ask(questionnaire), ask(questionnaire, QuestionKind.CHOICE)
    registration = RegistrationFactory.create(webinar=webinar)
    response = Response.objects.create(questionnaire=questionnaire, registration=registration)
    Answer.objects.create(response=response, item=text, value="words")
    Answer.objects.create(response=response, item=choice, value=["c1"])
    assert keeping.purge()["answers"] == 1
    assert Answer.objects.get().item == choice


def test_mails_keep_that_they_were_sent(webinar: Webinar) -> None:
    register(webinar)
    Message.objects.update(created_at=timezone.now() - timedelta(days=200), state=WorkState.DONE)
    assert keeping.purge()["mails"] == 1
    message = Message.objects.get()
    assert (message.text, message.html, message.calendar, message.subject) == ("", "", "", "")
    assert message.recipient_email == "anna@example.org"


def test_organisation_may_keep_shorter(db: None) -> None:
    webinar = ended(50)
    RegistrationFactory.create(webinar=webinar)
    assert keeping.preview()["registrations"] == 0
    webinar.organisation.keeping_days = {"registrations": 30}
    webinar.organisation.save()
    assert keeping.preview()["registrations"] == 1


def test_purge_runs_every_night_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    RegistrationFactory.create(webinar=ended(1100))
    monkeypatch.setattr(keeping, "STARTS_AT_HOUR", 0)
    keeping.start_nightly()
    keeping.start_nightly()
    row = Purge.objects.get()
    assert execute(keeping.WORK_KIND, row.pk)
    row.refresh_from_db()
    assert (row.state, row.counts["registrations"]) == (WorkState.DONE, 1)


def test_dry_run_changes_nothing(db: None) -> None:
    RegistrationFactory.create(webinar=ended(1100))
    out = io.StringIO()
    call_command("purge", "--dry-run", stdout=out)
    assert "1 would go: who registered (registrations, kept 1095 days)" in out.getvalue()
    assert not is_anonymous(Registration.objects.get())
    out = io.StringIO()
    call_command("purge", "--json", stdout=out)
    assert json.loads(out.getvalue())["registrations"] == 1


def test_speakers_slides_stay(webinar: Webinar) -> None:
    speaker = SpeakerFactory.create(webinar=webinar, email=EMAIL)
    MaterialFactory.create(webinar=webinar, speaker=speaker)
    erase_person(email=EMAIL)
    assert webinar.materials.get().speaker is None
