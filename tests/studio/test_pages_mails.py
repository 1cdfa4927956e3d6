"""The studio's pages about mail: what is planned, messages with their recipients, own words."""

import pytest
from django.test import Client

import registration.services
from accounts.models import Role
from events.models import Speaker, Webinar
from notifications import wording
from notifications.models import MailTemplate, Message, Suppression
from registration import mail_kinds
from registration.models import Announcement, AnnouncementKind
from studio.messages import send_speaker_invitation
from tests.factories.accounts import MembershipFactory, UserFactory
from tests.factories.events import SpeakerFactory, WebinarFactory
from tests.factories.registration import RegistrationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(client: Client) -> Webinar:
    made: Webinar = WebinarFactory()
    client.force_login(
        MembershipFactory(organisation=made.organisation, role=Role.ORGANISER).user,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return made


def base(webinar: Webinar) -> str:
    return f"/studio/webinars/{webinar.pk}/mails/"


def write(client: Client, webinar: Webinar, **values: str) -> Announcement:
    data = {"segment": "confirmed", "subject_en": "Hello", "text_en": "Dear {name}", **values}
    client.post(base(webinar) + "new/", data)
    return webinar.announcements.get(kind=AnnouncementKind.MESSAGE)


def test_reminders_are_chosen_and_planned(client: Client, webinar: Webinar) -> None:
    client.post(base(webinar) + "reminders/", {"reminder_minutes": ["60", "10"]})
    webinar.refresh_from_db()
    assert webinar.reminder_minutes == [60, 10]
    rows = webinar.announcements.filter(kind=AnnouncementKind.REMINDER, state=WorkState.QUEUED)
    assert sorted(row.minutes_before or 0 for row in rows) == [10, 60]


def test_a_message_is_shown_with_its_recipients_before_it_is_sent(client: Client, webinar: Webinar) -> None:
    person = RegistrationFactory(webinar=webinar, email="anna@example.org")
    row = write(client, webinar)
    page = client.get(f"{base(webinar)}{row.pk}/").content.decode()
    assert "anna@example.org" in page
    assert "1 recipient" in page
    assert str(person.link_nonce) not in page
    client.post(f"{base(webinar)}{row.pk}/send/", {"count": "2"})
    row.refresh_from_db()
    assert row.confirmed_at is None
    client.post(f"{base(webinar)}{row.pk}/send/", {"count": "1"})
    row.refresh_from_db()
    assert (row.confirmed_at is not None, row.state) == (True, WorkState.QUEUED)


def test_an_unknown_placeholder_is_said_at_its_field(client: Client, webinar: Webinar) -> None:
    RegistrationFactory(webinar=webinar)
    page = client.post(base(webinar) + "new/", {"segment": "confirmed", "subject_en": "Hi", "text_en": "{nmae}"})
    assert "{nmae} is not a placeholder here" in page.content.decode()
    assert not webinar.announcements.filter(kind=AnnouncementKind.MESSAGE).exists()


def test_own_words_are_saved_shown_tried_and_removed(client: Client, webinar: Webinar) -> None:
    address = base(webinar) + "texts/reminder/fr/"
    text = "Bonjour {name}, {time} {join_link}"
    client.post(address, {"subject": "Bientôt : {title}", "text": text, "scope": f"webinar:{webinar.pk}"})
    assert MailTemplate.objects.get().about == f"webinar:{webinar.pk}"
    assert "Bientôt : " + str(webinar.title) in client.get(address).content.decode()
    preview = client.get(address + "preview/")
    assert "sandbox" in preview["Content-Security-Policy"]
    client.post(address + "test/")
    assert Message.objects.get().subject.startswith("Bientôt")
    client.post(address + "remove/")
    assert not MailTemplate.objects.exists()


def test_words_without_the_way_in_are_refused(client: Client, webinar: Webinar) -> None:
    page = client.post(base(webinar) + "texts/reminder/en/", {"subject": "Soon", "text": "Come!", "scope": ""})
    assert "The text must contain {join_link}" in page.content.decode()


def test_administrators_keep_the_list_of_addresses_without_mail(client: Client) -> None:
    client.force_login(
        UserFactory(is_superuser=True, is_staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    table = "email,reason\nGone@Example.org,moved\n=cmd@example.org\nno address\n"
    page = client.post("/studio/suppressed/", {"table": table}, follow=True).content.decode()
    assert "no address" in page
    assert set(Suppression.objects.values_list("email", "reason")) == {
        ("gone@example.org", "moved"),
        ("=cmd@example.org", ""),
    }
    csv = b"".join(client.post("/studio/suppressed.csv")).decode()
    assert '"gone@example.org","moved"' in csv
    assert '"\'=cmd@example.org"' in csv
    row = Suppression.objects.get(email="gone@example.org")
    client.post(f"/studio/suppressed/{row.pk}/remove/")
    assert Suppression.objects.count() == 1


def test_a_new_zone_alone_is_asked_about(client: Client, webinar: Webinar) -> None:
    address = f"/studio/webinars/{webinar.pk}/edit/"
    form = client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, [])}
    data |= {"date": form.initial["date"].isoformat(), "time_zone": "Asia/Kathmandu"}
    page = client.post(address, data)
    assert "You changed the time zone. What stays?" in page.content.decode()
    before = webinar.starts_at
    client.post(address, {**data, "zone_change": "moment"})
    webinar.refresh_from_db()
    assert (webinar.time_zone, webinar.starts_at) == ("Asia/Kathmandu", before)


@pytest.mark.parametrize("template", [kind.template for kind in wording.kinds()])
def test_every_mail_that_can_be_worded_knows_its_placeholders(webinar: Webinar, template: str) -> None:
    kind = wording.kind_of(template)
    assert kind is not None
    text = " ".join(f"[{{{name}}}]" for name in kind.placeholders)
    words = wording.clean_words(kind=kind, language="en", subject="Hello {title}", text=text)
    made = mail_kinds.preview(webinar=webinar, template=template, language="en", reader_name="Anna", words=words)
    assert "{" not in made.subject + made.text + made.html
    assert set(kind.required) <= set(kind.placeholders)


def test_speakers_invited_people_and_coordinators_get_the_own_words(webinar: Webinar) -> None:
    webinar.refresh_from_db()
    links = {"speaker_invitation": "speaker_link", "invitation": "invitation_link", "group": "team_link"}
    for template, link in links.items():
        kind = wording.kind_of(template)
        assert kind is not None
        text = f"Own words: {{{link}}}"
        wording.save_words(
            organisation=webinar.organisation, scope="", kind=kind, language="en", subject="Own", text=text, user=None
        )
    speaker = SpeakerFactory.create(webinar=webinar, email="s@example.org", language="en")
    send_speaker_invitation(speaker=Speaker.objects.select_related("webinar__organisation").get(pk=speaker.pk))
    registration.services.invite(
        webinar=webinar, people=[("i@example.org", "Ivo")], user=UserFactory.create(), language="en"
    )
    registration.services.start_group(
        webinar=webinar,
        name="Ward",
        coordinator_name="Carla",
        coordinator_email="c@example.org",
        language="en",
        has_agreed=True,
    )
    found = {mail.recipient_email: mail.text for mail in Message.objects.filter(subject="Own")}
    assert found.keys() == {"s@example.org", "i@example.org", "c@example.org"}
    assert all(text.startswith("Own words: http://testserver/") for text in found.values())
