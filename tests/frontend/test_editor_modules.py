"""The editor's modules that know no page, run by Node: what can be done to cues, merging, and the rules for remarks."""

import json
import random
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transcripts import languages, quality
from transcripts.cues import Cue, rules_for, to_rows

EDITOR = Path(__file__).parents[2] / "frontend" / "src" / "editor"
WORDS = {
    "en": ["the", "health", "of", "people", "who", "move", "matters", "to", "all", "of", "us", "&amp;", "<i>more</i>"],
    "ar": ["الصِّحَّة", "العامة", "لجميع", "الناس", "في", "كل", "مكان", "WHO", "2027"],
    "zh": list("移民的健康对所有人都很重要ABC。"),
    "hi": ["सभी", "के", "लिए", "स्वास्थ्य", "सेवाएँ", "ज़रूरी", "हैं"],
    "th": list("สุขภาพของผู้อพยพ"),
}
THREE = [
    {"id": "a", "start_ms": 0, "end_ms": 2000, "text": "Good morning and welcome.", "speaker": "Ann"},
    {"id": "b", "start_ms": 2100, "end_ms": 4000, "text": "Access to care.", "speaker": ""},
    {"id": "c", "start_ms": 4100, "end_ms": 6000, "text": "Thank you.", "speaker": ""},
]


