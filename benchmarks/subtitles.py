"""How good machine subtitles are: words, language, times, coverage and reading rules, with both engines.

    python -m benchmarks.subtitles [--fixtures FOLDER] [--engine openai-whisper] [--only fr_75s ...] [--json]

FOLDER holds recordings (`fr_75s.flac` or `.opus`) with their truth beside them (`fr_75s.json`: `language`, perhaps
`languages` and `voice`, and `segments` with start, end and text). The default is the tests' own small set.

Printed for each recording, and in sum for each engine: word error rate; the language that was heard; median and 95th
percentile of how far the start and the end of the nearest cue are from where each sentence begins and ends ("cue end":
cues stay until they can be read, so their ends are later than the speech on purpose; "heard end" is what the engine
said); the share of speech during which a cue is shown; and violations of the reading rules, without any tolerance.

Ends with 1 if a machine's track violates a rule, if anything is written over silence, or if a language was not heard
as what it is. Says which of the kinds of sound that the project promises (five languages, two voices, bilingual,
silent) are not in FOLDER.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ENGINES = {"openai-whisper": "whisper-tiny-webinar.pt", "faster-whisper": "faster-whisper-tiny-webinar"}
TESTS = Path(__file__).parent.parent / "tests" / "data" / "speech"
# What the report says about the speech itself, not about how cues were made of it.
NOT_RULES = {
    "low_confidence", "over_silence", "repeated", "credits", "wrong_script", "other_language", "gap", "long_gap",
    "rushed",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixtures", type=Path, default=TESTS, help="folder of recordings with their truth")
    parser.add_argument("--only", nargs="*", default=[], help="names of recordings, without their ending")
    parser.add_argument("--engine", choices=sorted(ENGINES), action="append", help="both if not given")
    parser.add_argument("--json", action="store_true", help="one JSON object per recording and engine")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    rows = []
    for engine in options.engine or sorted(ENGINES):
        for path in sorted(options.fixtures.glob("*.json")):
            if not options.only or path.stem in options.only:
                rows.append(measured(path, engine))
                show(rows[-1], as_json=options.json, is_first=len(rows) == 1)
    sums = [summed([row for row in rows if row["engine"] == engine]) for engine in options.engine or sorted(ENGINES)]
    for one in sums:
        show(one, as_json=options.json, is_first=False)
    for lacking in not_covered(rows):
        print(f"not measured: {lacking}", file=sys.stderr)
    failures = [
        f"{row['engine']} {row['recording']}: {row['violations']} violations, {row['over_silence']} cues over silence, "
        f"heard {row['language']} for {row['said_in']}"
        for row in rows
        if row["violations"] or row["over_silence"] or not row["is_language_right"]
    ]
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


def measured(truth_path: Path, engine: str) -> dict[str, Any]:
    """One recording through one engine, from its samples to its cues."""
    import jiwer
    import soundfile
    import torch
    from django.conf import settings

    from transcripts import cues, quality
    from transcripts.services.recognition import joined_segments, recognise

    torch.set_num_threads(1)  # so small a model only waits for its threads
    settings.WHISPER_ENGINE, settings.WHISPER_MODEL = engine, str(settings.DEMO_MODEL_DIR / ENGINES[engine])
    truth = json.loads(truth_path.read_text())
    sound = next(path for path in truth_path.parent.glob(f"{truth_path.stem}.*") if path.suffix != ".json")
    audio, rate = soundfile.read(sound, dtype="float32")
    said = truth["segments"]
    language = truth.get("language") or "en"
    others = [tag for tag in truth.get("languages", []) if tag != language]
    part = {"start_ms": 0, "end_ms": len(audio) * 1000 // rate}

    def read(start_ms: int, end_ms: int) -> Any:
        return audio[start_ms * rate // 1000 : end_ms * rate // 1000]

    started = time.process_time()
    result = recognise(read, part, language=language, other_languages=others)
    seconds = time.process_time() - started
    made = cues.cues_from_segments(joined_segments([result]), language=language)
    findings = quality.report(made, language=language, tolerance=1)
    words = " ".join(one["text"] for one in said)
    heard = " ".join(" ".join(cue.plain_text.split()) for cue in made)
    spoken = [(round(one["start"] * 1000), round(one["end"] * 1000)) for one in said]
    starts = [min(abs(start - cue.start_ms) for cue in made) for start, _end in spoken] if made else []
    ends = [min(abs(end - cue.end_ms) for cue in made) for _start, end in spoken] if made else []
    heard_ends = (
        [min(abs(end - segment["end_ms"]) for segment in result["segments"]) for _start, end in spoken] if made else []
    )
    language_heard = next(iter(result["sounds_like"]), "-")
    voices = truth.get("voice", [])
    return {
        "engine": engine,
        "recording": truth_path.stem,
        "voices": [voices] if isinstance(voices, str) else voices,
        "said_in": truth.get("languages") or [language],
        "wer": jiwer.wer(plain(words), plain(heard)) if words else float(bool(heard)),
        "words": len(plain(words).split()),
        "language": language_heard,
        "is_language_right": not said or language_heard in (truth.get("languages") or [language]),
        "starts_ms": spread(starts),
        "ends_ms": spread(ends),
        "heard_ends_ms": spread(heard_ends),
        "errors_ms": {"starts": starts, "ends": ends, "heard_ends": heard_ends},
        "over_silence": 0 if said else len(made),
        "seconds": [part["end_ms"] / 1000, seconds],
        "coverage": quality.coverage(made, spoken),
        "cues": len(made),
        "violations": sum(finding.code not in NOT_RULES for finding in findings),
        "broken_rules": [
            f"{finding.code} at {finding.facts['start_ms']} ms" for finding in findings if finding.code not in NOT_RULES
        ],
        "doubts": sum(finding.code in NOT_RULES for finding in findings),
        "speed": part["end_ms"] / 1000 / seconds,
    }


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One engine over all recordings: words and cues weigh the same, whichever recording they are of."""
    errors = {
        name: [error for row in rows for error in row["errors_ms"][name]] for name in ("starts", "ends", "heard_ends")
    }
    words = sum(row["words"] for row in rows)
    lengths = [row["seconds"][0] for row in rows]
    return {
        "engine": rows[0]["engine"] if rows else "-",
        "recording": "all",
        "wer": sum(row["wer"] * row["words"] for row in rows) / max(1, words),
        "language": f"{sum(row['is_language_right'] for row in rows)}/{len(rows)}",
        "starts_ms": spread(errors["starts"]),
        "ends_ms": spread(errors["ends"]),
        "heard_ends_ms": spread(errors["heard_ends"]),
        "coverage": sum(row["coverage"] * length for row, length in zip(rows, lengths, strict=True))
        / max(1, sum(lengths)),
        **{name: sum(row[name] for row in rows) for name in ("cues", "violations", "doubts", "over_silence")},
        "broken_rules": [],
        "speed": sum(lengths) / max(0.001, sum(row["seconds"][1] for row in rows)),
    }


