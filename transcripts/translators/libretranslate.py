"""A server with LibreTranslate's HTTP API. Its address is the operator's setting, never a user's input."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from transcripts import languages
from transcripts.errors import LanguageNotSupported, TranslationFailed
from transcripts.translators.base import Stopped, Translator

logger = logging.getLogger(__name__)

CONNECT_S, READ_S = 5, 120
LIST_READ_S = 5  # pages ask what the server can do; they do not wait longer
TRIES = 3
PAUSE_S = 1.0  # before the second try; twice as long before the third
MOST_WAIT_S = 30  # for a server that says when to come back
BATCH_SENTENCES, BATCH_CHARS = 25, 4000
MAX_ANSWER_BYTES = 2 * 1024**2
KNOWN_S = 600  # for how long its list of languages is believed
GONE_S = 30  # for how long pages do not ask a server again that did not answer
# The server's names for some languages, beside the usual ones.
_NAMES = {
    "nb": ("nb", "no"), "no": ("nb", "no"), "prs": ("prs", "fa"), "pt-BR": ("pt-BR", "pb"), "tl": ("tl", "fil"),
    "zh": ("zh-Hans", "zh"), "zh-HK": ("zh-Hant", "zt"), "zh-Hant": ("zh-Hant", "zt"), "zh-TW": ("zh-Hant", "zt"),
}  # fmt: skip

Pairs = dict[str, list[str]]  # source -> targets, by the server's names


class LibreTranslator(Translator):
    name = "libretranslate"

    def __init__(self, url: str, _device: str = "") -> None:
        super().__init__(url)

    def translate(
        self,
        sentences: Sequence[str],
        *,
        source: str,
        target: str,
        progress: Callable[[float], None] = lambda _percent: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        codes = pair_for(source, target, known_pairs())
        if codes is None:
            raise LanguageNotSupported(
                _("The translation server does not know the way from “%(source)s” to “%(target)s”.")
                % {"source": source, "target": target}
            )
        done: list[str] = []
        for batch in _batches(sentences):
            if should_stop():
                raise Stopped
            done.extend(self._translated(batch, codes))
            progress(100 * len(done) / len(sentences))
        return done

    def _translated(self, batch: Sequence[str], codes: tuple[str, str]) -> list[str]:
        body: dict[str, Any] = {"q": list(batch), "source": codes[0], "target": codes[1], "format": "text"}
        answer = _ask("POST", "/translate", read_s=READ_S, body=body)
        texts = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(texts, list) or len(texts) != len(batch) or not all(isinstance(one, str) for one in texts):
            raise _failed(_("it answered with something else"))
        return [" ".join(text.split()) for text in texts]


def _batches(sentences: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for sentence in sentences:
        if batch and (len(batch) == BATCH_SENTENCES or sum(map(len, batch)) + len(sentence) > BATCH_CHARS):
            yield batch
            batch = []
        batch.append(sentence)
    if batch:
        yield batch


def can_translate(source: str, target: str, *, otherwise: bool = False) -> bool:
    """True if the server names both languages; `otherwise` while it cannot be reached."""
    if not settings.TRANSLATION_URL:
        return False
    gone = f"libretranslate-gone:{settings.TRANSLATION_URL}"
    if cache.get(gone):
        return otherwise
    try:
        return pair_for(source, target, known_pairs(tries=1)) is not None
    except TranslationFailed as error:
        logger.warning("%s", error)
        cache.set(gone, True, GONE_S)
        return otherwise


def pair_for(source: str, target: str, pairs: Pairs) -> tuple[str, str] | None:
    """The server's names for two languages, if it translates from the one into the other.

    >>> pair_for("en-GB", "nb", {"en": ["fr", "nb"]})
    ('en', 'nb')
    """
    for one in _names(source):
        for other in _names(target):
            if other in pairs.get(one, ()) and one != other:
                return one, other
    return None


def _names(tag: str) -> tuple[str, ...]:
    if not languages.is_known(tag):
        return ()
    tag, primary = languages.canonical(tag), languages.primary(tag)
    return tuple(dict.fromkeys([*_NAMES.get(tag, (tag,)), *_NAMES.get(primary, (primary,))]))


def known_pairs(*, tries: int = TRIES) -> Pairs:
    """What the server can translate, remembered for ten minutes.

    Raises:
        TranslationFailed: it does not say.
    """
    key = f"libretranslate:{settings.TRANSLATION_URL}"
    pairs: Pairs | None = cache.get(key)
    if pairs is None:
        answer = _ask("GET", "/languages", read_s=LIST_READ_S, tries=tries)
        try:
            pairs = {str(one["code"]): [str(target) for target in one["targets"]] for one in answer}
        except (TypeError, KeyError) as error:
            raise _failed(_("it answered with something else")) from error
        cache.set(key, pairs, KNOWN_S)
    return pairs


def _ask(method: str, path: str, *, read_s: float, body: dict[str, Any] | None = None, tries: int = TRIES) -> Any:
    """One answer of the server, as JSON; tried again when that can help.

    Redirects are not followed: the operator named one address, and the key is for that one alone.

    Raises:
        TranslationFailed: no answer, an error, or one that is too large.
    """
    if body is not None and settings.TRANSLATION_KEY:
        body = {**body, "api_key": settings.TRANSLATION_KEY}
    reason = ""
    for attempt in range(tries):
        if attempt:
            time.sleep(PAUSE_S * 2 ** (attempt - 1))
        try:
            with requests.request(
                method,
                settings.TRANSLATION_URL + path,
                json=body,
                timeout=(CONNECT_S, read_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code == 429:
                    time.sleep(min(_seconds(response.headers.get("Retry-After", "")), MOST_WAIT_S))
                if response.status_code == 200:
                    return _json(response)
                reason = _("it answered with status %(status)s") % {"status": response.status_code}
                if response.status_code < 500 and response.status_code != 429:
                    break
        except requests.RequestException as error:
            reason = type(error).__name__
    raise _failed(reason)


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0


def _json(response: requests.Response) -> Any:
    data = b""
    for chunk in response.iter_content(65536):
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            raise _failed(_("its answer is too large"))
    try:
        return json.loads(data)
    except ValueError as error:
        raise _failed(_("it answered with something else")) from error


def _failed(reason: str) -> TranslationFailed:
    return TranslationFailed(
        _("The translation server at %(url)s did not translate (%(reason)s). Check TRANSLATION_URL, then try again.")
        % {"url": settings.TRANSLATION_URL or "—", "reason": reason}
    )
