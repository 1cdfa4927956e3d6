"""The studio and the speaker's page in a real browser."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import expect

import events.services
from accounts.models import Role, User
from events.models import Material, Webinar, WebinarState
from library.models import Recording
from media.models import Upload
from registration.models import RegistrationState
from studio import services
from studio.models import Production
from tests.factories.accounts import MembershipFactory, OrganisationFactory
from tests.factories.events import MaterialFactory, MaterialPageFactory, SpeakerFactory, WebinarFactory
from tests.factories.library import RecordingFactory, give_track
from tests.factories.registration import RegistrationFactory
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers
from work import services as work_services
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]


@pytest.fixture
def organiser() -> User:
    organisation = OrganisationFactory.create(name="Health Programme")
    user: User = MembershipFactory.create(organisation=organisation, role=Role.ORGANISER).user
    return user


@pytest.fixture
def webinar(organiser: User) -> Webinar:
    organisation = organiser.memberships.get().organisation
    made: Webinar = WebinarFactory.create(organisation=organisation, title="Mental health")
    return made


@pytest.fixture
def signed_in(visit: Visit, live_server: Any, organiser: User) -> Visit:
    """Like `visit`, but as the organiser."""

    def start(**options: Any) -> Visitor:
        client = Client()
        client.force_login(organiser, backend="django.contrib.auth.backends.ModelBackend")
        visitor = visit(**options)
        session = client.cookies["sessionid"].value
        visitor.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        return visitor

    return start


@contextmanager
def worker(kind: str, model: Any) -> Iterator[None]:
    """Do rows of one kind as they are queued, as a worker beside the web server does."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            for pk in model.objects.filter(state=WorkState.QUEUED).values_list("pk", flat=True):
                work_services.execute(kind, pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_organiser_schedules_and_publishes_a_webinar(signed_in: Visit) -> None:
    visitor = signed_in()
    page = visitor.open("/studio/")

    page.get_by_role("link", name="New webinar").click()
    page.get_by_label("Title *").fill("Access to care")
    page.get_by_label("Date").fill("2027-07-01")
    page.get_by_label("Starts at").fill("14:00")
    page.get_by_label("Ends at").fill("15:30")
    page.get_by_label("French · français").check()
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", name="Access to care")).to_be_visible()
    page.get_by_role("button", name="Publish the webinar").click()

    expect(page.get_by_text("The webinar is published.")).to_be_visible()
    made = Webinar.objects.get()
    assert (made.state, made.starts_at.isoformat()) == (WebinarState.PUBLISHED, "2027-07-01T12:00:00+00:00")
    assert made.subtitle_languages == ["fr"]


def test_recording_goes_from_the_file_chooser_to_its_production(
    signed_in: Visit, organiser: User, webinar: Webinar, corpus: Path
) -> None:
    path = corpus / "media" / "ok_reference.mp4"
    visitor = signed_in()
    page = visitor.open(f"/studio/webinars/{webinar.pk}/recordings/new/")
    page.locator("[name=subtitle_languages][value=ar]").check()

    with worker("media.upload", Upload):
        page.set_input_files("input[type=file]", path)
        expect(page.get_by_role("heading", name="The recording is being prepared")).to_be_visible()

    production = Production.objects.get()
    assert production.subtitle_languages == ["ar"]
    assert production.recording.asset.size == path.stat().st_size
    assert production.created_by == organiser


def test_production_page_follows_the_work_and_keeps_what_is_unfolded(signed_in: Visit, webinar: Webinar) -> None:
    production = _production(webinar)
    step = production.steps.get(name="pictures")
    production.steps.filter(pk=step.pk).update(state=WorkState.FAILED, error="No frame", log_tail="frame= 0")
    visitor = signed_in()
    page = visitor.open(f"/studio/productions/{production.pk}/")
    page.get_by_text("Technical details").click()

    production.steps.filter(name="inspect").update(state=WorkState.RUNNING, progress=40, activity="Reading the file")

    expect(page.get_by_text("Reading the file")).to_be_visible()
    expect(page.get_by_text("frame= 0")).to_be_visible()


def test_speaker_changes_lines_and_uploads_slides_by_the_link(visit: Visit, webinar: Webinar, corpus: Path) -> None:
    speaker = SpeakerFactory.create(webinar=webinar)
    visitor = visit(viewport=PHONE)
    page = visitor.open(events.services.speaker_link(speaker).removeprefix("http://testserver"))

    page.get_by_label("Biography").fill("Psychiatrist in Ghent.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Thank you, your lines were saved.")).to_be_visible()
    with worker("events.material", Material):
        page.set_input_files("input[type=file]", corpus / "slides" / "ok.pdf")
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_role("img", name="Page 1", exact=True)).to_be_visible(timeout=60_000)

    speaker.refresh_from_db()
    assert speaker.biography == "Psychiatrist in Ghent."
    assert speaker.materials.get().state == WorkState.DONE


