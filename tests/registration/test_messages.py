"""The mails about a place: what they say, to whom, and that they stop (promises M5, M6, C3)."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import icalendar
import pytest
from django.conf import settings
from django.utils import timezone

import work.services
from events.models import Webinar
from events.services import cancel_webinar, update_webinar
from notifications.models import Delivery, Message
from registration import links, messages
from registration.models import Announcement, Registration
from registration.services import cancel_registration
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from tests.registration.helpers import mails, register
from tests.support.smtp import SmtpServer
from work.models import WorkState

pytestmark = pytest.mark.django_db


class Targets(HTMLParser):
    """Whatever a page links to or loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def mail_of(registration: Registration, purpose: str = "confirmation") -> Message:
    return Message.objects.filter(about=messages.about(registration), purpose=f"registration.{purpose}").latest(
        "created_at"
    )


def entry_of(message: Message) -> Any:
    """The one entry in the mail's calendar; the library's types know every property as a union of forty."""
    (event,) = icalendar.Calendar.from_ical(message.calendar).walk("VEVENT")
    return event


def deliver(message: Message) -> Message:
    work.services.execute("notifications.message", message.pk)
    message.refresh_from_db()
    return message


def tell_everybody() -> None:
    for announcement in Announcement.objects.filter(state=WorkState.QUEUED).order_by("version"):
        work.services.execute("registration.announcement", announcement.pk)


def future_webinar(**values: object) -> Webinar:
    starts_at = datetime(timezone.now().year + 1, 7, 1, 12, 0, tzinfo=UTC)
    webinar: Webinar = WebinarFactory(
        **{
            "title": "Access to care",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=90),
            "time_zone": "Europe/Brussels",
            **values,
        }
    )
    return webinar


def test_confirmation_says_when_in_both_zones_and_holds_the_links() -> None:
    registration = register(future_webinar(), time_zone="Asia/Kathmandu")
    text = mail_of(registration).text
    assert "17:45–19:15\nGMT+05:45 (Asia/Kathmandu)" in text
    assert "14:00–15:30\nCentral European Summer Time (Europe/Brussels)" in text
    addresses = re.findall(r"https?://\S+", text)
    assert [address.split("/")[3] for address in addresses] == ["join", "registrations", "webinars", ""]
    assert links.registration_by_join_token(addresses[0].split("/")[4]) == registration
    assert links.registration_by_token(addresses[1].split("/")[4]) == registration


def test_confirmation_invites_the_person() -> None:
    registration = register(future_webinar())
    message = mail_of(registration)
    event = entry_of(message)
    assert message.calendar_method == "REQUEST"
    assert "METHOD:REQUEST" in message.calendar
    assert str(event["ATTENDEE"]) == "mailto:anna@example.org"
    assert "/join/" in str(event["LOCATION"])
    assert registration.webinar.join_url not in message.calendar + message.text + message.html


def test_waiting_list_mail_has_no_join_link_and_no_invitation() -> None:
    webinar = future_webinar(capacity=1)
    register(webinar, "first@example.org")
    message = mail_of(register(webinar), "waitlisted")
    assert message.calendar == ""
    assert "/join/" not in message.text + message.html
    assert "/registrations/" in message.text


@pytest.mark.parametrize(
    ("language", "opening"), [("ar", '<html lang="ar" dir="rtl">'), ("bm", '<html lang="en" dir="ltr">')]
)
def test_mail_is_marked_with_its_language(language: str, opening: str) -> None:
    message = mail_of(register(future_webinar(), language=language))
    assert opening in message.html


def test_same_time_is_said_once() -> None:
    text = mail_of(register(future_webinar(), time_zone="Europe/Paris")).text
    assert text.count("14:00") == 1


def test_session_past_midnight_names_both_days() -> None:
    text = mail_of(register(future_webinar(), time_zone="Asia/Tokyo")).text
    year = timezone.now().year + 1
    assert f"1 July {year}, 21:00–22:30" in text
    text = mail_of(register(future_webinar(), "b@example.org", time_zone="Pacific/Auckland")).text
    assert f"2 July {year}, 00:00–01:30" in text


def test_cancellation_ends_the_calendar_entry() -> None:
    registration = register(future_webinar())
    asked = entry_of(mail_of(registration))
    cancel_registration(registration=registration)
    message = mail_of(registration, "cancelled")
    ended = entry_of(message)
    assert message.calendar_method == "CANCEL"
    assert (ended["UID"], str(ended["STATUS"])) == (asked["UID"], "CANCELLED")
    assert ended["SEQUENCE"] > asked["SEQUENCE"]


