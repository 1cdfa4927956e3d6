"""Reads mails as a mail program would, with parsers independent of those that wrote them."""

import json
import subprocess
from pathlib import Path
from typing import Any

READER = Path(__file__).parent / "read_mail.mjs"


def read_mails(folder: Path) -> list[dict[str, Any]]:
    """Return what tests/support/read_mail.mjs sees in each .eml file of a folder, oldest first."""
    files = sorted(str(path) for path in folder.glob("*.eml"))
    done = subprocess.run(["node", str(READER), *files], capture_output=True, text=True, check=True, timeout=60)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
