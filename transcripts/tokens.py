"""Words as the search in subtitles keeps and compares them: folded, by their stems, and in pieces. Pure Python.

What a full-text index holds of a text, and what is asked of it, are the same tokens, so that SQLite's FTS5 and
PostgreSQL's tsvector answer alike (transcripts/searching.py). A token is one of

- a word without capitals, marks and vowel signs: `sante`; queries look for its beginning;
- `=sv:barn`, the stem of a word in a language that Snowball knows (PostgreSQL's configurations are made of the same
  stemmers, but SQLite has only English); none where a word's stem is the word itself;
- `~ght`, three letters on end of a word in a language without a stemmer, or one that joins words, so
  that parts of words are found; and two on end in scripts that write no spaces between words.

Every token but a word begins with a character that no word has.
"""

import functools
import itertools
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import snowballstemmer

from transcripts import languages

LONGEST_WORD = 64  # letters that count
MOST_TOKENS = 40_000
MOST_BYTES = 700_000  # a tsvector holds 1 MB

# Letters that Unicode does not take apart, and people without the keyboard write plainly; the Arabic tatweel only
# stretches a word. Arabic, Persian and Urdu keyboards write the same letter differently.
PLAIN = str.maketrans(
    {
        "ı": "i", "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "\u0640": None,
        "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ە": "ه", "ہ": "ه",
    }
)  # fmt: skip
# Scripts whose words have no spaces between them, by their blocks. Korean has spaces.
_IS_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

_STEMMERS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "en": "english", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nb": "norwegian", "nn": "norwegian", "no": "norwegian", "fa": "persian", "prs": "persian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
# Compounds, or particles and the word after them, are one word.
_JOINING = frozenset({"ar", "da", "de", "et", "fi", "hu", "nb", "nl", "nn", "no", "sv"})


class Asked(NamedTuple):
    """One word of a query: a track has it that holds one of `stems`, a word beginning with `start`, or all `pieces`.

    Attributes:
        folded: the word as it stands in a folded text.
        start: "" for a word in a script without spaces.
        pieces: also found where a text has them without the word: what has them must be held against `folded`.
    """

    folded: str
    start: str
    stems: frozenset[str]
    pieces: frozenset[str]


@functools.lru_cache(maxsize=200_000)
def _folded_word(text: str) -> str:
    # NFKD first, since capitals may have marks of their own; casefold may make new ones ("İ").
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Cf"))
    return " ".join(kept.translate(PLAIN).replace("\x00", "").split())


def folded(text: str) -> str:
    """A text as it is searched.

    >>> folded("Santé  PUBLIQUE")
    'sante publique'
    """
    return " ".join(filter(None, map(_folded_word, text.split())))


def finds_parts(language: str) -> bool:
    """True where words are found by any part of three letters, not only by beginning and stem."""
    primary = languages.primary(language)
    return primary not in _STEMMERS or primary in _JOINING


def tokens_of(text: str, *, language: str) -> list[str]:
    """The tokens of a text, each once, in order of appearance. Beyond 40,000 of them or 700 kB the rest is left out."""
    found: dict[str, None] = {}
    size = 0
    for word in dict.fromkeys(text.split()):
        for token in _tokens_of_word(word, languages.primary(language)):
            if token in found:
                continue
            size += len(token.encode()) + 8
            if len(found) >= MOST_TOKENS or size > MOST_BYTES:
                return list(found)
            found[token] = None
    return list(found)


def asked(word: str, *, spoken: Iterable[str]) -> list[Asked]:
    """What to look for, for one word of a query: a piece of its own for each script, and each part beside a sign.

    Args:
        spoken: the languages of the tracks that are searched.
    """
    parts = _parts(_folded_word(word))
    stems = frozenset(
        stem
        for language in {languages.primary(tag) for tag in spoken}
        for stem in (_stems(_bare(word), language) if len(parts) == 1 else ())
    )
    done = []
    for part in parts:
        is_spaceless = bool(_IS_SPACELESS.match(part))
        done.append(Asked(part, "" if is_spaceless else part[:LONGEST_WORD], stems, frozenset(_asked_pieces(part))))
    return done


def _asked_pieces(part: str) -> list[str]:
    if not _IS_SPACELESS.match(part):
        return _pieces(part, 3)
    return _pieces(part, 2) or [f"~{part}"]


@functools.lru_cache(maxsize=200_000)
def _tokens_of_word(word: str, language: str) -> tuple[str, ...]:
    parts = _parts(_folded_word(word))
    found = []
    for part in parts:
        if _IS_SPACELESS.match(part):
            # The letters themselves too, for queries of one.
            found += [*(f"~{letter}" for letter in part), *_pieces(part, 2)]
            continue
        found.append(part[:LONGEST_WORD])
        if finds_parts(language):
            found += _pieces(part, 3)
    for part in _parts(word):
        found += _stems(part, language)
    return tuple(found)


def _pieces(part: str, size: int) -> list[str]:
    part = part[:LONGEST_WORD] if size == 3 else part
    return [f"~{part[at : at + size]}" for at in range(len(part) - size + 1)]


def _parts(word: str) -> list[str]:
    """A word without signs, each script that has no spaces apart: "l'hôpital" is two."""
    kinds = itertools.groupby(word, key=_kind)
    return ["".join(letters) for kind, letters in kinds if kind]


def _kind(letter: str) -> int:
    if _IS_SPACELESS.match(letter):
        return 2
    return int(unicodedata.category(letter)[0] in "LNM")


def _bare(word: str) -> str:
    return "".join(_parts(word))


_LOCK = threading.Lock()  # a stemmer keeps the word that it works at


@functools.lru_cache(maxsize=200_000)
def _stems(word: str, language: str) -> tuple[str, ...]:
    """Stems of a word as it was written and without its accents, which a person may have left out."""
    name = _STEMMERS.get(language)
    if name is None:
        return ()
    plain = _folded_word(word)
    spellings = {unicodedata.normalize("NFC", word).casefold()[:LONGEST_WORD], plain[:LONGEST_WORD]}
    with _LOCK:
        stems = {_folded_word(_stemmer(name).stemWord(one)) for one in spellings}
    return tuple(f"={language}:{stem}" for stem in sorted(stems) if stem)


@functools.cache
def _stemmer(name: str) -> "snowballstemmer.StemmerType":
    return snowballstemmer.stemmer(name)


def surface_forms(text: str, *, language: str, stems: frozenset[str]) -> Iterator[str]:
    """The folded words of a text that have one of these stems."""
    for word in dict.fromkeys(text.split()):
        for part in _parts(word):
            if not stems.isdisjoint(_stems(part, languages.primary(language))):
                yield _folded_word(part)
