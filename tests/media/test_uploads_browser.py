"""The uploader in a real browser: parts, a lost connection, a closed tab, the server's refusals."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, Request, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from events.models import Webinar
from media.models import Upload
from tests.factories.accounts import MembershipFactory
from tests.factories.events import WebinarFactory
from tests.support.browser import build_frontend, chromium
from tests.support.uploads import join, made_bytes

pytestmark = pytest.mark.django_db(transaction=True)

PART = 64 * 1024
PART_ADDRESS = re.compile(r"/parts/[^?]")  # not the question for addresses


@pytest.fixture
def webinar() -> Webinar:
    made: Webinar = WebinarFactory.create()
    return made


@pytest.fixture
def context(live_server: LiveServer, webinar: Webinar, settings: Settings, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser in which the webinar's organiser is signed in."""
    settings.UPLOAD_PART_BYTES = PART
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.LocalPrivateStorage", "OPTIONS": {"location": str(tmp_path / "store")}},
    }
    build_frontend()
    client = Client()
    client.force_login(MembershipFactory.create(organisation=webinar.organisation).user)
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        # What Chromium believes of the line changes with the machine's load.
        context.add_init_script("Object.defineProperty(navigator, 'connection', { value: undefined })")
        yield context
        # While Playwright's event loop runs, this thread has other connections than after it; nobody else closes them.
        connections.close_all()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(made_bytes(6 * PART + 17))
    return path


def open_page(context: BrowserContext, live_server: LiveServer, webinar: Webinar) -> Page:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(live_server.url + reverse("studio:recording_upload", args=[webinar.pk]))
    # Keep the page: what the form then does is studio's business.
    page.evaluate(
        "addEventListener('rostrum:uploaded', (event) => { event.preventDefault(); window.got = event.detail; })"
    )
    assert problems == []
    return page


