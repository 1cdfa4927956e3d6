"""The demo: a person's day with Rostrum, played through its pages, its API and its mails."""

import email
import email.policy
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from django.conf import settings
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from accounts.models import Organisation, User
from accounts.services import create_organisation
from work.models import WorkState

SAMPLE = Path(settings.BASE_DIR) / "demo"
TITLE = "Health of migrants: mental health and access to care"
OWNER = "organiser@demo.example"
SPEAKERS = (
    {"name": "Dr Amina Haddad", "email": "amina.haddad@demo.example", "affiliation": "University Hospital"},
    {"name": "Lucas Moreau", "email": "lucas.moreau@demo.example", "affiliation": "City Health Service"},
)
REGISTRANTS = (
    {
        "name": "Eleanor Byrne",
        "email": "eleanor@demo.example",
        "language": "en",
        "time_zone": "Europe/Dublin",
        "country": "IE",
    },
    {
        "name": "Chloé Lefèvre",
        "email": "chloe@demo.example",
        "language": "fr",
        "time_zone": "Europe/Paris",
        "country": "FR",
    },
    {"name": "ليلى منصور", "email": "layla@demo.example", "language": "ar", "time_zone": "Asia/Amman", "country": "JO"},
)
SUBTITLES = ["fr", "es", "uk", "ar"]
WAIT_S = 300  # a lost message is sent again within two minutes


def visitor_session() -> requests.Session:
    """Cookies of one person. Each request has a connection of its own: a kept one may close while it is asked again."""
    session = requests.Session()
    session.headers["Connection"] = "close"
    return session


class DemoFailed(Exception):
    """A step of the demo did not do what it should; the message says which and why."""


class Form(HTMLParser):
    """The first form of a page that has the given field: where it posts to, and what it holds already."""

    def __init__(self, html: str, field: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._select = ""
        self.feed(html)
        for action, values in self.forms:
            if field in values:
                self.action, self.values = action, values
                return
        raise DemoFailed(f"The page has no form with a field {field!r}.")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
        elif not self.forms:
            return
        elif tag == "select":
            self._select = name
            self.forms[-1][1].setdefault(name, "")
        elif tag == "option" and self._select and "selected" in found:
            self.forms[-1][1][self._select] = found.get("value", "")
        elif tag in ("input", "textarea") and name and found.get("type") not in ("submit", "radio"):
            if found.get("type") != "checkbox" or "checked" in found:
                self.forms[-1][1].setdefault(name, found.get("value", ""))
            else:
                self.forms[-1][1].setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


@dataclass
class Mailbox:
    """The folder in which the mails of this installation are."""

    folder: Path

    def messages(self) -> Iterator[EmailMessage]:
        for path in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if isinstance(message, EmailMessage):
                yield message

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages() if address in str(message["To"])]


