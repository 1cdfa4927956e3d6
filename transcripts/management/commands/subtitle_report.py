"""`manage.py subtitle_report`: what is or may be wrong with subtitles, the same as page and API say."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from transcripts import selectors
from transcripts.models import TextTrack
from transcripts.services.recognition import shown_time


class Command(BaseCommand):
    help = "Report on the quality of subtitle tracks. The exit status is 1 if there are errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="ID", help="A track or an asset; none: all tracks.")
        parser.add_argument("--json", action="store_true", help="One JSON object per track and line.")

    def handle(self, *_args: Any, ids: list[str], json: bool, **_options: Any) -> None:
        has_errors = False
        for track in self._tracks(ids):
            findings = selectors.finding_rows(selectors.quality_of(track))
            has_errors |= any(one["severity"] == "error" for one in findings)
            self._print_json(track, findings) if json else self._print(track, findings)
        if has_errors:
            raise CommandError("There are errors.", returncode=1)

    def _tracks(self, ids: list[str]) -> list[TextTrack]:
        rows = TextTrack.objects.select_related("asset", "current_revision", "source_track__current_revision")
        if not ids:
            return list(rows.order_by("asset", "kind", "language"))
        try:
            found = list(
                (rows.filter(pk__in=ids) | rows.filter(asset__pk__in=ids)).order_by("asset", "kind", "language")
            )
        except ValidationError as error:
            raise CommandError(f"This is no id: {error}") from error
        if not found:
            raise CommandError("There is no such track or asset.")
        return found

    def _print(self, track: TextTrack, findings: list[dict[str, Any]]) -> None:
        self.stdout.write(f"{track.asset.file_name}, {track}: {len(findings)} findings ({track.pk})")
        for one in findings:
            self.stdout.write(f"  {shown_time(one['start_ms'])}  {one['severity']}: {one['text']} [{one['code']}]")

    def _print_json(self, track: TextTrack, findings: list[dict[str, Any]]) -> None:
        row = {"track": str(track.pk), "asset": str(track.asset_id), "language": track.language, "findings": findings}
        self.stdout.write(json.dumps(row, ensure_ascii=False))
