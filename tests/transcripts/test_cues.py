import itertools
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcripts.strategies import cue_lists, segment_lists, sentences
from transcripts import cues, markup
from transcripts.cues import Cue, SpeechSegment, Word

LANGUAGES = st.sampled_from(["en", "fr", "ar", "uk", "ja", "th", "bm", "xx"])


def words_of(texts: list[str]) -> str:
    return "".join("".join(text.split()) for text in texts)


def assert_in_order(made: list[Cue]) -> None:
    assert all(cue.start_ms < cue.end_ms for cue in made)
    assert all(before.end_ms <= after.start_ms for before, after in itertools.pairwise(made))
    assert len({cue.id for cue in made}) == len(made)


def test_one_sentence_becomes_one_cue_at_its_time() -> None:
    made = cues.cues_from_segments([SpeechSegment(500, 3700, "Thank you for your attention.")], language="en")
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in made] == [(500, 3700, "Thank you for your attention.")]


def test_long_sentence_is_broken_into_two_lines_after_a_clause() -> None:
    text = "Good morning everyone, and thank you for joining us today."
    (cue,) = cues.cues_from_segments([SpeechSegment(0, 4000, text)], language="en")
    assert cue.text == "Good morning everyone,\nand thank you for joining us today."


def test_long_segment_is_divided_at_the_sentence() -> None:
    text = "The first sentence says something about health in Europe. The second one is about access to care for all."
    made = cues.cues_from_segments([SpeechSegment(0, 8000, text)], language="en")
    assert [cue.plain_text.replace("\n", " ") for cue in made] == [
        "The first sentence says something about health in Europe.",
        "The second one is about access to care for all.",
    ]


def test_words_with_times_decide_when_a_divided_cue_starts() -> None:
    text = "The first sentence says something about health in Europe. The second one is about access to care for all."
    words = tuple(Word(100 * n, 100 * n + 90, word) for n, word in enumerate(text.split()))
    slow = tuple(Word(w.start_ms + 3000, w.end_ms + 3000, w.text) if n > 8 else w for n, w in enumerate(words))
    made = cues.cues_from_segments([SpeechSegment(0, 8000, text, slow)], language="en")
    assert made[1].start_ms == 3900


def test_short_pieces_join_their_neighbour() -> None:
    heard = [SpeechSegment(0, 400, "Yes."), SpeechSegment(500, 900, "Indeed."), SpeechSegment(5000, 7000, "Next.")]
    made = cues.cues_from_segments(heard, language="en")
    assert [cue.plain_text for cue in made] == ["Yes. Indeed.", "Next."]


def test_reading_time_is_taken_from_silence_but_not_from_the_next_cue() -> None:
    heard = [SpeechSegment(0, 1500, "Healthy food and daily exercise prevent many diseases.")]
    assert cues.cues_from_segments(heard, language="fr")[0].end_ms == 54 * 1000 // 17
    heard.append(SpeechSegment(2000, 5000, "Second."))
    assert cues.cues_from_segments(heard, language="fr")[0].end_ms == 1920


def test_text_in_markup_characters_is_escaped() -> None:
    (cue,) = cues.cues_from_segments([SpeechSegment(0, 3000, "R&D <b>now</b>")], language="en")
    assert cue.text == "R&amp;D &lt;b&gt;now&lt;/b&gt;"
    assert cue.plain_text == "R&D <b>now</b>"


def test_japanese_is_broken_without_spaces() -> None:
    (cue,) = cues.cues_from_segments(
        [SpeechSegment(0, 6000, "難民の健康についてのウェビナーへようこそ。")], language="ja"
    )
    assert all(len(line) <= 16 for line in cue.text.split("\n"))
    assert cue.text.replace("\n", "") == "難民の健康についてのウェビナーへようこそ。"