def run(module: str, expression: str, **values: Any) -> Any:
    """The value of an expression in which `m` is the module and the values are known by their names."""
    names = ", ".join(values)
    script = f"""
      import * as m from {json.dumps((EDITOR / module).as_uri())};
      const {{ {names} }} = JSON.parse(process.argv[1]);
      console.log(JSON.stringify({expression}));
    """
    command = ["node", "--input-type=module", "--eval", script, "--", json.dumps(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def cues_of(language: str, count: int) -> list[Cue]:
    """Cues with every fault that there is."""
    dice = random.Random(language)
    cues, at = [], 0
    joint = "" if language in ("zh", "th") else " "
    for number in range(count):
        at = max(0, at + dice.choice([-300, 0, 40, 80, 500]))
        end = at + dice.choice([300, 900, 1500, 3000, 8000])
        lines = [joint.join(dice.choices(WORDS[language], k=dice.randint(1, 14))) for _ in range(dice.randint(1, 3))]
        cues.append(Cue(str(number), at, end, "\n".join(lines), confidence=dice.choice([None, 0.3, 0.9])))
        at = end
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


@pytest.mark.parametrize("language", WORDS)
def test_remarks_are_those_of_the_server(language: str) -> None:
    cues, rules, duration_ms = cues_of(language, 150), rules_for(language), 240_000
    cues[3:6] = [replace(cues[3], text="Здоровье"), replace(cues[4], text="<lang fr>Bonjour</lang>"), cues[5]]
    report = quality.report(cues, language=language, duration_ms=duration_ms, rules=rules)
    expected = [sorted(one.code for one in report if one.cue_id == cue.id) for cue in cues]
    assert {"wrong_script", "other_language"} <= {one.code for one in report}
    given = {
        "scripts": sorted(languages.own_scripts(languages.get(language))),
        "lineChars": rules.line_chars,
        "maxLines": rules.max_lines,
        "charsPerSecond": rules.chars_per_second,
        "minMs": rules.min_ms,
        "maxMs": rules.max_ms,
        "gapMs": rules.gap_ms,
        "isFullWidth": rules.is_full_width,
        "tolerance": quality.TOLERANCE,
        "lowConfidence": quality.LOW_CONFIDENCE,
    }
    expression = "new m.Reviewer(rules, durationMs).of(cues).map((found) => found.map(({code}) => code).sort())"
    found = run("quality.js", expression, cues=to_rows(cues), rules=given, durationMs=duration_ms)
    assert found == expected
    assert any(expected)


def test_speech_without_subtitles_and_what_was_not_translated_are_remarks_too() -> None:
    source = [
        Cue("s1", 0, 2000, "The same in both languages."),
        Cue("s2", 2100, 4000, "Not translated."),
        Cue("s3", 30_000, 32_000, "Shown at another time."),
    ]
    cues = [
        Cue("a", 0, 1900, "The same in both languages.", source_ids=("s1",)),
        Cue("b", 26_000, 28_000, "Ailleurs.", source_ids=("s3",)),
    ]
    speech = [(0, 1500), (2200, 3800), (5000, 7500), (9000, 25_000), (26_100, 33_000)]
    report = quality.report(cues, language="fr", source=source, speech=speech)
    wanted = {"gap", "long_gap", "missing", "untranslated"}
    given = {"lineChars": 42, "maxLines": 2, "charsPerSecond": 17, "minMs": 1000, "maxMs": 7000, "gapMs": 80,
             "isFullWidth": False, "tolerance": quality.TOLERANCE, "lowConfidence": quality.LOW_CONFIDENCE}  # fmt: skip
    expression = (
        "new m.Reviewer(rules, 0, {speech, source}).of(cues)"
        ".map((found) => found.map(({code, facts}) => [code, facts.start_ms ?? null]))"
    )
    found = run("quality.js", expression, cues=to_rows(cues), rules=given, speech=speech, source=to_rows(source))
    assert {code for one in found for code, _at in one} >= wanted
    between = sorted([code, at] for one in found for code, at in one if at is not None)
    expected = sorted([one.code, one.facts["start_ms"]] for one in report if not one.cue_id)
    assert between == expected
    assert ["untranslated", None] in found[0]
    assert [code for code, at in found[1] if at is not None] == ["gap"]  # beside the cue before it


def test_remarks_count_as_errors_where_the_server_says_so() -> None:
    errors = {code for code, (severity, _text) in quality.KINDS.items() if severity == "error"}
    source = (EDITOR / "quality.js").read_text()
    named = set(json.loads("[" + source.split("new Set([")[1].split("])")[0] + "]"))
    assert named - errors == {"no_text", "wrong_times"}  # these are never stored


def test_a_cue_is_split_at_the_cursor_in_time_too() -> None:
    cues = run("cues.js", "m.split(cues, 'a', 12, 80)[0]", cues=THREE)
    assert [(cue["start_ms"], cue["end_ms"], cue["text"], cue["speaker"]) for cue in cues[:2]] == [
        (0, 1000, "Good morning", "Ann"),
        (1080, 2000, "and welcome.", "Ann"),
    ]


def test_nothing_is_split_off_that_is_empty() -> None:
    assert run("cues.js", "m.split(cues, 'a', 0, 80)[0]", cues=THREE) == THREE


def test_cues_are_merged_shifted_and_removed() -> None:
    merged = run("cues.js", "m.merge(cues, 'a')", cues=THREE)
    assert (merged[0]["end_ms"], merged[0]["text"]) == (4000, "Good morning and welcome.\nAccess to care.")
    shifted = run("cues.js", "m.shift(cues, 'b', -5000, 'following')", cues=THREE)
    assert [(cue["id"], cue["start_ms"]) for cue in shifted] == [("b", 0), ("a", 0), ("c", 2000)]
    assert run("cues.js", "m.remove(cues, 'c')", cues=THREE) == [THREE[:2], "b"]


def test_words_are_found_in_any_script() -> None:
    cues = [{"id": "a", "text": "Здоровье, здоровьем, ЗДОРОВЬЕ (a.b)"}]
    whole = "m.countMatches(cues, m.patternOf('здоровье', {wholeWords: true}))"
    assert run("cues.js", whole, cues=cues) == 2
    assert run("cues.js", "m.replace(cues, m.patternOf('(a.b)'), '$&')[0][0].text", cues=cues).endswith(" $&")


def test_three_ways_lose_nothing() -> None:
    mine = [{**THREE[0], "text": "Mine."}, {**THREE[1], "text": "Mine too."}]  # and the third deleted
    theirs = [THREE[0], {**THREE[1], "text": "Theirs."}, {**THREE[2], "end_ms": 5900}, {**THREE[2], "id": "n"}]
    result = run("merging.js", "m.threeWays(base, mine, theirs)", base=THREE, mine=mine, theirs=theirs)
    assert [cue["id"] for cue in result["cues"]] == ["a", "n"]
    assert result["cues"][0]["text"] == "Mine."
    assert [(one["id"], one["mine"] is None) for one in result["conflicts"]] == [("b", False), ("c", True)]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0:01.5", 1500),
        ("1:02:03,25", 3_723_250),
        ("٦٢", 62_000),
        ("१:०२", 62_000),
        ("", None),
        ("1:2:3:4", None),
        ("x", None),
    ],
)
def test_times_are_read_as_people_write_them(text: str, ms: int | None) -> None:
    assert run("time.js", "m.parseTime(text)", text=text) == ms


def test_undo_takes_back_typing_as_one_step() -> None:
    expression = """(() => {
      const store = new m.Store();
      store.reset([{ id: "a", text: "" }]);
      for (const text of ["H", "He", "Hel"]) store.apply([{ id: "a", text }], { group: "text a" });
      store.apply([{ id: "a", text: "Bye" }], { group: "" });
      const seen = [store.cues[0].text];
      store.undo(); seen.push(store.cues[0].text);
      store.undo(); seen.push(store.cues[0].text);
      store.redo(); seen.push(store.cues[0].text);
      return [...seen, store.canUndo, store.canRedo];
    })()"""
    assert run("state.js", f"none ?? {expression}", none=None) == ["Bye", "Hel", "", "Hel", True, True]
