"""`manage.py settings_table`: docs/settings.md, made from the one list of variables."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

PAGE = settings.BASE_DIR / "docs" / "settings.md"
INTRODUCTION = """# Settings

Every environment variable that Rostrum reads. Made by `manage.py settings_table` from `config/environment.py`: change
it there.

Variables may stand in the environment, in a file `.env` beside `manage.py`, or, for secrets, in a file of their own:
`SECRET_KEY_FILE=/run/secrets/key` sets `SECRET_KEY` from that file. Lists are comma separated, switches are `True` or
`False`, sizes are bytes and times are seconds unless the name says otherwise. A value that cannot be read stops the
start with its name and the reason; in production, so do unsafe ones.
"""


class Command(BaseCommand):
    help = "Write docs/settings.md, or with --check say whether it is current."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if the file is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(PAGE)
        if options["check"]:
            if not page.exists() or page.read_text() != settings_page():
                raise CommandError("docs/settings.md is out of date: run `manage.py settings_table`.")
            return
        page.parent.mkdir(exist_ok=True)
        page.write_text(settings_page())


def settings_page() -> str:
    """The whole page as Markdown."""
    sections: dict[str, list[str]] = {}
    for variable in settings.ENVIRONMENT_VARIABLES:
        row = f"| `{variable.name}` | {_default(variable.default)} | {variable.help.replace('|', chr(92) + '|')} |"
        sections.setdefault(variable.section, []).append(row)
    tables = (
        f"\n## {name}\n\n| Variable | Default | Meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        for name, rows in sections.items()
    )
    return INTRODUCTION + "".join(tables)


def _default(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    # Where this copy happens to stand is nobody's default.
    text = text.replace(f"{settings.BASE_DIR}/", "")
    return f"`{text}`" if text else "(empty)"
