"""Cutting: a new version of an asset from its existing renditions, in seconds; the source is not read, nor changed."""

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from media import ladder, trimming
from media.errors import MediaError, PackageIncomplete
from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import Asset, Package, Rendition, RenditionKind
from media.mp4 import Mp4Error, Track
from media.services import stored
from media.services.stored import Fenced
from media.services.video import FRAGMENTS, NO_METADATA, read_track
from media.source import SourceFacts
from media.storage.errors import disk_errors
from media.timeline import Window

SHORTEST_MS = 1000  # what must remain
EDGE_PRESET = "fast"
EDGE_CRF = 18  # a second generation of a few seconds, which nobody shall see
PROFILES = {66: "baseline", 77: "main", 100: "high"}
CHECKED_FRAGMENTS = 3  # at each end, decoded to see that the joins are sound


class CutInvalid(MediaError):
    """These ends make no sense for this recording."""

    code = "cut_invalid"
    status = 400


def snapped_window(*, asset: Asset, start_ms: int, end_ms: int | None) -> Window:
    """Return the stretch that can be cut exactly: from frame to frame of the grid that all rungs share.

    An end at or past the source's end means its end.

    Raises:
        CutInvalid: hardly anything would remain, or the recording was not inspected.
    """
    if not asset.probe or not asset.duration_ms:
        raise CutInvalid(_("The recording must be prepared before it can be cut."), code="not_inspected")
    rate = SourceFacts.from_json(asset.probe).rate
    last_ms = asset.duration_ms
    if start_ms < 0 or start_ms >= last_ms:
        raise CutInvalid(_("The start must lie within the recording."), field="start")
    if end_ms is not None and end_ms >= last_ms - round(500 / rate):
        end_ms = None
    elif end_ms is not None:
        end_ms = _on_grid(end_ms, rate)
    window = Window(_on_grid(start_ms, rate), end_ms)
    if window.duration_ms(last_ms) < SHORTEST_MS:
        raise CutInvalid(_("The end must be at least a second after the start."), field="end")
    return window


def cut_renditions(
    *,
    package: Package,
    source: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Rendition]:
    """Fill a new package with the stretch of `source` that it says, every rung and every sound.

    A rendition that exists is kept, so a second try is quick. A picture that cannot be joined with new frames (not
    H.264, say) is left out if there are others.

    Raises:
        PackageIncomplete: what came out is not what was asked for.
    """
    facts = SourceFacts.from_json(package.asset.probe)
    window = Window.of(package)
    rows = list(source.renditions.order_by("kind", "size"))
    have = {row.name: row for row in package.renditions.all()}
    made, refused = [], []
    for number, row in enumerate(rows):
        progress(100 * number / len(rows), _("Cutting %(name)s") % {"name": row.name})
        if should_stop():
            progress(100 * number / len(rows), "")
        if row.name in have:
            made.append(have[row.name])
            continue
        try:
            made.append(_cut(package, row, facts, window, workdir, should_stop, fenced))
        except trimming.CannotJoin:
            refused.append(row)
    if refused and (facts.video is None or not any(row.kind == RenditionKind.VIDEO for row in made)):
        raise PackageIncomplete(
            _("This recording's picture cannot be cut. Prepare the recording again, then cut it."), code="cannot_cut"
        )
    return made


