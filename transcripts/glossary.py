"""Terms that a translation must render in one way. Pure Python.

A translator is asked for the plain sentence first. If its answer has a term's rendering, nothing is to do; if it has
the translator's own word for the term, that is replaced. Else the sentence is asked for again with a place holder that
translators copy, and the rendering is put there. A term that gets lost even so is said to be lost.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from transcripts import languages

Translate = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Term:
    """A term in the language that is spoken.

    Attributes:
        renderings: by BCP 47 tag; a language without one is left to the translator.
        is_kept: never translated: a name, an abbreviation.
    """

    text: str
    renderings: Mapping[str, str] = field(default_factory=dict)
    is_kept: bool = False

    def rendering(self, language: str) -> str | None:
        """What it must be in a language; None if that is the translator's choice.

        >>> Term("WHO", {"fr": "OMS"}).rendering("fr-CA")
        'OMS'
        """
        found = self.renderings.get(language) or self.renderings.get(languages.primary(language))
        return found or (self.text if self.is_kept else None)


def found_in(text: str, terms: Iterable[Term]) -> list[Term]:
    """The terms that occur in a text as whole words; of two that overlap, the longer."""
    found: list[Term] = []
    rest = text
    for term in sorted(terms, key=lambda one: -len(one.text)):
        pattern = _whole(term.text)
        if pattern.search(rest):
            found.append(term)
            rest = pattern.sub(" ", rest)
    return found


def _whole(text: str) -> re.Pattern[str]:
    """The text as whole words, whatever its blanks and, unless it is an abbreviation, its capitals."""
    escaped = r"\s+".join(re.escape(word) for word in text.split())
    is_exact = text.isupper() and len(text) <= 6
    return re.compile(rf"(?<!\w){escaped}(?!\w)", 0 if is_exact else re.IGNORECASE)


@dataclass(frozen=True)
class Rendered:
    text: str
    lost: tuple[str, ...] = ()  # terms that could not be rendered


def translate(sentences: Sequence[str], terms: Sequence[Term], *, target: str, ask: Translate) -> list[Rendered]:
    """Translate sentences with their terms rendered as the glossary wants.

    Args:
        ask: the translator; called with all sentences, then with those terms and sentences that need more.
    """
    plain = ask(sentences)
    wanted = [[term for term in found_in(one, terms) if term.rendering(target)] for one in sentences]
    missing = [
        [term for term in here if not _has(answer, term.rendering(target) or "")]
        for here, answer in zip(wanted, plain, strict=True)
    ]
    own_words = _own_words({term.text for here in missing for term in here}, ask)
    done: dict[int, Rendered] = {}
    again: dict[int, tuple[str, dict[str, str]]] = {}
    for number, here in enumerate(missing):
        text, left = plain[number], []
        for term in here:
            replaced = _replaced(text, own_words[term.text], term.rendering(target) or "")
            if replaced is None:
                left.append(term)
            else:
                text = replaced
        if left:
            again[number] = _protected(sentences[number], wanted[number], target)
        done[number] = Rendered(text, tuple(term.text for term in left))
    for number, answer in zip(again, ask([text for text, _places in again.values()]) if again else [], strict=True):
        places = again[number][1]
        if all(answer.count(place) == 1 for place in places):
            for place, rendering in places.items():
                answer = answer.replace(place, rendering)
            done[number] = Rendered(answer)
    return [done[number] for number in range(len(sentences))]


def _own_words(terms: Iterable[str], ask: Translate) -> dict[str, str]:
    asked = sorted(terms)
    return dict(zip(asked, ask(asked) if asked else [], strict=True))


def _has(text: str, words: str) -> bool:
    return _whole(words).search(text) is not None


def _replaced(text: str, own: str, rendering: str) -> str | None:
    """The text with the translator's own word replaced; None if that is not there exactly once."""
    own = own.strip().rstrip(".。؟!")
    pattern = _whole(own) if own else None
    if pattern is None or len(pattern.findall(text)) != 1:
        return None
    return pattern.sub(lambda _match: rendering, text)


def _protected(sentence: str, terms: Sequence[Term], target: str) -> tuple[str, dict[str, str]]:
    """A sentence with place holders for its terms, and what each stands for."""
    places: dict[str, str] = {}
    for term in terms:
        place = f"X{len(places) + 1}X"
        sentence, count = _whole(term.text).subn(place, sentence, count=1)
        if count:
            places[place] = term.rendering(target) or term.text
    return sentence, places
