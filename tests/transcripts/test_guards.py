"""One test per guard, in several languages where it matters, and what must never be taken for a fault."""

import numpy as np
import pytest

from tests.transcripts.speech import Speech, phrases
from transcripts import guards
from transcripts.cues import SpeechSegment, Word
from transcripts.engines import voice
from transcripts.engines.base import SAMPLE_RATE


def segment(text: str, start_ms: int = 0, end_ms: int = 3000, **known: object) -> SpeechSegment:
    return SpeechSegment(start_ms, end_ms, text, **known)  # type: ignore[arg-type]  # passed on


def doubts(*segments: SpeechSegment, language: str = "en", speech: object = None) -> list[tuple[str, ...]]:
    return [one.doubts for one in guards.examine(segments, language=language, speech=speech).kept]  # type: ignore[arg-type]  # passed on


def test_text_over_silence_or_music_is_marked() -> None:
    said = [segment("Welcome everybody."), segment("And we begin.", 5000, 8000)]
    assert doubts(*said, speech=[(0, 2900)]) == [(), ("over_silence",)]
    assert doubts(*said) == [(), ()]


def test_what_two_guards_agree_on_is_left_out_and_named() -> None:
    invented = segment("Thanks for watching!", 5000, 8000)
    examined = guards.examine([segment("Welcome."), invented], language="en", speech=[(0, 2900)])
    assert [one.text for one in examined.kept] == ["Welcome."]
    assert [(one.text, one.doubts) for one in examined.left_out] == [
        ("Thanks for watching!", ("over_silence", "credits"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "and so on and so on and so on and so on",
        "Yes. Yes. Yes. Yes. Yes.",
        "Дякую. Дякую. Дякую. Дякую.",
        "شكرا شكرا شكرا شكرا",
        "谢谢谢谢谢谢谢谢谢谢谢谢谢谢",
    ],
)
def test_loops_are_found(text: str) -> None:
    assert guards.is_loop(text)


@pytest.mark.parametrize(
    "text", ["Yes, yes, yes.", "No no no, that is not so.", "难民的健康是今天研讨会的主题之一", "A b c d"]
)
def test_emphasis_is_no_loop(text: str) -> None:
    assert not guards.is_loop(text)


def test_the_same_line_three_times_is_marked_but_its_first_time() -> None:
    said = [
        segment(text, 3000 * n, 3000 * n + 2900)
        for n, text in enumerate(["Hello.", "Right.", "Right.", "right", "Bye."])
    ]
    assert doubts(*said) == [(), (), ("repeated",), ("repeated",), ()]


@pytest.mark.parametrize(
    "text",
    [
        "Subtitles by the Amara.org community", "Thanks for watching!", "Sous-titres réalisés par la communauté",
        "Merci d'avoir regardé cette vidéo !", "Untertitel im Auftrag des ZDF", "Vielen Dank fürs Zuschauen",
        "Subtítulos realizados por la comunidad", "¡Gracias por ver el video!", "Legendas pela comunidade",
        "Sottotitoli creati dalla comunità", "Ondertiteling door de NPO", "Napisy stworzone przez społeczność",
        "Altyazı M.K.", "Субтитры сделал DimaTorzok", "Продолжение следует...", "Дякую за перегляд!",
        "ترجمة نانسي قنقر",
        "اشتركوا في القناة", "字幕由志愿者提供", "ご視聴ありがとうございました", "시청해주셔서 감사합니다",
    ],
)  # fmt: skip
def test_credits_are_found_in_many_languages(text: str) -> None:
    assert guards.looks_like_credits(text)


def test_no_sentence_of_the_phrase_book_is_doubted() -> None:
    for language in ("en", "fr", "es", "uk", "ar"):
        said = [
            segment(text, 4000 * n, 4000 * n + 3000, confidence=0.9)
            for n, text in enumerate(phrases(language).values())
        ]
        assert not any(doubts(*said, language=language, speech=[(0, 10**7)]))


def test_letters_of_another_language_are_marked_and_the_languages_own_are_not() -> None:
    assert doubts(segment("مرحبا بكم في هذه الندوة"), language="en") == [("wrong_script",)]
    assert doubts(segment("مرحبا بكم في هذه الندوة"), language="ar") == [()]
    assert doubts(segment("مرحبا بكم", language="ar"), language="en") == [()]
    assert doubts(segment("Добрий день"), language="uk") == [()]


def test_low_confidence_is_marked() -> None:
    assert doubts(segment("Hm.", confidence=0.2), segment("Yes.", 3000, 5000, confidence=0.9)) == [
        ("low_confidence",),
        (),
    ]


NUMBERS = "one two three four five six"


def test_text_begins_with_the_speech_it_belongs_to() -> None:
    said = [segment("One.", 0, 3000), segment("Two.", 3100, 5000), segment("Three.", 6000, 9000)]
    found = guards.begun_with_speech(said, [(600, 2900), (3200, 5000), (8900, 9500)])
    assert [one.start_ms for one in found] == [600, 3100, 6000]


def test_more_than_anybody_can_say_is_marked() -> None:
    said = segment("The rate of vaccination has grown everywhere in Europe.", 0, 1200)
    assert doubts(said, segment("Yes.", 1300, 1350)) == [("rushed",), ()]


WORDS = tuple(Word(500 * n, 500 * n + 450, word) for n, word in enumerate(NUMBERS.split()))
SAID = SpeechSegment(0, 2950, NUMBERS, WORDS)


def test_every_word_is_kept_by_exactly_one_part() -> None:
    for border in range(0, 3000, 130):
        before = guards.kept_between([SAID], 0, border) if border else []
        after = guards.kept_between([SAID], border, 3000)
        assert " ".join(one.text for one in [*before, *after]) == SAID.text


def test_words_heard_by_both_parts_are_written_once() -> None:
    before = [SpeechSegment(0, 3000, "health of migrants and")]
    after = [SpeechSegment(2800, 6000, "migrants and of refugees"), SpeechSegment(6000, 8000, "Thank you.")]
    assert [one.text for one in guards.without_doubles(before, after)] == ["of refugees", "Thank you."]
    far = [SpeechSegment(9000, 12_000, "migrants and of refugees")]
    assert guards.without_doubles(before, far) == far


def test_speech_is_told_from_silence(french: Speech) -> None:
    silent = np.zeros(4 * SAMPLE_RATE, np.float32)
    audio = np.concatenate([silent, french.audio[: 12 * SAMPLE_RATE], silent])
    true = [(s["start"] * 1000 + 4000, s["end"] * 1000 + 4000) for s in french.segments if s["end"] < 12]
    for found in (voice.speech_in(audio)[0], voice.by_energy(audio)):
        assert found[0][0] > 4000
        assert found[-1][1] <= 16_300
        covered = sum(max(0, min(end, off) - max(start, on)) for start, end in true for on, off in found)
        assert covered > 0.9 * sum(end - start for start, end in true)
    assert voice.speech_in(silent) == ([], "silero")
    assert voice.by_energy(silent) == []
