import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcripts.strategies import cue_lists, segment_lists, sentences
from transcripts import cues, markup
from transcripts.cues import Cue, SpeechSegment, Word
from transcripts.cues.rules import check_overrides

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


def test_the_end_of_a_sentence_does_not_share_a_cue_with_a_part_of_the_next() -> None:
    said = [
        "Як ви бачите на цьому слайді, цифри зростають.",
        "Доброго ранку всім і дякуємо, що ви сьогодні з нами.",
        "Неінфекційні хвороби потребують постійного догляду.",
    ]
    times = [(28_433, 31_383), (31_899, 34_993), (35_659, 38_502)]
    heard = [SpeechSegment(start, end, text) for (start, end), text in zip(times, said, strict=True)]
    made = cues.cues_from_segments(heard, language="uk")
    assert [cue.plain_text.replace("\n", " ") for cue in made] == said


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
    assert cues.cues_from_segments(heard, language="fr")[0].end_ms == math.ceil(54 * 1000 / 17)
    heard.append(SpeechSegment(3000, 6500, "The second sentence stands alone."))
    made = cues.cues_from_segments(heard, language="fr")
    # The next one, which has time to spare, waits for the first to be read.
    assert [(cue.start_ms, cue.end_ms) for cue in made] == [(0, 3177), (3257, 6500)]


def lines_of(text: str, language: str, terms: list[str] | None = None) -> list[list[str]]:
    duration = len(text) * 1000 // 12
    made = cues.cues_from_segments([SpeechSegment(0, duration, text)], language=language, terms=terms or [])
    return [cue.plain_text.split("\n") for cue in made]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Today we are very happy to welcome Amina Haddad from Geneva.", "Amina Haddad"),
        ("Last year in the whole of that region there were 12 500 cases.", "12 500"),
        ("The vaccination rate in this country has grown to over 95 % now.", "95 %"),
        ("All these things were written down some time ago by Dr. Mbeki.", "Dr. Mbeki"),
        ("We work together with the ministry of public health and others.", "ministry of public health"),
    ],
)
def test_no_line_ends_inside_a_name_a_number_or_a_term(text: str, kept: str) -> None:
    assert any(kept in line for lines in lines_of(text, "en", ["ministry of public health"]) for line in lines)


def test_no_line_holds_a_single_short_word() -> None:
    assert lines_of("Everybody should be able to see a doctor now.", "en") == [
        ["Everybody should be able", "to see a doctor now."]
    ]


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("th", "ยินดีต้อนรับสู่การสัมมนาเรื่องสุขภาพของผู้ย้ายถิ่นในวันนี้เราจะพูดถึงการฉีดวัคซีน", ["สัมมนา", "สุขภาพ", "วัคซีน"]),
        ("km", "សូមស្វាគមន៍មកកាន់សិក្ខាសាលាអំពីសុខភាពជនចំណាកស្រុក", ["សិក្ខាសាលា", "សុខភាព"]),
        ("lo", "ຍິນດີຕ້ອນຮັບສູ່ການສຳມະນາກ່ຽວກັບສຸຂະພາບຂອງຜູ້ອົບພະຍົບ", ["ຕ້ອນຮັບ", "ສຳມະນາ"]),
        ("zh", "欢迎参加关于移民健康的网络研讨会，我们今天讨论疫苗接种和 WHO 的建议。", ["网络", "疫苗", "WHO"]),
        ("ja", "難民の健康についてのウェビナーへようこそ、今日は予防接種について話します。", ["ウェビナー", "健康"]),
    ],
)  # fmt: skip
def test_words_are_whole_where_no_spaces_are_written(language: str, text: str, words: list[str]) -> None:
    found = lines_of(text, language)
    rules = cues.rules_for(language)
    assert all(cues.width(line, rules) <= rules.line_chars for lines in found for line in lines)
    assert not any(line[0] in "，。、" for lines in found for line in lines)
    for word in words:
        assert any(word in line for lines in found for line in lines)
    assert words_of([line for lines in found for line in lines]) == words_of([text])


def test_marks_and_half_squares_are_counted_as_readers_see_them() -> None:
    assert cues.width("健康 WHO", cues.rules_for("zh")) == 4
    assert cues.width("مَرْحَبًا", cues.rules_for("ar")) == 5
    assert cues.width("ที่นี่", cues.rules_for("th")) == 2


def test_rules_can_be_set_for_all_and_for_a_language() -> None:
    rules = cues.rules_for("pt-BR", {"*": {"min_ms": 1200, "gap_ms": 100}, "pt": {"gap_ms": 120}, "fr": {"gap_ms": 0}})
    assert (rules.min_ms, rules.gap_ms, rules.line_chars) == (1200, 120, 42)
    assert check_overrides({"*": {"min_ms": 1200}, "ar": {"chars_per_second": 18}}) is None
    assert "colour" in str(check_overrides({"*": {"colour": 3}}))
    assert "from 3 to 40" in str(check_overrides({"ar": {"chars_per_second": 900}}))
    assert "xx" in str(check_overrides({"xx": {}}))


def test_another_language_in_a_track_is_marked() -> None:
    heard = [
        SpeechSegment(0, 3000, "Welcome everybody.", (), "en"),
        SpeechSegment(3100, 6000, "Bonjour et bienvenue.", (), "fr"),
    ]
    made = cues.cues_from_segments(heard, language="en-GB")
    assert [cue.text for cue in made] == ["Welcome everybody.", "<lang fr>Bonjour et bienvenue.</lang>"]
    assert [(s.text, s.language) for s in cues.sentences(made, language="en-GB")] == [
        ("Welcome everybody.", ""),
        ("Bonjour et bienvenue.", "fr"),
    ]


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


def test_changed_words_make_a_translation_stale_and_new_lines_do_not() -> None:
    said = [Cue("a", 0, 4000, "Welcome to this webinar."), Cue("b", 5000, 8000, "Thank you.")]
    found = cues.sentences(said, language="en")
    made = cues.lay_back(zip(found, ["Bienvenue.", "Merci."], strict=True), language="fr", source=said)
    assert cues.stale_cues(made, said) == []
    assert cues.stale_cues(made, [replace(said[0], text="Welcome to\nthis webinar.", end_ms=3000), said[1]]) == []
    assert cues.stale_cues(made, [replace(said[0], text="Welcome to that webinar."), said[1]]) == [made[0]]
    assert cues.stale_cues(made, said[:1]) == [made[1]]
    assert cues.stale_cues([replace(made[0], source_ids=())], []) == []


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
    for name in (
        "cues/__init__",
        "cues/model",
        "cues/breaking",
        "cues/shaping",
        "cues/sentences",
        "markup",
        "languages",
        "formats/vtt",
        "formats/srt",
        "formats/base",
        "formats/__init__",
    ):
        assert "django" not in (Path(markup.__file__).parent / f"{name}.py").read_text().lower().replace(
            "without django", ""
        )
