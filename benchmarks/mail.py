"""Sends invitations to many people through a real SMTP server, while a worker is killed (promises M1, M2, J1).

    python -m benchmarks.mail --people 200

A webinar with so many registrants is moved, so that each gets a new invitation with its calendar part. Four workers
and two schedulers share the work; one worker is killed (SIGKILL) in the middle and started again. While the bulk is
being sent somebody registers for another webinar: how long their confirmation takes is measured too. Needs PostgreSQL
and Redis (`make setup-test`); nothing of it remains.

The aims: nobody gets two; who got none is recorded as unknown, at most one for each kill; METHOD of the calendar and of
its part agree; a worker's memory does not grow; the confirmation takes a few seconds whatever the bulk.
"""

import argparse
import email
import email.policy
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks.private_service import Scheduler, Worker, running, settings_for
from tests.support.postgres import Postgres
from tests.support.redis import Redis

LIMIT_S = 3600
MOST_GROWTH_MB = 30
MOST_WAIT_S = 10.0
WORKERS = 4
VISITOR = "visitor@example.org"


class Sink:
    """What the mail server got: how many per address and Message-ID, and when."""

    def __init__(self) -> None:
        self.by_address: Counter[str] = Counter()
        self.ids: dict[str, set[str]] = {}
        self.times: list[float] = []
        self.visitor_at: float | None = None
        self.wrong_methods = 0
        self.bytes = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        now = time.monotonic()
        address = envelope.rcpt_tos[0]
        message: Any = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if address == VISITOR:
            self.visitor_at = self.visitor_at or now
            return "250 OK"
        self.by_address[address] += 1
        self.ids.setdefault(address, set()).add(str(message["Message-ID"]))
        self.times.append(now)
        self.bytes += len(envelope.content)
        parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        if len(parts) != 1 or f"METHOD:{parts[0].get_param('method')}" not in parts[0].get_content():
            self.wrong_methods += 1
        return "250 OK"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))  # so that nothing is left behind
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=_free_port())
    controller.start()
    with tempfile.TemporaryDirectory(prefix="rostrum-mail-") as name, Redis() as redis:
        postgres = Postgres()
        try:
            os.environ.update(
                settings_for(
                    Path(name),
                    database_url=postgres.start(),
                    broker_url=redis.url,
                    EMAIL_URL=f"smtp://127.0.0.1:{controller.port}",
                    MAIL_PER_MINUTE="0",
                    MAIL_PER_WEBINAR="0",
                    WORK_SWEEP_S="5",
                )
            )
            import django

            django.setup()
            logging.getLogger("mail.log").setLevel(logging.WARNING)
            result = play(Path(name), sink, people=options.people, kills=0 if options.no_kill else 1)
        finally:
            postgres.stop()
            controller.stop()
    print(json.dumps(result, indent=1) if options.json else _table(result))
    if result["faults"]:
        sys.exit(1)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def play(folder: Path, sink: Sink, *, people: int, kills: int) -> dict[str, Any]:
    """Move a webinar with so many registrants, and wait until everybody was told."""
    from django.core.management import call_command

    from events.services import update_webinar
    from notifications.models import Delivery, Message
    from registration import services
    from registration.models import Announcement
    from work.models import WorkState

    call_command("migrate", verbosity=0)
    webinar, other = _webinars(people)
    workers = [Worker(f"bulk{number}", folder, queues="default,bulk") for number in range(WORKERS - 1)]
    workers.append(Worker("mail", folder, queues="mail"))
    beats = [Scheduler(folder, f"beat{number}") for number in range(2)]
    peaks: dict[str, int] = {}
    early_mb = 0
    asked_at: float | None = None
    with running(*workers, *beats):
        began = time.monotonic()
        update_webinar(
            webinar=webinar,
            user=None,
            starts_at=webinar.starts_at + timedelta(days=1),
            ends_at=webinar.ends_at + timedelta(days=1),
        )
        while time.monotonic() - began < LIMIT_S:
            time.sleep(0.2)
            got = len(sink.times)
            if got > people // 4 and asked_at is None:
                early_mb = _memory_mb(workers)
                asked_at = time.monotonic()
                services.register(
                    webinar=other,
                    email=VISITOR,
                    name="A Visitor",
                    language="en",
                    time_zone="UTC",
                    consents=["privacy"],
                )
            if got > people // 2 and kills > len(peaks):
                workers[0].kill()
                peaks[f"kill {len(peaks) + 1}"] = got
                workers[0].start()
            left = Message.objects.filter(delivery__in=[Delivery.QUEUED, Delivery.SENDING]).count()
            if got + len(peaks) >= people and not left and Message.objects.count() > people:
                break
            if Announcement.objects.filter(state=WorkState.FAILED).exists():
                break
        late_mb = _memory_mb(workers)
    unknown = Message.objects.filter(delivery=Delivery.UNKNOWN).count()
    last, most = sink.times[-1], sink.times[: max(2, len(sink.times) * 8 // 10)]
    wait_s = None if sink.visitor_at is None or asked_at is None else sink.visitor_at - asked_at
    result = {
        "people": people,
        "sent": sum(sink.by_address.values()),
        "unknown": unknown,
        "twice": sum(1 for count in sink.by_address.values() if count > 1),
        "seconds": round(last - began, 1),
        # Without the tail, in which what the killed worker held waits for the sweeper.
        "mails_per_s": round(len(most) / max(most[-1] - most[0], 0.001), 1),
        "kb_per_mail": round(sink.bytes / len(sink.times) / 1024, 1),
        "confirmation_s": None if wait_s is None else round(wait_s, 2),
        "memory_mb": [early_mb, late_mb],
        "kills": len(peaks),
        "given_up": Announcement.objects.filter(state=WorkState.FAILED).count(),
    }
    return result | {"faults": _faults(result, sink)}


def _faults(result: dict[str, Any], sink: Sink) -> list[str]:
    faults = []
    if result["given_up"]:
        faults.append("the announcement was given up before everybody was written to")
    if result["twice"]:
        faults.append(f"{result['twice']} people got it twice")
    missing = result["people"] - len(sink.by_address)
    if missing > result["unknown"] or result["unknown"] > result["kills"]:
        faults.append(f"{missing} people got none, {result['unknown']} are recorded as unknown")
    if sink.wrong_methods:
        faults.append(f"{sink.wrong_methods} calendar parts whose method is not their body's")
    if result["confirmation_s"] is None or result["confirmation_s"] > MOST_WAIT_S:
        faults.append(f"a confirmation took {result['confirmation_s']} s")
    early, late = result["memory_mb"]
    if late - early > MOST_GROWTH_MB * WORKERS:
        faults.append(f"the workers grew from {early} to {late} MB")
    return faults


def _webinars(people: int) -> tuple[Any, Any]:
    from django.utils import timezone

    from accounts.models import Organisation
    from events.models import Webinar, WebinarState
    from registration.models import Registration, RegistrationState

    organisation = Organisation.objects.create(name="Health Office", slug="health")
    starts_at = timezone.now() + timedelta(days=30)
    made = [
        Webinar.objects.create(
            organisation=organisation,
            slug=slug,
            title={"en": slug},
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            time_zone="Europe/Brussels",
            state=WebinarState.PUBLISHED,
            join_url="https://room.example/",
        )
        for slug in ("many", "other")
    ]
    Registration.objects.bulk_create(
        [
            Registration(
                webinar=made[0],
                state=RegistrationState.CONFIRMED,
                email=f"person{number}@example.org",
                name=f"Person {number}",
                language=("en", "fr", "ar")[number % 3],
                time_zone=("Europe/Paris", "Asia/Kathmandu", "Africa/Cairo")[number % 3],
                consents={},
            )
            for number in range(people)
        ],
        batch_size=1000,
    )
    return made[0], made[1]


def _memory_mb(workers: list[Worker]) -> int:
    total = 0
    for worker in workers:
        for pid in worker.pids:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue  # it ended meanwhile
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return total // 1024


def _table(result: dict[str, Any]) -> str:
    rows = [f"{name.replace('_', ' '):15} {value}" for name, value in result.items() if name != "faults"]
    return "\n".join([*rows, *(f"FAULT: {fault}" for fault in result["faults"])])


if __name__ == "__main__":
    main()
