"""Turns a mail's three templates into texts in the recipient's language."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from accounts.text import clean_line, without_links

SUBJECT_MAX = 200


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def interface_language(language: str) -> str:
    """Return the language of ours that a person who asked for `language` (BCP 47) reads best; English for the rest.

    >>> interface_language("fr-CA"), interface_language("wo")
    ('fr', 'en')
    """
    wanted = language.replace("_", "-").lower()
    ours = {code.lower(): code for code, _name in settings.LANGUAGES}
    return ours.get(wanted) or ours.get(wanted.partition("-")[0]) or "en"


def render(*, template: str, language: str, recipient_name: str, context: dict[str, Any]) -> Rendered:
    """Render `mail/<template>/{subject.txt,body.txt,body.html}`.

    Beside `context` they know `recipient_name`, `language`, `direction`, `site_name` and `base_url` (and
    `organisation_name`, which `services.send` adds); `mail/base.html` and `mail/base.txt` are their layout.

    The name that a person typed reaches the templates with its links broken, so that none becomes clickable (promise
    M5); whoever adds other texts of strangers to `context` passes them through `accounts.text.without_links` too.
    """
    spoken = interface_language(language)
    with translation.override(spoken):
        values = {
            "site_name": settings.SITE_NAME,
            "base_url": settings.BASE_URL,
            "language": spoken,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
            **context,
            "recipient_name": without_links(clean_line(recipient_name)),
        }
        subject = _render(f"mail/{template}/subject.txt", values, is_html=False)
        text = _render(f"mail/{template}/body.txt", values, is_html=False)
        html = _render(f"mail/{template}/body.html", values, is_html=True)
    return Rendered(subject=clean_line(subject, max_length=SUBJECT_MAX), text=_tidy(text), html=html.strip() + "\n")


def _render(name: str, values: dict[str, Any], *, is_html: bool) -> str:
    # Django escapes for HTML whatever the file is called; plain text must not be.
    engine_template: Any = get_template(name)
    return str(engine_template.template.render(Context(values, autoescape=is_html)))


def _tidy(text: str) -> str:
    """Plain text without the trailing blanks and piles of empty lines that template tags leave behind."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"
