"""An organiser's message: to those who were fixed and confirmed, and nobody else (promises M6, M8, M10)."""

import json
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import work.services
from events.models import Webinar
from notifications import purposes
from notifications.errors import UnusableWords
from notifications.models import Message, OptOut, Suppression
from notifications.opt_outs import unsubscribe_link
from registration import consents, organiser_messages
from registration.errors import MessageRefused
from registration.models import Announcement, Consent, ConsentKind, ConsentText, Registration, RegistrationState
from tests.factories.accounts import OrganisationFactory, UserFactory
from tests.factories.events import WebinarFactory
from tests.factories.registration import RegistrationFactory
from work.models import WorkState

pytestmark = pytest.mark.django_db


def draft(webinar: Webinar, **values: object) -> Announcement:
    return organiser_messages.draft_message(
        **{
            "webinar": webinar,
            "segment": "confirmed",
            "subject": {"en": "Before {title}"},
            "text": {"en": "Dear {name},\n\nplease read the slides.\n\n{page_link}"},
            "user": None,
            **values,
        }  # type: ignore[arg-type]  # one dict holds what the tests change
    )


def send(row: Announcement, count: int | None = None) -> list[str]:
    """Confirm and write a message; return who got it."""
    organiser_messages.confirm_message(
        announcement=row, count=len(row.recipients or []) if count is None else count, user=None
    )
    work.services.execute("registration.announcement", row.pk)
    return sorted(
        Message.objects.filter(purpose__in=[organiser_messages.MESSAGE, organiser_messages.NEWS_MAIL]).values_list(
            "recipient_email", flat=True
        )
    )


def test_a_draft_sends_nothing() -> None:
    row = draft(RegistrationFactory().webinar)
    work.services.execute("registration.announcement", row.pk)
    assert row.state == WorkState.WAITING
    assert not Message.objects.exists()


def test_it_goes_to_those_who_were_fixed() -> None:
    webinar = WebinarFactory()
    for state in RegistrationState.values:
        RegistrationFactory(webinar=webinar, state=state, email=f"{state}@example.org")
    RegistrationFactory()
    row = draft(webinar)
    RegistrationFactory(webinar=webinar, email="later@example.org")
    assert send(row) == ["confirmed@example.org"]
    message = Message.objects.get()
    assert message.text.startswith("Dear ")
    assert f"/webinars/{webinar.slug}/" in message.text
    assert message.is_optional


def test_the_count_must_be_right() -> None:
    row = draft(RegistrationFactory().webinar)
    with pytest.raises(MessageRefused) as refused:
        organiser_messages.confirm_message(announcement=row, count=2, user=None)
    assert refused.value.code == "wrong_count"
    assert not Message.objects.exists()


def test_confirming_twice_sends_once() -> None:
    row = draft(RegistrationFactory().webinar)
    send(row)
    with pytest.raises(MessageRefused):
        organiser_messages.confirm_message(announcement=row, count=1, user=None)
    assert Message.objects.count() == 1


def test_a_webinar_gets_so_many_messages_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organiser_messages, "PER_DAY", 1)
    webinar = RegistrationFactory().webinar
    send(draft(webinar))
    with pytest.raises(MessageRefused) as refused:
        send(draft(webinar))
    assert refused.value.code == "too_many"


def test_nobody_to_write_to_is_said() -> None:
    with pytest.raises(MessageRefused) as refused:
        draft(WebinarFactory())
    assert refused.value.code == "no_recipients"


def test_each_reader_gets_the_text_in_their_language() -> None:
    webinar = WebinarFactory(spoken_language="en")
    for language in ("fr-CA", "en", "uk"):
        RegistrationFactory(webinar=webinar, language=language, email=f"{language}@example.org")
    send(draft(webinar, subject={"en": "Slides", "fr": "Diapositives"}, text={"en": "Read.", "fr": "Lisez."}))
    found = {message.recipient_email: message.subject for message in Message.objects.all()}
    assert found == {
        "fr-CA@example.org".lower(): "Diapositives",
        "en@example.org": "Slides",
        "uk@example.org": "Slides",
    }


