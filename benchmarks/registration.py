"""How many registrations a second, how long each takes, and whether the places are counted right.

Starts a private PostgreSQL (or SQLite) and gunicorn as `manage.py serve` runs it; processes of their own post the real
form over HTTP, all at the same places. After each round the database must hold exactly as many confirmed people as
there are places, and a waiting list without gaps; anything else ends in failure. Then it measures what one
registration costs with few and with many rows in the tables.

    python -m benchmarks.registration                                        (small: under a minute)
    python -m benchmarks.registration --people 1000 --places 100 --rounds 20 --database sqlite
    python -m benchmarks.registration --existing 1000 1000000
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.playlists import start_server, wait_for
from benchmarks.private_service import settings_for
from tests.support.installation import free_port
from tests.support.postgres import Postgres

FORM = {
    "name": "Anna Example",
    "country": "FR",
    "profession": "Nurse",
    "affiliation": "Hospital",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "privacy": "on",
}
SAMPLES = 200  # registrations, for the cost with few and with many rows
START_S = 300  # until all processes are ready; on a busy machine each takes long to start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--places", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--existing", type=int, nargs=2, default=[1000, 20_000], metavar=("FEW", "MANY"))
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))  # so that nothing is left behind
    postgres = Postgres() if options.database == "postgresql" else None
    with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as name:
        try:
            address = postgres.start() if postgres else f"sqlite:///{name}/db.sqlite3"
            figures = measure(Path(name), address, options)
        finally:
            if postgres:
                postgres.stop()
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    if figures["errors"] or figures["wrong_counts"]:
        sys.exit(1)


def measure(folder: Path, database_url: str, options: argparse.Namespace) -> dict[str, Any]:
    port = free_port()
    os.environ.update(
        settings_for(
            folder,
            database_url=database_url,
            broker_url="filesystem://",
            BASE_URL=f"http://127.0.0.1:{port}",
            ALLOWED_HOSTS="127.0.0.1,testserver",
            # Everybody comes from this machine; a proxy that names each person's own address keeps the limit away.
            TRUSTED_PROXIES="1",
        )
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)  # pages name the built styles; see frontend/
    server = start_server(port, folder)
    try:
        wait_for(port)
        rounds = [race(port, options) for _ in range(options.rounds)]
    finally:
        server.terminate()
        server.wait()
    waits = sorted(wait for one in rounds for wait in one["waits"])
    return {
        "database": options.database,
        "people": options.people,
        "places": options.places,
        "rounds": options.rounds,
        "processes": options.processes,
        "per_second": round(statistics.median(len(one["waits"]) / one["seconds"] for one in rounds), 1),
        **{f"p{percent}_ms": round(1000 * waits[len(waits) * percent // 100]) for percent in (50, 95, 99)},
        "errors": sum(one["errors"] for one in rounds),
        "wrong_counts": [one["counts"] for one in rounds if not one["is_right"]],
        "queries": queries_per_form(),
        **growth(options),
    }


# --- Everybody at once ---------------------------------------------------------------------------------------------
def race(port: int, options: argparse.Namespace) -> dict[str, Any]:
    """One round: all people post the form for the same places, each process its share of them."""
    from django.db import connections

    webinar = make_webinar(options.places)
    connections.close_all()  # children must not share a connection
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    barrier = context.Barrier(options.processes + 1)
    shares = [range(number, options.people, options.processes) for number in range(options.processes)]
    address = f"http://127.0.0.1:{port}/webinars/{webinar.slug}/register/"
    children = [context.Process(target=post_forms, args=(address, share, barrier, results)) for share in shares]
    for child in children:
        child.start()
    barrier.wait(START_S)
    begun = time.perf_counter()
    found = [results.get(timeout=600) for _child in children]
    seconds = time.perf_counter() - begun
    for child in children:
        child.join()
    counts = count(webinar)
    waiting = max(options.people - options.places, 0)
    expected = {
        "confirmed": min(options.places, options.people),
        "counter": min(options.places, options.people),
        "positions": list(range(1, waiting + 1)),
        "mails": options.people,
    }
    return {
        "seconds": seconds,
        "waits": [wait for waits, _errors in found for wait in waits],
        "errors": sum(errors for _waits, errors in found),
        "counts": {name: len(value) if isinstance(value, list) else value for name, value in counts.items()},
        "is_right": counts == expected,
    }


def post_forms(address: str, share: range, barrier: Any, results: Any) -> None:
    """Post the form for each person of the share, after all other processes are ready."""
    import requests

    with requests.Session() as session:
        page = session.get(address, timeout=60)
        page.raise_for_status()
        token = page.cookies["csrftoken"]
        waits, errors = [], 0
        barrier.wait(START_S)
        for number in share:
            fields = {**FORM, "email": f"person{number}@example.org", "csrfmiddlewaretoken": token}
            client = ".".join(str(random.randint(1, 254)) for _ in range(4))
            headers = {"X-Forwarded-For": client, "Referer": address}
            begun = time.perf_counter()
            answer = session.post(address, fields, headers=headers, timeout=120, allow_redirects=False)
            waits.append(time.perf_counter() - begun)
            errors += answer.status_code != 302
    results.put((waits, errors))


def make_webinar(places: int | None) -> Any:
    from tests.factories.events import WebinarFactory

    # Numbers of rows that tests make begin anew in each process; a random name never meets an earlier one.
    return WebinarFactory(capacity=places, slug=f"measured-{random.randbytes(6).hex()}")


def count(webinar: Any) -> dict[str, Any]:
    from notifications.models import Message
    from registration.models import Places, RegistrationState

    waiting = webinar.registrations.filter(state=RegistrationState.WAITLISTED).order_by("waitlist_position")
    abouts = [f"registration:{pk}" for pk in webinar.registrations.values_list("pk", flat=True)]
    return {
        "confirmed": webinar.registrations.filter(state=RegistrationState.CONFIRMED).count(),
        "counter": Places.objects.get(pk=webinar.pk).confirmed,
        "positions": list(waiting.values_list("waitlist_position", flat=True)),
        "mails": sum(
            Message.objects.filter(about__in=abouts[start : start + 500]).count()
            for start in range(0, len(abouts), 500)
        ),
    }


# --- One by one ----------------------------------------------------------------------------------------------------
def queries_per_form() -> int:
    """Statements of one posted form, transactions and all, with nothing left to be made or filled for the first."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    webinar, client = make_webinar(None), Client(REMOTE_ADDR="192.0.2.1")
    address = f"/webinars/{webinar.slug}/register/"
    client.post(address, {**FORM, "email": "first@example.org"})
    with CaptureQueriesContext(connection) as queries:
        client.post(address, {**FORM, "email": "second@example.org"})
    return len(queries)


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """The cost of one registration with few rows in the same webinar, with many, and their ratio."""
    webinar, found, there = make_webinar(None), {}, 0
    register_some(webinar, "warm")
    for wanted in options.existing:
        add_rows(webinar, there, wanted)
        there = wanted
        settle()
        found[wanted] = register_some(webinar, str(wanted))
    few, many = options.existing
    return {
        "few_ms": round(1000 * found[few], 1),
        "many_ms": round(1000 * found[many], 1),
        "growth": round(found[many] / found[few], 2),
        "few": few,
        "many": many,
    }


