"""TTML, ASS, timed text and old encodings."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transcripts.strategies import cue_lists
from transcripts import formats
from transcripts.cues import Cue, with_ids
from transcripts.formats import FormatError

TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
    xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    ttp:frameRate="25" ttp:tickRate="10000" xml:lang="fr">
  <head>
    <metadata><ttm:agent xml:id="ann" type="person"><ttm:name type="full">Ann  B.</ttm:name></ttm:agent></metadata>
    <styling><style xml:id="it" tts:fontStyle="italic"/></styling>
  </head>
  <body><div begin="10s">
    <p begin="00:00:01.500" end="00:00:03:05" ttm:agent="ann">
      Bonjour
      <span style="it">à tous</span><br/>R&amp;D &lt;b&gt;
    </p>
    <p begin="40000t" dur="1.5s"><span xml:lang="ar">مرحبا 123</span></p>
    <p begin="00:00:09" end="00:00:08">Backwards</p>
    <p begin="soon" end="9s">No time</p>
    <p><span begin="20s" end="21s">One</span><span begin="21s" end="22s">Two</span></p>
  </div></body>
</tt>
"""
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:04.00,0:00:05.50,Default,,0,0,0,,{\\an8\\pos(1,2)}Second, with\\Na comma
Dialogue: 0,0:00:01.25,0:00:03.00,Default,Ann,0,0,0,,{\\i1}One{\\i0} & {\\b700}<two>
Dialogue: 0,0:00:06.00,0:00:05.00,Default,,0,0,0,,Backwards
"""


def shown(cues: list[Cue]) -> list[tuple[int, int, str, str]]:
    return [(cue.start_ms, cue.end_ms, cue.speaker, cue.text) for cue in cues]


def test_ttml_is_read_with_its_times_styles_speakers_and_languages() -> None:
    result = formats.read(TTML.encode(), file_name="x.ttml")
    assert shown(result.cues) == [
        (11_500, 13_200, "Ann B.", "Bonjour <i>à tous</i>\nR&amp;D &lt;b&gt;"),
        (14_000, 15_500, "", "<lang ar>مرحبا 123</lang>"),
        (30_000, 31_000, "", "One"),
        (31_000, 32_000, "", "Two"),
    ]
    assert [(note.code, note.line) for note in result.notes] == [("ends_before_start", 15), ("bad_time", 16)]


def test_ass_is_read_with_its_times_styles_and_speakers() -> None:
    result = formats.read(ASS.encode(), file_name="x.ass")
    assert shown(result.cues) == [
        (1250, 3000, "Ann", "<i>One</i> &amp; <b>&lt;two&gt;</b>"),
        (4000, 5500, "", "Second, with\na comma"),
    ]
    assert {(note.code, note.line) for note in result.notes} >= {("block_dropped", 6), ("ends_before_start", 9)}


@given(cue_lists())
def test_ttml_keeps_words_times_and_speakers(cues: list[Cue]) -> None:
    if not cues:
        return
    text = formats.write(cues, "ttml", "ar")
    # XML knows no noncharacters, and some of its tools count them; they come back as U+FFFD.
    expected = [(c.start_ms, c.end_ms, c.speaker, c.plain_text.replace("\uffff", "\ufffd")) for c in cues]
    back = formats.read(text.encode(), file_name="x.ttml").cues
    assert [(c.start_ms, c.end_ms, c.speaker, c.plain_text.replace("\uffff", "\ufffd")) for c in back] == [
        (start, end, speaker, words.replace("\ufffe", "\ufffd")) for start, end, speaker, words in expected
    ]


def test_times_can_be_written_before_each_line() -> None:
    cues = [Cue("1", 3_723_000, 3_725_000, "Health\nis", "Ann"), Cue("2", 3_726_500, 3_727_000, "a right.")]
    assert formats.write(cues, "timedtxt") == "[01:02:03] Ann: Health is\n[01:02:06] a right.\n"


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><tt><p begin="0s" end="1s">&a;</p></tt>',
        '<!DOCTYPE tt SYSTEM "http://127.0.0.1:9/x.dtd"><tt><p begin="0s" end="1s">a</p></tt>',
        "<tt>" + "<div>" * 100_000,
        "<tt><p begin='0s' end='1s'>" + "<span>" * 50_000,
        "<tt>" + "<p begin='0s' end='1s'>x</p>" * 30_000 + "</tt>",
        "<tt><p begin='0s' end='1s'>" + "x" * 1_000_000 + "</p></tt>",
        "<tt " + " ".join(f"a{n}='x'" for n in range(50_000)) + "/>",
    ],
)
def test_hostile_xml_is_refused_quickly(bomb: str) -> None:
    started = time.process_time()
    with pytest.raises(FormatError):
        formats.read(bomb.encode(), file_name="x.ttml")
    assert time.process_time() - started < 3


PIECES = [
    "<tt>", "<p begin='0s' end='1s'>", "<p>", "</p>", "</tt>", "<span begin='1s'>", "</span>", "<br/>", "x", "&lt;",
    "&#0;", "[Events]\n", "Dialogue: 0,0:00:00.00,0:00:01.00,D,,0,0,0,,", "{\\i1}", "\n", "\\N",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_any_pieces_give_an_error_or_cues(parts: list[str]) -> None:
    with contextlib.suppress(FormatError):
        cues = formats.read("".join(parts).encode(), file_name="x").cues
        assert cues == with_ids(cues)


@pytest.mark.parametrize(
    ("text", "encoding", "language"),
    [
        ("Добрий день, шановні колеги", "koi8-u", "uk"),
        ("Добро пожаловать, коллеги", "cp866", "ru"),
        ("Děkuji vám všem za pozornost, přátelé", "cp1250", "cs"),
        ("難民の健康について", "cp932", "ja"),
        ("难民的健康", "gb18030", "zh"),
        ("난민의 건강", "cp949", "ko"),
        ("สุขภาพ", "cp874", "th"),
        ("Σας ευχαριστώ", "cp1253", "el"),
        ("שלום לכולם", "cp1255", "he"),
    ],
)
def test_old_code_pages_are_told_apart_by_what_reads_best(text: str, encoding: str, language: str) -> None:
    data = f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n".encode(encoding)
    result = formats.read(data, file_name="x.srt", language=language)
    assert (result.cues[0].text, result.encoding) == (text, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_recognised(encoding: str) -> None:
    data = "WEBVTT\n\n00:01.000 --> 00:02.000\nПривіт\n".encode(encoding)
    assert formats.read(data, file_name="x.vtt").cues[0].text == "Привіт"
