"""Do the rows and the store agree?"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media.uploads import human_size
from studio import stored_files
from work.errors import DomainError


class Command(BaseCommand):
    help = "List rows without file and files without row; with --repair, mend what is safe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="delete files that no row names, and the like")
        parser.add_argument("--json", action="store_true", help="print one JSON object per problem, then a summary")
        parser.add_argument(
            "--grace-hours",
            type=float,
            default=stored_files.GRACE / timedelta(hours=1),
            help="age below which a file without row is taken to be on its way (default %(default)s)",
        )

    def handle(self, *args: Any, repair: bool, grace_hours: float, **options: Any) -> None:
        report = stored_files.Report()
        wrong = 0
        try:
            for problem in stored_files.check(repair=repair, grace=timedelta(hours=grace_hours), report=report):
                wrong += problem.is_wrong
                self._print(problem, as_json=options["json"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"summary": asdict(report)}))
        else:
            self.stdout.write(
                f"{report.rows} rows and {report.files} files ({human_size(report.bytes)}) compared: "
                f"{report.problems} problems, {report.mended} mended."
            )
        if wrong:
            raise CommandError(f"{wrong} problems are left.", returncode=1)

    def _print(self, problem: stored_files.Problem, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(problem)))
            return
        state = "mended" if problem.is_mended else problem.kind.replace("_", " ")
        self.stdout.write(f"{state}: {problem.what} {problem.key} {problem.row}".rstrip())
        if problem.advice and not problem.is_mended:
            self.stdout.write(f"    {problem.advice}")