def register_some(webinar: Any, name: str) -> float:
    """Seconds that a tenth of the registrations stays below.

    Other programs only ever add to a time, and never to all; rows that make every registration dearer show here too.
    """
    from registration import services

    values = {key: value for key, value in FORM.items() if key != "privacy"}
    taken = []
    for number in range(SAMPLES):
        begun = time.perf_counter()
        services.register(webinar=webinar, email=f"{name}{number}@example.org", consents=["privacy"], **values)  # type: ignore[arg-type]  # all are texts
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[SAMPLES // 10]


def settle() -> None:
    """Have the database finish what a million new rows leave to be done, which years of single ones would not.

    Else its own cleaning up, and the writing out of what was filled in, run while registrations are measured.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def add_rows(webinar: Any, first: int, last: int) -> None:
    """Fill the webinar with waiting people, and the outbox with their mails, without going through services."""
    from notifications.models import Delivery, Message
    from registration.models import Registration, RegistrationState

    for start in range(first, last, 5000):
        people = [
            Registration(
                webinar=webinar,
                email=f"crowd{number}@example.org",
                name="Crowd",
                state=RegistrationState.WAITLISTED,
                waitlist_position=number + 1_000_000,
            )
            for number in range(start, min(start + 5000, last))
        ]
        Registration.objects.bulk_create(people)
        Message.objects.bulk_create(
            Message(
                purpose="registration.waitlisted",
                about=f"registration:{person.pk}",
                recipient_email=person.email,
                language="en",
                delivery=Delivery.SENT,
                state=Message.State.DONE,
                message_id=f"<{person.pk.hex}@example.org>",
                subject="Crowd",
                text="Crowd",
                html="Crowd",
            )
            for person in people
        )


def table(figures: dict[str, Any]) -> str:
    right = "every count right" if not figures["wrong_counts"] else f"WRONG: {figures['wrong_counts']}"
    return "\n".join(
        [
            f"{figures['people']} people for {figures['places']} places, {figures['rounds']} rounds, "
            f"{figures['processes']} processes, {figures['database']}: {right}, {figures['errors']} errors",
            f"{figures['per_second']} registrations a second; p50 {figures['p50_ms']} ms, p95 {figures['p95_ms']} ms, "
            f"p99 {figures['p99_ms']} ms; {figures['queries']} statements each",
            f"one registration: {figures['few_ms']} ms with {figures['few']} rows, "
            f"{figures['many_ms']} ms with {figures['many']}: ratio {figures['growth']}",
        ]
    )


if __name__ == "__main__":
    main()