def _cut(
    package: Package,
    row: Rendition,
    facts: SourceFacts,
    window: Window,
    workdir: Path,
    should_stop: ShouldStop,
    fenced: Fenced,
) -> Rendition:
    with (
        stored.on_disk(row.key, workdir) as path,
        path.open("rb") as file,
        tempfile.TemporaryDirectory(dir=workdir) as name,
    ):
        folder = Path(name)
        target = folder / "cut.mp4"
        try:
            stream = trimming.open_stream(file)
            start, end = _ticks(window, facts.rate, stream)
            if row.kind == RenditionKind.VIDEO:
                _cut_video(stream, row, start, end, facts.rate, folder, target, should_stop)
            else:
                with disk_errors(), target.open("wb") as out:
                    trimming.write_audio(stream, start=start, end=end, target=out)
        except trimming.CannotJoin:
            raise
        except Mp4Error as error:
            raise PackageIncomplete(_("The quality %(name)s is damaged in the store.") % {"name": row.name}) from error
        track = read_track(target)
        _check_length(row, track, Fraction(end - start, stream.timescale), facts.rate)
        _check_joins(target, folder, should_stop, row.name)
        key = stored.new_key(package, row.name, ".mp4")
        size = stored.put(target, key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        made, _created = Rendition.objects.update_or_create(
            package=package,
            name=row.name,
            defaults={
                **{name: getattr(row, name) for name in _SAME},
                "codecs": track.codecs,
                "bandwidth": track.peak_bandwidth,
                "average_bandwidth": track.average_bandwidth,
                "key": key,
                "size": size,
                "duration_ms": track.duration_ms,
                "index": track.index,
            },
        )
    return made


# What a cut does not change, whatever else a rendition may come to hold.
_SAME = tuple(
    column.name
    for column in Rendition._meta.concrete_fields
    if column.name
    not in (
        *("id", "created_at", "updated_at", "package", "name", "codecs", "bandwidth", "average_bandwidth"),
        *("key", "size", "duration_ms", "index"),
    )
)


def _ticks(window: Window, rate: Fraction, stream: trimming.Stream) -> tuple[int, int]:
    """The window in a stream's own time, by way of the grid, so that thirds of a millisecond do not add up."""
    start = round(_frame(window.start_ms, rate) / rate * stream.timescale)
    if window.end_ms is None:
        return start, stream.end
    return start, min(stream.end, round(_frame(window.end_ms, rate) / rate * stream.timescale))


def _frame(at_ms: int, rate: Fraction) -> int:
    return round(at_ms * rate / 1000)


def _on_grid(at_ms: int, rate: Fraction) -> int:
    return round(1000 * _frame(at_ms, rate) / rate)


def _cut_video(
    stream: trimming.Stream,
    row: Rendition,
    start: int,
    end: int,
    rate: Fraction,
    folder: Path,
    target: Path,
    should_stop: ShouldStop,
) -> None:
    cut = trimming.plan_video(stream, start=start, end=end, rate=rate)
    edges = {
        name: _encode_edge(stream, row, edge, rate, folder, name, should_stop)
        for name, edge in (("head", cut.head), ("tail", cut.tail))
        if edge is not None
    }
    opened = {name: path.open("rb") for name, path in edges.items()}
    try:
        with disk_errors(), target.open("wb") as out:
            trimming.write_video(stream, cut, start=start, head=opened.get("head"), tail=opened.get("tail"), target=out)
    finally:
        for file in opened.values():
            file.close()


def _encode_edge(
    stream: trimming.Stream,
    row: Rendition,
    edge: trimming.Edge,
    rate: Fraction,
    folder: Path,
    name: str,
    should_stop: ShouldStop,
) -> Path:
    """Decode the fragments around an edge and encode its frames anew."""
    taken = trimming.parameter_set_ids(stream.moov)
    profile = PROFILES.get(trimming.profile_of(stream.moov), "high")
    piece, out = folder / f"{name}-source.mp4", folder / f"{name}-out"
    out.mkdir()
    with disk_errors(), piece.open("wb") as target:
        shown_at = trimming.write_fragments(stream, edge.first, edge.last, target)
    before = edge.start - stream.starts_at(stream.fragments[edge.first]) + shown_at
    picture = own_input("piece")["v"].filter("setpts", f"PTS-{before}/{stream.timescale}/TB")
    picture = picture.filter("fps", fps=str(rate), start_time=0).filter("tpad", stop_mode="clone", stop=-1)
    picture = picture.filter("trim", end_frame=edge.frames).filter("setpts", "N")
    segment = ladder.segment_frames(rate)
    options: dict[str, Any] = {
        "c:v": "libx264",
        "preset": EDGE_PRESET,
        "profile:v": profile,
        "crf": EDGE_CRF,
        "maxrate": max(row.bandwidth, 150_000),
        "bufsize": 2 * max(row.bandwidth, 150_000),
        "g": segment,
        "keyint_min": segment,
        "sc_threshold": 0,
        "fps_mode": "passthrough",
        "video_track_timescale": ladder.timescale_for(rate),
        "x264-params": f"sps-id={next(number for number in range(1, 32) if number not in taken)}",
        "movflags": FRAGMENTS,
        **NO_METADATA,
    }
    run_ffmpeg(
        picture.output("file:out/edge.mp4", **options),
        inputs={"piece": piece},
        output_dir=out,
        duration_ms=round(1000 * edge.frames / rate),
        should_stop=should_stop,
    )
    return out / "edge.mp4"


def _check_length(row: Rendition, track: Track, seconds: Fraction, rate: Fraction) -> None:
    """Pictures must last as asked for; the last AAC frame of sound may go beyond the end."""
    found = Fraction(track.ticks, track.timescale)
    if row.kind == RenditionKind.AUDIO:
        found -= Fraction(track.delay_ticks, track.timescale)
    if abs(found - seconds) > 2 / rate:
        raise PackageIncomplete(
            _("The quality %(name)s lasts %(found).1f s, the recording %(wanted).1f s.")
            % {"name": row.name, "found": float(found), "wanted": float(seconds)}
        )


def _check_joins(path: Path, folder: Path, should_stop: ShouldStop, name: str) -> None:
    """Decode both ends, where old and new pictures meet.

    Raises:
        PackageIncomplete: the decoder complains.
    """
    with path.open("rb") as file:
        stream = trimming.open_stream(file)
        count = len(stream.fragments)
        ranges = {(0, min(CHECKED_FRAGMENTS, count)), (max(0, count - CHECKED_FRAGMENTS), count)}
        for number, (first, last) in enumerate(sorted(ranges)):
            piece, out = folder / f"check{number}.mp4", folder / f"check{number}"
            out.mkdir()
            with disk_errors(), piece.open("wb") as target:
                trimming.write_fragments(stream, first, last, target)
            result = run_ffmpeg(
                own_input("piece").output("file:out/nothing", f="null"),
                inputs={"piece": piece},
                output_dir=out,
                duration_ms=30_000,
                should_stop=should_stop,
            )
            if result.stderr_lines:
                raise PackageIncomplete(_("The cut of %(name)s cannot be decoded. Try again.") % {"name": name})
