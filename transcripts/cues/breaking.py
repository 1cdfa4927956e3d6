"""Where a text may be cut: into tokens, into sentences, and into lines.

A line ends best after a sentence or a clause, badly after an article or a preposition, and never inside a name, a
number or a term (Netflix Timed Text Style Guide, general requirements, "Line Treatment"). Languages that write no
spaces are cut at words by ICU, which knows those of Burmese, Chinese, Japanese, Khmer, Lao and Thai (docs/decisions).
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from icu4py.breakers import CharacterBreaker, LineBreaker, WordBreaker

from transcripts import languages
from transcripts.cues.rules import ReadingRules, width

Break = Literal["sentence", "clause", "word", "function", "bound"]
# What it costs to cut there; a whole cue more costs 1 (shaping.py).
BREAK_COST: dict[Break, float] = {"sentence": 0.0, "clause": 0.15, "word": 0.5, "function": 0.9, "bound": 30.0}

_SENTENCE_END = re.compile(r"[.!?…。！？｡؟۔।॥።፧။៕]+[\"'”’»)\]」』]*$")
_CLAUSE_END = re.compile(r"[,;:،؛、，；：၊፣፤፥–—-][\"'”’»)\]]*$")
# An initial or a usual short form does not end a sentence; neither does "1." at the start of a list.
_SHORT_FORM = re.compile(
    r"(?:^|\W)(?:[A-ZА-ЯΑ-Ω]|[0-9]{1,3}|Drs?|Mrs?|Ms|Mmes?|Prof|St|e\.g|i\.e|etc|vs|No|Nr|Nos|Sra?|Dra|bzw|ca|z\.B|"
    r"проф|див|рис|стр)\.$"
)
_TITLE = re.compile(r"(?:Drs?|Mrs?|Ms|Mmes?|Prof|St|No|Nr|Nos|Sra?|Dra|проф)\.?$", re.IGNORECASE)
_NUMBER = re.compile(r"[(\[\"'«“]?[+\-−±<>≤≥~]?[$€£¥]?\d[\d.,:/\u00a0\u202f٫٬]*[)\]%‰°]?$")
_UNIT = re.compile(
    r"(?:\d|[%‰°€$£¥]|(?:k|m|c|µ|d)?(?:g|m|l|L|Hz|W)\b|°?C\b|(?:thousand|million|billion|percent|per\s?cent|mille|millions?|"
    r"milliards?|millones|mil|Millionen|Milliarden|Prozent|тисяч|млн|млрд|мільйон\w*|миллион\w*|مليون|مليار|ألف|بالمئة)\b)"
)
_OPENING = "\"'“‘«([{¿¡"

# Words that lead to what follows them, so a line that ends with one reads badly: articles, prepositions, conjunctions.
_FUNCTION_WORDS = {
    "ar": "في من على إلى عن مع أن إن لا ما لم لن أو ثم بين عند حتى كل هذا هذه التي الذي",
    "cs": "a i o u v ve z ze s se k ke na do od po pro při nad pod před za že aby ale nebo",
    "de": "der die das den dem des ein eine einen einem einer eines und oder aber in im an am auf aus bei mit nach von "
    "vom zu zum zur für über unter durch um dass weil wenn als nicht",
    "el": "ο η το οι τα του της των τον την και ή σε στο στη στην στον στους στις από με για προς που να θα δεν",
    "en": "a an the and or but nor of in on at to for from by with into onto about as than that which who whose if "
    "because while when where is are was were be been not no my your his her its our their this these those",
    "es": "el la los las un una unos unas y e o u pero de del a al en con por para sin sobre entre que como si no se "
    "su sus lo le les es",
    "fr": "le la les l' un une des du de d' et ou mais à au aux en dans par pour sur sous avec sans chez vers entre "
    "que qui dont où si ne se ce cet cette ces son sa ses leur leurs notre votre est",
    "it": "il lo la i gli le un uno una e o ma di del dello della dei degli delle a al alla ai alle in nel nella con "
    "su sul sulla per tra fra che non si",
    "nl": "de het een en of maar van in op aan bij met naar uit voor over onder door om dat die als niet te",
    "pl": "a i o u w we z ze do na od po pod przed przy za dla oraz lub ale że aby nie się",
    "pt": "o a os as um uma uns umas e ou mas de do da dos das em no na nos nas a ao à aos às por pelo pela para com "
    "sem sobre entre que se não",
    "ro": "un o și sau dar de la în din cu pe pentru prin spre fără că să nu a al ale",
    "ru": "и а но или в во на с со к ко по из у о об от до за для при без под над между что чтобы как если не",
    "sv": "en ett den det de och eller men av i på till från med för om under över att som inte",
    "tr": "ve veya ama fakat ile bir bu şu o için gibi",
    "uk": "і й та а але або чи в у на з із зі до від по про для при без під над між що щоб як якщо не",
}  # fmt: skip
_FUNCTION_SETS = {tag: frozenset(words.split()) for tag, words in _FUNCTION_WORDS.items()}
_NO_WORDS: frozenset[str] = frozenset()


def tokens_of(text: str, rules: ReadingRules) -> tuple[str, ...]:
    """What is never cut: words with their punctuation. Where there are no spaces, a token keeps those it ends with."""
    if rules.has_spaces:
        return tuple(text.split())
    text = " ".join(text.split())
    locale = languages.primary(rules.language) if languages.is_known(rules.language) else "en"
    # A word's end where a line may also end: closing marks stay with the word before, opening ones with the one after.
    word_ends = _ends(WordBreaker(text, locale))
    tokens: list[str] = []
    held = ""
    at = 0
    for piece in LineBreaker(text, locale):
        held += piece
        at += len(piece)
        if at in word_ends or held.endswith(" "):
            tokens.extend(_not_longer(held, rules))
            held = ""
    return (*tokens, *_not_longer(held, rules)) if held else tuple(tokens)


def _ends(pieces: Iterable[str]) -> set[int]:
    ends, at = set(), 0
    for piece in pieces:
        at += len(piece)
        ends.add(at)
    return ends


def _not_longer(token: str, rules: ReadingRules) -> list[str]:
    """Cut a token that no line could hold: in a text without spaces ICU may find no word."""
    if width(token, rules) <= rules.line_chars:
        return [token]
    parts: list[str] = []
    held, held_width = "", 0.0
    for character in CharacterBreaker(token, "en"):
        wide = width(character, rules)
        if held and held_width + wide > rules.line_chars:
            parts.append(held)
            held, held_width = "", 0.0
        held, held_width = held + character, held_width + wide
    return [*parts, held]


def joined_text(tokens: Sequence[str], rules: ReadingRules) -> str:
    return (" " if rules.has_spaces else "").join(tokens).strip()


def ends_sentence(token: str) -> bool:
    token = token.rstrip()
    return _SENTENCE_END.search(token) is not None and _SHORT_FORM.search(token) is None


def breaks_after(tokens: Sequence[str], rules: ReadingRules, terms: Sequence[str] = ()) -> list[Break]:
    """What kind of break each token is followed by. The last one's is a word's end at least.

    Args:
        terms: names and terms whose words stay together.
    """
    function_words = _FUNCTION_SETS.get(rules.language.partition("-")[0], _NO_WORDS)
    bound = _term_joints(tokens, rules, terms)
    kinds: list[Break] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        kinds.append(_break_between(token.rstrip(), following, index in bound, index == 0, function_words))
        if kinds[-1] == "bound" and index and kinds[-2] == "sentence" and token[:1].isupper():
            # The first word of a sentence is not known to be a name; better not to cut behind it all the same.
            kinds[-1] = "bound" if index in bound or _is_tied(token, following) else "function"
    return kinds


def _break_between(
    token: str, following: str, is_in_term: bool, is_first: bool, function_words: frozenset[str]
) -> Break:
    if is_in_term or _is_tied(token, following):
        return "bound"
    if ends_sentence(token):
        return "sentence"
    if _CLAUSE_END.search(token):
        return "clause"
    bare = token.strip(_OPENING)
    if not is_first and bare[:1].isupper() and following.lstrip(_OPENING)[:1].isupper() and not bare.isupper():
        return "bound"  # a first name and a last one, or the words of an organisation
    if bare.lower() in function_words or _NUMBER.match(token):
        return "function"
    return "word"


def _is_tied(token: str, following: str) -> bool:
    """A title and a name, a number and its unit, the groups of digits in a number."""
    if _TITLE.match(token.lstrip(_OPENING)):
        return bool(following) and (following[:1].isupper() or following[:1].isdigit())
    return _NUMBER.match(token) is not None and _UNIT.match(following) is not None and not token.endswith((",", ":"))


def _term_joints(tokens: Sequence[str], rules: ReadingRules, terms: Sequence[str]) -> set[int]:
    """Indices of tokens that are followed by another token of the same term."""
    joints: set[int] = set()
    if not terms:
        return joints
    bare = [token.strip().strip(".,;:!?…\"'“”‘’«»()[]،؛؟。、，").casefold() for token in tokens]
    for term in terms:
        words = [word.strip().casefold() for word in tokens_of(term, rules)]
        if len(words) < 2:
            continue
        for at in range(len(bare) - len(words) + 1):
            if bare[at] == words[0] and bare[at : at + len(words)] == words:
                joints.update(range(at, at + len(words) - 1))
    return joints


class Layout:
    """A text's tokens with what breaking it into lines needs, measured once."""

    def __init__(self, tokens: Sequence[str], rules: ReadingRules, terms: Sequence[str] = ()) -> None:
        self.tokens = tokens
        self.rules = rules
        self.breaks = breaks_after(tokens, rules, terms)
        self._space = (0.5 if rules.is_full_width else 1.0) if rules.has_spaces else 0.0
        self._ends = [0.0]  # width up to and with each token and a blank behind it
        self._tails = []  # width of the blank that a token itself ends with
        for token in tokens:
            stripped = token.rstrip()
            wide = width(token, rules)
            self._tails.append(wide - width(stripped, rules) if len(stripped) < len(token) else 0.0)
            self._ends.append(self._ends[-1] + wide + self._space)

    def width(self, first: int, last: int) -> float:
        """Of tokens `first` up to, not with, `last`, on one line."""
        return self._ends[last] - self._ends[first] - self._space - self._tails[last - 1]

    def lines(self, first: int, last: int) -> tuple[float, list[int]]:
        """The best lines for some tokens: their cost, and the indices that begin each line after the first.

        As few lines as possible; of like length, and none of a single short word. A cost of 100 and more: a line is
        too long, or there are too many lines.
        """
        if self.width(first, last) <= self.rules.line_chars or last - first == 1:
            return (0.0 if self.width(first, last) <= self.rules.line_chars else 100.0), []
        best: tuple[float, list[int]] = (1e9, [])
        for cut in range(last - 1, first, -1):
            head = self.width(first, cut)
            if head > self.rules.line_chars and cut - first > 1:
                continue
            tail = self.width(cut, last)
            if tail > self.rules.line_chars and self.rules.max_lines <= 2 and last - cut > 1 and best[0] < 100:
                break  # cutting earlier makes the tail longer still
            best = min(best, self._two_lines(first, cut, last, head, tail))
        return best

    def _two_lines(self, first: int, cut: int, last: int, head: float, tail: float) -> tuple[float, list[int]]:
        balance = abs(head - tail) / (head + tail)
        if self.breaks[cut - 1] == "sentence":
            balance /= 2  # two sentences, one under the other, need not be of like length
        cost = BREAK_COST[self.breaks[cut - 1]] / 2 + balance
        if min(head, tail) < self.rules.line_chars / 6:
            cost += 1.0  # an orphan
        if head > self.rules.line_chars:
            cost += 100 + head
        if tail <= self.rules.line_chars:
            return cost, [cut]
        if self.rules.max_lines > 2 and last - cut > 1:
            narrower = Layout.lines(self, cut, last) if last - cut < last - first else (100.0, [])
            if narrower[0] < 100 and len(narrower[1]) <= self.rules.max_lines - 2:
                return cost + 0.5 + narrower[0], [cut, *narrower[1]]
        return cost + 100 + tail, [cut]

    def text(self, first: int, last: int) -> str:
        """Tokens as one or more lines."""
        _cost, cuts = self.lines(first, last)
        edges = [first, *cuts, last]
        return "\n".join(joined_text(self.tokens[a:b], self.rules) for a, b in itertools.pairwise(edges))