class Demo:
    """Plays the whole story; every method is one part of it and fails loudly."""

    def __init__(self, *, base_url: str, var_dir: Path, console: Console) -> None:
        self.base_url = base_url
        self.var_dir = var_dir
        self.console = console
        self.mailbox = Mailbox(var_dir / "mail")
        self.state_file = var_dir / "demo.json"
        self.organiser = visitor_session()
        self.state: dict[str, Any] = {}

    # --- The story -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play the story, or, when it was played before, check that its results are still right.

        Raises:
            DemoFailed: a part did not do what it should.
        """
        self._wait("the web server", self._is_up)
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text())
            self._say("The demo ran here before; checking its results")
            self._sign_in()
        else:
            self._begin()
            self._sign_in()
            self._schedule()
            self._give_slides()
            self._register()
            self._upload()
            self._start_production()
        self._follow_production()
        self._check()
        # Only now, so that a run that was interrupted does not pass for a finished one.
        self.state_file.touch(mode=0o600)
        self.state_file.write_text(json.dumps(self.state, indent=1))

    def print_addresses(self) -> None:
        slug = self.state["webinar"]
        rows = (
            ("watch the recording", f"/webinars/{slug}/watch/"),
            ("the webinar's page", f"/webinars/{slug}/"),
            ("the studio", "/studio/"),
            ("the API", "/api/v1/docs/"),
        )
        for what, path in rows:
            self.console.print(f"  {what:<22}{self.base_url}{path}", highlight=False)
        self.console.print(f"  {'sign in':<22}{OWNER}, password {self.state['password']}", highlight=False)
        self.console.print(f"  {'mails sent':<22}{self.mailbox.folder}/*.eml", highlight=False)
        self.console.print(
            "\nThe speech and translation models of the demo know only the demo's sentences. The README says how to"
            " set real ones."
        )

    def _begin(self) -> None:
        """The first account cannot come from a page, because there is nobody yet to make it."""
        password = secrets.token_urlsafe(12)
        owner = User.objects.filter(email=OWNER).first()
        if owner is None:
            owner = User.objects.create_user(OWNER, name="Demo organiser")
        owner.set_password(password)
        owner.save()
        if not Organisation.objects.filter(slug="demo").exists():
            create_organisation(
                name="Demo Health Programme",
                slug="demo",
                owner=owner,
                time_zone="Europe/Brussels",
                contact_email=OWNER,
            )
        self.state["password"] = password

    def _sign_in(self) -> None:
        self._say(f"Signing in as {OWNER} (password {self.state['password']})")
        answer = self._submit(
            self.organiser, "/accounts/login/", "login", {"login": OWNER, "password": self.state["password"]}
        )
        if "/accounts/login" in answer.url:
            raise DemoFailed("The organiser could not sign in.")

    def _schedule(self) -> None:
        """1. An organiser schedules a webinar and publishes it."""
        self._say("Scheduling the webinar, with two speakers, and publishing it")
        # It has just begun: registration is open, and the recording may follow.
        starts_at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
        webinar = self._api(
            "POST",
            "webinars/",
            {
                "title": TITLE,
                "summary": "What people need when they arrive, and what keeps them from getting care.",
                "topic": "Mental health",
                "audience": "Doctors, nurses, social workers and police officers",
                "spoken_language": "en",
                "subtitle_languages": SUBTITLES,
                "starts_at": starts_at.isoformat(),
                "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
                "time_zone": "Europe/Brussels",
                "capacity": 100,
                "join_url": "https://meet.example/health-of-migrants",
            },
        )
        self.state |= {"webinar": webinar["slug"], "webinar_id": webinar["id"]}
        for speaker in SPEAKERS:
            made = self._api("POST", "speakers/", {**speaker, "webinar": webinar["id"]})
            self._api("POST", f"speakers/{made['id']}/invite/")
        self._api("POST", f"webinars/{webinar['id']}/publish/")

    def _give_slides(self) -> None:
        """2. A speaker opens the personal link from the mail and uploads slides; pages become images."""
        self._say("A speaker opens the personal link from the mail and uploads slides")
        address = SPEAKERS[0]["email"]
        self._wait("the speaker's invitation", lambda: bool(self.mailbox.to(address)))
        link = self._link_in(self.mailbox.to(address)[0], "/speak/")
        speaker = visitor_session()
        with open(SAMPLE / "slides.pdf", "rb") as slides:
            answer = self._submit(speaker, link, "file", {}, files={"file": ("slides.pdf", slides)})
        if "slides.pdf" not in answer.text:
            raise DemoFailed("The speaker's page does not show the slides that were uploaded.")

        def drawn() -> bool:
            found = self._api("GET", f"materials/?webinar={self.state['webinar_id']}")["results"]
            if found and found[0]["state"] == "failed":
                raise DemoFailed(f"The slides could not be drawn: {found[0]['error']}")
            return bool(found) and found[0]["state"] == "done" and bool(found[0]["page_count"])

        self._wait("the slides' pages", drawn)

    def _register(self) -> None:
        """3. Three people register on the public page, in three languages, and get an invitation."""
        self._say("Three people register, in English, French and Arabic")
        for person in REGISTRANTS:
            visitor = visitor_session()
            visitor.headers["Accept-Language"] = person["language"]
            path = f"/webinars/{self.state['webinar']}/register/"
            self._submit(visitor, path, "email", {**person, "privacy": "on", "profession": "Nurse"})
        for person in REGISTRANTS:
            self._wait_for_mails(f"the confirmation to {person['email']}", partial(self.mailbox.to, person["email"]))
            message = self.mailbox.to(person["email"])[0]
            kinds = [part.get_content_type() for part in message.walk()]
            if "text/calendar" not in kinds:
                raise DemoFailed(f"The confirmation to {person['email']} has no calendar invitation.")

    def _upload(self) -> None:
        """4. The organiser uploads the recording, in parts."""
        path = SAMPLE / "recording.mp4"
        size = path.stat().st_size
        upload = self._api(
            "POST",
            "uploads/",
            {
                "file_name": path.name,
                "size": size,
                "purpose": f"recording:{self.state['webinar_id']}",
            },
        )
        self._say(f"Uploading the recording ({size / 1e6:.1f} MB) in {upload['part_count']} parts")
        with open(path, "rb") as file:
            for number in range(1, upload["part_count"] + 1):
                address = self._api("GET", f"uploads/{upload['id']}/parts/{number}/")
                answer = requests.request(
                    address["method"],
                    self._absolute(address["url"]),
                    headers=address["headers"],
                    data=file.read(upload["part_size"]),
                    timeout=60,
                )
                self._expect(answer, "an upload part")
        self._api("POST", f"uploads/{upload['id']}/complete/")

        def stored() -> bool:
            row = self._api("GET", f"uploads/{upload['id']}/")
            if row["state"] == WorkState.FAILED:
                raise DemoFailed(f"The upload was refused: {row['error']}")
            return bool(row["state"] == WorkState.DONE)

        self._wait("the upload to be checked", stored)
        self.state["upload"] = upload["id"]

    def _start_production(self) -> None:
        """5. The pipeline begins."""
        production = self._api(
            "POST",
            "productions/",
            {
                "upload": self.state["upload"],
                "webinar": self.state["webinar_id"],
                "spoken_language": "en",
                "subtitle_languages": SUBTITLES,
                "publish_when_ready": True,
            },
        )
        self.state["production"] = production["id"]

    def _follow_production(self) -> None:
        """Show the steps' progress until nothing moves any more."""
        columns = (
            TextColumn("  {task.description:<16}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        deadline = time.monotonic() + 15 * 60
        with Progress(*columns, console=self.console) as progress:
            bars: dict[str, Any] = {}
            while True:
                found = self._api("GET", f"productions/{self.state['production']}/")["progress"]
                for step in found["steps"]:
                    if step["state"] == "waiting":
                        continue
                    if step["name"] not in bars:
                        bars[step["name"]] = progress.add_task(step["name"], total=100, note="")
                    seconds = f"{step['seconds']:.1f} s" if step["seconds"] is not None else ""
                    note = step["error"] or (
                        f"{step['state']} {seconds}" if step["progress"] == 100 else step["activity"]
                    )
                    progress.update(bars[step["name"]], completed=step["progress"], note=note)
                failed = [f"{step['name']}: {step['error']}" for step in found["steps"] if step["state"] == "failed"]
                if failed:
                    raise DemoFailed("The production failed. " + " ".join(failed))
                if found["is_finished"]:
                    break
                if time.monotonic() > deadline:
                    raise DemoFailed("The production did not finish within 15 minutes.")
                time.sleep(0.5)
        self.state["steps"] = {step["name"]: step["seconds"] for step in found["steps"]}

    def _check(self) -> None:
        """6 and 7. What came out is what was promised: page, stream, tracks, downloads, mails."""
        self._say("Checking the page, the stream, the subtitles, the downloads and the mails")
        visitor = visitor_session()
        page = self._expect(visitor.get(f"{self.base_url}/webinars/{self.state['webinar']}/watch/", timeout=30), "page")
        player = re.search(r'<rostrum-player\s+base="([^"]+)"', page.text)
        if player is None:
            raise DemoFailed("The watch page has no player.")
        master = self._absolute(f"{player[1]}master.m3u8")
        playlist = self._expect(visitor.get(master, timeout=30), "the HLS master").text
        languages = set(re.findall(r'TYPE=SUBTITLES[^\n]*LANGUAGE="([^"]+)"', playlist))
        if languages != {"en", *SUBTITLES}:
            raise DemoFailed(f"The stream offers subtitles in {sorted(languages)}, not in five languages.")
        recordings = self._api("GET", f"recordings/?webinar={self.state['webinar']}")["results"]
        if not recordings or recordings[0]["state"] != "published":
            raise DemoFailed("The recording is not published.")
        for person in REGISTRANTS:
            self._wait_for_mails(f"the follow-up to {person['email']}", partial(self._follow_ups, person["email"]))
            if len(self._follow_ups(person["email"])) > 1:
                raise DemoFailed(f"{person['email']} got the follow-up more than once.")

    # --- Helpers ---------------------------------------------------------------------------------------------------

    def _follow_ups(self, address: str) -> list[EmailMessage]:
        path = f"/webinars/{self.state['webinar']}/watch/"
        return [message for message in self.mailbox.to(address) if path in self._text(message)]

    def _text(self, message: EmailMessage) -> str:
        body = message.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""

    def _link_in(self, message: EmailMessage, part: str) -> str:
        found = re.search(rf"https?://\S+{re.escape(part)}\S+", self._text(message))
        if found is None:
            raise DemoFailed(f"The mail {message['Subject']!r} has no link with {part}.")
        return found[0]

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/health/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def _wait(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not is_there():
            if time.monotonic() > deadline:
                raise DemoFailed(f"Waited {WAIT_S} s for {what}, in vain.")
            time.sleep(0.5)

    def _wait_for_mails(self, what: str, mails: Callable[[], list[EmailMessage]]) -> None:
        self._wait(what, lambda: bool(mails()))

    def _api(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        answer = self.organiser.request(
            method,
            f"{self.base_url}/api/v1/{path}",
            json=data,
            headers={"X-CSRFToken": self.organiser.cookies.get("csrftoken") or "", "Referer": self.base_url},
            timeout=60,
        )
        return self._expect(answer, f"{method} /api/v1/{path}").json()

    def _submit(
        self, session: requests.Session, path: str, field: str, values: dict[str, str], files: Any = None
    ) -> requests.Response:
        """Fill in a page's form as a browser would, and send it."""
        page = self._expect(session.get(self._absolute(path), timeout=30), path)
        form = Form(page.text, field)
        data = {name: value for name, value in {**form.values, **values}.items() if value and name not in (files or {})}
        target = urljoin(page.url, form.action)
        answer = session.post(target, data=data, files=files, headers={"Referer": page.url}, timeout=60)
        return self._expect(answer, path)

    def _absolute(self, url: str) -> str:
        return urljoin(self.base_url + "/", url)

    def _expect(self, answer: requests.Response, what: str) -> requests.Response:
        if not answer.ok:
            raise DemoFailed(f"{what} answered {answer.status_code}: {answer.text[:500]}")
        return answer

    def _say(self, text: str) -> None:
        self.console.print(f"[bold]{text}[/bold]")
