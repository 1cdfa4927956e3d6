import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcripts.strategies import cue_lists, fragments, hostile_texts
from transcripts import formats, markup
from transcripts.cues import Cue, with_ids
from transcripts.formats import FormatError

VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello\n\n00:00:01.000 --> 00:00:02.500\nTwo\nlines\n"
SRT = "1\n00:00:00,000 --> 00:00:01,000\nHello\n\n2\n00:00:01,000 --> 00:00:02,500\nTwo\nlines\n"
CUES = with_ids([Cue("", 0, 1000, "Hello"), Cue("", 1000, 2500, "Two\nlines")])


def shown(cues: list[Cue]) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in cues]


@pytest.mark.parametrize(("text", "file_format"), [(VTT, "vtt"), (SRT, "srt")])
def test_file_is_read_and_written(text: str, file_format: str) -> None:
    result = formats.read(text.encode(), file_name=f"x.{file_format}")
    assert (result.cues, result.notes) == (CUES, [])
    assert formats.write(CUES, file_format) == text


def test_plain_text_has_paragraphs_at_pauses_and_speakers() -> None:
    cues = [
        Cue("1", 0, 1000, "Health\nis", "Ann"),
        Cue("2", 1000, 2000, "<b>a right</b> &amp; more.", "Ann"),
        Cue("3", 2000, 3000, "Yes.", "Bo"),
        Cue("4", 9000, 9900, "Later."),
    ]
    assert formats.write(cues, "txt") == "Ann: Health is a right & more.\n\nBo: Yes.\n\nLater.\n"


def test_plain_text_of_a_script_without_spaces_gets_none() -> None:
    cues = [Cue("1", 0, 1000, "今天我们讨论\n移民健康。"), Cue("2", 1000, 2000, "World Health\nOrganization\n也参加。")]
    assert formats.write(cues, "txt", "zh") == "今天我们讨论移民健康。World Health Organization也参加。\n"
    assert formats.write(cues, "timedtxt", "zh").splitlines()[0] == "[00:00:00] 今天我们讨论移民健康。"


def test_empty_list_of_cues_is_a_valid_file() -> None:
    assert formats.write([], "vtt") == "WEBVTT\n"
    assert formats.write([], "srt") == ""


@given(cue_lists())
def test_vtt_keeps_everything(cues: list[Cue]) -> None:
    if cues:
        assert formats.read(formats.write(cues, "vtt").encode()).cues == with_ids(
            Cue("", cue.start_ms, cue.end_ms, cue.text, cue.speaker) for cue in cues
        )


@given(cue_lists())
def test_srt_keeps_words_and_times(cues: list[Cue]) -> None:
    if cues:
        through_srt = formats.read(formats.write(cues, "srt").encode(), file_name="x.srt").cues
        back = formats.read(formats.write(through_srt, "vtt").encode()).cues
        expected = [(cue.start_ms, cue.end_ms, cue.plain_text) for cue in cues]
        assert [(cue.start_ms, cue.end_ms, cue.plain_text) for cue in back] == expected


pieces = st.lists(
    (fragments | st.sampled_from(["WEBVTT\n\n", "\n\n", "00:00:01.000 --> 00:00:02.000\n", "text\n"])).map(str.encode)
    | st.binary(max_size=8),
    max_size=40,
).map(b"".join)


@settings(max_examples=300)
@given(st.binary(max_size=300) | pieces | pieces.map(lambda data: b"WEBVTT\n\n" + data))
def test_any_bytes_give_an_error_or_sorted_cues(data: bytes) -> None:
    try:
        result = formats.read(data, file_name="x.srt", language="ar")
    except FormatError:
        return
    assert result.cues == sorted(result.cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    assert all(0 <= cue.start_ms < cue.end_ms for cue in result.cues)
    assert all(markup.clean(cue.text).text == cue.text for cue in result.cues)


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty", None),
        (b" \n\n", "empty", None),
        (b"just some words\nand more", "not_subtitles", None),
        (b"WEBVTT\n\nno times here\n", "no_cues", 3),
        (b"1\n00:00:02,000 --> 00:00:01,000\nx\n", "no_cues", 2),
        (b"\xff\xfe\x00\xd8", "not_text", 1),
        (b"1\n00:00:00,000 --> 00:00:01,000\na\x00b\n", "not_text", 3),
        (b"<?xml version='1.0'?><html/>", "unsupported_format", None),
        (b"<?xml version='1.0'?><tt/>", "no_cues", None),
        (b"<tt>\n<p begin='1s' end='2s'>x</q></tt>", "not_well_formed", 2),
        (b"<!DOCTYPE tt [<!ENTITY a 'b'>]><tt><p begin='1s' end='2s'>&a;</p></tt>", "unsafe_xml", None),
        (b"[Events]\nDialogue: 0,later,0:00:02.00,D,,0,0,0,,x", "no_cues", 2),
    ],
)
def test_unusable_file_says_why_and_where(data: bytes, code: str, line: int | None) -> None:
    with pytest.raises(FormatError) as caught:
        formats.read(data, file_name="x.srt")
    assert (caught.value.code, caught.value.line) == (code, line)


def test_too_large_file_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        formats.read(b"x" * (formats.MAX_BYTES + 1))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("text", "encoding", "language"),
    [("Ça va déjà – très bien", "cp1252", "fr"), ("مرحبا بكم", "cp1256", "ar"), ("Ласкаво просимо", "cp1251", "uk")],
)
def test_encoding_is_guessed_by_language_and_said(text: str, encoding: str, language: str) -> None:
    data = f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n".encode(encoding)
    result = formats.read(data, file_name="x.srt", language=language)
    assert (result.cues[0].text, result.encoding) == (text, encoding)
    assert [note.code for note in result.notes] == ["encoding_guessed"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_unicode_is_recognised(encoding: str) -> None:
    text = "\ufeff" + SRT if encoding == "utf-16-be" else SRT
    assert formats.read(text.encode(encoding)).cues == CUES


def test_missing_empty_line_between_cues_is_forgiven() -> None:
    text = "1\n00:00:00,000 --> 00:00:01,000\nHello\n2\n00:00:01,000 --> 00:00:02,500\nTwo\nlines\n"
    assert formats.read(text.encode()).cues == CUES


def test_srt_writes_references_only_where_needed() -> None:
    cues = [Cue("1", 0, 1000, "R&amp;D &lt; 5 <c.x>&amp;lt;</c> &lt;b&gt; --&gt; <i>x</i>")]
    assert "R&D < 5 &amp;lt; &lt;b> --&gt; <i>x</i>" in formats.write(cues, "srt")


@given(hostile_texts)
@settings(max_examples=50)
def test_notes_can_be_worded(text: str) -> None:
    try:
        notes = formats.read(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}".encode("utf-8", "replace")).notes
    except FormatError:
        return
    assert all(note.template % note.facts for note in notes)


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "-->",
        "00:00:00.000 --> ",
        "1\n",
        "\n",
        " ",
        "9",
        "00:00:00.000 --> 00:00:01.000\n",
        "{\\",
        "&#",
        "NOTE\n\n",
    ],
)
def test_reading_takes_linear_time(unit: str) -> None:
    data = ("WEBVTT\n\n" + unit * (400_000 // len(unit))).encode()
    for payload in (data, data[8:]):
        started = time.process_time()
        with contextlib.suppress(FormatError):
            formats.read(payload, file_name="x.srt")
        assert time.process_time() - started < 2
