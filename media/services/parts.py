"""Pictures in parts: each stretch is encoded on its own, by whichever worker is free, and all are joined at the end."""

import contextlib
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from media import growing, ladder, mp4
from media.errors import PackageIncomplete
from media.ffmpeg.runner import Progress, ShouldStop, never, silent
from media.models import Package, Rendition, ReplacedFile
from media.services import stored
from media.services.av1 import encode_av1_range
from media.services.inspection import workable_source
from media.services.packages import check_key_frames, note_warning
from media.services.plans import plan_of
from media.services.stored import Fenced
from media.services.video import encode_range, place_range, read_track, save_rendition
from media.source import EncodingPlan, SourceFacts
from media.storage.errors import disk_errors

H264, AV1 = "h264", "av1"


def plan_encode_parts(*, package: Package, codec: str = H264) -> list[dict[str, Any]]:
    """Return what `encode_part` has to do, one JSON object per stretch of `part_s` seconds.

    Empty when there is no picture, or the first look's is all that is wanted.
    """
    facts, plan = plan_of(package)
    if not _rungs(plan, codec):
        return []
    ranges = ladder.plan_parts(
        total_frames=facts.total_frames,
        rate=facts.rate,
        part_s=plan.recipe.part_s,
        segment_s=plan.recipe.segment_s,
    )
    return [
        {"number": number, "start": start, "end": end, "codec": codec} for number, (start, end) in enumerate(ranges)
    ]


