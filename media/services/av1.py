"""AV1: smaller pictures for those whose browser knows it, made late.

SVT-AV1 sets key frames by counting, not where it is told. Where repeated pictures are left out, counting finds the
segments' starts no more; so every segment is encoded on its own, from a lossless copy of the pictures that were kept.
That costs the start of a process for each, and saves nine tenths of the work on slides.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from media import ladder, mp4, placing
from media.errors import EncodingFailed
from media.ffmpeg.runner import Progress, ShouldStop, own_input, run_ffmpeg
from media.recipe import Recipe
from media.services.video import FRAGMENTS, NO_METADATA, REORDERED_FRAMES, encode_range
from media.source import SourceFacts
from media.storage.errors import disk_errors

LOSSLESS_SHARE = 30  # per cent of the work


def encode_av1_range(
    path: Path,
    facts: SourceFacts,
    rungs: Sequence[ladder.Rung],
    frames: tuple[int, int],
    recipe: Recipe,
    *,
    output_dir: Path,
    progress: Progress,
    should_stop: ShouldStop,
) -> int:
    """Encode frames of the constant grid as AV1, one file `<rung>.mp4` per rung, which begins at zero.

    Returns the decoder's complaints.

    Raises:
        EncodingFailed: the encoder lost a picture, or its own header changes from segment to segment.
    """
    complaints = encode_range(
        path,
        facts,
        rungs,
        frames,
        recipe,
        output_dir=output_dir,
        progress=lambda percent, activity: progress(percent * LOSSLESS_SHARE / 100, activity),
        should_stop=should_stop,
        is_lossless=True,
    )
    done = 0
    total = len(rungs) * len(_segments(facts, frames, recipe))
    for rung in rungs:
        lossless = output_dir / f"{rung.name}.mp4"
        with tempfile.TemporaryDirectory(dir=output_dir) as name:
            pieces = []
            for start, end in _segments(facts, frames, recipe):
                progress(
                    LOSSLESS_SHARE + (100 - LOSSLESS_SHARE) * done / total,
                    _("Encoding %(names)s") % {"names": rung.name.partition("-")[0]},
                )
                pieces.append(_encode_segment(lossless, facts, recipe, (start, end), Path(name), should_stop))
                done += 1
            lossless.unlink()
            try:
                with disk_errors(), lossless.open("wb") as target, contextlib.ExitStack() as opened:
                    mp4.join([opened.enter_context(piece.open("rb")) for piece in pieces], target)
            except mp4.Mp4Error as error:
                raise EncodingFailed(_("The AV1 encoder's pieces do not fit together.")) from error
    return complaints


def _segments(facts: SourceFacts, frames: tuple[int, int], recipe: Recipe) -> list[tuple[int, int]]:
    length = ladder.segment_frames(facts.rate, recipe.segment_s)
    count = frames[1] - frames[0]
    return [(start, min(start + length, count)) for start in range(0, count, length)]


def _encode_segment(
    lossless: Path,
    facts: SourceFacts,
    recipe: Recipe,
    frames: tuple[int, int],
    folder: Path,
    should_stop: ShouldStop,
) -> Path:
    """Encode one segment of a lossless copy, and put it at its place."""
    start, end = frames
    rate = facts.rate
    run_ffmpeg(
        segment_command(facts, recipe, frames),
        inputs={"lossless": lossless},
        output_dir=folder,
        duration_ms=round(1000 * (end - start) / rate),
        should_stop=should_stop,
        log_level="fatal",  # the encoder prints its settings whatever one says; errors show in what is missing
    )
    ticks = int(ladder.timescale_for(rate) / rate)
    encoded, placed = folder / "segment.mp4", folder / f"{start}.mp4"
    try:
        with encoded.open("rb") as source, disk_errors(), placed.open("wb") as target:
            placing.place(
                source,
                target,
                start=start * ticks,
                length=(end - start) * ticks,
                step=ticks,
                delay=REORDERED_FRAMES * ticks,
                sequence=start // ladder.segment_frames(rate, recipe.segment_s) + 1,
            )
    except (mp4.Mp4Error, FileNotFoundError) as error:
        raise EncodingFailed(_("The AV1 encoder lost a picture.")) from error
    encoded.unlink()
    return placed


def segment_command(facts: SourceFacts, recipe: Recipe, frames: tuple[int, int]) -> Any:
    """Return the ffmpeg graph that encodes one segment, from its key frame to the next."""
    start, end = frames
    half = 1 / facts.rate / 2
    # Half a frame early, against rounding: the key frame is the first picture at or after it.
    begin = max(0.0, float(start / facts.rate - half))
    picture = own_input("lossless", ss=f"{begin:.6f}")["v"]
    picture = picture.filter("trim", end=f"{float((end - start) / facts.rate):.6f}").filter("setpts", "PTS-STARTPTS")
    return picture.output(
        "file:out/segment.mp4",
        **{
            "c:v": "libsvtav1",
            "preset": recipe.av1.preset,
            "crf": recipe.av1.crf,
            "pix_fmt": "yuv420p",
            # Where frames are missing ffmpeg guesses the rate, and the header would differ from part to part.
            "svtav1-params": f"fps-num={facts.rate.numerator}:fps-denom={facts.rate.denominator}",
            "g": 2 * ladder.segment_frames(facts.rate, recipe.segment_s),
            "fps_mode": "passthrough",
            "video_track_timescale": ladder.timescale_for(facts.rate),
            "movflags": FRAGMENTS,
            **NO_METADATA,
        },
    )
