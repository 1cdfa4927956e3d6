"""Subtitles in the picture: an MP4 with the text of one language drawn into every frame.

In stretches, each a stored file of its own, so that whoever goes on after a killed worker loses one stretch at most.
"""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
from django.db import transaction
from django.utils.translation import gettext as _

from media import ladder, mp4, recipe, trimming
from media.errors import PackageIncomplete
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import MAIN_SOUND, Derivative, DerivativeKind, Package, Rendition, RenditionKind
from media.services import stored
from media.services.audio import save_derivative
from media.services.stored import Fenced
from media.services.video import FRAGMENTS, NO_METADATA, place_range, read_track
from media.source import SourceFacts
from media.storage.errors import disk_errors

LARGEST_SIDE = 720  # these files are for phones and for rooms without a menu of subtitles
PRESET, CRF = "veryfast", 23
PICTURES_PERCENT = 92


@dataclass(frozen=True)
class Stretch:
    """Fragments of a rung, and the frames of the constant grid that become of them."""

    first: int
    last: int
    start: int
    end: int

    @property
    def name(self) -> str:
        return str(self.start)


def rung_to_burn(package: Package) -> Rendition:
    """The largest rung that is not larger than LARGEST_SIDE, else the smallest.

    Raises:
        PackageIncomplete: the recording has no picture.
    """
    rungs = sorted(package.renditions.filter(kind=RenditionKind.VIDEO, codecs__startswith="avc1"), key=_side)
    rungs = [rung for rung in rungs if rung.codecs.startswith("avc")] or rungs
    if not rungs:
        raise PackageIncomplete(_("The recording has no picture to put subtitles in."), code="no_picture")
    fitting = [rung for rung in rungs if _side(rung) <= LARGEST_SIDE]
    return fitting[-1] if fitting else rungs[0]


def _side(rung: Rendition) -> int:
    return min(rung.width or 0, rung.height or 0)


def burn_subtitles(
    *,
    package: Package,
    language: str,
    subtitles: str,
    facts: dict[str, Any],
    workdir: Path,
    parts: dict[str, str],
    keep_part: Callable[[str, str], None],
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Derivative:
    """Draw subtitles into the picture and keep the file as the package's MP4_BURNED of that language.

    Args:
        subtitles: an ASS file for the size of `rung_to_burn`, in the package's own time.
        facts: kept with the file, such as which revision it shows.
        parts: stretches that an earlier try stored, by name.
        keep_part: called with the name and the key of each stretch as soon as it is stored.

    Raises:
        PackageIncomplete: the stretches do not fit together, or there is no picture.
    """
    rung = rung_to_burn(package)
    source = SourceFacts.from_json(package.asset.probe)
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(stored.on_disk(rung.key, workdir))
        stream = trimming.open_stream(stack.enter_context(path.open("rb")))
        text = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=workdir))) / "subtitles.ass"
        text.write_text(subtitles, encoding="utf-8")
        stretches = plan_stretches(stream, source.rate)
        keys = []
        for number, stretch in enumerate(stretches):
            share = PICTURES_PERCENT / len(stretches)
            key = parts.get(stretch.name)
            if key is None:
                key = _burn_stretch(
                    package,
                    stream,
                    stretch,
                    source,
                    text,
                    workdir,
                    progress=lambda percent, activity, done=number * share, share=share: progress(  # type: ignore[misc]  # the defaults bind the loop's values
                        done + percent * share / 100, activity
                    ),
                    should_stop=should_stop,
                    name=f"burned-{language}",
                    cap_bps=max(rung.bandwidth, 300_000),
                )
                try:
                    keep_part(stretch.name, key)
                except BaseException:
                    stored.delete_now([key])
                    raise
            keys.append(key)
    progress(PICTURES_PERCENT, _("Joining picture and sound"))
    return _finish(package, language, keys, facts, workdir, should_stop, fenced)


def plan_stretches(stream: trimming.Stream, rate: Fraction) -> list[Stretch]:
    """Cut a rung at clean key frames into stretches of at least `part_s` of the table of encoding.

    Frames are counted from the start, so that rounding never adds up.
    """
    length = recipe.current().part_s * stream.timescale
    starts = [0]
    for number, fragment in enumerate(stream.fragments):
        begun = stream.starts_at(stream.fragments[starts[-1]])
        if stream.starts_at(fragment) - begun >= length and stream.is_clean(fragment):
            starts.append(number)

    def frame(at: int) -> int:
        return round(at * rate / stream.timescale)

    times = [max(0, stream.starts_at(stream.fragments[number])) for number in starts]
    times[0] = 0
    frames = [*map(frame, times), max(frame(stream.end), 1)]
    lasts = [*starts[1:], len(stream.fragments)]
    return [
        Stretch(first, last, frames[number], frames[number + 1])
        for number, (first, last) in enumerate(zip(starts, lasts, strict=True))
        if frames[number + 1] > frames[number]
    ]


