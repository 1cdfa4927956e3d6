"""The quality report: one test per finding, and machine tracks that have none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcripts.speech import phrases
from transcripts import quality
from transcripts.cues import Cue, SpeechSegment, content_hash, cues_from_segments, rules_for
from transcripts.quality import Finding


def codes(cues: list[Cue], language: str = "en", **known: object) -> list[str]:
    return [finding.code for finding in quality.report(cues, language=language, **known)]  # type: ignore[arg-type]  # passed on


GOOD = Cue("a", 0, 2500, "Thank you for your attention.", confidence=0.9)


def test_good_cue_has_no_finding() -> None:
    assert quality.report([GOOD], language="en", speech=[(0, 2500)]) == []


@pytest.mark.parametrize(
    ("cue", "code"),
    [
        (Cue("b", 3000, 4500, "Ten words that need more time than one\nsecond, or so."), "too_fast"),
        (Cue("b", 3000, 4000, "Ten words that need more time than one\nsecond, or so."), "far_too_fast"),
        (Cue("b", 3000, 3400, "Yes."), "too_short"),
        (Cue("b", 3000, 12_000, "Yes."), "too_long"),
        (Cue("b", 2540, 4000, "Yes."), "too_close"),
        (Cue("b", 2000, 4000, "Yes."), "overlapping"),
        (Cue("b", 3000, 6000, "One\ntwo\nthree"), "too_many_lines"),
        (Cue("b", 3000, 7000, "A line of far more than forty-two characters"), "line_too_long"),
        (Cue("b", 3000, 5000, "Yes.", confidence=0.2), "low_confidence"),
        (Cue("b", 3000, 5000, "مرحبا بكم"), "wrong_script"),
        (Cue("b", 3000, 5000, "Thank you.", doubts=("over_silence",)), "over_silence"),
        (Cue("b", 3000, 5000, "<lang ar>مرحبا بكم</lang>"), "other_language"),
    ],
)
def test_each_fault_is_found(cue: Cue, code: str) -> None:
    (finding,) = quality.report([GOOD, cue], language="en")
    assert (finding.code, finding.cue_id) == (code, "b")
    assert finding.template % finding.facts


def test_cue_after_the_end_is_found() -> None:
    assert codes([Cue("b", 3000, 5000, "Yes.")], duration_ms=3000) == ["after_end"]


def test_speech_without_cues_is_a_gap_with_its_time() -> None:
    found = quality.report([GOOD], language="en", speech=[(0, 2400), (4000, 5000), (8000, 12_000), (20_000, 31_000)])
    assert [(one.code, one.facts["start_ms"], one.facts["end_ms"]) for one in found] == [
        ("gap", 8000, 12_000),
        ("long_gap", 20_000, 31_000),
    ]
    assert quality.coverage([GOOD], [(0, 2500), (4000, 6500)]) == 0.5


def test_translation_is_compared_with_its_source() -> None:
    source = [GOOD, Cue("b", 3000, 5500, "Healthy food and exercise."), Cue("c", 6000, 9000, "Left out entirely.")]
    made = [
        Cue("x", 0, 2500, "Merci de votre attention.", source_ids=("a",), source_hash=content_hash([GOOD])),
        Cue("y", 3000, 5500, "Healthy food and exercise.", source_ids=("b",), source_hash="older"),
    ]
    found = quality.report(made, language="fr", source=source)
    assert [(one.code, one.cue_id) for one in found] == [("stale", "y"), ("untranslated", "y"), ("missing", "")]


def test_only_errors_stop_publishing() -> None:
    assert quality.has_errors([Finding("long_gap", "")])
    assert not quality.has_errors([Finding("too_fast", "")])


@settings(max_examples=40)
@given(st.sampled_from(["en", "fr", "es", "uk", "ar"]), st.data())
def test_machine_captions_break_no_rule(language: str, data: st.DataObject) -> None:
    """Sentences of the phrase book, said no faster than people read, in segments cut anywhere an engine may cut."""
    book = sorted(phrases(language).values())
    speed = rules_for(language).chars_per_second - 2
    segments, at = [], data.draw(st.integers(0, 3000))
    for text in data.draw(st.lists(st.sampled_from(book), min_size=1, max_size=8)):
        end = at + len(text) * 1000 // speed + data.draw(st.integers(0, 1500))
        segments.append(SpeechSegment(at, end, text, (), language, 0.9))
        at = end + data.draw(st.integers(0, 3000))
    cues = cues_from_segments(segments, language=language)
    assert quality.report(cues, language=language, tolerance=1) == []