def not_covered(rows: list[dict[str, Any]]) -> list[str]:
    """Kinds of sound that these rows are not about."""
    languages = {tag for row in rows for tag in row["said_in"] if row["words"]}
    voices = {voice for row in rows for voice in row["voices"]}
    lacking = []
    if len(languages) < 5:
        lacking.append(f"five languages (only {', '.join(sorted(languages)) or 'none'})")
    if len(voices) < 2:
        lacking.append("two voices")
    if not any(len(row["said_in"]) > 1 for row in rows):
        lacking.append("two languages in one recording")
    if not any(not row["words"] for row in rows):
        lacking.append("silence")
    return lacking


def plain(text: str) -> str:
    return " ".join("".join(one if one.isalnum() or one in " '" else " " for one in text.casefold()).split())


def spread(values: list[int]) -> tuple[int, int]:
    """Median and 95th percentile."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (0, 0)
    return round(statistics.median(values)), round(statistics.quantiles(values, n=20, method="inclusive")[-1])


def show(row: dict[str, Any], *, as_json: bool, is_first: bool) -> None:
    if as_json:
        print(json.dumps(row), flush=True)
        return
    if is_first:
        print(
            f"{'engine':15} {'recording':16} {'WER':>6} {'lang':>4} {'cue start p50/p95':>17} {'cue end ms':>11} "
            f"{'heard end':>10} {'covered':>8} {'cues':>5} {'broken':>6} {'doubts':>6} {'x CPU':>6}"
        )
    starts, ends, heard = ("/".join(map(str, row[name])) for name in ("starts_ms", "ends_ms", "heard_ends_ms"))
    print(
        f"{row['engine']:15} {row['recording']:16} {row['wer']:6.1%} {row['language']:>4} {starts:>17} {ends:>11} "
        f"{heard:>10} {row['coverage']:8.1%} {row['cues']:5} {row['violations']:6} {row['doubts']:6} "
        f"{row['speed']:6.1f}",
        flush=True,
    )
    for broken in row["broken_rules"]:
        print(f"{'':15} {broken}", flush=True)


if __name__ == "__main__":
    main()