@given(segment_lists(), LANGUAGES)
def test_cues_are_in_order_and_lose_no_word(segments: list[SpeechSegment], language: str) -> None:
    made = cues.cues_from_segments(segments, language=language)
    assert_in_order(made)
    heard = [s.text for s in sorted(segments, key=lambda one: (one.start_ms, one.end_ms))]
    assert words_of([cue.plain_text for cue in made]) == words_of([markup.plain(markup.escape(text)) for text in heard])


@given(st.lists(st.integers(300, 6000), min_size=1, max_size=20), st.data())
def test_cues_follow_the_reading_rules_where_the_speech_allows(lengths: list[int], data: st.DataObject) -> None:
    words = ["health", "migrants", "access", "to", "care", "and", "of", "people", "in", "country"]
    segments, at = [], 0
    for length in lengths:
        count = max(1, length * 12 // 6000)
        text = " ".join(data.draw(st.lists(st.sampled_from(words), min_size=count, max_size=count)))
        segments.append(SpeechSegment(at, at + length, text))
        at += length + 1000
    rules = cues.rules_for("en")
    for cue in cues.cues_from_segments(segments, language="en"):
        assert len(cue.text.split("\n")) <= rules.max_lines
        assert all(len(line) <= rules.line_chars for line in cue.text.split("\n"))
        assert cue.end_ms - cue.start_ms <= rules.max_ms


def test_sentences_join_cues_and_end_at_punctuation_pause_and_speaker() -> None:
    said = [
        Cue("a", 0, 1000, "Health is"),
        Cue("b", 1080, 2000, "a right. Care"),
        Cue("c", 2080, 3000, "is too."),
        Cue("d", 3080, 4000, "No end"),
        Cue("e", 9000, 9900, "after a pause"),
        Cue("f", 9950, 11000, "Another voice", "Ann"),
    ]
    found = cues.sentences(said, language="en")
    assert [(s.text, [slot.cue_id for slot in s.slots]) for s in found] == [
        ("Health is a right.", ["a", "b"]),
        ("Care is too.", ["b", "c"]),
        ("No end", ["d"]),
        ("after a pause", ["e"]),
        ("Another voice", ["f"]),
    ]


def test_short_forms_do_not_end_a_sentence() -> None:
    said = [Cue("a", 0, 3000, "Ask Dr. Haddad about e.g. vaccines. Thanks.")]
    assert [s.text for s in cues.sentences(said, language="en")] == ["Ask Dr. Haddad about e.g. vaccines.", "Thanks."]


def test_translation_lies_over_its_source_cues() -> None:
    said = [
        Cue("a", 0, 4000, "Welcome to this webinar on the health"),
        Cue("b", 4080, 8000, "of migrants and of refugees."),
    ]
    (sentence,) = cues.sentences(said, language="en")
    text = "Bienvenue à ce webinaire sur la santé des migrants et des réfugiés."
    made = cues.lay_back([(sentence, text)], language="fr")
    assert [(cue.source_ids, cue.start_ms) for cue in made] == [(("a",), 0), (("b",), 4080)]
    assert " ".join(cue.plain_text for cue in made).replace("\n", " ") == text


@settings(max_examples=60)
@given(cue_lists(sentences), LANGUAGES, LANGUAGES, st.data())
def test_laying_back_names_every_source_cue(source: list[Cue], spoken: str, language: str, data: st.DataObject) -> None:
    found = cues.sentences(source, language=spoken)
    texts = [data.draw(sentences) for _ in found]
    made = cues.lay_back(list(zip(found, texts, strict=True)), language=language)
    assert_in_order(made)
    assert {name for cue in made for name in cue.source_ids} == {cue.id for cue in source if cue.plain_text.split()}


@given(cue_lists())
def test_rows_survive_json(made: list[Cue]) -> None:
    assert cues.from_rows(json.loads(json.dumps(cues.to_rows(made)))) == made


def test_arithmetic_needs_no_django() -> None:
    for name in ("cues", "markup", "languages", "formats/vtt", "formats/srt", "formats/base", "formats/__init__"):
        assert "django" not in (Path(cues.__file__).parent / f"{name}.py").read_text().lower().replace(
            "without django", ""
        )
