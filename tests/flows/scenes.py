"""Scenes with real workers, each with a database and a queue of its own: `python -m tests.flows.scenes NAME`.

A scene prints what it saw as one JSON object; tests/flows/test_workers.py says what should have been seen.
"""

import contextlib
import json
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.private_service import Scheduler, Worker, make_source, running, settings_for, start_production
from tests.support.postgres import Postgres
from tests.support.redis import Redis

SECONDS = 30  # of recording
LIMIT_S = 420


class Scene:
    """A production of 30 seconds in parts of 6, and what may be asked about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = folder / "source.mp4"
        make_source(source, SECONDS)
        self.production, self.sha256 = start_production(source)

    def rows(self) -> list[Any]:
        from studio.models import StepPart

        return [*self.production.steps.all(), *StepPart.objects.filter(step__production=self.production)]

    def state(self) -> str:
        from studio.selectors import state_of

        return state_of(self.production)

    def held_by(self, worker: Worker, name: str = "") -> Any:
        """The row that a worker is at, if it is one of that name."""
        pids = worker.pids
        for row in self.rows():
            if row.state == "running" and int(row.worker.rpartition(":")[2] or 0) in pids and name in str(row):
                return row
        return None

    def wait_for(self, what: str, find: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
        ends_at = time.monotonic() + limit_s
        while not (found := find()):
            if time.monotonic() > ends_at:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
                states = {str(row): (row.state, row.progress, row.error) for row in self.rows()}
                raise TimeoutError(f"waited {limit_s} s for {what}\n{states}\n{logs}")
            time.sleep(0.1)
        return found

    def wait_until_published(self) -> None:
        self.wait_for("publication", lambda: self.state() == "published" or self.state() == "failed")
        from notifications.models import Message
        from registration.models import Announcement, AnnouncementKind
        from work.models import FINISHED_STATES

        told = Announcement.objects.filter(kind=AnnouncementKind.RECORDING).exclude(state__in=FINISHED_STATES)
        self.wait_for("the writing of mails", lambda: not told.exists(), 90)
        self.wait_for("mails", lambda: not Message.objects.exclude(state__in=FINISHED_STATES).exists(), 90)

    def outcome(self) -> dict[str, Any]:
        """What a person sees at the end."""
        from media.models import Package, Rendition

        mails = [path.read_text() for path in (self.folder / "mail").glob("*.eml")]
        subjects = [match[0] for mail in mails if (match := re.search(r"^Subject:.*$", mail, re.MULTILINE))]
        return {
            "state": self.state(),
            "packages": Package.objects.count(),
            "renditions": sorted(Rendition.objects.values_list("name", flat=True)),
            "mails": len(subjects),
            "different_mails": len(set(subjects)),
            "tries_lost": sum(3 - row.tries_left for row in self.rows()),
            "left": sorted(path.name for path in (self.folder / "tmp").glob("*")),
            "tools": living_tools(self.folder),
        }


def signal_all(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def living_tools(folder: Path) -> int:
    """How many processes still run that have this folder in their command line, workers excepted."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes()
            count += b"bwrap" in command.split(b"\0")[0] and str(folder).encode() in command
    return count


# --- Scenes --------------------------------------------------------------------------------------------------------


def terminated(scene: Scene) -> dict[str, Any]:
    """A worker is asked to stop in the middle of a part. Leases are long, so nothing could be taken over by expiry."""
    one, two = Worker("one", scene.folder), Worker("two", scene.folder)
    with running(one, Scheduler(scene.folder)):
        row = scene.wait_for("a part", lambda: scene.held_by(one, "part"))
        began = time.monotonic()
        with running(two):
            one.terminate()
            stopped_after_s = time.monotonic() - began
            row.refresh_from_db()
            handed_back = row.state in ("queued", "done") or scene.held_by(two) is not None
            scene.wait_until_published()
            row.refresh_from_db()
            return {
                "stopped_after_s": stopped_after_s,
                "handed_back": handed_back,
                "row_tries_left": row.tries_left,
                **scene.outcome(),
            }


