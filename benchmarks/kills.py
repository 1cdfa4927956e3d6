"""Kills workers at random moments of one production, and looks at what that costs (promises J1, J3, J6, M1).

    python -m benchmarks.kills --kills 20

Two real workers share one production, from inspection to the follow-up mail. Again and again one of them is killed
with all its processes (SIGKILL) at a random moment while it is at work, and started again, as a supervisor would. A row
that lost its worker twice is spared: a third time it would be given up, by promise J5. Needs PostgreSQL and Redis
(`make setup-test`); nothing of it remains.
"""

import argparse
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.private_service import (
    REGISTRANT,
    Scheduler,
    Worker,
    make_source,
    running,
    settings_for,
    start_production,
)
from tests.support.postgres import Postgres
from tests.support.redis import Redis

LIMIT_S = 1800
SPARED_AFTER = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=0, help="of recording; default: sixty per kill")
    parser.add_argument("--part-s", type=int, default=6, help="seconds of picture per part")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))  # so that nothing is left behind
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="rostrum-kills-") as name, Redis() as redis:
        postgres = Postgres()
        try:
            environment = settings_for(
                Path(name), database_url=postgres.start(), broker_url=redis.url, part_s=options.part_s
            )
            os.environ.update(environment)
            import django

            django.setup()
            length_s = options.seconds or 60 * options.kills
            result = Story(Path(name), random.Random(seed), length_s).play(options.kills) | {"seed": seed}
        finally:
            postgres.stop()
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print_table(result)
    if result["faults"]:
        sys.exit(1)


