"""Can slides be drawn: is LibreOffice there, and are there fonts for the scripts that our languages use?"""

import shutil
import subprocess
from collections.abc import Iterable

from work.doctor import Check

# A language per script that slides in our languages use; fontconfig finds fonts by language.
SCRIPTS = {"Latin": "fr", "Cyrillic": "uk", "Greek": "el", "Arabic": "ar", "Devanagari": "hi", "Ethiopic": "ti"}


def checks() -> Iterable[Check]:
    yield _office()
    yield _fonts()


def _office() -> Check:
    if shutil.which("soffice") is None:
        return Check(
            "presentations (LibreOffice)",
            False,
            "soffice is not installed, so PowerPoint and OpenDocument slides are refused; PDF works",
            "Install Debian's package libreoffice-impress.",
        )
    return Check("presentations (LibreOffice)", True, "PowerPoint and OpenDocument slides can be drawn")


def _fonts() -> Check:
    listing = shutil.which("fc-list")
    if listing is None:
        return Check("fonts", False, "fontconfig is not installed", "Install Debian's package fontconfig.")
    missing = [
        script
        for script, language in SCRIPTS.items()
        if not subprocess.run([listing, f":lang={language}"], capture_output=True, check=False).stdout.strip()
    ]
    if missing:
        advice = "Install Debian's packages fonts-noto-core and fonts-dejavu-core."
        return Check("fonts", False, f"no font for {', '.join(missing)}", advice)
    return Check("fonts", True, f"there are fonts for {', '.join(SCRIPTS)}")
