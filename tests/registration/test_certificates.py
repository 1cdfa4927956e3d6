"""Certificates: the rule, who has earned one, making, checking and revoking them, and what the file is."""

import json
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry
from events.models import Webinar
from registration import certificates, doctor, documents
from registration.attendance import Presence
from registration.errors import InvalidDetail
from registration.links import token_for
from registration.models import (
    Attendance,
    AttendanceSource,
    Certificate,
    CertificateRule,
    Questionnaire,
    Registration,
    Response,
)
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from work import services as work
from work.models import WorkState


@pytest.fixture
def webinar(db: None) -> Webinar:
    """An hour that ended an hour ago."""
    return WebinarFactory(starts_at=timezone.now() - timedelta(hours=2), title="Mental health")


@pytest.fixture
def coming(db: None) -> Webinar:
    return WebinarFactory()


def rule(webinar: Webinar, **values: Any) -> CertificateRule:
    return CertificateRule.objects.create(webinar=webinar, **values)


def attended(webinar: Webinar, minutes: int, **values: Any) -> Registration:
    registration = RegistrationFactory(webinar=webinar, **values)
    end = webinar.starts_at + timedelta(minutes=minutes)
    Attendance.objects.create(
        registration=registration, joined_at=webinar.starts_at, left_at=end, source=AttendanceSource.ZOOM
    )
    return registration


def given(webinar: Webinar, **values: Any) -> Certificate:
    """A certificate without its file."""
    registration = RegistrationFactory(webinar=webinar)
    facts = {"name": "Anna Müller", "title": "Mental health", "organisation": "Health Programme", "when": "Thursday"}
    return Certificate.objects.create(
        registration=registration,
        **{"number": f"2027-{registration.pk.hex[:8]}", "language": "en", "key": "none", "facts": facts, **values},
    )


def missing(webinar: Webinar) -> dict[str, tuple[str, ...]]:
    return {one.registration.name: one.missing for one in certificates.decisions(webinar)}


# --- The rule ------------------------------------------------------------------------------------------------------
def test_rule_is_kept_and_recorded(coming: Webinar) -> None:
    user = UserFactory()
    found = certificates.set_rule(
        webinar=coming, user=user, min_share=0.8, needs_survey=True, text={"en": "For {name}"}, signatory="Dr Haddad"
    )
    assert (found.min_share, found.needs_survey, str(found.text), found.signatory) == (
        0.8,
        True,
        "For {name}",
        "Dr Haddad",
    )
    assert AuditEntry.objects.get(action="certificate.rule_set").user == user


def test_after_the_start_conditions_stay_unless_a_reason_is_recorded(webinar: Webinar) -> None:
    rule(webinar, min_minutes=50)

    with pytest.raises(certificates.RuleFixed):
        certificates.set_rule(webinar=webinar, user=None, min_minutes=40)
    with pytest.raises(certificates.RuleFixed):
        certificates.remove_rule(webinar=webinar, user=None)
    certificates.set_rule(webinar=webinar, user=None, min_minutes=50, signatory="Only what is printed")
    certificates.set_rule(webinar=webinar, user=None, min_minutes=40, reason="The platform failed")

    assert CertificateRule.objects.get(pk=webinar.pk).min_minutes == 40
    detail = AuditEntry.objects.filter(action="certificate.rule_set").latest("at").detail
    assert (detail["before"]["min_minutes"], detail["after"]["min_minutes"]) == (50, 40)
    assert detail["reason"] == "The platform failed"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "min_minutes"),
        ({"min_minutes": 61}, "min_minutes"),
        ({"min_share": 1.2}, "min_share"),
        ({"min_score": 0.0}, "min_score"),
        ({"min_minutes": 1, "text": "{settings.SECRET_KEY}"}, "text"),
        ({"min_minutes": 1, "text": "{{ name }}"}, "text"),
        ({"min_minutes": 1, "text": "a" * 601}, "text"),
        ({"min_minutes": 1, "text": "a\n" * 6}, "text"),
        ({"min_minutes": 1, "signatory": "https://evil.example/"}, "signatory"),
    ],
)
def test_rule_must_make_sense(coming: Webinar, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Exception) as error:
        certificates.set_rule(webinar=coming, user=None, **values)
    assert getattr(error.value, "field", None) == field
    assert not CertificateRule.objects.exists()


