"""Hypothesis strategies for cues and hostile texts."""

from hypothesis import strategies as st

from transcripts import cues, markup
from transcripts.cues import Cue, SpeechSegment

SCRIPTS = (
    "Welcome to this webinar. Santé, éducation & travail; Ласкаво просимо! مرحبا بكم في هذه الندوة، صحة المهاجرين؟ "
    "שלום עולם 難民の健康について。 สุขภาพ 1,234.5 <b>x</b> &amp; --> {\\an8} 00:00:01.000 --> 00:00:02.000 \u200f"
)
words = st.text(alphabet=st.sampled_from(SCRIPTS.replace(" ", "")), min_size=1, max_size=12)
sentences = st.lists(words, min_size=1, max_size=30).map(" ".join)
fragments = st.sampled_from(
    ["<", ">", "</", "<b>", "</b>", "<i>", "</i>", "<v Ann>", "</v>", "<c.red>", "</c>", "<lang ar>", "<script>",
     "<00:00:01.000>", "&lt;", "&amp;", "&", "&lcub;", "&#x202e;", "\n", "\r\n", "\r", "-->", " ", "{\\an8}", "\u2028",
     "\x85", "\x1b", "\u202e", "\u202a", "\u202c", "\u2067", "\u2069", "00:00:01,000 --> 00:00:02,000", "1", "NOTE",
     "STYLE", "WEBVTT", "e\u0301", "صحة", "健康", "word"]
)  # fmt: skip
hostile_texts = st.lists(fragments | st.text(max_size=5), max_size=30).map("".join)
times = st.integers(min_value=0, max_value=cues.MAX_MS - 1)


@st.composite
def cue_lists(draw: st.DrawFn, texts: st.SearchStrategy[str] = hostile_texts) -> list[Cue]:
    """Cues as they are kept: sorted, start < end, texts in normal form."""
    made: list[Cue] = []
    for text in draw(st.lists(texts, max_size=8)):
        speaker, kept = markup.split_voice(markup.clean(text).text)
        if markup.plain(kept):
            start = draw(times)
            made.append(Cue("", start, draw(st.integers(start + 1, cues.MAX_MS)), kept, speaker))
    return cues.with_ids(made)


@st.composite
def segment_lists(draw: st.DrawFn) -> list[SpeechSegment]:
    """What an engine may say, odd times included."""
    made: list[SpeechSegment] = []
    at = draw(st.integers(0, 10_000))
    for text in draw(st.lists(sentences, max_size=10)):
        end = at + draw(st.integers(0, 30_000))
        made.append(SpeechSegment(at, end, text, confidence=draw(st.none() | st.floats(0, 1))))
        at = max(0, end + draw(st.integers(-500, 5_000)))
    return made