def frozen(scene: Scene) -> dict[str, Any]:
    """A worker stands still past its lease, another finishes, and then the first goes on."""
    one, two = Worker("one", scene.folder), Worker("two", scene.folder)
    log = scene.folder / "one.log"

    def stop_within_a_part() -> Any:
        row = scene.held_by(one, "part")
        if row is None:
            return None
        stopped = one.pids
        signal_all(stopped, signal.SIGSTOP)
        row.refresh_from_db()
        if row.state == "running":
            return row, stopped
        signal_all(stopped, signal.SIGCONT)  # it had just ended
        return None

    with running(one, Scheduler(scene.folder)):
        row, stopped = scene.wait_for("a part", stop_within_a_part)
        with running(two):
            scene.wait_until_published()
            results = {str(found.pk): found.result for found in scene.rows()}
            outcome = scene.outcome()
            signal_all(stopped, signal.SIGCONT)
            scene.wait_for("the end of its tool", lambda: not living_tools(scene.folder), 60)
            scene.wait_for("its giving up", lambda: re.search("was lost|too late", log.read_text()), 60)
            time.sleep(3)  # in which it could still write
            row.refresh_from_db()
            return {
                "same_results": results == {str(found.pk): found.result for found in scene.rows()},
                "row": row.state,
                **outcome,
            }


def two_of_everything(scene: Scene) -> dict[str, Any]:
    """Two schedulers, two workers, and messages that Redis hands out again after eight seconds."""
    with running(
        Worker("one", scene.folder),
        Worker("two", scene.folder),
        Scheduler(scene.folder),
        Scheduler(scene.folder, "beat-two"),
    ):
        before = connections_opened()
        scene.wait_until_published()
        opened = connections_opened() - before
        time.sleep(10)
        longest = max((row.duration_s or 0) for row in scene.rows())
        return {"longest_s": longest, "connections_opened": opened, "rows": len(scene.rows()), **scene.outcome()}


def connections_opened() -> int:
    """How often anybody connected to the database since it was made."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def forgotten(scene: Scene) -> dict[str, Any]:
    """The broker forgets everything while nobody works, and no scheduler runs for a while."""
    from django.conf import settings
    from redis import Redis as Client

    forgotten_messages = Client.from_url(settings.BROKER_URL).dbsize()
    Client.from_url(settings.BROKER_URL).flushall()
    with running(Worker("one", scene.folder), Worker("two", scene.folder)):
        time.sleep(5)
        before = {row.state for row in scene.rows()}
        with running(Scheduler(scene.folder)):
            scene.wait_until_published()
            return {"forgotten": forgotten_messages > 0, "idle": "running" not in before, **scene.outcome()}


def cancelled(scene: Scene) -> dict[str, Any]:
    """A person cancels in the middle of encoding."""
    from studio.services import cancel_production

    with running(Worker("one", scene.folder), Worker("two", scene.folder), Scheduler(scene.folder)):
        scene.wait_for("a part and its tool", lambda: any_running_part(scene) and living_tools(scene.folder))
        began = time.monotonic()
        cancel_production(production=scene.production, user=None)
        scene.wait_for("the end of all tools", lambda: not living_tools(scene.folder), 60)
        stopped_after_s = time.monotonic() - began
        scene.wait_for("clean folders", lambda: not list((scene.folder / "tmp").glob("work-*")), 30)
        return {"stopped_after_s": stopped_after_s, **scene.outcome()}


def any_running_part(scene: Scene) -> bool:
    return any("part" in str(row) and row.state == "running" for row in scene.rows())


def mail_beside_media(scene: Scene) -> dict[str, Any]:
    """The media queue is full and its worker busy; a mail is to be sent."""
    from notifications.models import Message

    with running(
        Worker("media", scene.folder, queues="media"),
        Worker("default", scene.folder, queues="default,mail,bulk"),
        Scheduler(scene.folder),
    ):
        scene.wait_for("media at work", lambda: any(row.state == "running" for row in scene.rows()))
        began = time.monotonic()
        ask_for_links()
        scene.wait_for("the mail", lambda: not Message.objects.exclude(state__in=["sent", "done"]).exists(), 90)
        return {"mail_after_s": time.monotonic() - began, "state": scene.state()}


def ask_for_links() -> None:
    from datetime import timedelta

    import registration.services
    from registration.models import Registration

    found = Registration.objects.get()
    Registration.objects.update(created_at=found.created_at - timedelta(hours=1))
    registration.services.register(
        webinar=found.webinar, email="layla@example.org", name="Layla", language="ar", time_zone="UTC",
        consents=["privacy"],
    )  # fmt: skip


def silent_broker(scene: Scene) -> dict[str, Any]:
    """The way to the broker swallows everything without a word; `serve`'s supervisor watches the workers."""
    from studio.supervisor import Child, Supervisor
    from work import health

    supervisor = Supervisor(port=0)
    supervisor.children = [Child(child.name, child.command) for child in supervisor.children if child.name != "web"]
    supervisor.start()
    threading.Thread(target=supervisor.watch, daemon=True).start()
    try:
        scene.wait_for("a first part", lambda: any_running_part(scene))
        PROXY.swallow()
        began = time.monotonic()
        alarmed = scene.wait_for(
            "the alarm",
            lambda: health.stuck_queues(longer_than_s=8) or scene.state() == "published",
            180,
        )
        scene.wait_until_published()
        return {"alarmed": str(alarmed), "recovered_after_s": time.monotonic() - began, **scene.outcome()}
    finally:
        supervisor.stop()