def sent_parts(page: Page) -> list[str]:
    """Note the parts that this page sends, from now on."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            seen.append(request.url)

    page.on("request", note)
    return seen


def wait_for_state(page: Page, state: str) -> Upload:
    for _try in range(200):
        upload = Upload.objects.order_by("-created_at").first()
        if upload is not None and upload.state == state:
            return upload
        page.wait_for_timeout(100)
    raise AssertionError(f"no upload became {state}")


def check_arrived(page: Page, recording: Path) -> None:
    upload = join(wait_for_state(page, "queued"))
    assert upload.asset is not None
    assert upload.asset.sha256 == hashlib.sha256(recording.read_bytes()).hexdigest()
    expect(page.get_by_text("The file is stored.").first).to_be_visible()
    assert page.evaluate("window.got.asset") == str(upload.asset_id)


def test_file_is_sent_in_parts_and_stored(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    page = open_page(context, live_server, webinar)
    sent = sent_parts(page)
    page.set_input_files("#upload-file", recording)
    check_arrived(page, recording)
    assert len(sent) == 7
    assert page.locator("progress").evaluate("bar => bar.value") == 100


def test_hash_of_the_whole_file_is_known_when_the_last_part_has_left(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    page = open_page(context, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    upload = wait_for_state(page, "queued")
    assert upload.sha256 == hashlib.sha256(recording.read_bytes()).hexdigest()


def test_slow_line_gets_small_parts(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, tmp_path: Path, settings: Settings
) -> None:
    settings.UPLOAD_PART_BYTES = 4 * 1024**2
    recording = tmp_path / "talk.mp4"
    recording.write_bytes(made_bytes(1024**2 + 5))
    assert context.browser is not None
    slow = context.browser.new_context()
    slow.add_cookies([{"name": "sessionid", "value": context.cookies()[0]["value"], "url": live_server.url}])
    slow.add_init_script("Object.defineProperty(navigator, 'connection', { value: { effectiveType: '3g' } })")
    page = open_page(slow, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    upload = wait_for_state(page, "queued")
    assert (upload.part_size, upload.part_count) == (1024**2, 2)
    check_arrived(page, recording)


def test_without_the_hashing_worker_the_file_arrives_all_the_same(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    context.route("**/hasher*.js", lambda route: route.abort())
    page = open_page(context, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    assert wait_for_state(page, "queued").sha256 == ""
    check_arrived(page, recording)


def test_parts_travel_side_by_side_and_more_of_them_while_that_helps(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, tmp_path: Path
) -> None:
    recording = tmp_path / "long.mp4"
    recording.write_bytes(made_bytes(40 * PART))
    # Counted in the page: Playwright hears of an answer later than of the request that follows it.
    context.add_init_script("""
        const send = XMLHttpRequest.prototype.send;
        let flying = 0;
        window.most = 0;
        XMLHttpRequest.prototype.send = function (body) {
            window.most = Math.max(window.most, ++flying);
            this.addEventListener("readystatechange", () => this.readyState === XMLHttpRequest.DONE && flying--);
            return send.call(this, body);
        };
    """)
    page = open_page(context, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    check_arrived(page, recording)
    assert 2 <= page.evaluate("most") <= 5


def test_lost_connection_is_said_and_survived(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    page = open_page(context, live_server, webinar)
    cuts = iter(range(3))

    def cut(route: Route) -> None:
        if next(cuts, None) is None:
            route.continue_()
        else:
            route.abort()

    page.route(PART_ADDRESS, cut)
    page.set_input_files("#upload-file", recording)
    expect(page.locator("[data-status]")).to_contain_text("connection was lost")
    check_arrived(page, recording)


def test_closed_tab_goes_on_with_the_missing_parts(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    first = open_page(context, live_server, webinar)
    count = iter(range(100))
    first.route(PART_ADDRESS, lambda route: route.continue_() if next(count) < 4 else route.abort())
    first.set_input_files("#upload-file", recording)
    expect(first.locator("[data-status]")).to_contain_text("connection was lost")
    upload = wait_for_state(first, "waiting")
    first.close(run_before_unload=False)

    second = open_page(context, live_server, webinar)
    expect(second.locator("[data-unfinished]")).to_contain_text("talk.mp4")
    before = upload.parts.count()
    assert 0 < before < 7
    sent = sent_parts(second)
    second.set_input_files("#upload-file", recording)
    check_arrived(second, recording)
    assert len(sent) == 7 - before
    assert Upload.objects.count() == 1


def test_other_browser_of_the_same_person_goes_on_with_a_renamed_copy(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path, tmp_path: Path
) -> None:
    first = open_page(context, live_server, webinar)
    count = iter(range(100))
    first.route(PART_ADDRESS, lambda route: route.continue_() if next(count) < 4 else route.abort())
    first.set_input_files("#upload-file", recording)
    expect(first.locator("[data-status]")).to_contain_text("connection was lost")
    first.close(run_before_unload=False)

    assert context.browser is not None
    other = context.browser.new_context()
    other.add_init_script("Object.defineProperty(navigator, 'connection', { value: undefined })")
    other.add_cookies([{"name": "sessionid", "value": context.cookies()[0]["value"], "url": live_server.url}])
    copy = recording.rename(tmp_path / "copy of talk.mp4")
    os.utime(copy, (1, 1))
    second = open_page(other, live_server, webinar)
    second.set_input_files("#upload-file", copy)
    check_arrived(second, copy)
    assert Upload.objects.count() == 1


def test_file_that_was_changed_where_nobody_looked_is_refused_with_what_to_do(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, tmp_path: Path
) -> None:
    recording = tmp_path / "talk.mp4"
    data = bytearray(made_bytes(40 * PART))
    recording.write_bytes(data)
    first = open_page(context, live_server, webinar)
    count = iter(range(100))
    first.route(PART_ADDRESS, lambda route: route.continue_() if next(count) < 12 else route.abort())
    first.set_input_files("#upload-file", recording)
    expect(first.locator("[data-status]")).to_contain_text("connection was lost")
    first.close(run_before_unload=False)

    data[6 * PART] ^= 1  # in a part that has arrived, outside the three samples
    recording.write_bytes(data)
    second = open_page(context, live_server, webinar)
    second.set_input_files("#upload-file", recording)
    join(wait_for_state(second, "queued"))
    expect(second.get_by_role("alert")).to_contain_text("upload it again")
    expect(second.locator("#upload-file")).to_be_visible()
    second.set_input_files("#upload-file", recording)
    check_arrived(second, recording)


def test_unfinished_upload_can_be_given_up_without_its_file(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    first = open_page(context, live_server, webinar)
    first.route(PART_ADDRESS, lambda route: route.abort())
    first.set_input_files("#upload-file", recording)
    expect(first.locator("[data-status]")).to_contain_text("connection was lost")
    first.close(run_before_unload=False)
    second = open_page(context, live_server, webinar)
    second.get_by_role("button", name="Give up the upload of talk.mp4").click()
    expect(second.locator("[data-unfinished] li")).to_have_count(0)
    wait_for_state(second, "cancelled")


def test_full_store_is_said_and_going_on_is_enough_once_there_is_room(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    """Promise D6."""
    page = open_page(context, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    upload = wait_for_state(page, "queued")
    Upload.objects.filter(pk=upload.pk).update(
        state="failed", error_code="store_full", error="The server's disk is full.", tries_left=0
    )
    expect(page.get_by_role("alert")).to_contain_text("disk is full")
    sent = sent_parts(page)
    page.get_by_role("button", name="Go on").click()
    check_arrived(page, recording)
    assert sent == []


def test_signed_out_person_signs_in_elsewhere_and_goes_on(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    page = open_page(context, live_server, webinar)
    cookies = context.cookies()
    context.clear_cookies()
    page.set_input_files("#upload-file", recording)
    expect(page.get_by_role("alert")).to_contain_text("signed out")
    context.add_cookies(cookies)  # type: ignore[arg-type]  # what `cookies` returns, `add_cookies` takes
    page.set_input_files("#upload-file", recording)
    check_arrived(page, recording)


def test_changed_file_of_the_same_name_and_size_starts_anew(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    first = open_page(context, live_server, webinar)
    first.route(PART_ADDRESS, lambda route: route.abort())
    first.set_input_files("#upload-file", recording)
    expect(first.locator("[data-status]")).to_contain_text("connection was lost")
    first.close(run_before_unload=False)

    recording.write_bytes(recording.read_bytes()[:-1] + b"?")

    os.utime(recording, (1, 1))
    second = open_page(context, live_server, webinar)
    second.set_input_files("#upload-file", recording)
    check_arrived(second, recording)
    assert Upload.objects.count() == 2


def test_pause_and_go_on(context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path) -> None:
    page = open_page(context, live_server, webinar)
    page.route(PART_ADDRESS, lambda route: route.abort())
    page.set_input_files("#upload-file", recording)
    expect(page.locator("[data-status]")).to_contain_text("connection was lost")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    expect(page.locator("[data-status]")).to_have_text("Paused.")
    page.unroute(PART_ADDRESS)
    page.get_by_role("button", name="Go on").click()
    check_arrived(page, recording)


def test_giving_up_removes_the_upload(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path
) -> None:
    page = open_page(context, live_server, webinar)
    page.route(PART_ADDRESS, lambda route: route.abort())
    page.set_input_files("#upload-file", recording)
    expect(page.locator("[data-status]")).to_contain_text("connection was lost")
    page.get_by_role("button", name="Give up").click()
    expect(page.locator("#upload-file")).to_be_visible()
    wait_for_state(page, "cancelled")


def test_refusal_is_shown_in_the_servers_words(
    context: BrowserContext, live_server: LiveServer, webinar: Webinar, recording: Path, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    page = open_page(context, live_server, webinar)
    page.set_input_files("#upload-file", recording)
    expect(page.get_by_role("alert")).to_contain_text("at most 1.0 kB can be uploaded")
    expect(page.locator("#upload-file")).to_be_visible()
