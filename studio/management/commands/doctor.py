"""Is everything there that the settings name, and does it work?"""

import importlib
import importlib.util
import json
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from work.doctor import Check


class Command(BaseCommand):
    help = "Check every tool, model, broker, database, storage and mail server that the settings name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = list(every_check())
        if options["json"]:
            self.stdout.write(json.dumps([vars(check) for check in checks], ensure_ascii=False, indent=1))
        else:
            for check in checks:
                mark, style = {
                    True: ("ok  ", self.style.SUCCESS),
                    None: ("note", self.style.WARNING),
                    False: ("FAIL", self.style.ERROR),
                }[check.ok]
                self.stdout.write(f"{style(mark)} {check.name}: {check.detail}")
                if check.ok is not True and check.advice:
                    self.stdout.write(f"     {check.advice}")
        failed = [check.name for check in checks if check.ok is False]
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}.")


def every_check() -> list[Check]:
    """The answers of all apps, in their order. A check that breaks counts as failed; it stops no other."""
    found: list[Check] = []
    for config in apps.get_app_configs():
        # Only our own apps have a doctor; library packages are not searched.
        if not config.path.startswith(str(settings.BASE_DIR)) or ".venv" in config.path:
            continue
        if importlib.util.find_spec(f"{config.name}.doctor") is None:
            continue
        try:
            found += importlib.import_module(f"{config.name}.doctor").checks()
        except Exception as error:
            found.append(Check(config.name, False, f"{type(error).__name__}: {error}"))
    return found