def test_who_left_after_it_was_queued_gets_nothing() -> None:
    registration: Registration = RegistrationFactory()
    send(draft(registration.webinar))
    message = Message.objects.get()
    assert purposes.is_still_wanted(message)
    Registration.objects.filter(pk=registration.pk).update(state=RegistrationState.CANCELLED)
    assert not purposes.is_still_wanted(message)


def test_those_who_asked_for_no_more_and_dead_addresses_are_not_counted() -> None:
    webinar = WebinarFactory()
    out, dead, fine = (RegistrationFactory(webinar=webinar) for _number in range(3))
    OptOut.objects.create(email=out.email, organisation=webinar.organisation, scope=f"webinar:{webinar.pk}")
    Suppression.objects.create(email=dead.email, reason="gone")
    assert send(draft(webinar)) == [fine.email]


def test_typed_text_is_never_a_link_or_markup(corpus: Path) -> None:
    webinar = RegistrationFactory().webinar
    names = json.loads((corpus / "strings" / "person_names.json").read_text())
    for typed in names[:25]:
        try:
            row = draft(webinar, subject={"en": typed}, text={"en": typed})
        except (MessageRefused, UnusableWords):
            continue
        except Exception as error:
            assert getattr(error, "field", "") in ("subject", "text"), repr(error)  # noqa: PT017  (any domain error)
            continue
        made = organiser_messages.preview(announcement=row, language="en", reader_name="Anna")
        assert "<script" not in made.html
        assert made.html.count("<a ") == 1  # the foot's


def contact(registration: Registration) -> Registration:
    text, _new = ConsentText.objects.get_or_create(
        organisation=registration.webinar.organisation, kind=ConsentKind.CONTACT, version=1, defaults={"text": "Yes"}
    )
    consents.give(registration=registration, texts=[text])
    return registration


def test_news_goes_to_those_who_agreed_once_each_and_a_click_ends_it(client: Client) -> None:
    organisation = OrganisationFactory()
    old, older, new = (WebinarFactory(organisation=organisation) for _number in range(3))
    for webinar in (old, older):
        contact(RegistrationFactory(webinar=webinar, email="agreed@example.org"))
    RegistrationFactory(webinar=old, email="never-agreed@example.org")
    contact(RegistrationFactory(webinar=old, email="comes-anyway@example.org"))
    RegistrationFactory(webinar=new, email="comes-anyway@example.org")
    contact(RegistrationFactory(email="of-somebody-else@example.org"))
    assert send(draft(new, segment="contacts")) == ["agreed@example.org"]
    message = Message.objects.get()
    assert purposes.is_still_wanted(message)
    client.post(unsubscribe_link(message.pk.hex).removeprefix("http://testserver"))
    assert not purposes.is_still_wanted(message)
    assert not Consent.objects.filter(registration__email="agreed@example.org", withdrawn_at=None).exists()


def test_a_test_goes_to_oneself_alone() -> None:
    row = draft(RegistrationFactory().webinar)
    user = UserFactory()
    organiser_messages.send_test(announcement=row, language="en", user=user)
    message = Message.objects.get()
    assert message.recipient_email == user.email
    assert "/registrations/" not in message.text


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["confirmed", "waitlisted", "cancelled"])), max_size=8))
def test_only_the_chosen_webinars_people_are_ever_written_to(
    people: list[tuple[int, str]],
) -> None:
    """Random webinars with random people: the recipients are those of the one webinar and the one state."""
    webinars = WebinarFactory.create_batch(3)
    made = [
        (number, state, RegistrationFactory(webinar=webinars[number], state=state).email) for number, state in people
    ]
    Message.objects.all().delete()
    for number, webinar in enumerate(webinars):
        expected = sorted(email for n, state, email in made if n == number and state == "confirmed")
        if not expected:
            continue
        send(draft(webinar))
        got = Message.objects.filter(scope=f"webinar:{webinar.pk}").values_list("recipient_email", flat=True)
        assert sorted(got) == expected
