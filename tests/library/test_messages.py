import re

import pytest
from django.test import Client
from django.utils import timezone

import work.services
from events.models import Visibility
from library import messages, services
from library.models import Recording
from notifications.models import Message
from notifications.purposes import is_still_wanted
from registration.links import registration_by_token
from registration.models import Announcement, RegistrationState
from tests.factories.events import MaterialFactory
from tests.factories.library import give_track, watchable_recording
from tests.factories.registration import RegistrationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db


def links(text: str) -> list[str]:
    return re.findall(r"http://testserver(\S+)", text)


def write() -> list[Message]:
    """Have what is announced written; return the mails, oldest first."""
    for announcement in Announcement.objects.filter(state=WorkState.QUEUED):
        work.services.execute("registration.announcement", announcement.pk)
    return list(Message.objects.order_by("created_at"))


def follow_up(recording: Recording, **fields: object) -> Message:
    RegistrationFactory.create(webinar=recording.webinar, **fields)
    assert messages.send_follow_up(recording=recording) == 1
    (message,) = write()
    return message


def test_only_people_with_a_place_get_it() -> None:
    recording = watchable_recording()
    for state in RegistrationState.values:
        RegistrationFactory.create(webinar=recording.webinar, state=state, email=f"{state}@example.org")
    RegistrationFactory.create()
    assert messages.send_follow_up(recording=recording) == 1
    (message,) = write()
    assert (message.recipient_email, message.purpose, message.is_bulk) == ("confirmed@example.org", "follow_up", True)
    assert message.is_optional


def test_it_is_sent_once_however_often_it_is_asked_for() -> None:
    recording = watchable_recording()
    RegistrationFactory.create(webinar=recording.webinar)
    assert messages.send_follow_up(recording=recording) == 1
    assert messages.send_follow_up(recording=recording) == 1  # it is being written
    assert len(write()) == 1
    assert messages.send_follow_up(recording=recording) == 0
    RegistrationFactory.create(webinar=recording.webinar)
    assert messages.send_follow_up(recording=recording) == 1
    assert len({message.recipient_email for message in write()}) == Message.objects.count() == 2


def test_it_begins_with_what_happened() -> None:
    recording = watchable_recording()
    webinar = recording.webinar
    names = ("there", "early", "away", "seen")
    people = {name: RegistrationFactory.create(webinar=webinar, email=f"{name}@example.org") for name in names}
    quarter = (webinar.ends_at - webinar.starts_at) / 4
    for name, left_at in (("there", webinar.ends_at), ("early", webinar.starts_at + quarter)):
        people[name].attendances.create(joined_at=webinar.starts_at, left_at=left_at, source="zoom")
    recording.viewings.create(registration=people["seen"], last_beat_at=timezone.now(), watched_ms=60_000)
    messages.send_follow_up(recording=recording)
    found = {message.recipient_email.partition("@")[0]: message.text.split("\n")[2] for message in write()}
    assert {name: text.split(" The recording")[0] for name, text in found.items()} == {
        "there": "Thank you for coming.",
        "early": "Thank you for coming. You can see the rest whenever it suits you.",
        "away": "It is a pity that you could not come; you have missed nothing that you cannot see now.",
        "seen": "You have seen some of it already; here is everything that belongs to it.",
    }


def test_without_any_attendance_nothing_is_said_of_it() -> None:
    assert "coming" not in follow_up(watchable_recording()).text


def test_it_leads_to_recording_subtitles_and_slides_in_the_readers_language() -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["Bonjour"])
    material = MaterialFactory.create(webinar=recording.webinar)
    MaterialFactory.create(webinar=recording.webinar, is_public=False)
    message = follow_up(recording, language="fr")
    base = f"/webinars/{recording.webinar.slug}"
    assert message.language == "fr"
    assert links(message.text)[:3] == [
        f"{base}/watch/?subtitles=fr",
        f"{base}/downloads/subtitles/fr.vtt",
        f"{base}/downloads/slides/{material.pk}/",
    ]


def test_a_reader_whose_language_has_no_subtitles_learns_which_there_are() -> None:
    recording = watchable_recording()
    give_track(recording.asset, "ar", ["صباح الخير"])
    message = follow_up(recording, language="uk")
    assert links(message.text)[0] == f"/webinars/{recording.webinar.slug}/watch/"
    assert "English, العربية" in message.text


def test_a_regional_language_takes_the_subtitles_of_its_language() -> None:
    recording = watchable_recording()
    give_track(recording.asset, "fr", ["Bonjour"])
    assert "?subtitles=fr" in follow_up(recording, language="fr-CA").text


def test_a_recording_for_registrants_is_linked_with_the_readers_own_token() -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED)
    message = follow_up(recording)
    found = re.search(r"registration=([^\s&]+)", message.text)
    assert found
    registration = registration_by_token(found[1].replace("%3A", ":"))
    assert registration.email == message.recipient_email


def test_every_link_for_registrants_opens_in_a_new_browser() -> None:
    recording = watchable_recording(visibility=Visibility.REGISTERED, webinar__visibility=Visibility.REGISTERED)
    MaterialFactory.create(webinar=recording.webinar)
    found = links(follow_up(recording).text)[:3]
    assert len(found) == 3
    for address in found:
        browser = Client()
        answer = browser.get(browser.get(address)["Location"])
        answer.getvalue()  # read to its end, which closes a file
        assert answer.status_code in (200, 302)
        assert Client().get(address.partition("?")[0]).status_code in (403, 404)


def test_the_arabic_mail_is_from_right_to_left() -> None:
    message = follow_up(watchable_recording(), language="ar")
    assert 'lang="ar" dir="rtl"' in message.html


def test_names_and_titles_are_text_in_the_mail() -> None:
    recording = watchable_recording(webinar__title="<b>Care</b> www.evil.example")
    message = follow_up(recording, name="Anna <script>")
    assert "<b>Care" not in message.html
    assert "<script>" not in message.html
    assert "www.evil.example" not in message.html


def test_it_is_no_longer_wanted_after_cancelling_or_withdrawing() -> None:
    recording = watchable_recording()
    message = follow_up(recording)
    assert is_still_wanted(message)
    recording.webinar.registrations.update(state=RegistrationState.CANCELLED)
    assert not is_still_wanted(message)
    recording.webinar.registrations.update(state=RegistrationState.CONFIRMED)
    services.withdraw_recording(recording=recording)
    assert not is_still_wanted(message)
