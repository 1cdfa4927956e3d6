"""Uploads to a real web server that is killed, and from a real browser straight to a real S3 server."""

import hashlib
import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.support.browser import build_frontend, chromium
from tests.support.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server
from tests.support.uploads import made_bytes
from tests.support.web import WebServer

PART = 256 * 1024
PART_ADDRESS = re.compile(r"/parts/[^?]")  # not the question for addresses
# Processes are started again and again, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    with WebServer(tmp_path / "var", UPLOAD_PART_BYTES=str(PART)) as server:
        yield server


@pytest.fixture
def web_on_s3(tmp_path: Path, s3_server: S3Server) -> Iterator[WebServer]:
    with WebServer(
        tmp_path / "var",
        UPLOAD_PART_BYTES=str(5 * 1024**2),
        S3_BUCKET=s3_server.make_bucket(),
        S3_ENDPOINT_URL=s3_server.endpoint_url,
        S3_ACCESS_KEY=ACCESS_KEY,
        S3_SECRET_KEY=SECRET_KEY,
        S3_REGION=REGION,
    ) as server:
        yield server


# --- Killed at every step (promise D1) -----------------------------------------------------------------------------

READ_BACK = """
import hashlib
from media.models import Asset, Upload
from media.storage import private_storage
answer = []
for upload in Upload.objects.filter(state="done"):
    digest = hashlib.sha256()
    for chunk in private_storage().read_chunks(upload.asset.source_key):
        digest.update(chunk)
    answer.append(digest.hexdigest() == upload.asset.sha256)
"""


def restart(web: WebServer) -> None:
    web.kill()
    web.start()


def send_half_a_part(web: WebServer, upload: dict[str, Any], number: int, data: bytes) -> None:
    """Send a part's head and half of its body, and have the server killed while it waits for the rest."""
    address = web.api("GET", f"uploads/{upload['id']}/parts/{number}/").json()
    target = urlsplit(address["url"])
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
    connection.putrequest("PUT", target.path)
    connection.putheader("Content-Length", str(address["size"]))
    connection.endheaders()
    connection.send(data[(number - 1) * PART :][: address["size"] // 2])
    time.sleep(0.5)
    restart(web)
    connection.close()


def test_web_server_killed_at_every_step_loses_nothing_that_it_had_confirmed(web: WebServer) -> None:
    data = made_bytes(3 * PART + 99)
    upload = web.announce(len(data))
    restart(web)
    assert web.send_part(upload, 1, data).status_code == 200
    send_half_a_part(web, upload, 2, data)
    assert web.state_of(upload)["received"] == [1]
    for number in (2, 3, 4):
        assert web.send_part(upload, number, data).status_code == 200
    restart(web)
    assert web.state_of(upload)["received"] == [1, 2, 3, 4]
    body = {"sha256": hashlib.sha256(data).hexdigest()}
    assert web.api("POST", f"uploads/{upload['id']}/complete/", json=body).json()["state"] == "queued"
    web.kill()
    assert web.run(READ_BACK) == []  # nothing says that it is complete yet
    assert web.work()[upload["id"]] == ["done", "", ""]
    assert web.run(READ_BACK) == [True]
    kept = [path for path in (web.folder / "files").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in kept] == [len(data)]


# --- From a browser ------------------------------------------------------------------------------------------------


@pytest.fixture
def browser_context() -> Iterator[BrowserContext]:
    build_frontend()
    with chromium() as browser:
        context = browser.new_context()
        context.add_init_script("Object.defineProperty(navigator, 'connection', { value: undefined })")
        yield context


def open_page(context: BrowserContext, web: WebServer) -> Page:
    context.add_cookies([{"name": "sessionid", "value": web.world["session"], "url": web.base_url}])
    page = context.new_page()
    page.goto(f"{web.base_url}/studio/webinars/{web.world['webinar']}/recordings/new/")
    page.evaluate("addEventListener('rostrum:uploaded', (event) => event.preventDefault())")
    return page


def see_it_through(page: Page, web: WebServer, data: bytes) -> None:
    expect(page.locator("[data-status]")).to_contain_text("Checking", timeout=60_000)
    (state,) = web.work().values()
    assert state == ["done", "", ""]
    expect(page.get_by_text("The file is stored.").first).to_be_visible(timeout=30_000)
    assert web.run(READ_BACK) == [True]
    sums = web.run("from media.models import Upload\nanswer = list(Upload.objects.values_list('sha256', flat=True))")
    assert sums == [hashlib.sha256(data).hexdigest()]


def test_upload_survives_a_restart_of_the_web_server(
    browser_context: BrowserContext, web: WebServer, tmp_path: Path
) -> None:
    data = made_bytes(12 * PART)
    recording = tmp_path / "talk.mp4"
    recording.write_bytes(data)
    page = open_page(browser_context, web)
    parts = iter(range(1, 1000))

    def pass_on(route: Route) -> None:
        if next(parts) == 4:
            web.kill()
        route.continue_()

    page.route(PART_ADDRESS, pass_on)
    page.set_input_files("#upload-file", recording)
    expect(page.locator("[data-status]")).to_contain_text("connection was lost", timeout=30_000)
    web.start()
    see_it_through(page, web, data)


def test_browser_sends_the_parts_straight_to_s3(
    browser_context: BrowserContext, web_on_s3: WebServer, s3_server: S3Server, tmp_path: Path
) -> None:
    data = made_bytes(12 * 1024**2)
    recording = tmp_path / "talk.mp4"
    recording.write_bytes(data)
    page = open_page(browser_context, web_on_s3)
    hosts = []
    page.on("request", lambda request: hosts.append(request.url) if request.method == "PUT" else None)
    page.set_input_files("#upload-file", recording)
    see_it_through(page, web_on_s3, data)
    assert len(hosts) == 3
    assert all(url.startswith(s3_server.endpoint_url) for url in hosts)


def test_s3_that_forbids_the_browser_is_told_from_a_lost_connection(
    browser_context: BrowserContext, web_on_s3: WebServer, s3_server: S3Server, tmp_path: Path
) -> None:
    recording = tmp_path / "talk.mp4"
    recording.write_bytes(made_bytes(4000))
    page = open_page(browser_context, web_on_s3)
    page.clock.install()
    page.route(f"{s3_server.endpoint_url}/**", lambda route: route.abort())
    page.set_input_files("#upload-file", recording)
    for _second in range(90):
        page.clock.run_for(2_000)
        page.wait_for_timeout(50)
        if "cannot be reached" in (page.locator("[data-status]").text_content() or ""):
            break
    expect(page.locator("[data-status]")).to_contain_text(urlsplit(s3_server.endpoint_url).netloc)