def encode_part(
    *,
    package: Package,
    part: dict[str, Any],
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> dict[str, Any]:
    """Encode frames `start` to `end` of the common grid for every rung, from one decode, and store them.

    Where nothing could be copied, what is watched meanwhile grows by this part.

    Returns the part with the stored files' keys and how many of its frames were kept; `join_parts` takes all of them.
    """
    plan = plan_of(package)[1]
    codec = part.get("codec", H264)
    rungs = _rungs(plan, codec)
    frames = (part["start"], part["end"])
    tracks: dict[str, mp4.Track] = {}
    files: dict[str, str] = {}
    try:
        with (
            workable_source(package.asset, workdir, progress=progress, should_stop=should_stop) as (path, facts),
            tempfile.TemporaryDirectory(dir=workdir) as name,
        ):
            folder = Path(name)
            tools: dict[str, Any] = {"output_dir": folder, "progress": progress, "should_stop": should_stop}
            if codec == AV1:
                complaints = encode_av1_range(path, facts, rungs, frames, plan.recipe, **tools)
            else:
                seconds = float((frames[1] - frames[0]) / facts.rate)
                caps = ladder.caps_below(rungs, _copied_bps(package, plan, facts, frames), seconds=seconds)
                complaints = encode_range(path, facts, rungs, frames, plan.recipe, caps, **tools)
            for rung in rungs:
                placed = folder / f"{rung.name}-placed.mp4"
                tracks[rung.name] = place_range(folder / f"{rung.name}.mp4", placed, facts, frames, plan.recipe)
                key = stored.new_key(package, f"{rung.name}-part{part['number']}", ".mp4")
                stored.put(placed, key)
                files[rung.name] = key
        with fenced():
            _grow(package, plan, part["number"], tracks, files)
    except BaseException:
        stored.delete_now(list(files.values()))
        raise
    return {**part, "files": files, "complaints": complaints, "kept": tracks[rungs[0].name].samples}


def join_parts(
    *,
    package: Package,
    results: list[dict[str, Any]],
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Rendition]:
    """Join the parts of every rung into one file each, check them and store them; the parts are deleted afterwards.

    A rung that was joined already is kept, so a second run after a crash works, though its parts are gone.

    Raises:
        PackageIncomplete: parts are missing, or do not add up to the whole.
    """
    facts, plan = plan_of(package)
    results = sorted(results, key=lambda result: result["start"])
    if not ladder.can_join([(result["start"], result["end"]) for result in results], facts.total_frames):
        raise PackageIncomplete(_("Some parts are missing. Try encoding again."))
    codec = results[0].get("codec", H264)
    rungs = _rungs(plan, codec)
    rows = []
    for number, rung in enumerate(rungs):
        progress(100 * number / len(rungs), _("Joining %(name)s") % {"name": rung.name.partition("-")[0]})
        if should_stop():
            progress(100 * number / len(rungs), "")
        existing = package.renditions.filter(name=rung.name).first()
        if existing is not None and not growing.is_growing(existing.index):
            rows.append(existing)
            continue
        watched = growing.keys(existing.index) if existing is not None else []
        rows.append(_join_rung(package, plan, rung, results, watched, workdir, facts, should_stop, fenced))
    with fenced():
        complaints = sum(result.get("complaints", 0) for result in results)
        if complaints:
            note_warning(package.asset, {"code": "damaged", "count": complaints})
        if codec == H264:
            _note_content(package, plan, results, facts)
        keys = {key for result in results for key in result["files"].values()}
        progress(99, describe_content(package))
        stored.discard(sorted(keys - set(ReplacedFile.objects.filter(key__in=keys).values_list("key", flat=True))))
    return rows


def describe_content(package: Package) -> str:
    """Say for the organiser what the pictures are like, and what was made of that; empty if nothing is known."""
    kept = package.analysis.get("kept")
    if kept is None:
        return ""
    facts = {"percent": max(1, round(100 * kept))}
    match package.analysis.get("content"):
        case "still":
            return _(
                "The picture mostly stands still: %(percent)s%% of its frames were new, only they were encoded."
            ) % (facts)
        case "mixed":
            return _("The picture stands still at times: %(percent)s%% of its frames were new.") % facts
    return _("The picture moves: %(percent)s%% of its frames were new.") % facts


def _rungs(plan: EncodingPlan, codec: str) -> tuple[ladder.Rung, ...]:
    return plan.av1 if codec == AV1 else plan.rest


def _copied_bps(package: Package, plan: EncodingPlan, facts: SourceFacts, frames: tuple[int, int]) -> int | None:
    """Return the rate of the copied top rung in this stretch, or None if nothing was copied."""
    copied = package.renditions.filter(name=plan.copied.name).first() if plan.copied else None
    if copied is None:
        return None
    start_ms, end_ms = (float(1000 * frame / facts.rate) for frame in frames)
    bits = at_ms = 0.0
    for _offset, size, duration_ms in copied.index["segments"]:
        overlap_ms = min(end_ms, at_ms + duration_ms) - max(start_ms, at_ms)
        if overlap_ms > 0:
            bits += 8 * size * overlap_ms / duration_ms
        at_ms += duration_ms
    return round(bits * 1000 / (end_ms - start_ms))


def _grow(
    package: Package, plan: EncodingPlan, number: int, tracks: dict[str, mp4.Track], files: dict[str, str]
) -> None:
    """Let viewers see a part at once, where the rung they watch is not finished."""
    if plan.first is None or plan.first.name not in files:
        return
    # Parts that finish at the same moment take turns.
    row = package.renditions.select_for_update().filter(name=plan.first.name).first()
    if row is None or not growing.is_growing(row.index):
        return
    before = set(growing.keys(row.index))
    row.index = growing.add(row.index, number, tracks[plan.first.name].index, files[plan.first.name])
    row.duration_ms = growing.duration_ms(row.index)
    row.save(update_fields=["index", "duration_ms", "updated_at"])
    for key in before - set(growing.keys(row.index)):  # of an earlier try at this part
        stored.replace_key(key)


def _join_rung(
    package: Package,
    plan: EncodingPlan,
    rung: ladder.Rung,
    results: Sequence[dict[str, Any]],
    watched: Sequence[str],
    workdir: Path,
    facts: SourceFacts,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> Rendition:
    with tempfile.TemporaryDirectory(dir=workdir) as name, contextlib.ExitStack() as opened:
        path = Path(name) / "joined.mp4"
        parts = [opened.enter_context(stored.open_stored(result["files"][rung.name])) for result in results]
        try:
            with disk_errors(), path.open("wb") as target:
                mp4.join(parts, target)
        except mp4.Mp4Error as error:
            raise PackageIncomplete(
                _("The parts of %(name)s do not fit together. Try encoding again.") % {"name": rung.name}
            ) from error
        track = read_track(path)
        frame = track.timescale / facts.rate
        segment = ladder.segment_frames(facts.rate, plan.recipe.segment_s)
        if track.ticks != facts.total_frames * frame or not ladder.is_on_grid(track.lengths, int(segment * frame)):
            raise PackageIncomplete(
                _("%(name)s lasts %(found).3f s instead of %(wanted).3f s. Try encoding again.")
                % {
                    "name": rung.name,
                    "found": track.ticks / track.timescale,
                    "wanted": float(facts.total_frames / facts.rate),
                }
            )
        if rung in plan.av1:  # the others are checked as stored, with everything else (check_package)
            check_key_frames(path, track, rung.name, Path(name), should_stop)
        key = stored.new_key(package, rung.name, ".mp4")
        size = stored.put(path, key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        for former in watched:
            stored.replace_key(former)
        return save_rendition(package, name=rung.name, key=key, size=size, track=track, rung=rung, rate=facts.rate)


def _note_content(package: Package, plan: EncodingPlan, results: Sequence[dict[str, Any]], facts: SourceFacts) -> None:
    """Keep with the package how much of the picture was new, part by part."""
    lengths = [result["end"] - result["start"] for result in results]
    shares = [result.get("kept", length) / length for result, length in zip(results, lengths, strict=True)]
    still = [share < plan.recipe.still.share for share in shares]
    fresh = Package.objects.select_for_update().get(pk=package.pk)
    fresh.analysis = {
        **fresh.analysis,
        "content": "still" if all(still) else "mixed" if any(still) else "moving",
        "kept": round(sum(share * length for share, length in zip(shares, lengths, strict=True)) / sum(lengths), 4),
        "parts": [
            {"start_ms": round(Fraction(1000 * result["start"]) / facts.rate), "kept": round(share, 4)}
            for result, share in zip(results, shares, strict=True)
        ],
    }
    fresh.save(update_fields=["analysis", "updated_at"])
    package.analysis = fresh.analysis
