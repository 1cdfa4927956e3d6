"""A worker that dies in the middle delays the work, and nothing else (promises J1, J3, J6, M1)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.redis import Redis

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation with Redis as its queue and short leases, so that the test need not wait for minutes."""
    with Redis() as redis:
        made = Installation(
            tmp_path,
            BROKER_URL=redis.url,
            WORK_LEASE_S="6",
            WORK_HEARTBEAT_S="2",
            WORK_SWEEP_S="2",
        )
        try:
            yield made
        finally:
            made.stop()


def steps(installation: Installation) -> dict[str, dict[str, object]]:
    production = installation.api("productions/")["results"]
    return {step["name"]: step for step in production[0]["progress"]["steps"]} if production else {}


def sign_in_early(installation: Installation) -> None:
    """The demo prints its password as soon as there is one."""

    def password() -> str:
        found = re.search(r"password ([\w-]{16})\)", installation.output.read_text())
        return found[1] if found else ""

    installation.wait("the organiser's password", lambda: bool(password()))
    (installation.folder / "demo-early.json").write_text("")
    page = f"{installation.base_url}/accounts/login/"
    installation.session.get(page, timeout=30)
    installation.session.post(
        page,
        data={
            "login": "organiser@demo.example",
            "password": password(),
            "csrfmiddlewaretoken": installation.session.cookies["csrftoken"],
        },
        headers={"Referer": page},
        timeout=30,
    )


def test_a_production_survives_kills_in_transcoding_and_in_transcription(installation: Installation) -> None:
    installation.start_demo()
    sign_in_early(installation)
    killed = set()

    def killed_both() -> bool:
        found = steps(installation)
        for step, worker in (("encode", "media"), ("transcribe", "speech")):
            if step not in killed and found and found[step]["state"] == "running":
                installation.kill_worker(worker)
                killed.add(step)
        return killed == {"encode", "transcribe"}

    installation.wait("both steps to be running", killed_both, seconds=300, every_s=0.05)
    installation.wait_for_demo(seconds=300)

    found = steps(installation)
    assert {step["state"] for step in found.values()} == {"done"}
    mails = [path.read_text() for path in (installation.folder / "mail").glob("*.eml")]
    for name in ("eleanor", "chloe", "layla"):
        assert len([mail for mail in mails if re.search(rf"^To:.*{name}@", mail, re.MULTILINE)]) == 2
    assert len(installation.api("recordings/")["results"]) == 1
    assert list((installation.folder / "tmp").glob("work-*")) == []
