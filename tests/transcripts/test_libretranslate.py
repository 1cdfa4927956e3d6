"""The HTTP translator against a stub server of the standard library."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.factories.transcripts import TrackFactory
from transcripts import selectors, services, translators
from transcripts.errors import LanguageNotSupported, TranslationFailed
from transcripts.translators import libretranslate
from transcripts.translators.base import Stopped

LANGUAGES = [{"code": "en", "targets": ["fr", "nb", "zh-Hant", "en"]}, {"code": "fr", "targets": ["en"]}]
Answer = tuple[int, dict[str, str], bytes]


class Stub:
    """Answers as told; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[Answer | Callable[[dict[str, Any]], Answer]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, {}, json.dumps(LANGUAGES).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.asked.append(body)
                shouted = json.dumps({"translatedText": [one.upper() for one in body["q"]]}).encode()
                answer = stub.answers.pop(0) if stub.answers else (200, {}, shouted)
                self._send(*(answer(body) if callable(answer) else answer))

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def stub(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    cache.clear()
    made = Stub()
    settings.TRANSLATION_ENGINE = "libretranslate"
    settings.TRANSLATION_URL = f"http://127.0.0.1:{made.server.server_port}"
    settings.TRANSLATION_KEY = "k3y"
    monkeypatch.setattr(libretranslate, "PAUSE_S", 0.01)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_sentences_go_in_batches_with_the_key(stub: Stub) -> None:
    sentences = [f"Sentence {number}." for number in range(30)]
    assert translators.get().translate(sentences, source="en-GB", target="fr") == [one.upper() for one in sentences]
    assert [(len(asked["q"]), asked["source"], asked["target"], asked["api_key"]) for asked in stub.asked] == [
        (25, "en", "fr", "k3y"),
        (5, "en", "fr", "k3y"),
    ]


def test_what_the_server_knows_is_what_can_be_translated(stub: Stub) -> None:
    assert translators.can_translate("en", "fr-CA")
    assert translators.can_translate("en", "no")
    assert translators.can_translate("en", "zh-TW")
    assert not translators.can_translate("fr", "nb")
    assert not translators.can_translate("en", "en")
    assert not translators.can_translate("en", "bm")
    with pytest.raises(LanguageNotSupported):
        translators.get().translate(["x"], source="en", target="bm")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(stub: Stub, status: int) -> None:
    stub.answers = [(status, {"Retry-After": "0"}, b"")]
    assert translators.get().translate(["a"], source="en", target="fr") == ["A"]
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        ((500, {}, b""), 3),
        ((403, {}, b'{"error": "no key"}'), 1),
        ((302, {"Location": "http://169.254.169.254/"}, b""), 1),
        ((200, {}, b"not json"), 1),
        ((200, {}, b'{"translatedText": ["a", "b"]}'), 1),
        ((200, {}, b'{"translatedText": "a"}'), 1),
        ((200, {}, b" " * (libretranslate.MAX_ANSWER_BYTES + 1)), 1),
    ],
)
def test_a_lasting_failure_is_said_with_the_setting(stub: Stub, answer: Answer, asked: int) -> None:
    stub.answers = [answer] * 3
    with pytest.raises(TranslationFailed, match="TRANSLATION_URL"):
        translators.get().translate(["a"], source="en", target="fr")
    assert len(stub.asked) == asked


def test_server_that_is_gone_can_do_nothing_and_fails_no_page(settings: Settings) -> None:
    cache.clear()
    settings.TRANSLATION_ENGINE = "libretranslate"
    settings.TRANSLATION_URL = "http://127.0.0.1:9"
    assert not translators.can_translate("en", "fr")
    settings.TRANSLATION_URL = ""
    assert not translators.can_translate("en", "fr")


@pytest.mark.django_db
def test_server_that_is_gone_fails_the_translation_and_does_not_say_that_the_language_is_unknown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(libretranslate, "PAUSE_S", 0)
    settings.TRANSLATION_ENGINE, settings.TRANSLATION_URL = "libretranslate", "http://127.0.0.1:9"
    track = TrackFactory()
    assert selectors.translation_is_possible("en", "fr", otherwise=True)
    assert selectors.beyond_engines(asset=track.asset, spoken="en", wanted=["fr"]) == []
    with pytest.raises(TranslationFailed):
        services.translate_track(asset=track.asset, source_track=track, language="fr")


def test_stopping_asks_no_more(stub: Stub) -> None:
    with pytest.raises(Stopped):
        translators.get().translate(["a"], source="en", target="fr", should_stop=lambda: True)
    assert stub.asked == []
