"""`manage.py export_person ADDRESS FILE`: all data about a person, as a ZIP."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.personal_data import export_person


class Command(BaseCommand):
    help = "Write everything that is stored about an address to a ZIP file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        content = export_person(email=options["address"])
        options["file"].touch(mode=0o600)
        options["file"].write_bytes(content)
        self.stdout.write(f"{len(content)} bytes written to {options['file']}.")
