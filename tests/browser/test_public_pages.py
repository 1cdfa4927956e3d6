"""Public pages as people meet them: two directions, two sizes, without barriers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from events.models import Webinar
from tests.factories.events import MaterialFactory, MaterialPageFactory, SeriesFactory, SpeakerFactory, WebinarFactory
from tests.factories.library import give_track, watchable_recording
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers

pytestmark = pytest.mark.django_db(transaction=True)

Visit = Callable[..., Visitor]


@pytest.fixture
def webinar() -> Webinar:
    """A webinar with everything that its page can show, and the recording of another one."""
    series = SeriesFactory.create(slug="series")
    made: Webinar = WebinarFactory.create(
        slug="webinar",
        series=series,
        summary="What helps.",
        topic="Mental health",
        audience="Nurses",
        capacity=20,
        subtitle_languages=["fr", "ar"],
        time_zone="Asia/Tokyo",
    )
    SpeakerFactory.create(webinar=made, affiliation="WHO", biography="A doctor.")
    MaterialPageFactory.create(material=MaterialFactory.create(webinar=made), number=1)
    past = timezone.now() - timedelta(days=3)
    recording = watchable_recording(
        webinar__slug="past",
        webinar__series=series,
        webinar__starts_at=past,
        webinar__ends_at=past + timedelta(hours=1),
    )
    give_track(recording.asset, "ar", ["صباح الخير", "الحصول على الرعاية"])
    return made


ADDRESSES = [
    "/",
    "/?show=recordings",
    "/webinars/webinar/",
    "/series/series/",
    "/search/?q=webinar",
    "/search/?q=nothing",
]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.usefixtures("webinar")
def test_pages_have_no_serious_barriers_and_fit_the_screen(visit: Visit, locale: str, viewport: dict[str, int]) -> None:
    visitor = visit(locale=locale, viewport=viewport)
    found: dict[str, list[str]] = {}
    for address in ADDRESSES:
        page = visitor.open(address)
        assert page.get_attribute("html", "dir") == ("rtl" if locale == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
        found[address] = barriers(visitor)
    assert found == {address: [] for address in ADDRESSES}


@pytest.mark.usefixtures("webinar")
def test_the_keyboard_reaches_the_content_at_once(visit: Visit) -> None:
    page = visit().open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.usefixtures("webinar")
def test_the_visitors_own_time_is_shown_where_it_differs(visit: Visit) -> None:
    abroad = visit(timezone_id="America/New_York", locale="en-US").open("/webinars/webinar/")
    assert "EST" in abroad.locator(".local-time").inner_text() or "EDT" in abroad.locator(".local-time").inner_text()
    at_home = visit(timezone_id="Asia/Tokyo").open("/webinars/webinar/")
    assert not at_home.locator(".local-time").is_visible()


@pytest.mark.usefixtures("webinar")
def test_the_language_is_switched_by_one_click(visit: Visit) -> None:
    page = visit(locale="en").open("/webinars/webinar/")
    page.get_by_role("button", name="العربيّة").click()
    page.wait_for_url("**/webinars/webinar/")
    assert page.get_attribute("html", "dir") == "rtl"


@pytest.mark.usefixtures("webinar")
def test_the_menu_folds_on_phones(visit: Visit) -> None:
    page = visit(viewport=PHONE, locale="en").open("/")
    search = page.get_by_role("link", name="Search", exact=True)
    assert not search.is_visible()
    page.get_by_role("button", name="Menu").click()
    search.click()
    page.wait_for_url("**/search/")


@pytest.mark.usefixtures("webinar")
def test_pages_work_without_scripts(visit: Visit) -> None:
    page = visit(java_script_enabled=False, viewport=PHONE, locale="en").open("/")
    page.get_by_label("Title").or_(page.locator("#search-query")).first.fill("webinar")
    page.get_by_role("search").get_by_role("button").click()
    page.wait_for_url("**/search/?q=webinar")
    assert page.get_by_role("link", name="Search", exact=True).is_visible()


@pytest.mark.usefixtures("webinar")
def test_a_missing_page_is_explained(visit: Visit) -> None:
    visitor = visit(locale="en")
    visitor.page.goto("/webinars/nothing/")
    assert visitor.page.locator("h1").inner_text() == "There is no such page"
    visitor.complaints.clear()  # the browser notes every 404
