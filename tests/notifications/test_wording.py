"""An organisation's own words: placeholders, never templates, never links of their own (promises M5, W7)."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from accounts.models import Organisation
from notifications import wording
from notifications.errors import UnusableWords
from notifications.rendering import render
from tests.factories.accounts import OrganisationFactory

pytestmark = pytest.mark.django_db
KIND = wording.MailKind("confirmation", "Confirmation", ("name", "title", "time", "own_link"), ("own_link",))
VALUES = {
    "recipient_name": "Anna",
    "title": "Care & access",
    "own_url": "https://r.example/registrations/x/",
    "times": [SimpleNamespace(text="Thursday, 19:00", zone_name="Central European Time", zone="Europe/Berlin")],
}


@pytest.fixture
def organisation() -> Organisation:
    made: Organisation = OrganisationFactory()
    return made


def refusal(**values: str) -> UnusableWords:
    with pytest.raises(UnusableWords) as caught:
        wording.clean_words(
            kind=KIND, **{"language": "en", "subject": "Hello", "text": "Your page: {own_link}", **values}
        )
    return caught.value


def test_placeholders_are_filled_in_text_and_html() -> None:
    text = "Dear {name},\n\n{title} & more\n{time}\n\n{own_link}"
    assert wording.fill_text(text, VALUES) == (
        "Dear Anna,\n\nCare & access & more\nThursday, 19:00\nCentral European Time (Europe/Berlin)\n\n"
        "https://r.example/registrations/x/"
    )
    html = wording.fill_html(text, VALUES)
    assert "<bdi>Care &amp; access</bdi> &amp; more<br><strong>Thursday, 19:00</strong>" in html
    assert 'href="https://r.example/registrations/x/"' in html


def test_values_are_not_placeholders_themselves() -> None:
    values = {**VALUES, "recipient_name": "{own_link}"}
    assert wording.fill_text("{name}", values) == "{own_link}"
    assert "href" not in wording.fill_html("Dear {name}", values)


def test_an_unknown_name_is_refused_and_the_known_ones_are_said() -> None:
    error = refusal(subject="Hello {nmae}")
    assert error.field == "subject"
    assert "{name}, {title}, {time}, {own_link}" in str(error)


def test_a_text_without_the_link_that_its_reader_needs_is_refused() -> None:
    assert refusal(text="Hello {name}").field == "text"


@pytest.mark.parametrize("field", ["subject", "text"])
def test_empty_and_endless_words_are_refused(field: str) -> None:
    assert refusal(**{field: " \n"}).field == field
    assert refusal(**{field: "a" * 10_001}).field == field


def test_template_language_and_markup_stay_text(corpus: Path) -> None:
    hostile = json.loads((corpus / "strings" / "person_names.json").read_text())
    for typed in [
        *hostile,
        "{% include 'x' %}",
        "{{ settings.SECRET_KEY }}",
        "{0.__class__}",
        "<script>alert(1)</script>",
    ]:
        words = wording.Words(language="en", subject=typed, text=f"{typed} {{own_link}}")
        made = render(template="confirmation", language="en", recipient_name="Anna", context=VALUES, own_words=words)
        assert "<script" not in made.html
        assert made.html.count("<a ") == 2  # their own page, and the foot's link to the site
        assert "\n" not in made.subject


def test_words_in_the_readers_language_are_taken_and_the_webinars_before_the_organisations(
    organisation: Organisation,
) -> None:
    wording.register(KIND)
    for scope, language, subject in (
        ("", "fr", "organisation, fr"),
        ("webinar:1", "fr", "webinar, fr"),
        ("", "uk", "organisation, uk"),
    ):
        wording.save_words(
            organisation=organisation,
            scope=scope,
            kind=KIND,
            language=language,
            subject=subject,
            text="{own_link}",
            user=None,
        )

    def subject_for(language: str, scope: str) -> str | None:
        found = wording.own_words(organisation=organisation, scope=scope, template="confirmation", language=language)
        return found.subject if found else None

    assert subject_for("fr-CA", "webinar:1") == "webinar, fr"
    assert subject_for("fr", "webinar:2") == "organisation, fr"
    assert subject_for("uk", "webinar:1") == "organisation, uk"
    assert subject_for("ar", "webinar:1") is None
    assert (
        wording.own_words(organisation=OrganisationFactory(), scope="", template="confirmation", language="fr") is None
    )


def test_own_words_stand_inside_the_mails_own_layout() -> None:
    words = wording.Words(language="ar", subject="أهلا", text="مرحبا {name}")
    made = render(template="confirmation", language="ar", recipient_name="Anna", context=VALUES, own_words=words)
    assert 'lang="ar" dir="rtl"' in made.html
    assert (made.language, made.subject) == ("ar", "أهلا")
    assert made.text.startswith("مرحبا Anna\n\n--\n")
