"""Adding revisions: numbered without locks, and a machine's never takes the place of a person's."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from media.models import Asset
from transcripts import cues as arithmetic
from transcripts import languages
from transcripts.cues import Cue
from transcripts.errors import LanguageUnknown
from transcripts.formats import Note
from transcripts.models import ReviewLink, Revision, TextTrack, TrackKind, TrackOrigin
from transcripts.searching import index_track
from transcripts.selectors import MACHINE_ORIGINS
from work.errors import TemporaryFailure

logger = logging.getLogger(__name__)
MOST_TRIES = 50


def find_or_create_track(*, asset: Asset, language: str, kind: str) -> TextTrack:
    """Return the asset's track in a language; the tag is written the usual way.

    Raises:
        LanguageUnknown: the tag is not of a known language.
    """
    try:
        language = languages.get(language).tag
    except languages.UnknownLanguage as error:
        raise LanguageUnknown(language) from error
    track, _created = TextTrack.objects.get_or_create(asset=asset, language=language, kind=TrackKind(kind))
    return track


def add_revision(
    *,
    track: TextTrack,
    cues: Sequence[Cue],
    origin: TrackOrigin,
    engine: str = "",
    model: str = "",
    author: User | None = None,
    notes: Sequence[Note] = (),
    review_link: ReviewLink | None = None,
    edit_session: str = "",
) -> Revision:
    """Store cues as the track's next revision, and make it current unless that would hide a person's work.

    A machine's revision that equals the machine's latest is not stored again, so a step may run twice. A machine's
    revision beside a person's is kept but not shown: `selectors.unused_machine_revision` finds it.
    """
    is_machine = origin in MACHINE_ORIGINS
    rows = arithmetic.to_rows(cues)
    if is_machine:
        latest = track.revisions.filter(origin__in=MACHINE_ORIGINS).order_by("number").last()
        if latest is not None and (latest.cues, latest.engine, latest.model) == (rows, engine, model[:200]):
            track.refresh_from_db()
            return latest
    values: dict[str, Any] = {
        "origin": origin, "engine": engine, "model": model[:200], "author": author,
        "cues": rows, "cue_count": len(rows), "notes": note_rows(notes),
        "review_link": review_link, "edit_session": edit_session,
    }  # fmt: skip
    with transaction.atomic():
        revision = _next_revision(track, values)
        _show(track, revision, is_machine=is_machine)
        index_track(track)
    track.refresh_from_db()
    return revision


def _next_revision(track: TextTrack, values: dict[str, Any]) -> Revision:
    """Number by a unique constraint: whoever comes second takes the next number."""
    for _attempt in range(MOST_TRIES):
        highest = track.revisions.aggregate(highest=models.Max("number"))["highest"] or 0
        try:
            with transaction.atomic():
                return Revision.objects.create(track=track, number=highest + 1, **values)
        except IntegrityError:
            if not TextTrack.objects.filter(pk=track.pk).exists():
                break
    raise TemporaryFailure(_("These subtitles are being changed by many at once, or were deleted. Try again."))


def _show(track: TextTrack, revision: Revision, *, is_machine: bool) -> None:
    """Make a revision current; a machine's only where nothing of a person's is.

    The update repeats which revision was seen, so a person who saves in between wins.
    """
    now = timezone.now()
    rows = TextTrack.objects.filter(pk=track.pk)
    while is_machine:
        seen = rows.values_list("current_revision_id", "current_revision__origin").first()
        if seen is None:
            return
        pk, origin = seen
        if pk is not None and origin not in MACHINE_ORIGINS:
            logger.info("%s: a person's revision stays; the machine's is kept as number %s", track, revision.number)
            return
        if rows.filter(current_revision_id=pk).update(current_revision=revision, updated_at=now):
            return
    rows.update(current_revision=revision, updated_at=now)


def note_rows(notes: Sequence[Note]) -> list[dict[str, Any]]:
    return [{"code": note.code, "template": note.template, "line": note.line, "facts": note.facts} for note in notes]
