"""The words that an organisation, or one webinar, wants heard and translated in one way."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from accounts.services import record_action
from events.models import Webinar
from transcripts import languages
from transcripts.errors import LanguageUnknown, TranscriptError
from transcripts.models import GlossaryTerm

MOST_TERMS = 2000  # per organisation
MOST_CHARS = 120


class TermInvalid(TranscriptError):
    """A term cannot be kept as it is."""

    code = "term_invalid"


def save_term(
    *,
    organisation: Organisation,
    text: str,
    webinar: Webinar | None = None,
    is_kept: bool = False,
    renderings: Mapping[str, str] | None = None,
    term: GlossaryTerm | None = None,
    user: User | None = None,
) -> GlossaryTerm:
    """Add a term to a glossary, or change one.

    Raises:
        TermInvalid: it is empty, too long, there already, or the glossary is full.
        LanguageUnknown: a rendering's language is not in the table.
    """
    text = " ".join(text.split())
    if not text or len(text) > MOST_CHARS:
        raise TermInvalid(_("A term has 1 to %(count)s characters.") % {"count": MOST_CHARS}, field="term")
    if webinar is not None and webinar.organisation_id != organisation.pk:
        raise TermInvalid(_("The webinar belongs to another organisation."), field="webinar")
    if term is None and organisation.glossary_terms.count() >= MOST_TERMS:
        raise TermInvalid(_("The glossary is full: it holds %(count)s terms.") % {"count": MOST_TERMS})
    row = term or GlossaryTerm(organisation=organisation)
    row.webinar, row.term, row.is_kept, row.renderings = webinar, text, is_kept, _checked(renderings or {})
    try:
        with transaction.atomic():
            row.save()
            record_action(
                action="glossary.changed" if term else "glossary.added",
                target=row,
                organisation=organisation,
                user=user,
                term=text,
            )
    except IntegrityError as error:
        raise TermInvalid(_("“%(term)s” is in the glossary already.") % {"term": text}, field="term") from error
    return row


def _checked(renderings: Mapping[str, Any]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for tag, value in renderings.items():
        if not languages.is_known(tag):
            raise LanguageUnknown(tag, field="renderings")
        words = " ".join(str(value).split())
        if len(words) > MOST_CHARS:
            raise TermInvalid(_("A term has 1 to %(count)s characters.") % {"count": MOST_CHARS}, field="renderings")
        if words:
            checked[languages.get(tag).tag] = words
    return checked


def delete_term(*, term: GlossaryTerm, user: User | None = None) -> None:
    """Take a term out of its glossary. Subtitles that were made with it stay."""
    with transaction.atomic():
        record_action(action="glossary.removed", target=term, organisation=term.organisation, user=user, term=term.term)
        term.delete()