def test_address_of_the_speakers_page_is_told_to_nobody(visit: Visit, webinar: Webinar) -> None:
    speaker = SpeakerFactory.create(webinar=webinar)
    path = events.services.speaker_link(speaker).removeprefix("http://testserver")
    visitor = visit()
    referers: list[str] = []
    visitor.page.on("request", lambda request: referers.append(request.headers.get("referer", "")))

    page = visitor.open(path)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Search").click()
    page.wait_for_url("**/search/**")

    assert [referer for referer in referers if "/speak/" in referer] == []


def _production(webinar: Webinar) -> Production:
    recording: Recording = RecordingFactory.create(webinar=webinar)
    give_track(recording.asset, "ar", ["صباح الخير"])
    return services.start_production(
        recording=recording, user=None, spoken_language="en", subtitle_languages=["fr", "ar"]
    )


def _addresses(webinar: Webinar) -> list[str]:
    """Every page of the studio, with something on it."""
    SpeakerFactory.create(webinar=webinar, affiliation="WHO/Europe")
    RegistrationFactory.create_batch(3, webinar=webinar)
    MaterialPageFactory.create(material=MaterialFactory.create(webinar=webinar), number=1)
    MaterialFactory.create(webinar=webinar, state=WorkState.FAILED, error="This file is protected.")
    production = _production(webinar)
    production.steps.filter(name="inspect").update(state=WorkState.FAILED, error="Not a video.", log_tail="moov " * 60)
    names = [
        "",
        "edit/",
        "cancel/",
        "speakers/",
        "speakers/new/",
        "registrants/",
        "registrants/import/",
        "invitations/",
        "groups/",
        "recordings/",
        "recordings/new/",
    ]
    registrants = RegistrationFactory.create_batch(2, webinar=webinar, state=RegistrationState.PENDING)
    return [
        "/studio/",
        f"/studio/registrants/{registrants[0].pk}/",
        "/studio/webinars/new/",
        *(f"/studio/webinars/{webinar.pk}/{name}" for name in names),
        f"/studio/recordings/{production.recording_id}/",
        f"/studio/recordings/{production.recording_id}/produce/",
        f"/studio/productions/{production.pk}/",
        "/studio/tokens/",
        events.services.speaker_link(webinar.speakers.first()).removeprefix("http://testserver"),  # type: ignore[arg-type]  # made above
    ]


@pytest.mark.parametrize(
    ("locale", "viewport"), [("en", DESKTOP), ("ar", PHONE)], ids=["english-desktop", "arabic-phone"]
)
def test_pages_have_no_serious_barriers_and_fit_the_screen(
    signed_in: Visit, live_server: Any, webinar: Webinar, locale: str, viewport: dict[str, int]
) -> None:
    addresses = _addresses(webinar)
    visitor = signed_in(locale=locale, viewport=viewport)
    visitor.context.add_cookies([{"name": "django_language", "value": locale, "url": live_server.url}])

    found: dict[str, list[str]] = {}
    for address in addresses:
        page = visitor.open(address)
        assert page.get_attribute("html", "dir") == ("rtl" if locale == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
        found[address] = barriers(visitor)

    assert found == {address: [] for address in addresses}