class Story:
    """One production, and somebody who pulls plugs."""

    def __init__(self, folder: Path, dice: random.Random, length_s: int) -> None:
        self.folder, self.dice, self.length_s = folder, dice, length_s
        self.workers = [Worker("one", folder), Worker("two", folder)]
        self.kills: list[dict[str, Any]] = []
        self.faults: list[str] = []

    def play(self, kills: int) -> dict[str, Any]:
        from studio.selectors import state_of

        self._prepare()
        began = time.monotonic()
        with running(*self.workers, Scheduler(self.folder)):
            while (state := state_of(self.production)) != "published":
                if state in ("failed", "cancelled") or time.monotonic() - began > LIMIT_S:
                    self.faults.append(f"the production is {state} after {time.monotonic() - began:.0f} s")
                    break
                if len(self.kills) < kills:
                    self._wait_and_kill()
                else:
                    time.sleep(0.5)
            self._wait_for_mails()
        seconds = time.monotonic() - began
        self._check_end()
        return {
            "kills": self.kills,
            "wanted": kills,
            "recording_s": self.length_s,
            "seconds": round(seconds, 1),
            "rows": len(self._rows()),
            "redone": sum(kill["redone"] for kill in self.kills),
            "faults": self.faults,
        }

    # --- Before ----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        source = self.folder / "source.mp4"
        make_source(source, self.length_s)
        self.production, self.original = start_production(source)

    # --- Kills -----------------------------------------------------------------------------------------------------

    def _rows(self) -> list[Any]:
        from studio.models import StepPart

        return [*self.production.steps.all(), *StepPart.objects.filter(step__production=self.production)]

    def _held_by(self, worker: Worker) -> Any:
        from work.models import WorkState

        pids = worker.pids
        for row in self._rows():
            if row.state == WorkState.RUNNING and int(row.worker.rpartition(":")[2] or 0) in pids:
                return row
        return None

    def _wait_and_kill(self) -> None:
        from work.models import MAX_TRIES, WorkState

        moment = time.monotonic() + self.dice.uniform(0.2, 4)
        while time.monotonic() < moment:
            time.sleep(0.05)
        worker = self.dice.choice(self.workers)
        row = self._held_by(worker)
        if row is None or MAX_TRIES - row.tries_left >= SPARED_AFTER:
            return
        before = {str(found.pk): found for found in self._rows()}
        progress = f"{row} at {row.progress} %"
        worker.kill()
        died = time.monotonic()
        worker.start()
        while True:
            time.sleep(0.2)
            row.refresh_from_db()
            if (
                row.state in (WorkState.DONE, WorkState.SKIPPED, WorkState.FAILED)
                or row.attempt > before[str(row.pk)].attempt
            ):
                break
            if time.monotonic() - died > 120:
                self.faults.append(f"{row} was not given back within two minutes")
                break
        after = {str(found.pk): found for found in self._rows()}
        redone = [pk for pk, old in before.items() if after[pk].tries_left < old.tries_left]
        undone = [pk for pk, old in before.items() if old.state == WorkState.DONE and after[pk].state != WorkState.DONE]
        if undone:
            self.faults.append(f"{len(undone)} finished rows were done again after kill {len(self.kills) + 1}")
        if len(redone) > 1:
            self.faults.append(f"kill {len(self.kills) + 1} cost {len(redone)} rows")
        self.kills.append(
            {"at": progress, "redone": len(redone), "given_back_after_s": round(time.monotonic() - died, 1)}
        )

    # --- After -----------------------------------------------------------------------------------------------------

    def _wait_for_mails(self) -> None:
        from notifications.models import Message
        from registration.models import Announcement, AnnouncementKind
        from work.models import FINISHED_STATES

        ends_at = time.monotonic() + 60
        told = Announcement.objects.filter(kind=AnnouncementKind.RECORDING)
        waiting = (told.exclude(state__in=FINISHED_STATES), Message.objects.exclude(state__in=FINISHED_STATES))
        while any(rows.exists() for rows in waiting) and time.monotonic() < ends_at:
            time.sleep(0.5)

    def _check_end(self) -> None:
        from django.core.files.storage import default_storage

        from media.models import Asset, Derivative, Package, PackageState, Rendition, ReplacedFile
        from work.models import WorkState

        self.production.refresh_from_db()
        unfinished = [str(row) for row in self._rows() if row.state not in (WorkState.DONE, WorkState.SKIPPED)]
        if unfinished:
            self.faults.append(f"not done: {', '.join(unfinished)}")
        if Package.objects.filter(state=PackageState.COMPLETE).count() != 1 or Package.objects.count() != 1:
            self.faults.append(f"{Package.objects.count()} packages instead of one")
        mails = [path.read_text() for path in (self.folder / "mail").glob("*.eml")]
        mine = [mail for mail in mails if re.search(rf"^To:.*{REGISTRANT}", mail, re.MULTILINE)]
        subjects = [re.search(r"^Subject:.*$", mail, re.MULTILINE)[0] for mail in mine]  # type: ignore[index]  # each has one
        if len(subjects) != 2 or len(set(subjects)) != 2:
            self.faults.append(f"the registrant got {len(subjects)} mails instead of two different ones")
        asset = Asset.objects.get()
        with default_storage.open(asset.source_key) as file:
            import hashlib

            if hashlib.file_digest(file, "sha256").hexdigest() != self.original:
                self.faults.append("the original was changed")
        left = sorted(path.name for path in (self.folder / "tmp").glob("*"))
        if left:
            self.faults.append(f"left in the working folder: {left}")
        wanted = {asset.source_key}
        for model in (Rendition, Derivative, ReplacedFile):
            wanted |= set(model._default_manager.values_list("key", flat=True))
        store = self.folder / "files"
        stored = {str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()}
        if stored - wanted:
            self.faults.append(f"in the store without a row: {sorted(stored - wanted)}")
        if wanted - stored:
            self.faults.append(f"rows without a file: {sorted(wanted - stored)}")


def print_table(result: dict[str, Any]) -> None:
    print(f"{'kill':>4}  {'at':<40} {'redone':>6}  {'given back after':>16}")
    for number, kill in enumerate(result["kills"], 1):
        print(f"{number:>4}  {kill['at']:<40} {kill['redone']:>6}  {kill['given_back_after_s']:>14.1f} s")
    print(
        f"\n{len(result['kills'])} of {result['wanted']} kills in {result['seconds']} s, "
        f"for {result['recording_s']} s of recording in {result['rows']} rows; "
        f"{result['redone']} rows were begun again; seed {result['seed']}"
    )
    print("Done, once; nothing left behind." if not result["faults"] else "FAULTS:")
    for fault in result["faults"]:
        print(f"  {fault}")


if __name__ == "__main__":
    main()
