"""`manage.py purge`: delete what has been kept long enough; every night this happens by itself."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import keeping


class Command(BaseCommand):
    help = "Delete what has been kept longer than its keeping time. With --dry-run only say how much that is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; say what would go.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = keeping.preview() if options["dry_run"] else keeping.purge()
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        verb = "would go" if options["dry_run"] else "gone"
        for rule in keeping.rules():
            days = keeping.days_of(rule, None)
            kept = f"kept {days} days" if days else "kept for ever"
            self.stdout.write(f"{counts[rule.name]:>8} {verb}: {rule.label} ({rule.name}, {kept})")
