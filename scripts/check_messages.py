"""Fail when a text of the interface lacks its French or Arabic translation, or has a doubtful one."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (".py", ".html", ".txt")
APART = ("tests", "frontend", "benchmarks", "requirements")


def problems(po: Path, collected: Path) -> list[str]:
    """Return what is wrong with one file of translations, given a fresh collection of the texts in the source."""
    name = str(po.relative_to(ROOT))
    check = subprocess.run(
        ["/usr/bin/msgfmt", "--check-format", "--statistics", "-o", "/dev/null", str(po)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    found = []
    if check.returncode or "untranslated" in check.stderr or "fuzzy" in check.stderr:
        found.append(f"{name}: {check.stderr.strip()}")
    have = {(message.context, message.id) for message in _messages(po)}
    missing = [message for message in _messages(collected) if (message.context, message.id) not in have]
    found += [f"{name}: not collected yet (make messages): {message.id!r}" for message in missing]
    return found


def _messages(po: Path) -> list[Message]:
    with open(po, "rb") as file:
        return [message for message in read_po(file) if message.id]


def collect(folder: Path, languages: list[str]) -> None:
    """Collect the texts of the tracked sources below `folder`, without touching the project's own files."""
    names = subprocess.run(
        ["/usr/bin/git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if name.endswith(SOURCES) and not name.startswith(APART) and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "locale").mkdir(exist_ok=True)
    options = [option for language in languages for option in ("--locale", language)]
    command = [sys.executable, "-m", "django", "makemessages", "--verbosity", "0", *options]
    subprocess.run(command, cwd=folder, check=True)


def main() -> int:
    files = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
    languages = [po.parent.parent.name for po in files]
    found = [] if languages == ["ar", "fr"] else ["locale/ must hold French and Arabic."]
    with tempfile.TemporaryDirectory() as name:
        collect(Path(name), languages)
        for po in files:
            found += problems(po, Path(name) / po.relative_to(ROOT))
    sys.stderr.write("".join(f"{problem}\n" for problem in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
