"""Turns a mail's three templates into texts in the recipient's language."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template import Context, engines
from django.template.loader import get_template
from django.utils import translation

from accounts.text import clean_line, without_links
from notifications.wording import Words, direction_of, fill_html, fill_line, fill_text

SUBJECT_MAX = 200


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str
    language: str


def interface_language(language: str) -> str:
    """Return the language of ours that a person who asked for `language` (BCP 47) reads best; English for the rest.

    >>> interface_language("fr-CA"), interface_language("wo")
    ('fr', 'en')
    """
    wanted = language.replace("_", "-").lower()
    ours = {code.lower(): code for code, _name in settings.LANGUAGES}
    return ours.get(wanted) or ours.get(wanted.partition("-")[0]) or "en"


def render(
    *, template: str, language: str, recipient_name: str, context: dict[str, Any], own_words: Words | None = None
) -> Rendered:
    """Render `mail/<template>/{subject.txt,body.txt,body.html}`, or an organisation's own words in their place.

    Beside `context` they know `recipient_name`, `language`, `direction`, `site_name` and `base_url` (and
    `organisation_name` and `unsubscribe_url`, which `services.send` adds); `mail/base.html` and `mail/base.txt` are
    their layout. Own words replace the subject and the `content` block; the foot, which says why the reader gets the
    mail, stays.

    The name that a person typed reaches the templates with its links broken, so that none becomes clickable (promise
    M5); whoever adds other texts of strangers to `context` passes them through `accounts.text.without_links` too.
    """
    spoken = interface_language(own_words.language if own_words else language)
    shown = own_words.language if own_words else spoken
    with translation.override(spoken):
        values = {
            "site_name": settings.SITE_NAME,
            "base_url": settings.BASE_URL,
            "language": shown,
            "direction": direction_of(shown),
            **context,
            "recipient_name": without_links(clean_line(recipient_name)),
        }
        if own_words is None:
            subject = _render(get_template(f"mail/{template}/subject.txt"), values, is_html=False)
            text = _render(get_template(f"mail/{template}/body.txt"), values, is_html=False)
            html = _render(get_template(f"mail/{template}/body.html"), values, is_html=True)
        else:
            subject = fill_line(own_words.subject, values)
            text = _render_around(template, "txt", fill_text(own_words.text, values), values)
            html = _render_around(template, "html", fill_html(own_words.text, values), values)
    return Rendered(
        subject=clean_line(subject, max_length=SUBJECT_MAX),
        text=_tidy(text),
        html=html.strip() + "\n",
        language=shown,
    )


def _render_around(template: str, suffix: str, content: str, values: dict[str, Any]) -> str:
    """The mail's own layout around words that are complete: they are a value in it, never a template."""
    layout = f'{{% extends "mail/{template}/body.{suffix}" %}}{{% block content %}}{{{{ own_words }}}}{{% endblock %}}'
    made = engines["django"].from_string(layout)
    return _render(made, {**values, "own_words": content}, is_html=suffix == "html")


def _render(template: Any, values: dict[str, Any], *, is_html: bool) -> str:
    # Django escapes for HTML whatever the file is called; plain text must not be.
    return str(template.template.render(Context(values, autoescape=is_html)))


def _tidy(text: str) -> str:
    """Plain text without the trailing blanks and piles of empty lines that template tags leave behind."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"
