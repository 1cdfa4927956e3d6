"""Every subtitle file of the corpus ends as its manifest says (promises U8 to U10)."""

import re
import time
from pathlib import Path

import pytest

from transcripts import formats, markup
from transcripts.cues import Cue
from transcripts.formats import FormatError, ReadResult


def read(corpus: Path, name: str, language: str = "") -> ReadResult:
    started = time.process_time()
    try:
        return formats.read((corpus / "subtitles" / name).read_bytes(), file_name=name, language=language)
    finally:
        assert time.process_time() - started < 5


def texts(cues: list[Cue]) -> list[str]:
    return [cue.plain_text for cue in cues]


REFUSED = {
    "cues_200k.vtt": "too_many_cues",
    "one_cue_2mb.vtt": "cue_too_long",
    "line_redos.vtt": "cue_too_long",
    "nul_bytes.srt": "not_text",
    "not_subtitles.vtt": "signature_missing",
}
CUE_COUNTS = {
    "ok.vtt": 2, "utf8_bom.vtt": 1, "rtl_bidi.vtt": 4, "mixed_newlines.vtt": 3, "hls_in_vtt.vtt": 1,
    "xss.vtt": 10, "xss.srt": 10, "utf16_bom.srt": 1, "latin1.srt": 1, "times_bad.srt": 7,
    "external_font.ass": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_reason(corpus: Path, name: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(corpus, name)
    assert caught.value.code == REFUSED[name]


@pytest.mark.parametrize("name", CUE_COUNTS)
def test_accepted_with_its_cues(corpus: Path, name: str) -> None:
    cues = read(corpus, name).cues
    assert len(cues) == CUE_COUNTS[name]
    assert cues == sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    assert all(cue.start_ms < cue.end_ms for cue in cues)


def test_every_file_of_the_corpus_is_tested(corpus: Path) -> None:
    assert {path.name for path in (corpus / "subtitles").iterdir()} == set(REFUSED) | set(CUE_COUNTS)


@pytest.mark.parametrize("name", ["xss.vtt", "xss.srt"])
def test_script_is_text_and_only_known_tags_survive(corpus: Path, name: str) -> None:
    for cue in read(corpus, name).cues:
        tags = re.findall(r"<[^>]*>", cue.text)
        assert all(re.fullmatch(r"</?(b|i|u|v|c|lang|ruby|rt)([.\s][^<>]*)?>", tag) for tag in tags)
        assert "onclick" not in cue.text
        assert "-->" not in cue.text


def test_srt_and_vtt_of_the_same_text_become_the_same(corpus: Path) -> None:
    one, other = read(corpus, "xss.vtt"), read(corpus, "xss.srt")
    assert one.cues == other.cues


def test_every_bad_time_is_reported_with_its_line(corpus: Path) -> None:
    notes = read(corpus, "times_bad.srt").notes
    assert [(note.code, note.line) for note in notes if note.code in ("bad_time", "ends_before_start")] == [
        ("ends_before_start", 2),
        ("bad_time", 14),
        ("bad_time", 18),
        ("ends_before_start", 34),
        ("bad_time", 38),
    ]


def test_right_to_left_text_is_unchanged_and_overrides_are_isolated(corpus: Path) -> None:
    cues = read(corpus, "rtl_bidi.vtt", "ar").cues
    assert cues[0].text == "مرحبا بالعالم 123 (test)"
    assert cues[1].text == "\u2067user.exe\u2069 \u2066isolate\u2069 \u200fmark\u200e"
    assert cues[2].text == "שלום, world!"
    assert cues[3].text.count("\u0301") == 300


def test_fonts_and_drawings_of_a_script_are_left_where_they_are(corpus: Path) -> None:
    result = read(corpus, "external_font.ass")
    assert texts(result.cues) == ["text", "x"]
    assert {note.code for note in result.notes} == {"drawing", "settings_dropped", "overlap"}


def test_windows_text_is_read_with_a_stated_guess(corpus: Path) -> None:
    result = read(corpus, "latin1.srt", "de")
    assert texts(result.cues) == ["Grüße aus München – café"]
    assert [(note.code, note.facts) for note in result.notes] == [("encoding_guessed", {"encoding": "cp1252"})]


def test_utf16_text_is_intact(corpus: Path) -> None:
    assert texts(read(corpus, "utf16_bom.srt").cues) == ["Привіт, Zürich, 你好, مرحبا"]


def test_time_stamp_map_leaves_the_cue_at_zero(corpus: Path) -> None:
    assert read(corpus, "hls_in_vtt.vtt").cues[0].start_ms == 0


def test_line_separator_does_not_end_a_cue(corpus: Path) -> None:
    assert texts(read(corpus, "mixed_newlines.vtt").cues) == ["a", "b\nc\nd", "e"]


@pytest.mark.parametrize("name", sorted(CUE_COUNTS))
def test_exported_and_imported_again_it_is_the_same(corpus: Path, name: str) -> None:
    cues = read(corpus, name, "de").cues
    assert formats.read(formats.write(cues, "vtt").encode()).cues == cues
    through_srt = formats.read(formats.write(cues, "srt").encode(), file_name="x.srt").cues
    assert [(c.start_ms, c.end_ms, c.plain_text) for c in through_srt] == [
        (c.start_ms, c.end_ms, markup.plain(c.text)) for c in cues
    ]