# --- Who has earned one --------------------------------------------------------------------------------------------
def test_attendance_is_judged_to_the_minute(webinar: Webinar) -> None:
    rule(webinar, min_minutes=45)
    for minutes in (44, 45):
        attended(webinar, minutes, name=f"{minutes} minutes")
    RegistrationFactory(webinar=webinar, name="away")
    assert missing(webinar) == {"44 minutes": ("min_minutes",), "45 minutes": (), "away": ("min_minutes",)}


def test_having_been_there_may_be_enough(webinar: Webinar) -> None:
    rule(webinar, min_minutes=0)
    linked = RegistrationFactory(webinar=webinar, name="by link")
    Attendance.objects.create(registration=linked, joined_at=webinar.starts_at, source=AttendanceSource.JOIN_LINK)
    RegistrationFactory(webinar=webinar, name="away")
    assert missing(webinar) == {"away": ("min_minutes",), "by link": ()}


def test_quiz_and_survey_can_be_asked_for(webinar: Webinar) -> None:
    rule(webinar, min_share=0.5, min_score=0.8, needs_survey=True)
    quiz = Questionnaire.objects.create(webinar=webinar, purpose="quiz_after")
    survey = Questionnaire.objects.create(webinar=webinar, purpose="survey")
    good, bad = attended(webinar, 60, name="good"), attended(webinar, 20, name="bad")
    Response.objects.create(questionnaire=quiz, registration=good, score=0.8)
    Response.objects.create(questionnaire=survey, registration=good)
    Response.objects.create(questionnaire=quiz, registration=bad, score=0.7)
    assert missing(webinar) == {"good": (), "bad": ("min_share", "min_score", "needs_survey")}


def test_judging_asks_as_few_questions_for_many_as_for_one(
    webinar: Webinar, django_assert_num_queries: Callable[..., Any]
) -> None:
    rule(webinar, min_minutes=1)
    for _number in range(5):
        attended(webinar, 60)
    with django_assert_num_queries(5):
        assert len(certificates.decisions(webinar)) == 5


def test_people_see_what_earns_one_and_what_is_done(webinar: Webinar, coming: Webinar, client: Client) -> None:
    rule(webinar, min_minutes=30, needs_survey=True)
    rule(coming, min_minutes=0)

    def page(registration: Registration) -> str:
        return client.get(f"/registrations/{token_for(registration)}/").content.decode()

    shown = page(attended(webinar, 60))
    assert "attend at least 30 minutes – done" in shown
    assert "answer the survey after the session – not done" in shown
    assert "<li>attend at least 30 minutes</li>" in page(RegistrationFactory(webinar=webinar))  # no report yet
    assert "<li>be there</li>" in page(RegistrationFactory(webinar=coming))


# --- Making them ---------------------------------------------------------------------------------------------------
def made(webinar: Webinar, expected: int) -> list[Certificate]:
    batch = certificates.request_batch(webinar=webinar, user=None, expected=expected)
    work.execute("registration.certificates", batch.pk)
    batch.refresh_from_db()
    assert batch.state == WorkState.DONE
    return list(certificates.certificates_of(webinar))


def test_all_who_earned_one_get_one_once(webinar: Webinar, client: Client) -> None:
    rule(webinar, min_minutes=30, text={"en": "{name}, {date}, {minutes}"})
    anna = attended(webinar, 60, name="Anna {title}")
    attended(webinar, 10)

    [certificate] = made(webinar, 1)

    assert certificate.registration == anna
    assert certificate.facts["text"].startswith("Anna {title}, ")
    assert re.fullmatch(r"20\d\d-[2-9A-Z]{4}-[2-9A-Z]{4}", certificate.number)
    assert default_storage.exists(certificate.key)
    assert AuditEntry.objects.filter(action="certificate.issued", target_id=certificate.pk).count() == 1
    with pytest.raises(certificates.CountChanged):
        certificates.request_batch(webinar=webinar, user=None, expected=1)
    # On the person's own page, and nobody else's.
    token = token_for(anna)
    assert f"/registrations/{token}/certificate.pdf" in client.get(f"/registrations/{token}/").content.decode()
    answer = client.get(f"/registrations/{token}/certificate.pdf")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store, private")
    file = client.get(answer["Location"])
    assert (file["Content-Type"], b"".join(file)[:5]) == ("application/pdf", b"%PDF-")