def _burn_stretch(
    package: Package,
    stream: trimming.Stream,
    stretch: Stretch,
    source: SourceFacts,
    text: Path,
    workdir: Path,
    *,
    progress: Progress,
    should_stop: ShouldStop,
    name: str,
    cap_bps: int,
) -> str:
    with tempfile.TemporaryDirectory(dir=workdir) as folder_name:
        folder = Path(folder_name)
        piece = folder / "piece.mp4"
        with disk_errors(), piece.open("wb") as target:
            trimming.write_fragments(stream, stretch.first, stretch.last, target)
        count = stretch.end - stretch.start
        rate, table = source.rate, recipe.current()
        picture = own_input("piece")["v"].filter("fps", fps=str(rate), start_time=0)
        picture = picture.filter("tpad", stop_mode="clone", stop=-1).filter("trim", end_frame=count)
        # The subtitles are told by the time of the whole recording; simple shaping would draw Arabic and Hindi wrongly.
        picture = picture.filter("setpts", f"N/({rate})/TB+{stretch.start}/({rate})/TB")
        picture = picture.filter("ass", "in/subtitles.ass", shaping="complex").filter("setpts", "N")
        segment = ladder.segment_frames(rate, table.segment_s)
        out = folder / "out"
        out.mkdir()
        run_ffmpeg(
            picture.output(
                "file:out/burned.mp4",
                **{
                    "c:v": "libx264",
                    "preset": PRESET,
                    "profile:v": "high",
                    "pix_fmt": "yuv420p",
                    "crf": CRF,
                    "maxrate": cap_bps,
                    "bufsize": 2 * cap_bps,
                    "g": segment,
                    "keyint_min": segment,
                    "sc_threshold": 0,
                    "fps_mode": "passthrough",
                    "video_track_timescale": ladder.timescale_for(rate),
                    "movflags": FRAGMENTS,
                    **NO_METADATA,
                },
            ),
            inputs={"piece": piece, "subtitles.ass": text},
            output_dir=out,
            duration_ms=round(1000 * count / rate),
            progress=progress,
            activity=_("Drawing subtitles into the picture"),
            should_stop=should_stop,
        )
        track = place_range(out / "burned.mp4", out / "placed.mp4", source, (stretch.start, stretch.end), table)
        if track.samples != count:
            raise PackageIncomplete(_("A stretch of the picture came out too short. Try again."))
        key = stored.new_key(package, f"{name}-part{stretch.start}", ".mp4")
        stored.put(out / "placed.mp4", key)
    return key


def _finish(
    package: Package,
    language: str,
    keys: list[str],
    facts: dict[str, Any],
    workdir: Path,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> Derivative:
    sound = package.renditions.filter(name=MAIN_SOUND).first()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=workdir)))
        joined, out = folder / "joined.mp4", folder / "out"
        out.mkdir()
        files = [stack.enter_context(stored.open_stored(key)) for key in keys]
        try:
            with disk_errors(), joined.open("wb") as target:
                mp4.join(files, target)
        except mp4.Mp4Error as error:
            raise PackageIncomplete(_("The stretches of the picture do not fit together. Try again.")) from error
        inputs, streams = {"picture": joined}, [own_input("picture")["v"]]
        if sound is not None:
            inputs["sound"] = stack.enter_context(stored.on_disk(sound.key, workdir))
            streams.append(own_input("sound")["a"])
        options = {"c": "copy", "movflags": "+faststart", "f": "mp4", **NO_METADATA}
        arguments = ffmpeg.get_args(ffmpeg.output(*streams, "file:out/burned.mp4", **options))
        run_ffmpeg(
            ["-copyts", *arguments],  # see media/services/downloads.py
            inputs=inputs,
            output_dir=out,
            duration_ms=read_track(joined).duration_ms,
            should_stop=should_stop,
        )
        key = stored.new_key(package, f"burned-{language}", ".mp4")
        size = stored.put(out / "burned.mp4", key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        row = save_derivative(
            package,
            DerivativeKind.MP4_BURNED,
            name=language,
            key=key,
            size=size,
            content_type="video/mp4",
            facts=facts,
        )
        stored.discard(keys)
    return row
