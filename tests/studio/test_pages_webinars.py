"""The dashboard, the webinar form, the overview, publishing and cancelling."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, Role
from events.models import Webinar, WebinarState
from events.services import update_webinar
from registration.models import RegistrationState
from studio import overview, services
from studio.models import Production
from tests.factories.accounts import MembershipFactory
from tests.factories.events import MaterialFactory, SpeakerFactory, WebinarFactory
from tests.factories.library import RecordingFactory
from tests.factories.registration import RegistrationFactory
from tests.studio.conftest import Person
from work.models import WorkState

VALID = {
    "title_en": "Mental health of newcomers",
    "summary_en": "What people need.",
    "title_ar": "الصحة النفسية",
    "date": "2027-07-01",
    "start_time": "14:00",
    "end_time": "15:30",
    "time_zone": "Europe/Brussels",
    "spoken_language": "en",
    "subtitle_languages": ["fr", "ar"],
    "visibility": "public",
    "capacity": "100",
    "join_url": "https://meet.example/room",
}

CountQueries = Callable[[str], int]


@pytest.fixture
def count_queries(organiser: Person) -> CountQueries:
    def count(url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert organiser.client.get(url).status_code == 200
        return len(captured)

    return count


def past(organisation: Organisation) -> Webinar:
    starts_at = timezone.now() - timedelta(days=2)
    return WebinarFactory(organisation=organisation, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))


# --- The dashboard -------------------------------------------------------------------------------------------------


def test_dashboard_asks_strangers_to_sign_in(client: object, db: None) -> None:
    from django.test import Client

    assert Client().get("/studio/")["Location"].startswith(reverse("account_login"))


def test_dashboard_tells_people_without_an_organisation_whom_to_ask(outsider: Person) -> None:
    page = outsider.client.get("/studio/").content.decode()

    assert outsider.user.email in page


def test_dashboard_lists_upcoming_and_past_webinars_of_own_organisations_only(
    organisation: Organisation, organiser: Person
) -> None:
    coming, over = WebinarFactory(organisation=organisation), past(organisation)
    WebinarFactory()

    context = organiser.client.get("/studio/").context

    assert (list(context["upcoming"]), list(context["past"])) == ([coming], [over])


def test_dashboard_counts_confirmed_and_waiting_people_apart(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory.create_batch(3, webinar=webinar)
    RegistrationFactory(webinar=webinar, state=RegistrationState.WAITLISTED)
    RegistrationFactory(webinar=webinar, state=RegistrationState.CANCELLED)
    MaterialFactory.create_batch(2, webinar=webinar, state=WorkState.FAILED)

    (row,) = organiser.client.get("/studio/").context["upcoming"]

    assert (row.confirmed_count, row.waitlisted_count, row.failed_materials) == (3, 1, 2)


def test_dashboard_shows_that_a_step_failed(production: Production, organiser: Person) -> None:
    production.steps.filter(name="encode").update(state=WorkState.FAILED)

    (row,) = organiser.client.get("/studio/").context["upcoming"]

    assert row.failed_steps == 1


def test_dashboard_forgets_failures_of_a_production_that_a_newer_one_replaced(
    production: Production, organiser: Person
) -> None:
    production.steps.filter(name="encode").update(state=WorkState.FAILED)
    services.start_production(recording=production.recording, user=None, spoken_language="en", subtitle_languages=[])

    (row,) = organiser.client.get("/studio/").context["upcoming"]

    assert row.failed_steps == 0


def test_dashboard_asks_as_few_questions_for_many_webinars_as_for_one(
    organisation: Organisation, count_queries: CountQueries
) -> None:
    WebinarFactory(organisation=organisation)
    before = count_queries("/studio/")
    for made in WebinarFactory.create_batch(5, organisation=organisation):
        RegistrationFactory.create_batch(2, webinar=made)
        RecordingFactory(webinar=made)

    assert count_queries("/studio/") == before


def test_dashboard_pages_long_lists(organisation: Organisation, organiser: Person) -> None:
    WebinarFactory.create_batch(27, organisation=organisation)

    assert len(organiser.client.get("/studio/?page=2").context["upcoming"]) == 2


@pytest.mark.parametrize("page", ["0", "-1", "9999", "x", "9" * 40])
def test_page_numbers_that_are_none_show_a_page(page: str, organiser: Person) -> None:
    assert organiser.client.get(f"/studio/?page={page}&past={page}").status_code == 200


# --- The form ------------------------------------------------------------------------------------------------------


def test_organiser_schedules_a_webinar_as_a_draft(organisation: Organisation, organiser: Person) -> None:
    answer = organiser.client.post("/studio/webinars/new/", VALID)

    made = Webinar.objects.get()
    assert answer["Location"] == reverse("studio:webinar", args=[made.pk])
    assert (made.organisation, made.state, made.created_by) == (organisation, WebinarState.DRAFT, organiser.user)
    assert made.title.data == {"en": "Mental health of newcomers", "ar": "الصحة النفسية"}
    assert made.starts_at == datetime(2027, 7, 1, 12, 0, tzinfo=UTC)
    assert made.ends_at == datetime(2027, 7, 1, 13, 30, tzinfo=UTC)
    assert (made.capacity, made.subtitle_languages) == (100, ["fr", "ar"])


def test_reviewers_schedule_nothing(reviewer: Person) -> None:
    assert reviewer.client.post("/studio/webinars/new/", VALID).status_code == 403
    assert not Webinar.objects.exists()


def test_person_of_two_organisations_chooses_one(organisation: Organisation, organiser: Person) -> None:
    other = MembershipFactory(user=organiser.user, role=Role.ORGANISER).organisation

    without = organiser.client.post("/studio/webinars/new/", VALID)
    organiser.client.post("/studio/webinars/new/", {**VALID, "organisation": str(other.pk)})

    assert list(without.context["form"].errors) == ["organisation"]
    assert Webinar.objects.get().organisation == other


def test_another_organisation_cannot_be_chosen(organiser: Person, stranger: Person) -> None:
    MembershipFactory(user=organiser.user, role=Role.ORGANISER)
    foreign = stranger.user.memberships.get().organisation

    organiser.client.post("/studio/webinars/new/", {**VALID, "organisation": str(foreign.pk)})

    assert not Webinar.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title_en": ""}, "title_en"),
        ({"end_time": "13:00"}, "end_time"),
        ({"end_time": "14:00"}, "end_time"),
        ({"date": "2027-03-28", "start_time": "02:30", "end_time": "04:00"}, "start_time"),
        ({"date": "2027-10-31", "start_time": "01:00", "end_time": "02:30"}, "end_time"),
        ({"date": "1066-10-14"}, "date"),
        ({"date": "31.02.2027"}, "date"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"capacity": "0"}, "capacity"),
        ({"capacity": "99999999999"}, "capacity"),
        ({"join_url": "javascript:alert(1)"}, "join_url"),
        ({"spoken_language": "xx-klingon"}, "spoken_language"),
        ({"subtitle_languages": ["fr", "nonsense"]}, "subtitle_languages"),
        ({"visibility": "friends"}, "visibility"),
        ({"title_en": "x" * 201}, "title_en"),
        ({"end_date": "2027-06-30"}, "end_time"),
    ],
)
def test_wrong_values_are_told_at_their_field(change: dict[str, object], field: str, organiser: Person) -> None:
    answer = organiser.client.post("/studio/webinars/new/", {**VALID, **change})

    assert list(answer.context["form"].errors) == [field]
    assert not Webinar.objects.exists()


def test_impossible_time_is_explained(organiser: Person) -> None:
    change = {"date": "2027-03-28", "start_time": "02:30", "end_time": "04:00"}

    page = organiser.client.post("/studio/webinars/new/", {**VALID, **change}).content.decode()

    assert "the clocks are put forward" in page


def test_webinar_may_end_on_another_day(organiser: Person) -> None:
    organiser.client.post("/studio/webinars/new/", {**VALID, "end_time": "00:30", "end_date": "2027-07-02"})

    assert Webinar.objects.get().ends_at == datetime(2027, 7, 1, 22, 30, tzinfo=UTC)


def test_form_shows_what_is_stored_and_saves_it_unchanged(organisation: Organisation, organiser: Person) -> None:
    organiser.client.post("/studio/webinars/new/", {**VALID, "end_time": "00:30", "end_date": "2027-07-02"})
    made = Webinar.objects.get()
    url = reverse("studio:webinar_edit", args=[made.pk])
    form = organiser.client.get(url).context["form"]

    shown = {name: form[name].value() for name in form.fields}
    organiser.client.post(url, {name: value for name, value in shown.items() if value is not None})

    fresh = Webinar.objects.get()
    unchanged = ("title", "starts_at", "ends_at", "time_zone", "capacity", "calendar_sequence", "subtitle_languages")
    assert [getattr(fresh, name) for name in unchanged] == [getattr(made, name) for name in unchanged]


def test_translations_that_the_form_does_not_show_are_kept(organiser: Person) -> None:
    organiser.client.post("/studio/webinars/new/", VALID)
    made = Webinar.objects.get()
    update_webinar(webinar=made, user=None, title={**made.title.data, "uk": "Здоров'я"})
    made.refresh_from_db()

    organiser.client.post(
        reverse("studio:webinar_edit", args=[made.pk]),
        {**VALID, "title_en": "New title", "title_ar": "", "seen": made.updated_at.isoformat()},
    )

    made.refresh_from_db()
    assert made.title.data == {"en": "New title", "uk": "Здоров'я"}


def test_second_editor_is_told_and_overwrites_nothing(organiser: Person) -> None:
    organiser.client.post("/studio/webinars/new/", VALID)
    made = Webinar.objects.get()
    url, seen = reverse("studio:webinar_edit", args=[made.pk]), made.updated_at.isoformat()
    organiser.client.post(url, {**VALID, "topic": "First", "seen": seen})

    answer = organiser.client.post(url, {**VALID, "topic": "Second", "seen": seen})

    made.refresh_from_db()
    assert (made.topic, answer.context["form"]["topic"].value()) == ("First", "Second")
    assert "Somebody else saved this" in answer.content.decode()


def test_second_editor_may_then_save(organiser: Person) -> None:
    organiser.client.post("/studio/webinars/new/", VALID)
    made = Webinar.objects.get()
    url, seen = reverse("studio:webinar_edit", args=[made.pk]), made.updated_at.isoformat()
    organiser.client.post(url, {**VALID, "topic": "First", "seen": seen})
    again = organiser.client.post(url, {**VALID, "topic": "Second", "seen": seen}).context["form"]["seen"].value()

    organiser.client.post(url, {**VALID, "topic": "Second", "seen": again})

    made.refresh_from_db()
    assert made.topic == "Second"


def test_title_is_text_wherever_it_is_shown(webinar: Webinar, organiser: Person) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(title='{"en": "<script>alert(1)</script>"}')

    pages = [
        organiser.client.get(reverse(f"studio:{name}", args=[webinar.pk])).content.decode()
        for name in ("webinar", "webinar_edit", "webinar_cancel", "speakers", "registrants", "recordings")
    ]

    assert ["<script>alert" in page for page in pages] == [False] * 6
    assert ["&lt;script&gt;alert" in page for page in pages] == [True] * 6


# --- Overview, publishing, cancelling ------------------------------------------------------------------------------


def test_publishing_shows_the_public_address(organisation: Organisation, organiser: Person) -> None:
    draft = WebinarFactory(organisation=organisation, state=WebinarState.DRAFT)

    page = organiser.client.post(reverse("studio:webinar_publish", args=[draft.pk]), follow=True).content.decode()

    draft.refresh_from_db()
    assert draft.state == WebinarState.PUBLISHED
    assert f'href="http://testserver/webinars/{draft.slug}/"' in page


def test_publishing_twice_says_so(webinar: Webinar, organiser: Person) -> None:
    page = organiser.client.post(reverse("studio:webinar_publish", args=[webinar.pk]), follow=True).content.decode()

    assert "published already" in page


def test_cancelling_asks_first_and_says_who_is_told(webinar: Webinar, organiser: Person) -> None:
    RegistrationFactory.create_batch(3, webinar=webinar)
    RegistrationFactory(webinar=webinar, state=RegistrationState.WAITLISTED)

    page = organiser.client.get(reverse("studio:webinar_cancel", args=[webinar.pk])).content.decode()

    webinar.refresh_from_db()
    assert "4 people" in page
    assert webinar.state == WebinarState.PUBLISHED


def test_cancelling_cancels(webinar: Webinar, organiser: Person) -> None:
    organiser.client.post(reverse("studio:webinar_cancel", args=[webinar.pk]))

    webinar.refresh_from_db()
    assert webinar.state == WebinarState.CANCELLED


def states(webinar: Webinar) -> dict[str, str]:
    return {task.title: task.state for task in overview.tasks_of(webinar)}


def test_draft_is_to_be_published_first(organisation: Organisation) -> None:
    draft = WebinarFactory(organisation=organisation, state=WebinarState.DRAFT)

    assert [title for title, state in states(draft).items() if state == "now"] == ["Schedule"]


def test_next_thing_after_publishing_is_speakers_then_slides(webinar: Webinar) -> None:
    first = [title for title, state in states(webinar).items() if state == "now"]
    SpeakerFactory(webinar=webinar, invited_at=timezone.now())
    second = [title for title, state in states(webinar).items() if state == "now"]

    assert (first, second) == (["Speakers"], ["Slides and handouts"])


def test_after_the_session_the_recording_is_next_whatever_is_missing(organisation: Organisation) -> None:
    found = states(past(organisation))

    assert [title for title, state in found.items() if state == "now"] == ["Recording"]


def test_failed_step_needs_attention(production: Production) -> None:
    production.steps.filter(name="transcribe").update(state=WorkState.FAILED)

    assert states(production.recording.webinar)["Recording"] == "attention"


def test_cancelled_webinar_wants_nothing(organisation: Organisation) -> None:
    cancelled = WebinarFactory(organisation=organisation, state=WebinarState.CANCELLED)

    assert "now" not in states(cancelled).values()
