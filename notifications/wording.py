"""An organisation's own words for a mail, with named placeholders; never a template language (promise W7).

Text is text: an address that an organiser types is shown, not linked. Links are ours alone and stand where the
placeholders say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.services import record_action
from accounts.text import clean_line, clean_lines, without_links
from notifications.errors import UnusableWords
from notifications.models import MailTemplate

SUBJECT_MAX = 200
TEXT_MAX = 10_000
_PLACEHOLDER = re.compile(r"\{([^{}\n]{1,40})\}")


@dataclass(frozen=True)
class Placeholder:
    """A name in braces and what stands for it: the value of `source` in a mail's context.

    A placeholder with a `link` text becomes a button or a link of that text in HTML.
    """

    name: str
    source: str
    label: str | Promise
    link: str | Promise = ""


PLACEHOLDERS: dict[str, Placeholder] = {
    one.name: one
    for one in (
        Placeholder("name", "recipient_name", gettext_lazy("the reader's name")),
        Placeholder("title", "title", gettext_lazy("the webinar's title")),
        Placeholder("organisation", "organisation_name", gettext_lazy("your organisation")),
        Placeholder("time", "times", gettext_lazy("when it is, in the reader's time zone and in yours")),
        Placeholder("join_link", "join_url", gettext_lazy("the reader's own way in"), gettext_lazy("Join the session")),
        Placeholder(
            "own_link", "own_url", gettext_lazy("the reader's registration"), gettext_lazy("Your registration")
        ),
        Placeholder("page_link", "page_url", gettext_lazy("the webinar's page"), gettext_lazy("About the webinar")),
        Placeholder("watch_link", "watch_url", gettext_lazy("the recording"), gettext_lazy("Watch the recording")),
        Placeholder("survey_link", "survey_url", gettext_lazy("the survey"), gettext_lazy("Answer the survey")),
        Placeholder(
            "certificate_link", "certificate_url", gettext_lazy("the certificate"), gettext_lazy("Your certificate")
        ),
        Placeholder(
            "proof_link", "proof_url", gettext_lazy("the page that confirms it"), gettext_lazy("Confirm my address")
        ),
        Placeholder(
            "invitation_link", "invitation_url", gettext_lazy("the form, for its reader"), gettext_lazy("Register")
        ),
        Placeholder("until", "expires", gettext_lazy("until when the link works; nothing if it does not end")),
        Placeholder("team", "group_name", gettext_lazy("the name of the team")),
        Placeholder("team_link", "group_url", gettext_lazy("the team's page"), gettext_lazy("To the team’s page")),
        Placeholder("speaker_link", "link", gettext_lazy("the speaker's own page"), gettext_lazy("Open my page")),
    )
}


@dataclass(frozen=True)
class MailKind:
    """A mail that organisations may word themselves.

    Attributes:
        template: the folder below `mail/`.
        label: what organisers call it.
        placeholders: those that it may hold; its context has their sources.
        required: those that it must hold, since its reader could not act without.
    """

    template: str
    label: str | Promise
    placeholders: tuple[str, ...]
    required: tuple[str, ...] = ()


_kinds: dict[str, MailKind] = {}


def register(kind: MailKind) -> None:
    """Let organisations word this mail themselves."""
    assert set(kind.required) <= set(kind.placeholders) <= PLACEHOLDERS.keys()
    _kinds[kind.template] = kind


def kinds() -> list[MailKind]:
    """Those that can be worded, in the order in which they were registered."""
    return list(_kinds.values())


def languages() -> list[str]:
    """Those in which mails have a standard text, and so can be worded."""
    return [code for code, _name in settings.LANGUAGES]


def kind_of(template: str) -> MailKind | None:
    """The kind of that template, or None when its words are fixed."""
    return _kinds.get(template)


@dataclass(frozen=True)
class Words:
    """Cleaned words in one language."""

    language: str
    subject: str
    text: str


def own_words(*, organisation: Organisation | None, scope: str, template: str, language: str) -> Words | None:
    """Return the organisation's words in the reader's language, the scope's before the organisation's; else None.

    A reader of fr-CA gets words in fr-CA, else those in fr; never words in a language that they did not ask for.
    """
    if organisation is None or template not in _kinds:
        return None
    wanted = language.replace("_", "-").lower()
    rank = {wanted: 0, wanted.partition("-")[0]: 1}
    found = [
        row
        for row in MailTemplate.objects.filter(organisation=organisation, template=template, about__in={"", scope})
        if row.language.lower() in rank
    ]
    if not found:
        return None
    best = min(found, key=lambda row: (row.about == "", rank[row.language.lower()]))
    return Words(language=best.language, subject=best.subject, text=best.text)


def clean_words(*, kind: MailKind, language: str, subject: str, text: str) -> Words:
    """Return the words as they are stored.

    Raises:
        UnusableWords: something is missing, too long, or a name in braces is none of the kind's placeholders.
    """
    words = Words(language=language, subject=clean_line(subject), text=clean_lines(text))
    for field, value, longest in (("subject", words.subject, SUBJECT_MAX), ("text", words.text, TEXT_MAX)):
        if not value:
            raise UnusableWords(_("Write something here, or go back to the standard text."), field=field)
        if len(value) > longest:
            raise UnusableWords(_("At most %(max)s characters, please.") % {"max": longest}, field=field)
        check_placeholders(value, kind.placeholders, field=field)
    if "\n" in words.subject:
        raise UnusableWords(_("The subject must be one line."), field="subject")
    for name in kind.required:
        if f"{{{name}}}" not in words.text:
            raise UnusableWords(
                _("The text must contain {%(name)s}: %(label)s.") % {"name": name, "label": PLACEHOLDERS[name].label},
                field="text",
            )
    return words


def check_placeholders(value: str, allowed: Iterable[str], *, field: str) -> None:
    """See that every name in braces is one of the placeholders.

    Raises:
        UnusableWords: one is not.
    """
    names = tuple(allowed)
    for found in _PLACEHOLDER.findall(value):
        if found not in names:
            raise UnusableWords(
                _("{%(name)s} is not a placeholder here. Use one of: %(names)s.")
                % {"name": found, "names": ", ".join(f"{{{name}}}" for name in names)},
                field=field,
            )


def save_words(
    *,
    organisation: Organisation,
    scope: str,
    kind: MailKind,
    language: str,
    subject: str,
    text: str,
    user: User | None,
) -> MailTemplate:
    """Store an organisation's words for a mail in one language, for one scope or (empty) for all.

    Raises:
        UnusableWords: see `clean_words`.
    """
    words = clean_words(kind=kind, language=language, subject=subject, text=text)
    row, _is_new = MailTemplate.objects.update_or_create(
        organisation=organisation,
        about=scope,
        template=kind.template,
        language=language,
        defaults={"subject": words.subject, "text": words.text},
    )
    record_action(
        action="mail_template.changed",
        target=row,
        organisation=organisation,
        user=user,
        template=kind.template,
        language=language,
        about=scope,
    )
    return row


def drop_words(*, row: MailTemplate, user: User | None) -> None:
    """Go back to the standard text."""
    record_action(
        action="mail_template.removed",
        target=row,
        organisation=row.organisation,
        user=user,
        template=row.template,
        language=row.language,
        about=row.about,
    )
    row.delete()


def fill_line(text: str, values: dict[str, Any]) -> str:
    """Return a line with its placeholders replaced; names that are none stay as they are typed."""
    return _PLACEHOLDER.sub(lambda match: _plain(match[1], values, match[0]), without_links(text))


def fill_text(text: str, values: dict[str, Any]) -> str:
    """Return the plain text of a mail's body."""
    return fill_line(text, values)


