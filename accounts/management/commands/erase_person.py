"""`manage.py erase_person ADDRESS`: forget a person in the whole service."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.personal_data import erase_person


class Command(BaseCommand):
    help = "Erase everything that is stored about an address. Sums stay right. It cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"] and input(f"Erase everything about {options['address']}? Type yes: ") != "yes":
            raise CommandError("Nothing was erased.")
        counts = erase_person(email=options["address"], actor="operator")
        for name, count in counts.items():
            self.stdout.write(f"{count:>8} {name}")
        self.stdout.write("Erased." if counts else "Nothing was stored about this address.")