def test_new_time_is_announced_with_a_higher_sequence() -> None:
    webinar = future_webinar(capacity=1)
    registration = register(webinar)
    waiting = register(webinar, "waiting@example.org")
    gone = register(webinar, "gone@example.org")
    cancel_registration(registration=gone)
    update_webinar(webinar=webinar, user=UserFactory(), starts_at=webinar.starts_at - timedelta(hours=1))
    tell_everybody()
    first, changed = mail_of(registration), mail_of(registration, "webinar_changed")
    assert changed.subject == "New time: Access to care"
    assert "13:00–15:30" in changed.text
    assert entry_of(changed)["UID"] == entry_of(first)["UID"]
    assert entry_of(changed)["SEQUENCE"] > entry_of(first)["SEQUENCE"]
    assert mail_of(waiting, "webinar_changed").calendar == ""
    assert "webinar_changed" not in mails(gone)


def test_announcing_twice_mails_once() -> None:
    webinar = future_webinar()
    registration = register(webinar)
    update_webinar(webinar=webinar, user=UserFactory(), title="New title")
    tell_everybody()
    Announcement.objects.update(state=WorkState.QUEUED)
    tell_everybody()
    assert mails(registration) == ["confirmation", "webinar_changed"]


def test_changes_in_quick_succession_become_one_mail() -> None:
    webinar = future_webinar()
    registration = register(webinar)
    update_webinar(webinar=webinar, user=UserFactory(), starts_at=webinar.starts_at - timedelta(hours=1))
    update_webinar(webinar=webinar, user=UserFactory(), title="New title")
    tell_everybody()
    assert mails(registration) == ["confirmation", "webinar_changed"]
    assert mail_of(registration, "webinar_changed").subject == "New time: New title"


def test_outdated_change_is_not_sent(smtp: SmtpServer) -> None:
    webinar = future_webinar()
    registration = register(webinar)
    update_webinar(webinar=webinar, user=UserFactory(), title="First title")
    tell_everybody()
    outdated = mail_of(registration, "webinar_changed")
    update_webinar(webinar=webinar, user=UserFactory(), title="Second title")
    tell_everybody()
    assert deliver(outdated).delivery == Delivery.SUPPRESSED
    assert deliver(mail_of(registration, "webinar_changed")).delivery == Delivery.SENT


def test_other_changes_are_not_announced() -> None:
    webinar = future_webinar()
    registration = register(webinar)
    update_webinar(webinar=webinar, user=UserFactory(), summary="More to read", capacity=50)
    tell_everybody()
    assert mails(registration) == ["confirmation"]


def test_cancelled_webinar_tells_everybody_and_stops_other_mail(smtp: SmtpServer) -> None:
    webinar = future_webinar()
    registration = register(webinar)
    cancel_webinar(webinar=webinar, user=UserFactory())
    tell_everybody()
    message = mail_of(registration, "webinar_cancelled")
    assert message.calendar_method == "CANCEL"
    assert entry_of(message)["SEQUENCE"] > entry_of(mail_of(registration))["SEQUENCE"]
    assert deliver(mail_of(registration)).delivery == Delivery.SUPPRESSED
    assert deliver(message).delivery == Delivery.SENT
    assert [one.message["Subject"] for one in smtp.received] == ["Cancelled: Access to care"]


def test_person_who_cancelled_gets_nothing_that_was_queued(smtp: SmtpServer) -> None:
    registration = register(future_webinar())
    cancel_registration(registration=registration)
    assert deliver(mail_of(registration)).delivery == Delivery.SUPPRESSED
    assert deliver(mail_of(registration, "cancelled")).delivery == Delivery.SENT
    assert len(smtp.received) == 1


def test_removed_person_gets_nothing_that_was_queued(smtp: SmtpServer) -> None:
    registration = register(future_webinar())
    message = mail_of(registration)
    registration.delete()
    assert deliver(message).delivery == Delivery.SUPPRESSED


def test_whole_invitation_arrives(smtp: SmtpServer) -> None:
    registration = register(future_webinar(), name="Chloé Lefèvre", language="fr")
    deliver(mail_of(registration))
    mail = smtp.received[0].message
    calendar = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    event: Any
    (event,) = icalendar.Calendar.from_ical(calendar.get_content()).walk("VEVENT")
    assert event["ATTENDEE"].params["CN"] == "Chloé Lefèvre"
    assert mail["Content-Language"] == "fr"
    assert mail["Reply-To"] == registration.webinar.organisation.contact_email
    assert mail.get_body(("plain",)) is not None


def test_no_name_becomes_a_link(corpus: Path) -> None:
    """Rows may come from elsewhere than the form, which refuses most of these."""
    for name in json.loads((corpus / "strings" / "person_names.json").read_text()):
        registration = RegistrationFactory(webinar=future_webinar(title="T"), name=name.replace("\0", "")[:150])
        message = messages.send_confirmation(registration)
        assert message is not None
        own = settings.BASE_URL
        assert [url for url in Targets(message.html).found if not url.startswith(own)] == []
        for body in (message.text, message.html):
            assert [url for url in re.findall(r"https?://[^\s<\"]+|www\.\w+", body) if not url.startswith(own)] == []
            assert re.findall(r"[\w.]+@[\w-]+\.\w+", body) == []
