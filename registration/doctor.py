"""Can certificates and reports be drawn: is Pango there, and are there fonts for Latin and Arabic letters?"""

import shutil
import subprocess
from collections.abc import Iterable

from registration import documents
from work.doctor import Check

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
FONTS = ("Noto Sans", "Noto Sans Arabic")


def checks() -> Iterable[Check]:
    name = "documents (WeasyPrint)"
    try:
        documents.html_to_pdf('<html lang="ar" dir="rtl"><title>A</title><p>Ab عپ</p></html>', styles=[])
    except documents.DocumentsUnavailable:
        text = "Pango is not installed, so neither certificates nor reports as PDF can be made"
        yield Check(name, False, text, f"Install Debian's packages {PACKAGES}.")
        return
    listing = shutil.which("fc-list")
    missing = [font for font in FONTS if listing is None or not _has(listing, font)]
    if missing:
        text = f"drawn without the fonts {', '.join(missing)}"
        yield Check(name, False, text, "Install Debian's packages fonts-noto-core and fontconfig.")
        return
    yield Check(name, True, "certificates and reports can be drawn, with Latin and Arabic letters")


def _has(listing: str, font: str) -> bool:
    return bool(subprocess.run([listing, font], capture_output=True, check=False).stdout.strip())
