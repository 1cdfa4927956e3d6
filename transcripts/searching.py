"""Search in what is said: every word of a query, in any language, with the moments at which it is said.

One full-text index for both databases holds the tokens of transcripts/tokens.py for each published track: a tsvector
with a GIN index on PostgreSQL (column `tokens`), the FTS5 table `transcripts_trackindex` on SQLite. Words are found by
their beginning and by their stem; in languages without a stemmer, with long compounds, or without spaces also by any
part of three (two) letters or more.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, models, router
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from transcripts import cues as arithmetic
from transcripts import tokens
from transcripts.cues import Cue
from transcripts.models import TextTrack, TrackState, TrackText
from transcripts.tokens import Asked, folded

MOST_WORDS = 8
MOMENTS = 3  # shown of each track


@dataclass(frozen=True)
class Hit:
    """A track in which all words of a query are said, and the first moments where some of them are.

    Attributes:
        cues: those with the most of the words, in order of time.
    """

    track: TextTrack
    cues: tuple[Cue, ...]


def words_of(query: str) -> list[str]:
    """The words that must all be said, each once; at most eight."""
    first: dict[str, str] = {}
    for word in query.replace("\x00", "").split():
        first.setdefault(folded(word), word)
    return [word for plain, word in first.items() if plain][:MOST_WORDS]


def index_track(track: TextTrack) -> None:
    """Store what is searched of a published track's current revision, and nothing of any other track.

    Called whenever another revision becomes current, or the state changes.
    """
    row = (
        TextTrack.objects.filter(pk=track.pk, state=TrackState.PUBLISHED)
        .values_list("language", "current_revision__cues")
        .first()
    )
    if row is None or row[1] is None:
        for former in TrackText.objects.filter(track=track):
            former.delete()
        return
    language, cues = row
    # Joined without lines, so that a name is found that was broken into two lines, or two cues.
    text = " ".join(cue.plain_text for cue in arithmetic.from_rows(cues))
    TrackText.objects.update_or_create(track=track, defaults={"words": folded(text)})
    store_tokens(connections[router.db_for_write(TrackText)], str(track.pk), tokens.tokens_of(text, language=language))


def store_tokens(connection: Any, track: str, words: Sequence[str]) -> None:
    """Put a track's tokens into the database's own full-text index, in place of former ones.

    Args:
        connection: of Django, since the migration that fills the index has its own.
        track: the track's key.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A tsvector of lexemes as they are: no parser takes them apart.
            cursor.execute(
                "UPDATE transcripts_tracktext SET tokens = array_to_tsvector(%s::text[]) WHERE track_id = %s",
                [list(words), track],
            )
            return
        forget_tokens(connection, track)
        number = _row_of(track)
        cursor.execute(
            "INSERT INTO transcripts_trackindex (rowid, track_id, tokens) VALUES (%s, %s, %s)",
            [number, track.replace("-", ""), " ".join(words)],
        )


def forget_tokens(connection: Any, track: str) -> None:
    """Take a track out of SQLite's index; PostgreSQL's goes with the row."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM transcripts_trackindex WHERE rowid = %s", [_row_of(track)])


def forget_deleted(sender: object, instance: TrackText, using: str, **_rest: object) -> None:
    """A signal's receiver: what was said leaves the index with the track."""
    forget_tokens(connections[using], str(instance.track_id))


def _row_of(track: str) -> int:
    """A table of FTS5 is keyed by numbers of 63 bits: those of a random UUID are as good as unique."""
    return int(track.replace("-", ""), 16) & (2**63 - 1)


def matching(query: str, tracks: "QuerySet[TextTrack]") -> "QuerySet[TextTrack]":
    """Published ones of these tracks in which every word of the query is said; none for an empty query."""
    words = words_of(query)
    wanted = asked_of(words, spoken=_languages_searched()) if words else []
    if not wanted:
        return tracks.none()
    match = Q(state=TrackState.PUBLISHED)
    for one in wanted:
        match &= _match(one)
    return tracks.filter(match)


def asked_of(words: Iterable[str], *, spoken: Iterable[str]) -> list[Asked]:
    """What is looked for. Signs alone are nothing that is said."""
    languages = list(spoken)
    return [one for word in words for one in tokens.asked(word, spoken=languages)]


def _languages_searched() -> list[str]:
    return list(
        TextTrack.objects.filter(state=TrackState.PUBLISHED).order_by().values_list("language", flat=True).distinct()
    )


def _match(one: Asked) -> Q:
    found = Q()
    if one.start or one.stems:
        found |= Q(pk__in=_holding(_either(one)))
    if one.pieces:
        found |= Q(pk__in=_holding(_all(one.pieces))) & Q(search_text__words__contains=one.folded)
    return found


def _holding(expression: str) -> RawSQL:
    """The keys of tracks whose tokens fulfil an expression."""
    sql = (
        "SELECT track_id FROM transcripts_tracktext WHERE tokens @@ %s::tsquery"
        if _is_postgres()
        else "SELECT track_id FROM transcripts_trackindex WHERE transcripts_trackindex MATCH %s"
    )
    return RawSQL(sql, (expression,), output_field=models.UUIDField())  # noqa: S611  # the query is a parameter


def _is_postgres() -> bool:
    return connections[router.db_for_read(TrackText)].vendor == "postgresql"


def _quoted(token: str) -> str:
    """A token as a string of either query language; a word has neither quotes nor backslashes."""
    return f"'{token}'" if _is_postgres() else f'"{token}"'


def _either(one: Asked) -> str:
    start = [_quoted(one.start) + (":*" if _is_postgres() else "*")] if one.start else []
    return (" | " if _is_postgres() else " OR ").join([*start, *map(_quoted, sorted(one.stems))])


def _all(pieces: Iterable[str]) -> str:
    return (" & " if _is_postgres() else " AND ").join(map(_quoted, sorted(pieces)))


def hit_in(track: TextTrack, query: str, cues: Sequence[Cue]) -> Hit:
    """Where in a matching track the words are said; `cues` are those that viewers see.

    Cues with more of the words come before others; a word may also lie over the border of two cues, and then the hit
    has no moments.
    """
    texts = [folded(cue.plain_text) for cue in cues]
    counted: Counter[int] = Counter()
    for one in asked_of(words_of(query), spoken=[track.language]):
        looks_right = _pattern(one, track.language, cues)
        counted.update(at for at, text in enumerate(texts) if looks_right.search(text))
    most = max(counted.values(), default=0)
    best = [cues[at] for at in sorted(counted) if counted[at] == most]
    return Hit(track, tuple(best[:MOMENTS]))


def _pattern(one: Asked, language: str, cues: Sequence[Cue]) -> "re.Pattern[str]":
    """What finds a word of a query in a folded text of that language, as the index found it in the whole track."""
    forms: set[str] = set()
    if one.stems:
        for text in {cue.plain_text for cue in cues}:
            forms.update(tokens.surface_forms(text, language=language, stems=one.stems))
    is_anywhere = not one.start or tokens.finds_parts(language)
    kinds = [re.escape(one.folded) if is_anywhere else rf"(?<!\w){re.escape(one.start)}"]
    kinds += [rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms)]
    return re.compile("|".join(kinds))
