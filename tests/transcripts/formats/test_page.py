"""The transcript as a page that is read alone."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcripts.strategies import cue_lists
from transcripts import formats, markup
from transcripts.cues import Cue
from transcripts.formats import Surroundings

TALK = [
    Cue("1", 0, 2000, "Good morning.", "Ann"),
    Cue("2", 2100, 4000, "Welcome.", "Ann"),
    Cue("3", 4100, 6000, "Thank <b>you</b>.", "Bo"),
    Cue("4", 60_000, 62_000, "<lang fr>Bonjour &amp; merci</lang>", "Bo"),
]
AROUND = Surroundings(
    title="Access to care",
    facts=("Ann, Bo", "3 May 2026"),
    link="https://example.org/w/?transcript=en&subtitles=en",
    link_text="Watch",
    headings=((0, "Welcome"), (59_000, "Questions"), (90_000, "Thanks")),
    contents="Contents",
)


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def lines(html: str) -> list[str]:
    """Headings and paragraphs of the words in their order, without markup."""
    kept = [line for line in html.split("\n") if line.startswith(("<h2", '<p dir="auto"><a href="https'))]
    return [Elements(line).text for line in kept if "#t=" in line or "<h2" in line]


def test_what_was_said_stands_under_the_slide_that_was_shown() -> None:
    assert lines(formats.write(TALK, "html", "en", AROUND)) == [
        "Welcome",
        "0:00:00 Ann: Good morning. Welcome.",
        "0:00:04 Bo: Thank you.",
        "Questions",
        "0:01:00 Bo: Bonjour & merci",
        "Thanks",
    ]


def test_a_heading_cuts_no_sentence_in_two() -> None:
    cues = [
        Cue("1", 0, 4000, "That was access."),
        Cue("2", 4000, 8000, "Now we look at how"),
        Cue("3", 8000, 12_000, "people are housed."),
        Cue("4", 12_000, 16_000, "They are not."),
    ]
    for came_ms in (5000, 7500):
        around = Surroundings(link="https://example.org/", headings=((0, "Access"), (came_ms, "Housing")))
        assert lines(formats.write(cues, "html", "en", around)) == [
            "Access",
            "0:00:00 That was access.",
            "Housing",
            "0:00:04 Now we look at how people are housed. They are not.",
        ]


def test_a_speaker_who_never_ends_a_sentence_gets_headings_at_their_times() -> None:
    cues = [Cue(str(n), n * 4000, n * 4000 + 4000, "and so on") for n in range(12)]
    around = Surroundings(link="https://example.org/", headings=((0, "One"), (20_000, "Two"), (33_000, "Three")))
    assert [line.split()[0] for line in lines(formats.write(cues, "html", "en", around))] == [
        *("One", "0:00:00", "Two", "0:00:20", "Three", "0:00:32"),
    ]


@given(cue_lists(), st.lists(st.integers(0, 4_000_000), max_size=12))
def test_all_words_and_headings_are_there_in_their_order(cues: list[Cue], marks: list[int]) -> None:
    around = Surroundings(headings=tuple((at_ms, f"Slide{number}.") for number, at_ms in enumerate(sorted(marks))))
    html = formats.write(cues, "html", "en", around)
    assert re.findall(r"<h2[^>]*>(Slide\d+)", html) == [f"Slide{number}" for number in range(len(marks))]
    said = "".join("".join(Elements(line).text.split()) for line in html.split("\n") if line.startswith("<p dir"))
    at = 0
    for cue in cues:
        if "<v" not in cue.text:  # a name that stands inside a cue is shown between its words
            words = "".join(cue.plain_text.split())
            at = said.index(words, at) + len(words)


def test_times_lead_to_their_moment_on_the_watch_page() -> None:
    found = Elements(formats.write(TALK, "html", "en", AROUND)).found
    links = [attrs["href"] for tag, attrs in found if tag == "a"]
    page = "https://example.org/w/?transcript=en&subtitles=en"
    assert links == [page, "#h0", "#h1", "#h2", f"{page}#t=0", f"{page}#t=4", f"{page}#t=60"]


def test_words_in_another_language_are_marked() -> None:
    found = Elements(formats.write(TALK, "html", "en", AROUND)).found
    assert [attrs["lang"] for _tag, attrs in found if "lang" in attrs] == ["en", "fr"]


def test_right_to_left_page_has_its_direction_and_each_paragraph_its_own() -> None:
    cues = [Cue("1", 0, 2000, "صباح الخير", "Ann"), Cue("2", 9000, 9900, "WHO", "Ann")]
    found = Elements(formats.write(cues, "html", "ar")).found
    assert found[0] == ("html", {"lang": "ar", "dir": "rtl"})
    assert {attrs.get("dir") for tag, attrs in found if tag in ("p", "h1")} == {"auto"}
    assert sum(tag == "p" for tag, _attrs in found) == 2


def test_a_name_does_not_decide_the_direction_of_what_was_said() -> None:
    # Text in a bdi element is left out where dir=auto looks for the first strong character.
    assert "<strong><bdi>Ann:</bdi></strong> صباح" in formats.write([Cue("1", 0, 9, "صباح", "Ann")], "html", "ar")


def test_a_long_speech_has_a_time_every_minute_at_the_end_of_a_sentence() -> None:
    cues = [Cue(str(n), n * 5000, n * 5000 + 4900, "And so on," if n % 2 else "It ends.") for n in range(24)]
    html = formats.write(cues, "html", "en", Surroundings(link="https://example.org/"))
    assert [line[:7] for line in lines(html)] == ["0:00:00", "0:00:45", "0:01:35"]


def test_lines_of_languages_without_blanks_are_joined_without_them() -> None:
    assert "你好世界再见" in formats.write([Cue("1", 0, 9, "你好\n世界"), Cue("2", 9, 20, "再见")], "html", "zh")


def test_hostile_text_stays_text_everywhere(corpus: Path) -> None:
    texts = [text for file in sorted((corpus / "strings").glob("*.json")) for text in json.loads(file.read_text())]
    for text in [*texts, '"><script>alert(1)</script>', "</style><img src=x onerror=alert(1)>", "javascript:alert(1)"]:
        said = text if isinstance(text, str) else json.dumps(text)
        around = Surroundings(
            title=said, facts=(said,), link="https://example.org/", link_text=said, headings=((0, said),) * 2
        )
        html = formats.write([Cue("1", 0, 900, markup.clean(said).text, said)], "html", "en", around)
        found = Elements(html).found
        assert {tag for tag, _attrs in found} <= _EXPECTED
        assert all(not name.startswith("on") and name != "src" for _tag, attrs in found for name in attrs)
        assert all(str(attrs["href"]).startswith(("https://example.org/", "#h")) for tag, attrs in found if tag == "a")


_EXPECTED = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "a", "nav", "ol", "li"),
    *("time", "strong", "bdi", "span", "b", "i", "u", "ruby", "rt"),
}


@settings(max_examples=40)
@given(cue_lists())
def test_every_word_is_on_the_page(cues: list[Cue]) -> None:
    shown = "".join(Elements(formats.write(cues, "html", "en")).text.split())
    for cue in cues:
        if "<v" not in cue.text:  # a name that stands inside a cue is shown between its words
            assert "".join(cue.plain_text.split()) in shown
