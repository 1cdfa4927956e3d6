"""The speaker's own page, opened by the personal link."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

import events.services
from accounts.models import AuditEntry
from events.models import Speaker, Webinar, WebinarState
from tests.factories.events import MaterialFactory, SpeakerFactory


@pytest.fixture
def speaker(webinar: Webinar) -> Speaker:
    Webinar.objects.filter(pk=webinar.pk).update(
        starts_at=timezone.now().replace(year=2027, month=7, day=1, hour=12, minute=0),
        ends_at=timezone.now().replace(year=2027, month=7, day=1, hour=13, minute=0),
    )
    return SpeakerFactory(webinar=Webinar.objects.get(), name="Amina <Haddad>", biography="Psychiatrist.")


@pytest.fixture
def path(speaker: Speaker) -> str:
    return urlsplit(events.services.speaker_link(speaker)).path


def test_link_greets_the_speaker_and_tells_the_time_in_the_webinars_zone(path: str) -> None:
    page = Client().get(path).content.decode()

    assert "Amina &lt;Haddad&gt;" in page
    assert "1 July 2027, 14:00" in page
    assert "Europe/Brussels" in page


def test_page_is_in_the_speakers_language(path: str, speaker: Speaker) -> None:
    Speaker.objects.filter(pk=speaker.pk).update(language="ar")

    assert '<html lang="ar" dir="rtl">' in Client().get(path).content.decode()


def test_language_chosen_in_this_browser_wins(path: str, speaker: Speaker) -> None:
    Speaker.objects.filter(pk=speaker.pk).update(language="ar")
    client = Client()
    client.cookies["django_language"] = "fr"

    assert '<html lang="fr" dir="ltr">' in client.get(path).content.decode()


def test_link_is_kept_out_of_caches_search_engines_and_referers(path: str) -> None:
    answer = Client().get(path)

    assert "no-store" in answer["Cache-Control"]
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("strict-origin", "noindex")


def test_speaker_changes_their_own_lines(path: str, speaker: Speaker) -> None:
    Client().post(path, {"affiliation": "WHO/Europe", "biography": "Child psychiatrist.", "name": "Somebody else"})

    speaker.refresh_from_db()
    assert (speaker.affiliation, speaker.biography) == ("WHO/Europe", "Child psychiatrist.")
    assert speaker.name == "Amina <Haddad>"
    assert AuditEntry.objects.filter(action="speaker.updated").get().actor == "speaker"


def test_too_long_biography_is_told_at_its_field(path: str) -> None:
    answer = Client().post(path, {"biography": "x" * 4001})

    assert list(answer.context["profile_form"].errors) == ["biography"]


def test_speaker_uploads_slides(path: str, speaker: Speaker, corpus: Path) -> None:
    file = SimpleUploadedFile("slides.pdf", (corpus / "slides" / "ok.pdf").read_bytes())

    page = Client().post(f"{path}materials/", {"file": file, "kind": "slides"}, follow=True).content.decode()

    material = speaker.materials.get()
    assert (material.webinar, material.file_name) == (speaker.webinar, "slides.pdf")
    assert "slides.pdf" in page


def test_refused_slides_are_explained(path: str, speaker: Speaker, corpus: Path) -> None:
    file = SimpleUploadedFile("slides.pdf", (corpus / "slides" / "encrypted.pdf").read_bytes())

    answer = Client().post(f"{path}materials/", {"file": file, "kind": "slides"})

    assert (answer.status_code, list(answer.context["material_form"].errors)) == (422, ["file"])
    assert not speaker.materials.exists()


def test_speaker_removes_their_own_file_after_being_asked(path: str, speaker: Speaker) -> None:
    material = MaterialFactory(webinar=speaker.webinar, speaker=speaker)
    url = f"{path}materials/{material.pk}/remove/"

    asked = Client().get(url).status_code
    still_there = speaker.materials.exists()
    Client().post(url)

    assert (asked, still_there, speaker.materials.exists()) == (200, True, False)


def test_other_speakers_files_are_neither_shown_nor_removed(path: str, speaker: Speaker) -> None:
    other = MaterialFactory(webinar=speaker.webinar, speaker=SpeakerFactory(webinar=speaker.webinar), title="Theirs")

    assert "Theirs" not in Client().get(path).content.decode()
    assert Client().post(f"{path}materials/{other.pk}/remove/").status_code == 404


@pytest.mark.parametrize("damage", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x", lambda t: "~~"])
def test_forged_link_opens_nothing(damage: object, path: str) -> None:
    assert callable(damage)
    token = path.removeprefix("/speak/").rstrip("/")

    answer = Client().get(f"/speak/{damage(token)}/")

    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()


def test_link_of_a_removed_speaker_opens_nothing(path: str, speaker: Speaker) -> None:
    events.services.remove_speaker(speaker=speaker, user=None)

    assert Client().get(path).status_code == 404


def test_link_to_the_old_address_opens_nothing(path: str, speaker: Speaker) -> None:
    events.services.update_speaker(speaker=speaker, user=None, email="new@example.org")

    assert Client().get(path).status_code == 404


def test_cancelled_webinar_says_so(path: str) -> None:
    Webinar.objects.update(state=WebinarState.CANCELLED, ends_at=timezone.now() + timedelta(days=3000))

    assert "This webinar was cancelled." in Client().get(path).content.decode()
