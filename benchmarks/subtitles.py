"""How good machine subtitles are: words, language, times, coverage and reading rules, with both engines.

    python -m benchmarks.subtitles --fixtures FOLDER [--engine openai-whisper] [--only fr_75s ...] [--json]

FOLDER holds recordings (`fr_75s.flac` or `.opus`) with their truth beside them (`fr_75s.json`: `language`, perhaps
`languages`, and `segments` with start, end and text). The default is the tests' own small set.
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
    broken = sum(row["violations"] for row in rows)
    if not options.json:
        print(f"\n{broken} violations of the reading rules in {sum(row['cues'] for row in rows)} cues")
    sys.exit(1 if broken else 0)


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
    ends = (
        [min(abs(end - segment["end_ms"]) for segment in result["segments"]) for _start, end in spoken] if made else []
    )
    return {
        "engine": engine,
        "recording": truth_path.stem,
        "wer": jiwer.wer(plain(words), plain(heard)) if words else float(bool(heard)),
        "language": next(iter(result["sounds_like"]), "-"),
        "starts_ms": spread(starts),
        "ends_ms": spread(ends),
        "coverage": quality.coverage(made, spoken),
        "cues": len(made),
        "violations": sum(finding.code not in NOT_RULES for finding in findings),
        "broken_rules": [
            f"{finding.code} at {finding.facts['start_ms']} ms" for finding in findings if finding.code not in NOT_RULES
        ],
        "doubts": sum(finding.code in NOT_RULES for finding in findings),
        "speed": part["end_ms"] / 1000 / seconds,
    }


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
            f"{'engine':15} {'recording':16} {'WER':>6} {'lang':>4} {'start ms p50/p95':>17} {'end ms p50/p95':>15} "
            f"{'covered':>8} {'cues':>5} {'broken':>6} {'doubts':>6} {'x CPU':>6}"
        )
    starts, ends = ("/".join(map(str, row[name])) for name in ("starts_ms", "ends_ms"))
    print(
        f"{row['engine']:15} {row['recording']:16} {row['wer']:6.1%} {row['language']:>4} {starts:>17} {ends:>15} "
        f"{row['coverage']:8.1%} {row['cues']:5} {row['violations']:6} {row['doubts']:6} {row['speed']:6.1f}",
        flush=True,
    )
    for broken in row["broken_rules"]:
        print(f"{'':15} {broken}", flush=True)


if __name__ == "__main__":
    main()