def test_batch_goes_on_where_it_stopped(webinar: Webinar, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(webinar, min_minutes=30)
    for name in ("Anna", "Broken", "Jean"):
        attended(webinar, 60, name=name)
    asked: list[str] = []

    def pdf_of(certificate: Certificate) -> bytes:
        asked.append(certificate.facts["name"])
        if certificate.facts["name"] == "Broken" and len(asked) < 4:
            raise ValueError
        return b"%PDF-"

    monkeypatch.setattr(certificates, "pdf_of", pdf_of)
    batch = certificates.request_batch(webinar=webinar, user=None, expected=3)
    assert certificates.request_batch(webinar=webinar, user=None, expected=3) == batch
    work.execute("registration.certificates", batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.error[:4], Certificate.objects.count()) == (WorkState.FAILED, "1 of", 2)

    certificates.retry_batch(batch=batch, user=None)
    work.execute("registration.certificates", batch.pk)
    batch.refresh_from_db()
    assert (batch.state, asked) == (WorkState.DONE, ["Anna", "Broken", "Jean", "Broken"])


def test_cancelled_batch_makes_nothing(webinar: Webinar) -> None:
    rule(webinar, min_minutes=30)
    attended(webinar, 60)
    batch = certificates.request_batch(webinar=webinar, user=None, expected=1)
    certificates.cancel_batch(batch=batch, user=None)
    assert not work.execute("registration.certificates", batch.pk)
    assert Certificate.objects.count() == 0


@pytest.mark.parametrize("is_over", [False, True])
def test_certificates_need_an_end_and_a_rule(webinar: Webinar, coming: Webinar, is_over: bool) -> None:
    if not is_over:
        rule(coming, min_minutes=1)
    with pytest.raises(certificates.NotYet):
        certificates.request_batch(webinar=webinar if is_over else coming, user=None, expected=0)


def test_revoked_certificate_is_not_made_again_by_itself(webinar: Webinar) -> None:
    rule(webinar, min_minutes=0)
    certificate = given(webinar, revoked_at=timezone.now())
    Attendance.objects.create(
        registration=certificate.registration, joined_at=webinar.starts_at, source=AttendanceSource.JOIN_LINK
    )
    assert certificates.to_issue(webinar) == []


def test_certificate_is_replaced_by_one_with_the_name_corrected(webinar: Webinar) -> None:
    old = given(webinar)
    Registration.objects.filter(pk=old.registration_id).update(name="Anna Maria Müller", language="ar")
    new = certificates.reissue(certificate=Certificate.objects.get(pk=old.pk), user=None)
    old.refresh_from_db()
    assert old.revoked_at is not None
    assert (new.facts["name"], new.language) == ("Anna Maria Müller", "ar")


def test_erasure_takes_rows_and_files(webinar: Webinar, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    certificate = given(webinar, key=default_storage.save("certificates/x.pdf", ContentFile(b"%PDF-")))
    with django_capture_on_commit_callbacks(execute=True):
        assert certificates.forget_certificates(certificate.registration) == 1
    assert not default_storage.exists(certificate.key)


# --- Checking and revoking -----------------------------------------------------------------------------------------
def test_whoever_has_the_code_sees_what_is_printed_and_nothing_else(webinar: Webinar, client: Client) -> None:
    certificate = given(webinar)
    Registration.objects.filter(pk=certificate.registration_id).update(name="Changed", affiliation="Hospital X")

    answer = client.get(f"/certificates/{certificate.code}/")

    page = answer.content.decode()
    assert "Anna Müller" in page
    assert not {"Changed", "Hospital X", certificate.registration.email} & set(re.findall(r"[\w@. -]+", page))
    assert (answer["X-Robots-Tag"], "no-store" in answer["Cache-Control"]) == ("noindex", True)


def test_neighbouring_codes_show_nothing(webinar: Webinar, client: Client) -> None:
    certificate = given(webinar)
    code = certificate.code
    for wrong in (
        code[:-1] + ("A" if code[-1] != "A" else "B"),
        code[:-1],
        code.swapcase(),
        "é" * 24,
        certificate.number,
    ):
        answer = client.get(f"/certificates/{wrong}/")
        assert (answer.status_code, "Anna" in answer.content.decode()) == (404, False)


def test_codes_cannot_be_tried_in_numbers(db: None, client: Client) -> None:
    statuses = [client.get(f"/certificates/{number:024}/").status_code for number in range(61)]
    assert (set(statuses[:60]), statuses[60]) == ({404}, 429)


def test_revoked_certificate_says_so_but_not_why(webinar: Webinar, client: Client) -> None:
    certificate = given(webinar)
    certificates.revoke(certificate=certificate, reason="Issued by mistake", user=None)
    certificates.revoke(certificate=certificate, reason="Again", user=None)

    page = client.get(f"/certificates/{certificate.code}/").content.decode()

    assert "This certificate was withdrawn on" in page
    assert "mistake" not in page
    assert certificate.revoked_reason == "Issued by mistake"
    assert AuditEntry.objects.filter(action="certificate.revoked").count() == 1
    own = client.get(f"/registrations/{token_for(certificate.registration)}/certificate.pdf")
    assert own.status_code == 404


def test_revoking_needs_a_reason(webinar: Webinar) -> None:
    with pytest.raises(InvalidDetail):
        certificates.revoke(certificate=given(webinar), reason=" ", user=None)


# --- The file ------------------------------------------------------------------------------------------------------
def plain(pdf: bytes) -> bytes:
    """The file with its compressed streams opened."""
    found = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


def drawn(webinar: Webinar, name: str, language: str = "en") -> bytes:
    somebody = Registration(webinar=webinar, name=name, language=language)
    return certificates.pdf_of(certificates._drawn_up(somebody, Presence(minutes=58)))


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        assert len(document) == 1
        page = document[0]
        return str(page.get_textpage().get_text_range())
    finally:
        document.close()


def test_file_says_that_it_is_pdf_a_and_has_what_that_needs(webinar: Webinar) -> None:
    pdf = drawn(webinar, "Anna Müller ليلى")

    inside = plain(pdf)

    metadata = inside.decode("latin-1")
    assert re.search(r"pdfaid:part[>=\"\s]+2", metadata)
    assert re.search(r"pdfaid:conformance[>=\"\s]+U", metadata)
    assert b"/OutputIntents" in inside
    assert b"/GTS_PDFA1" in inside
    assert b"/Encrypt" not in inside
    assert b"/JavaScript" not in inside
    # Every font has its file inside, and says which letters its shapes are.
    fonts = inside.count(b"/Type /FontDescriptor") + inside.count(b"/Type/FontDescriptor")
    assert fonts == len(re.findall(rb"/FontFile[23]? \d", inside)) > 0
    assert inside.count(b"/ToUnicode") >= fonts
    # For readers that speak: a language and tags.
    assert b"/Lang (en)" in inside
    assert b"/StructTreeRoot" in inside


def test_arabic_is_written_from_right_to_left(webinar: Webinar) -> None:
    pdf = drawn(webinar, "محمد منصور", language="ar")

    assert b"/Lang (ar)" in plain(pdf)
    assert b"+Noto-Sans-Arabic-Bold" in plain(pdf)
    document = pypdfium2.PdfDocument(pdf)
    letters = document[0].get_textpage()
    text = letters.get_text_range()
    # In reading order, and the first letter furthest to the right.
    places = [letters.get_charbox(text.index("محمد منصور") + number)[0] for number in (0, 3, 5, 9)]
    document.close()
    assert places == sorted(places, reverse=True)


def test_hostile_names_are_text(webinar: Webinar, corpus: Path) -> None:
    names = json.loads((corpus / "strings" / "person_names.json").read_text())
    certificate = certificates._drawn_up(
        Registration(webinar=webinar, name=names[0], language="en"), Presence(minutes=1)
    )
    assert certificate.facts["name"] == "Anna Bcc: victim@example.org"
    certificate.facts |= {
        "name": "<img src=https://evil.example/p.gif>",
        "title": "{{settings.SECRET_KEY}}",
        "organisation": "{% include 'x' %}",
        "text": " ".join(name[:25] for name in names),
    }

    shown = " ".join(text_of(certificates.pdf_of(certificate)).split())

    assert "<img src=https://evil.example/p.gif>" in shown
    assert "{{settings.SECRET_KEY}}" in shown
    assert "{% include 'x' %}" in shown


def test_documents_fetch_nothing() -> None:
    from weasyprint.urls import FatalURLFetchingError

    for source in ("file:///etc/passwd", "http://127.0.0.1:9/x.png", "data:image/png;base64,AAAA"):
        with pytest.raises(FatalURLFetchingError):
            documents.html_to_pdf(f'<title>x</title><img src="{source}">', styles=[])


def test_doctor_draws_a_document() -> None:
    assert [check.ok for check in doctor.checks()] == [True]


def test_qr_code_leads_to_the_page_that_checks(webinar: Webinar, settings: Settings) -> None:
    settings.BASE_URL = "https://webinars.example.org"
    certificate = given(webinar)
    assert certificates.check_url(certificate) == f"https://webinars.example.org/certificates/{certificate.code}/"
