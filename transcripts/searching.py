"""Search in what is said: every word of a query, in any language, with the moments at which it is said.

The words of a track's current revision are kept in one row, without capitals, marks over letters and vowel signs, so
that "sante" finds "santé". One form for all databases: a substring search, which needs no stemming to find a word by
its beginning, and no spaces between words to find one in Chinese or Thai.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from transcripts import cues as arithmetic
from transcripts.cues import Cue
from transcripts.models import Revision, TextTrack, TrackState, TrackText

MOST_WORDS = 8
MOMENTS = 3  # shown of each track
# Letters that Unicode does not take apart, and people without the keyboard write plainly; the Arabic tatweel only
# stretches a word.
PLAIN = str.maketrans({"ı": "i", "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "\u0640": None})


@dataclass(frozen=True)
class Hit:
    """A track in which all words of a query are said, and the first moments where some of them are.

    Attributes:
        cues: those with the most of the words, in order of time.
    """

    track: TextTrack
    cues: tuple[Cue, ...]


def folded(text: str) -> str:
    """A text as it is searched.

    >>> folded("Santé  PUBLIQUE")
    'sante publique'
    """
    # NFKD first, since capitals may have marks of their own; casefold may make new ones ("İ").
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Cf"))
    return " ".join(kept.translate(PLAIN).split())


def words_of(query: str) -> list[str]:
    """The words that must all be said, folded; at most eight."""
    return list(dict.fromkeys(folded(query).split()))[:MOST_WORDS]


def index_track(track: TextTrack) -> None:
    """Store what is searched of a track's current revision. Called whenever another revision becomes current."""
    cues = Revision.objects.filter(pk__in=TextTrack.objects.filter(pk=track.pk).values("current_revision")).first()
    # Joined without lines, so that a name is found that was broken into two lines, or two cues.
    words = folded(" ".join(cue.plain_text for cue in arithmetic.from_rows(cues.cues))) if cues is not None else ""
    TrackText.objects.update_or_create(track=track, defaults={"words": words.replace("\x00", "")})


def matching(query: str, tracks: "QuerySet[TextTrack]") -> "QuerySet[TextTrack]":
    """Published ones of these tracks in which every word of the query is said; none for an empty query."""
    words = words_of(query)
    if not words:
        return tracks.none()
    match = Q(state=TrackState.PUBLISHED)
    for word in words:
        match &= Q(search_text__words__contains=word)
    return tracks.filter(match)


def hit_in(track: TextTrack, query: str, cues: Sequence[Cue]) -> Hit:
    """Where in a matching track the words are said; `cues` are those that viewers see.

    Cues with more of the words come before others; a word may also lie over the border of two cues, and then the hit
    has no moments.
    """
    words = words_of(query)
    counted = [(sum(word in text for word in words), cue) for cue, text in _texts(cues)]
    most = max((count for count, _cue in counted), default=0)
    best = [cue for count, cue in counted if count == most] if most else []
    return Hit(track, tuple(best[:MOMENTS]))


def _texts(cues: Iterable[Cue]) -> Iterable[tuple[Cue, str]]:
    return ((cue, folded(cue.plain_text)) for cue in cues)
