"""`manage.py repeat_erasures`: after a backup was restored, forget again who was erased since (promise P2)."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.personal_data import repeat_erasures


class Command(BaseCommand):
    help = "Erase again everybody who was erased before and whom a restored backup brought back."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{repeat_erasures()} erased again.")
