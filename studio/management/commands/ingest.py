"""The main job from a shell: a recording becomes a published, subtitled page."""

import json
import sys
import time
import zoneinfo
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

import events.services
import library.services
import media.uploads
import transcripts.languages
from accounts.models import Organisation
from events.models import Webinar
from studio import selectors, services
from studio.models import Production
from studio.summary import summary
from studio.worker import LocalWorker
from work.errors import DomainError
from work.models import WorkState

REFRESH_S = 0.5


class Command(BaseCommand):
    help = "Produce a recording: transcode, subtitle, translate, and publish it if asked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--webinar", metavar="SLUG", help="the webinar that was recorded")
        target.add_argument("--title", help="make a webinar of this title for it")
        parser.add_argument("--organisation", metavar="SLUG", help="with --title; needed when there are several")
        parser.add_argument("--spoken", metavar="TAG", help="language spoken, such as en; default: the webinar's")
        parser.add_argument("--subtitles", metavar="TAGS", default="", help="languages to translate into, as fr,ar")
        parser.add_argument("--publish", action="store_true", help="publish when ready, and send the follow-up")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a summary")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        console = Console(stderr=True)
        try:
            production = self._receive(file, options, console)
        except DomainError as error:
            raise CommandError(str(error)) from error
        worker = LocalWorker(production)
        worker.start()
        try:
            self._show_until_rest(production, worker, console)
        except KeyboardInterrupt:
            console.print("Cancelling…")
            services.cancel_production(production=production, user=None)
            raise CommandError("Cancelled. The original is kept; start a new production in the studio.") from None
        finally:
            worker.stop()
        production.refresh_from_db()
        result = summary(production)
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False, indent=1))
        else:
            self._print(result, Console(file=sys.stdout))
        wanted = "published" if options["publish"] else "ready"
        if result["state"] not in (wanted, "published"):
            reasons = [f"{step['name']}: {step['error']}" for step in result["steps"] if step["state"] == "failed"]
            raise CommandError(
                "The production did not finish. " + " ".join(reasons) + " Retry it in the studio once that is solved."
            )

    def _receive(self, file: Path, options: dict[str, Any], console: Console) -> Production:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        webinar = self._webinar(options)
        spoken = options["spoken"] or webinar.spoken_language
        languages = [tag.strip() for tag in options["subtitles"].split(",") if tag.strip()]
        for tag in (spoken, *languages):
            if not transcripts.languages.is_known(tag):
                raise CommandError(f"{tag!r} is not a language that Rostrum knows. Use a BCP 47 tag such as en or fr.")
        with _progress(console) as progress:
            bar = progress.add_task("store", total=100, note="")

            def report(percent: float, activity: str = "") -> None:
                progress.update(bar, completed=percent, note=activity)

            asset = media.uploads.store_file(
                organisation=webinar.organisation,
                user=None,
                path=file,
                file_name=file.name,
                purpose=f"recording:{webinar.pk}",
                progress=report,
            )
            progress.update(bar, completed=100)
        recording = library.services.create_recording(webinar=webinar, asset=asset, user=None)
        return services.start_production(
            recording=recording,
            user=None,
            spoken_language=spoken,
            subtitle_languages=languages or webinar.subtitle_languages,
            publish_when_ready=options["publish"],
        )

    def _webinar(self, options: dict[str, Any]) -> Webinar:
        if options["webinar"]:
            webinar = Webinar.objects.filter(slug=options["webinar"]).first()
            if webinar is None:
                raise CommandError(f"There is no webinar with the address {options['webinar']!r}.")
            return webinar
        organisations = Organisation.objects.all()
        if options["organisation"]:
            organisations = organisations.filter(slug=options["organisation"])
        if len(organisations) != 1:
            raise CommandError(
                "Name the organisation with --organisation SLUG: "
                + (", ".join(Organisation.objects.values_list("slug", flat=True)) or "there is none yet")
                + ". `manage.py create_owner` makes the first one."
            )
        organisation = organisations[0]
        # A recording without a schedule is taken to have been held just before now.
        ends_at = timezone.now().replace(second=0, microsecond=0)
        webinar = events.services.create_webinar(
            organisation=organisation,
            user=None,
            title=options["title"],
            starts_at=ends_at - timedelta(hours=1),
            ends_at=ends_at,
            time_zone=str(zoneinfo.ZoneInfo(organisation.time_zone)),
            spoken_language=options["spoken"] or organisation.language,
        )
        return events.services.publish_webinar(webinar=webinar, user=None)

    def _show_until_rest(self, production: Production, worker: LocalWorker, console: Console) -> None:
        bars: dict[str, TaskID] = {}
        with _progress(console) as progress:
            while True:
                is_over = not worker.is_working
                for step in selectors.production_progress(production)["steps"]:
                    if step["state"] == WorkState.WAITING:
                        continue
                    if step["name"] not in bars:
                        bars[step["name"]] = progress.add_task(step["name"], total=100, note="")
                    finished = step["is_finished"]
                    progress.update(
                        bars[step["name"]],
                        completed=step["progress"],
                        note=str(step["error"] or (step["state"] if finished else step["activity"])),
                    )
                    if finished:
                        progress.stop_task(bars[step["name"]])
                if is_over:
                    return
                time.sleep(REFRESH_S)

    def _print(self, result: dict[str, Any], console: Console) -> None:
        table = Table("step", "state", "seconds")
        for step in result["steps"]:
            table.add_row(step["name"], step["state"], str(step["seconds"] or ""))
        console.print(table)
        for rendition in result["renditions"]:
            size = f"{rendition['size'] / 1e6:.1f} MB"
            console.print(f"{rendition['name']:>8}  {size:>10}  {rendition['bitrate_kbps']} kbit/s")
        for track in result["tracks"]:
            console.print(f"{track['language']:>8}  {track['kind']}, {track['cues']} cues, {track['state']}")
        console.print(result["addresses"]["watch"])


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
