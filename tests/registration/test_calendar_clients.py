"""Our invitations in calendars that are not ours: a CalDAV server (Radicale) and a calendar program (khal).

Neither of them reads mail, so `Inbox` stands for the mail program: it does what RFC 5546 says of REQUEST and CANCEL,
with Radicale's own parser (vobject, which is not the library that writes our entries), and stores what comes of it on
the server by CalDAV. khal then reads the server's folder, in a zone of its own.
"""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import vobject  # type: ignore[import-untyped]  # it comes with Radicale, without types

import work.services
from events.services import cancel_webinar, update_webinar
from notifications.models import Message
from registration.messages import about
from registration.models import Announcement, Registration
from registration.services import cancel_registration
from tests.factories.accounts import UserFactory
from tests.factories.events import WebinarFactory
from tests.registration.helpers import register

pytestmark = pytest.mark.django_db
STARTS_AT = datetime(2030, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A Radicale on a free port, and the folder in which it keeps the calendars."""
    folder = tmp_path_factory.mktemp("radicale")
    with socket.socket() as free:  # it takes no port 0
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}"),
        *("--auth-type", "none", "--storage-filesystem-folder", str(folder / "data"), "--web-type", "none"),
    ]
    with (folder / "log").open("wb") as output:
        server = subprocess.Popen(command, stderr=output, stdout=output)
    try:
        for _try in range(200):
            assert server.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", folder / "data" / "collection-root"
    finally:
        server.terminate()
        server.wait(timeout=10)


@dataclass
class Inbox:
    """A mail program that keeps its owner's calendar on a CalDAV server."""

    server: str
    name: str
    newest: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        session = requests.Session()
        session.auth = (self.name, "any")
        self.session = session
        made = session.request("MKCALENDAR", f"{self.server}/{self.name}/calendar/", timeout=10)
        assert made.status_code == 201, made.text

    def receive(self, text: str) -> None:
        """RFC 5546, section 2.1.5: what is older than what is known is ignored; a CANCEL takes the entry away."""
        calendar: Any = vobject.readOne(text)
        event, method = calendar.vevent, calendar.method.value
        version = (int(event.sequence.value), event.dtstamp.value)
        uid = event.uid.value
        if version < self.newest.get(uid, (-1, datetime.min.replace(tzinfo=UTC))):
            return
        self.newest[uid] = version
        address = f"{self.server}/{self.name}/calendar/{quote(uid)}.ics"
        if method == "CANCEL":
            answer = self.session.delete(address, timeout=10)
            assert answer.status_code in (200, 404), answer.text
        else:
            # RFC 4791, section 4.1: stored objects have no METHOD.
            stored = text.replace(f"METHOD:{method}\r\n", "")
            answer = self.session.put(
                address, data=stored.encode(), headers={"Content-Type": "text/calendar; charset=utf-8"}, timeout=10
            )
            assert answer.status_code in (201, 204), answer.text


def khal(folder: Path, inbox: Inbox, tmp_path: Path) -> list[str]:
    """What khal shows of the calendar in summer 2030: title, start and end, as the clocks in Kathmandu show them."""
    config = tmp_path / "khal.conf"
    config.write_text(
        "[calendars]\n[[mine]]\n"
        f"path = {folder / inbox.name / 'calendar'}\n"
        "[locale]\nlocal_timezone = Asia/Kathmandu\ndefault_timezone = Asia/Kathmandu\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        f"[sqlite]\npath = {tmp_path / f'{inbox.name}.db'}\n[default]\ndefault_calendar = mine\n"
    )
    command = [sys.executable, "-m", "khal", "-c", str(config), "list", "--day-format", "", "--format"]
    made = subprocess.run(
        [*command, "{title} {start-long} {end-long}", "2030-06-20", "60d"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"},
    )
    return [line for line in made.stdout.splitlines() if line.strip() and "No events" not in line]


def invited() -> Registration:
    webinar = WebinarFactory(
        title="Access to care", starts_at=STARTS_AT, ends_at=STARTS_AT + timedelta(hours=1), time_zone="Europe/Brussels"
    )
    return register(webinar, time_zone="Asia/Kathmandu")


def calendars_of(registration: Registration) -> list[str]:
    """The calendar parts that were mailed to a person, in their order."""
    for announcement in Announcement.objects.filter(kind__in=["changed", "cancelled"]).order_by("version"):
        work.services.execute("registration.announcement", announcement.pk)
    found = Message.objects.filter(about=about(registration)).exclude(calendar="").order_by("created_at")
    return [message.calendar for message in found]


def moved(registration: Registration) -> None:
    update_webinar(
        webinar=registration.webinar,
        user=UserFactory(),
        title="Access to health care",
        starts_at=STARTS_AT + timedelta(days=2),
        ends_at=STARTS_AT + timedelta(days=2, hours=2),
    )
    calendars_of(registration)  # each change is announced before the next


def test_invitation_update_and_cancellation_are_one_entry_in_its_place_and_then_none(
    radicale: tuple[str, Path], tmp_path: Path
) -> None:
    server, folder = radicale
    registration, inbox = invited(), Inbox(server, "in-order")
    (request,) = calendars_of(registration)
    inbox.receive(request)
    assert khal(folder, inbox, tmp_path) == ["Access to care 2030-07-01 17:45 2030-07-01 18:45"]
    moved(registration)
    _request, update = calendars_of(registration)
    inbox.receive(update)
    assert khal(folder, inbox, tmp_path) == ["Access to health care 2030-07-03 17:45 2030-07-03 19:45"]
    registration.webinar.refresh_from_db()
    cancel_webinar(webinar=registration.webinar, user=UserFactory())
    *_earlier, cancel = calendars_of(registration)
    inbox.receive(cancel)
    assert khal(folder, inbox, tmp_path) == []


def test_any_order_of_arrival_ends_the_same(radicale: tuple[str, Path], tmp_path: Path) -> None:
    server, folder = radicale
    registration = invited()
    moved(registration)
    cancel_registration(registration=registration)
    mails = calendars_of(registration)
    assert [part.split("METHOD:")[1].split("\r\n")[0] for part in mails] == ["REQUEST", "REQUEST", "CANCEL"]
    for number, order in enumerate(itertools.permutations(mails)):
        inbox = Inbox(server, f"any-order-{number}")
        for text in order:
            inbox.receive(text)
    assert [list((folder / f"any-order-{n}" / "calendar").glob("*.ics")) for n in range(6)] == [[]] * 6
    late = Inbox(server, "late")
    for text in (mails[1], mails[0]):
        late.receive(text)
    assert khal(folder, late, tmp_path) == ["Access to health care 2030-07-03 17:45 2030-07-03 19:45"]


def test_whoever_registers_again_has_the_same_entry_back(radicale: tuple[str, Path], tmp_path: Path) -> None:
    server, folder = radicale
    registration, inbox = invited(), Inbox(server, "again")
    cancel_registration(registration=registration)
    register(registration.webinar)
    for text in calendars_of(registration):
        inbox.receive(text)
    assert len(inbox.newest) == 1
    assert khal(folder, inbox, tmp_path) == ["Access to care 2030-07-01 17:45 2030-07-01 18:45"]
