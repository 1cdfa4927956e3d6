"""Speakers and slides as organisers see them, and the invitation."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import events.services
from events.models import Material, Speaker, Webinar, WebinarState
from notifications.models import Delivery, Message
from tests.factories.events import MaterialFactory, MaterialPageFactory, SpeakerFactory
from tests.studio.conftest import Person
from work.models import WorkState

SPEAKER = {
    "name": "Dr Amina Haddad",
    "email": "amina@example.org",
    "affiliation": "WHO/Europe",
    "biography": "Psychiatrist.",
    "language": "fr",
}


@pytest.fixture
def speaker(webinar: Webinar) -> Speaker:
    return SpeakerFactory(webinar=webinar, name="Dr Amina Haddad", email="amina@example.org", language="fr")


def page(person: Person, webinar: Webinar) -> str:
    return person.client.get(reverse("studio:speakers", args=[webinar.pk])).content.decode()


def upload(person: Person, webinar: Webinar, path: Path, **more: str) -> tuple[int, str]:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    answer = person.client.post(
        reverse("studio:materials", args=[webinar.pk]), {"file": file, "kind": "slides", **more}, follow=True
    )
    return answer.status_code, answer.content.decode()


def test_organiser_adds_a_speaker(webinar: Webinar, organiser: Person) -> None:
    organiser.client.post(reverse("studio:speaker_create", args=[webinar.pk]), SPEAKER)

    made = webinar.speakers.get()
    assert {name: getattr(made, name) for name in SPEAKER} == SPEAKER


def test_wrong_address_is_told_at_its_field(webinar: Webinar, organiser: Person) -> None:
    url = reverse("studio:speaker_create", args=[webinar.pk])

    answer = organiser.client.post(url, {**SPEAKER, "email": "amina at example.org"})

    assert list(answer.context["form"].errors) == ["email"]
    assert not webinar.speakers.exists()


def test_organiser_changes_a_speaker(speaker: Speaker, organiser: Person) -> None:
    organiser.client.post(reverse("studio:speaker_edit", args=[speaker.pk]), {**SPEAKER, "affiliation": "Ghent"})

    speaker.refresh_from_db()
    assert speaker.affiliation == "Ghent"


def test_removing_a_speaker_asks_first(speaker: Speaker, organiser: Person) -> None:
    url = reverse("studio:speaker_remove", args=[speaker.pk])

    asked = organiser.client.get(url).content.decode()
    still_there = Speaker.objects.filter(pk=speaker.pk).exists()
    organiser.client.post(url)

    assert ("Dr Amina Haddad" in asked, still_there) == (True, True)
    assert not Speaker.objects.filter(pk=speaker.pk).exists()


def test_invitation_is_one_mail_in_the_speakers_language_with_the_link(speaker: Speaker, organiser: Person) -> None:
    organiser.client.post(reverse("studio:speaker_invite", args=[speaker.pk]))

    message = Message.objects.get()
    speaker.refresh_from_db()
    assert (message.recipient_email, message.language) == ("amina@example.org", "fr")
    assert events.services.speaker_link(speaker).partition("~")[0] in message.text
    assert "Mental health" in message.subject
    assert speaker.invited_at is not None


def test_inviting_again_is_another_mail(speaker: Speaker, organiser: Person) -> None:
    url = reverse("studio:speaker_invite", args=[speaker.pk])
    organiser.client.post(url)
    Message.objects.update(version=1)  # as if it had been some time ago

    organiser.client.post(url)

    assert Message.objects.count() == 2


def test_speaker_without_an_address_is_not_invited(webinar: Webinar, organiser: Person) -> None:
    speaker = SpeakerFactory(webinar=webinar, email="")

    answer = organiser.client.post(reverse("studio:speaker_invite", args=[speaker.pk]), follow=True)

    assert "Add the speaker&#x27;s e-mail address first." in answer.content.decode()
    assert not Message.objects.exists()


def test_invitation_that_waits_is_not_sent_to_a_removed_speaker(speaker: Speaker, organiser: Person) -> None:
    organiser.client.post(reverse("studio:speaker_invite", args=[speaker.pk]))
    events.services.remove_speaker(speaker=speaker, user=None)

    from work.services import execute

    execute("notifications.message", Message.objects.get().pk)

    assert Message.objects.get().delivery == Delivery.SUPPRESSED


@pytest.mark.parametrize("name", ["<b>Bold</b>", "Anna\r\nBcc: x@example.org", "{{ secret }}", "www.evil.example/x"])
def test_names_in_the_invitation_are_only_text(name: str, speaker: Speaker, organiser: Person) -> None:
    Speaker.objects.filter(pk=speaker.pk).update(name=name)

    organiser.client.post(reverse("studio:speaker_invite", args=[speaker.pk]))

    message = Message.objects.get()
    assert "<b>Bold" not in message.html
    assert "evil.example/x" not in message.html
    assert "\n" not in message.recipient_name


def test_cancelled_webinar_offers_no_invitation(speaker: Speaker, organiser: Person) -> None:
    Webinar.objects.update(state=WebinarState.CANCELLED)

    assert reverse("studio:speaker_invite", args=[speaker.pk]) not in page(organiser, speaker.webinar)


def test_slides_are_taken_and_listed(webinar: Webinar, organiser: Person, corpus: Path) -> None:
    status, text = upload(organiser, webinar, corpus / "slides" / "ok.pdf", title="Mental health")

    material = webinar.materials.get()
    assert (status, material.title, material.state) == (200, "Mental health", WorkState.QUEUED)
    assert "ok.pdf" in text


@pytest.mark.parametrize("name", ["encrypted.pdf", "text_renamed.pdf", "macro.pptx", "zip_not_pptx.pptx"])
def test_refused_slides_are_explained_at_the_field(
    name: str, webinar: Webinar, organiser: Person, corpus: Path
) -> None:
    file = SimpleUploadedFile(name, (corpus / "slides" / name).read_bytes())

    answer = organiser.client.post(reverse("studio:materials", args=[webinar.pk]), {"file": file, "kind": "slides"})

    assert answer.status_code in (400, 413, 415, 422)
    assert list(answer.context["form"].errors) == ["file"]
    assert not webinar.materials.exists()


def test_upload_without_a_file_is_told_at_the_field(webinar: Webinar, organiser: Person) -> None:
    answer = organiser.client.post(reverse("studio:materials", args=[webinar.pk]), {"kind": "slides"})

    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["file"])


def test_page_asks_again_only_while_pages_are_drawn(webinar: Webinar, organiser: Person) -> None:
    material = MaterialFactory(webinar=webinar, state=WorkState.RUNNING, progress=40, activity="Page 4 of 10")
    busy = page(organiser, webinar)
    Material.objects.filter(pk=material.pk).update(state=WorkState.DONE)

    assert ('hx-trigger="every 2s"' in busy, "Page 4 of 10" in busy) == (True, True)
    assert "hx-trigger" not in page(organiser, webinar)


def test_failed_drawing_says_why(webinar: Webinar, organiser: Person) -> None:
    MaterialFactory(webinar=webinar, state=WorkState.FAILED, error="The file is <protected>.")

    assert "The file is &lt;protected&gt;." in page(organiser, webinar)


def test_removing_slides_asks_first(webinar: Webinar, organiser: Person) -> None:
    material = MaterialFactory(webinar=webinar)
    url = reverse("studio:material_remove", args=[material.pk])

    organiser.client.get(url)
    still_there = webinar.materials.exists()
    organiser.client.post(url)

    assert (still_there, webinar.materials.exists()) == (True, False)


def test_page_asks_as_few_questions_for_many_files_as_for_one(webinar: Webinar, organiser: Person) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(organiser, webinar)
        return len(captured)

    MaterialPageFactory(material=MaterialFactory(webinar=webinar, speaker=SpeakerFactory(webinar=webinar)))
    before = count()
    for _n in range(3):
        made = MaterialFactory(webinar=webinar, speaker=SpeakerFactory(webinar=webinar, invited_at=timezone.now()))
        MaterialPageFactory.create_batch(3, material=made)

    assert count() == before
