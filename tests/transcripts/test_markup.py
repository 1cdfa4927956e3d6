import html
import re
import time

import pytest
from hypothesis import given

from tests.transcripts.strategies import hostile_texts
from transcripts import markup

ALLOWED = re.compile(r"</?(b|i|u|ruby|rt|v|c|lang)([.\s][^<>]*)?>")


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain", "plain"),
        ("<b>bold</b> <i>it", "<b>bold</b> <i>it</i>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("<svg/onload=alert(1)>after", "after"),
        ("<c.x onclick=alert(1)>c</c>", "<c.x>c</c>"),
        ("<v <script>>voice", "&lt;v &gt;voice"),
        ("<scr<b>ipt>", "&lt;scr<b>ipt&gt;</b>"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<00:00:00.500><b>bold", "<b>bold</b>"),
        ("--> arrow", "--&gt; arrow"),
        ("<lang ar>x</lang><lang \"x\">y</lang>", "<lang ar>x</lang><lang>y</lang>"),
        ("one\u2028two\r\n\n three ", "one\ntwo\nthree"),
        ("bell\x07", "bell"),
    ],
)  # fmt: skip
def test_clean_keeps_known_tags_and_escapes_the_rest(given_text: str, expected: str) -> None:
    assert markup.clean(given_text).text == expected


@given(hostile_texts)
def test_clean_leaves_nothing_but_allowed_tags_and_references(text: str) -> None:
    cleaned = markup.clean(text).text
    rest = ALLOWED.sub("", cleaned)
    assert not re.search(r"[<>]", rest)
    assert not re.search(r"&(?!(amp|lt|gt);)", rest)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", cleaned)
    assert "\n\n" not in cleaned


@given(hostile_texts)
def test_clean_is_stable(text: str) -> None:
    cleaned = markup.clean(text).text
    assert markup.clean(cleaned).text == cleaned


@given(hostile_texts)
def test_escaped_text_reads_the_same_when_plain(text: str) -> None:
    plain = markup.plain(markup.escape(text))
    assert markup.plain(markup.escape(plain)) == plain
    assert html.unescape(markup.escape(plain)) == plain


def test_clean_isolates_overrides_and_keeps_marks() -> None:
    cleaned = markup.clean("\u202euser.exe\u202c, \u2066isolate\u2069 \u200fmark\u200e")
    assert cleaned.text == "\u2067user.exe\u2069, \u2066isolate\u2069 \u200fmark\u200e"
    assert cleaned.isolated_bidi


@pytest.mark.parametrize("unit", ["<", "<b>", "<b", "&", "&#", "</", "<v x", "<c.a", "\u202e", "<b ", "."])
def test_clean_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    markup.clean(unit * 100_000)
    assert time.process_time() - started < 2


def test_split_voice_takes_the_speaker_of_a_whole_cue_only() -> None:
    assert markup.split_voice("<v Ann &amp; Bo>Hello</v>") == ("Ann & Bo", "Hello")
    assert markup.split_voice("<v Ann>Hello</v> <v Bo>Hi</v>") == ("", "<v Ann>Hello</v> <v Bo>Hi</v>")
