"""Debian's Chromium through Playwright, and a live site with the real built front end."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
FRONTEND = Path(__file__).parents[2] / "frontend"
# What is waited for comes, or the test fails: a machine that is busy for a while must not decide which.
LONGEST_WAIT_MS = 90_000
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


expect.set_options(timeout=LONGEST_WAIT_MS)
_running: list[Browser] = []


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; what is opened in it is closed at the end.

    A process can drive only one at a time (Playwright's loop belongs to the thread), so one that runs is shared.
    """
    if _running:
        browser = _running[0]
        before = list(browser.contexts)
        try:
            yield browser
        finally:
            for context in browser.contexts:
                if context not in before:
                    context.close()
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        _running.append(browser)
        try:
            yield browser
        finally:
            _running.clear()
            browser.close()


def build_frontend() -> None:
    """Build frontend/dist if it is missing or older than its sources."""
    with open(Path(os.environ["ROSTRUM_TEST_RUN"]) / "frontend.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FRONTEND / "node_modules").exists():
            subprocess.run(["npm", "ci"], cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)
        built = FRONTEND / "dist" / ".built"
        sources = [FRONTEND / "build.mjs", FRONTEND / "icons.mjs", FRONTEND / "package-lock.json"]
        sources += [path for path in (FRONTEND / "src").rglob("*") if path.is_file()]
        if not built.exists() or built.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            subprocess.run(["npm", "run", "build"], cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


class Visitor:
    """A person with a browser: opens pages, and collects what the browser complained about."""

    def __init__(self, browser: Browser, base_url: str, **options: Any) -> None:
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(**{"base_url": base_url, "viewport": DESKTOP, **options})
        self.context.set_default_timeout(LONGEST_WAIT_MS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str) -> Page:
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 200, answer.status
        return self.page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """`visit(locale="ar", viewport=PHONE)`: a visitor of the live site. Complaints of the browser fail the test."""
    build_frontend()
    visitors: list[Visitor] = []

    def start(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, live_server.url, **options))
        return visitors[-1]

    yield start
    for visitor in visitors:
        visitor.context.close()
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    assert complaints == [], complaints


def barriers(visitor: Visitor) -> list[str]:
    """What axe-core calls serious or critical on the open page."""
    violations = Axe().run(visitor.page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:150]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
