"""The same story with what a production service uses: PostgreSQL, Redis and S3."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
import requests
from django.conf import settings

from tests.support.browser import LONGEST_WAIT_MS, chromium
from tests.support.installation import Installation
from tests.support.redis import Redis
from tests.support.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """An empty database of its own in the test run's PostgreSQL."""
    server = settings.DATABASES["default"]
    name = f"flow_{secrets.token_hex(4)}"
    with psycopg.connect(host=server["HOST"], user=server["USER"], dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"postgres://{server['USER']}@/{server['HOST']}/{name}"  # django-environ's form for a socket's folder
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server, database_url: str
) -> Iterator[Installation]:
    with Redis() as redis:
        made = Installation(
            tmp_path_factory.mktemp("production"),
            DATABASE_URL=database_url,
            BROKER_URL=redis.url,
            S3_BUCKET=s3_server.make_bucket(),
            S3_ENDPOINT_URL=s3_server.endpoint_url,
            S3_ACCESS_KEY=ACCESS_KEY,
            S3_SECRET_KEY=SECRET_KEY,
            S3_REGION=REGION,
        )
        try:
            made.start_demo()
            made.wait_for_demo()
            made.sign_in()
            yield made
        finally:
            made.stop()


def test_the_production_is_done(installation: Installation) -> None:
    (production,) = installation.api("productions/")["results"]
    assert {step["state"] for step in production["progress"]["steps"]} == {"done"}


def test_nothing_of_it_was_kept_on_the_local_disk(installation: Installation) -> None:
    assert not (installation.folder / "files").exists()
    assert list((installation.folder / "tmp").glob("work-*")) == []


def test_the_store_refuses_unsigned_requests(installation: Installation) -> None:
    (recording,) = installation.api("recordings/")["results"]
    signed = requests.get(recording["downloads"][0]["url"], timeout=60, allow_redirects=False).headers["Location"]
    assert requests.get(signed, timeout=60).ok
    # Without a signature this server calls the request malformed; with a wrong one, forbidden.
    assert requests.get(signed.partition("?")[0], timeout=60).status_code in (400, 401, 403)
    assert requests.get(signed[:-4] + "0000", timeout=60).status_code == 403


def test_the_recording_plays_from_s3(installation: Installation) -> None:
    slug = installation.state["webinar"]
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{installation.base_url}/webinars/{slug}/watch/")
        page.wait_for_selector("rostrum-player video", state="attached")
        page.evaluate("() => { const v = document.querySelector('rostrum-player').media; v.muted = true; v.play() }")
        page.wait_for_function(
            "() => document.querySelector('rostrum-player').media.currentTime > 3", timeout=LONGEST_WAIT_MS
        )
