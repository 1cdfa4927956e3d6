"""Makes PDF files of HTML: PDF/A-2u (ISO 19005-2), which archives keep, with every font inside, tagged for readers.

Nothing is fetched, neither from the network nor from the disk: a page is its own template, a style sheet of ours and
text that templates have escaped.
"""

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from notifications.rendering import interface_language
from work.errors import DomainError

STYLES = Path(__file__).parent / "styles"
# Letters come from the first family that has them; Debian's packages fonts-noto-core and fonts-noto-cjk bring all.
FAMILIES = (
    *("Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali"),
    *("Noto Sans Ethiopic", "Noto Sans Georgian", "Noto Sans Armenian", "Noto Sans Thai", "Noto Sans Tamil"),
    *("Noto Sans CJK SC", "DejaVu Sans", "sans-serif"),
)


class DocumentsUnavailable(DomainError):
    """The libraries that draw documents are not installed."""

    code = "documents_unavailable"
    status = 503


def render_pdf(*, template: str, style: str, context: dict[str, Any], language: str) -> bytes:
    """Return a PDF/A-2u file of a template in a language of ours.

    Args:
        style: the name of a file in `styles/`.
        language: BCP 47; the interface language nearest to it is used, and decides the direction of the page.

    Raises:
        DocumentsUnavailable: Pango is not installed.
    """
    spoken = interface_language(language)
    with translation.override(spoken):
        direction = "rtl" if translation.get_language_bidi() else "ltr"
        html = render_to_string(template, {"language": spoken, "direction": direction, **context})
    return html_to_pdf(html, styles=[(STYLES / style).read_text()])


def html_to_pdf(html: str, *, styles: Iterable[str]) -> bytes:
    """Return a PDF/A-2u file of a page.

    Raises:
        DocumentsUnavailable: Pango is not installed.
        weasyprint.urls.FatalURLFetchingError: the page refers to a file or address, which ours never do.
    """
    weasyprint = _weasyprint()
    from weasyprint.urls import FatalURLFetchingError, URLFetcher  # slow, like the library itself

    class Nothing(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            raise FatalURLFetchingError(f"Documents fetch nothing: {url[:100]}")

    fetcher = Nothing()
    families = ", ".join(f'"{family}"' if " " in family else family for family in FAMILIES)
    sheets = [f"html {{ font-family: {families} }}", *styles]
    page = weasyprint.HTML(string=html, url_fetcher=fetcher, media_type="print")
    pdf: bytes = page.write_pdf(
        stylesheets=[weasyprint.CSS(string=sheet, url_fetcher=fetcher) for sheet in sheets],
        pdf_variant="pdf/a-2u",
        pdf_tags=True,
    )
    return pdf


@cache
def _weasyprint() -> Any:
    for name in ("weasyprint", "weasyprint.progress"):  # it tells every step, from being imported on
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        import weasyprint  # slow to import, and most processes make no documents
    except OSError as error:
        text = _("Documents cannot be made: Pango is not installed. Ask the operator to run `manage.py doctor`.")
        raise DocumentsUnavailable(text) from error
    return weasyprint


def qr_code(text: str) -> SafeString:
    """A QR code (ISO/IEC 18004, level M: a seventh may be damaged) as SVG for a template."""
    svg = segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True)
    return mark_safe(svg)  # noqa: S308  (made of numbers alone)