def fill_html(text: str, values: dict[str, Any]) -> SafeString:
    """Return the same text in HTML: paragraphs, line breaks, our own links, and nothing else."""
    blocks = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return mark_safe("".join(_paragraph(block, values) for block in blocks))  # noqa: S308  (each piece is escaped)


def _paragraph(text: str, values: dict[str, Any]) -> str:
    alone = _PLACEHOLDER.fullmatch(text)
    if alone and (found := PLACEHOLDERS.get(alone[1])) and found.link and values.get(found.source):
        return format_html(_BUTTON, values[found.source], found.link)
    pieces: list[str] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        pieces += [escape(without_links(text[end : match.start()])), _marked_up(match[1], values, match[0])]
        end = match.end()
    pieces.append(escape(without_links(text[end:])))
    return f'<p dir="auto">{"".join(pieces)}</p>'.replace("\n", "<br>")


_BUTTON = (
    '<p style="margin: 20px 0;"><a href="{}" style="display: inline-block; padding: 10px 20px; border-radius: 6px; '
    'background: #0b5cad; color: #ffffff; font-weight: 600; text-decoration: none;">{}</a></p>'
)


def _plain(name: str, values: dict[str, Any], typed: str) -> str:
    found = PLACEHOLDERS.get(name)
    if found is None or found.source not in values:
        return typed
    value = values[found.source]
    if found.name == "time":
        return "\n".join(f"{time.text}\n{time.zone_name} ({time.zone})" for time in value)
    return str(value)


def _marked_up(name: str, values: dict[str, Any], typed: str) -> str:
    found = PLACEHOLDERS.get(name)
    if found is None or found.source not in values:
        return escape(typed)
    value = values[found.source]
    if found.link:
        return format_html('<a href="{}">{}</a>', value, found.link) if value else ""
    if found.name == "time":
        return "<br>".join(
            format_html("<strong>{}</strong><br>{} (<bdi>{}</bdi>)", time.text, time.zone_name, time.zone)
            for time in value
        )
    return format_html("<bdi>{}</bdi>", value)


def direction_of(language: str) -> str:
    """ "rtl" for languages written from right to left, else "ltr".

    >>> direction_of("ar"), direction_of("uk"), direction_of("wo")
    ('rtl', 'ltr', 'ltr')
    """
    try:
        return Locale.parse(language, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"
