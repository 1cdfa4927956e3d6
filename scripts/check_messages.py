"""Fail when a text of the interface lacks its French or Arabic translation, or has a doubtful one."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def problems(po: Path) -> list[str]:
    """Return what is wrong with one file of translations, by gettext's own tools."""
    found = []
    check = subprocess.run(
        ["/usr/bin/msgfmt", "--check-format", "--statistics", "-o", "/dev/null", str(po)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    if check.returncode or "untranslated" in check.stderr or "fuzzy" in check.stderr:
        found.append(f"{po.relative_to(ROOT)}: {check.stderr.strip()}")
    return found


def main() -> int:
    files = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
    found = [problem for po in files for problem in problems(po)]
    if len(files) < 2:
        found.append("locale/ must hold French and Arabic.")
    sys.stderr.write("".join(f"{problem}\n" for problem in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