class Proxy:
    """Passes bytes on to Redis, until it is told to swallow those of all connections that are open then."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.generation = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        self.generation += 1

    def _accept(self) -> None:
        while True:
            client, _address = self.server.accept()
            redis = socket.create_connection(("127.0.0.1", self.target))
            for source, target in ((client, redis), (redis, client)):
                threading.Thread(target=self._pass_on, args=(source, target, self.generation), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, generation: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.generation == generation:
                    target.sendall(data)
            if self.generation == generation:
                target.shutdown(socket.SHUT_WR)


PROXY: Proxy
SCENES: dict[str, tuple[Callable[[Scene], dict[str, Any]], dict[str, str]]] = {
    "terminated": (terminated, {"WORK_LEASE_S": "300", "WORK_HEARTBEAT_S": "5"}),
    "frozen": (frozen, {}),
    "two_of_everything": (two_of_everything, {"BROKER_VISIBILITY_S": "8", "WORK_LEASE_S": "60"}),
    "forgotten": (forgotten, {}),
    "cancelled": (cancelled, {"WORK_LEASE_S": "60"}),
    "mail_beside_media": (mail_beside_media, {"WORK_LEASE_S": "60"}),
    "silent_broker": (silent_broker, {"WORK_STUCK_S": "20", "WORK_LEASE_S": "30"}),
}


@contextlib.contextmanager
def service(**more: Any) -> Iterator[Path]:
    """Private servers and a folder; Django is set up for them."""
    global PROXY
    with tempfile.TemporaryDirectory(prefix="rostrum-scene-", ignore_cleanup_errors=True) as name, Redis() as redis:
        folder = Path(name)
        PROXY = Proxy(redis.port)
        broker_url = f"redis://127.0.0.1:{PROXY.port}/0"
        postgres = Postgres()
        try:
            os.environ.update(settings_for(folder, database_url=postgres.start(), broker_url=broker_url, **more))
            import django

            django.setup()
            yield folder
        finally:
            postgres.stop()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))  # so that nothing is left behind
    play, settings = SCENES[sys.argv[1]]
    with service(**settings) as folder:
        print(json.dumps(play(Scene(folder))))


if __name__ == "__main__":
    main()
