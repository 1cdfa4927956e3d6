"""Pictures: the first look, the parts, and their joining."""

import contextlib
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from media import ladder, mp4
from media.errors import EncodingFailed, PackageIncomplete
from media.ffmpeg.runner import SOURCE, Progress, ShouldStop, never, run_ffmpeg, silent, source_input
from media.models import Package, Rendition, RenditionKind
from media.services import stored
from media.services.inspection import workable_source
from media.services.packages import note_warning, show_first
from media.services.stored import Fenced
from media.source import SourceFacts, VideoFacts, plan_encoding
from media.storage.errors import disk_errors

PRESET = "veryfast"
LEAD_S = 5  # decoded before a part begins, so that its first frames have all they refer to
FRAGMENTS = "+frag_keyframe+empty_moov+default_base_moof+delay_moov"
NO_METADATA = {"map_metadata": "-1", "map_chapters": "-1"}
AUDIO_FRAGMENT_US = 6_000_000
FIRST_AUDIO_RATE = "96k"
OUTPUT_BYTES = 64 * 1024**3  # of one encoder run


def make_first_look(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Rendition]:
    """Make something to watch, soon: copies of the streams where the source allows, else the lowest useful rung.

    A copied picture stays as the top rung. The sound is replaced later by the normalised one; if that exists already,
    it stays. Renditions that exist are kept, so a second run is quick.
    """
    have = {rendition.name: rendition for rendition in package.renditions.all()}
    with workable_source(package.asset, workdir, progress=progress, should_stop=should_stop) as (path, facts):
        plan = plan_encoding(facts)
        with tempfile.TemporaryDirectory(dir=workdir) as name:
            folder = Path(name)
            made: list[tuple[str, Path, ladder.Rung | None]] = []
            outputs = []
            if plan.copied and plan.copied.name not in have:
                outputs.append(_copied_video(facts, "file:out/picture.mp4"))
                made.append((plan.copied.name, folder / "picture.mp4", plan.copied))
            if facts.audio and "audio" not in have:
                outputs.append(_first_audio(facts, "file:out/sound.mp4"))
                made.append(("audio", folder / "sound.mp4", None))
            if outputs:
                run_ffmpeg(
                    ffmpeg.merge_outputs(*outputs),
                    inputs={SOURCE: path},
                    output_dir=folder,
                    duration_ms=facts.duration_ms,
                    progress=lambda percent, activity: progress(percent / (4 if plan.first else 1), activity),
                    activity=_("Copying picture and sound"),
                    should_stop=should_stop,
                )
            if plan.first and plan.first.name not in have:
                encode_range(
                    path,
                    facts,
                    [plan.first],
                    (0, facts.total_frames),
                    output_dir=folder,
                    progress=lambda percent, activity: progress(25 + percent * 0.75, activity),
                    should_stop=should_stop,
                )
                made.append((plan.first.name, folder / f"{plan.first.name}.mp4", plan.first))
            return [*have.values(), *_keep(package, facts, made, fenced)]


def _keep(
    package: Package, facts: SourceFacts, made: Sequence[tuple[str, Path, ladder.Rung | None]], fenced: Fenced
) -> list[Rendition]:
    kept: list[tuple[str, str, int, mp4.Track, ladder.Rung | None]] = []
    keys: list[str] = []
    try:
        for name, path, rung in made:
            track = read_track(path)
            key = stored.new_key(package, name, ".mp4")
            size = stored.put(path, key)
            keys.append(key)
            kept.append((name, key, size, track, rung))
    except BaseException:
        stored.delete_now(keys)
        raise
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += keys
        rows = []
        for name, key, size, track, rung in kept:
            if rung is None and package.renditions.filter(name=name).exists():
                # The normalised sound arrived first. Nobody was told of this one.
                stored.discard([key])
                continue
            rate = _rate_of(facts, rung)
            rows.append(save_rendition(package, name=name, key=key, size=size, track=track, rung=rung, rate=rate))
        show_first(package)
    return rows


def _rate_of(facts: SourceFacts, rung: ladder.Rung | None) -> Fraction | None:
    if rung is None or facts.video is None:
        return None
    return Fraction(facts.video.average_rate) if plan_encoding(facts).copied == rung else facts.rate


def plan_encode_parts(*, package: Package) -> list[dict[str, Any]]:
    """Return what `encode_part` has to do, one JSON object per stretch of ENCODE_PART_S seconds.

    Empty when there is no picture, or the first look's is all that is wanted.
    """
    facts = SourceFacts.from_json(package.asset.probe)
    if not plan_encoding(facts).rest:
        return []
    ranges = ladder.plan_parts(total_frames=facts.total_frames, rate=facts.rate, part_s=settings.ENCODE_PART_S)
    return [{"number": number, "start": start, "end": end} for number, (start, end) in enumerate(ranges)]


def encode_part(
    *,
    package: Package,
    part: dict[str, Any],
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Encode frames `start` to `end` of the common grid for every rung, from one decode, and store them.

    Returns the part with the stored files' keys; `join_parts` takes those of all parts.
    """
    keys: list[str] = []
    try:
        with workable_source(package.asset, workdir, progress=progress, should_stop=should_stop) as (path, facts):
            rungs = plan_encoding(facts).rest
            with tempfile.TemporaryDirectory(dir=workdir) as name:
                folder = Path(name)
                complaints = encode_range(
                    path,
                    facts,
                    rungs,
                    (part["start"], part["end"]),
                    output_dir=folder,
                    progress=progress,
                    should_stop=should_stop,
                )
                files = {}
                for rung in rungs:
                    track = read_track(folder / f"{rung.name}.mp4")
                    if track.samples != part["end"] - part["start"]:
                        raise EncodingFailed(
                            _("Part %(number)s has %(found)s pictures instead of %(wanted)s.")
                            % {
                                "number": part["number"] + 1,
                                "found": track.samples,
                                "wanted": part["end"] - part["start"],
                            }
                        )
                    key = stored.new_key(package, f"{rung.name}-part{part['number']}", ".mp4")
                    stored.put(folder / f"{rung.name}.mp4", key)
                    keys.append(key)
                    files[rung.name] = key
    except BaseException:
        stored.delete_now(keys)
        raise
    return {**part, "files": files, "complaints": complaints}


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
    facts = SourceFacts.from_json(package.asset.probe)
    results = sorted(results, key=lambda result: result["start"])
    if not ladder.can_join([(result["start"], result["end"]) for result in results], facts.total_frames):
        raise PackageIncomplete(_("Some parts are missing. Try encoding again."))
    rows = []
    rungs = plan_encoding(facts).rest
    for number, rung in enumerate(rungs):
        progress(100 * number / len(rungs), _("Joining %(name)s") % {"name": rung.name})
        if should_stop():
            progress(100 * number / len(rungs), "")
        rows.append(_join_rung(package, rung, results, workdir, facts, fenced))
    complaints = sum(result.get("complaints", 0) for result in results)
    if complaints:
        note_warning(package.asset, {"code": "damaged", "count": complaints})
    stored.discard([key for result in results for key in result["files"].values()])
    return rows


def _join_rung(
    package: Package,
    rung: ladder.Rung,
    results: list[dict[str, Any]],
    workdir: Path,
    facts: SourceFacts,
    fenced: Fenced,
) -> Rendition:
    existing = package.renditions.filter(name=rung.name).first()
    if existing is not None:
        return existing
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
        if track.samples != facts.total_frames or track.ticks != facts.total_frames * track.timescale / facts.rate:
            raise PackageIncomplete(
                _("%(name)s has %(found)s pictures instead of %(wanted)s. Try encoding again.")
                % {"name": rung.name, "found": track.samples, "wanted": facts.total_frames}
            )
        key = stored.new_key(package, rung.name, ".mp4")
        size = stored.put(path, key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        return save_rendition(package, name=rung.name, key=key, size=size, track=track, rung=rung, rate=facts.rate)


def save_rendition(
    package: Package,
    *,
    name: str,
    key: str,
    size: int,
    track: mp4.Track,
    rung: ladder.Rung | None,
    rate: Fraction | None,
) -> Rendition:
    """Point the package's row of this name at a stored file; what it pointed at before is deleted later."""
    stored.replace_row(package.renditions.filter(name=name).first(), key)
    row, _created = Rendition.objects.update_or_create(
        package=package,
        name=name,
        defaults={
            "kind": RenditionKind.VIDEO if rung else RenditionKind.AUDIO,
            "width": rung.width if rung else None,
            "height": rung.height if rung else None,
            "frame_rate": float(rate) if rate else None,
            "codecs": track.codecs,
            "bandwidth": track.peak_bandwidth,
            "average_bandwidth": track.average_bandwidth,
            "key": key,
            "size": size,
            "duration_ms": track.duration_ms,
            "index": track.index,
        },
    )
    return row


def read_track(path: Path) -> mp4.Track:
    """Read what ffmpeg wrote.

    Raises:
        EncodingFailed: it wrote nothing of use.
    """
    try:
        with path.open("rb") as file:
            return mp4.read_track(file)
    except (mp4.Mp4Error, FileNotFoundError) as error:
        raise EncodingFailed(_("Nothing could be decoded from this recording. Its file may be damaged.")) from error


# --- Commands ------------------------------------------------------------------------------------------------------


def encode_range(
    path: Path,
    facts: SourceFacts,
    rungs: Sequence[ladder.Rung],
    frames: tuple[int, int],
    *,
    output_dir: Path,
    progress: Progress,
    should_stop: ShouldStop,
) -> int:
    """Encode frames of the constant grid, one file `<rung>.mp4` per rung. Returns the decoder's complaints."""
    result = run_ffmpeg(
        encode_command(facts, rungs, frames),
        inputs={SOURCE: path},
        output_dir=output_dir,
        duration_ms=round(1000 * (frames[1] - frames[0]) / facts.rate),
        progress=progress,
        activity=_("Encoding %(names)s") % {"names": ", ".join(rung.name for rung in rungs)},
        output_bytes=OUTPUT_BYTES,
        should_stop=should_stop,
    )
    return result.stderr_lines


def encode_command(facts: SourceFacts, rungs: Sequence[ladder.Rung], frames: tuple[int, int]) -> Any:
    """Return the ffmpeg graph that decodes once and encodes all rungs.

    The grid is the same for every part: frame n shows what the source shows at n / rate. So a part begins decoding
    some seconds early at a frame of the grid, and counts its frames off.
    """
    assert facts.video is not None
    rate, (start, end) = facts.rate, frames
    lead = min(start, round(LEAD_S * rate))
    options: dict[str, Any] = {"reinit_filter": 0}
    if start > lead:
        # Not `accurate_seek`: the frame shown at the seek point may have begun long before, in a screen share. Nor a
        # duration: ffmpeg would count it from that frame. The end of the last filter ends the reading.
        options |= {"ss": f"{float((start - lead) / rate):.6f}", "noaccurate_seek": None}
    picture = source_input(**options)[str(facts.video.index)]
    picture = _upright_progressive(picture, facts.video)
    picture = picture.filter("fps", fps=str(rate), start_time=0).filter("tpad", stop_mode="clone", stop=-1)
    picture = picture.filter("trim", start_frame=lead, end_frame=lead + end - start).filter("setpts", "N")
    outputs = []
    copies = picture.split() if len(rungs) == 1 else picture.filter_multi_output("split", len(rungs))
    for number, rung in enumerate(rungs):
        scaled = copies.stream(number) if len(rungs) > 1 else picture
        scaled = scaled.filter("scale", rung.width, rung.height, flags="lanczos").filter("setsar", 1)
        outputs.append(scaled.output(f"file:out/{rung.name}.mp4", **_x264(rung, rate)))
    return ffmpeg.merge_outputs(*outputs)


def _upright_progressive(picture: Any, video: VideoFacts) -> Any:
    """Bring the decoder's pictures to one size and a plain form. ffmpeg has turned them upright before."""
    width, height = video.coded_width, video.coded_height
    if video.rotation in (90, 270):
        width, height = height, width
    # First of all, so that a change of size in the middle meets a filter that can take it; else it does nothing.
    picture = picture.filter("scale", width, height)
    if video.is_interlaced:
        picture = picture.filter("yadif", deint="interlaced")
    if video.is_hdr:
        picture = picture.filter("zscale", transfer="linear", npl=100).filter("format", "gbrpf32le")
        picture = picture.filter("zscale", primaries="bt709").filter("tonemap", "hable", desat=0)
        picture = picture.filter("zscale", transfer="bt709", matrix="bt709", range="tv")
    return picture.filter("format", "yuv420p")


def _x264(rung: ladder.Rung, rate: Fraction) -> dict[str, Any]:
    segment = ladder.segment_frames(rate)
    return {
        "c:v": "libx264",
        "preset": PRESET,
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        "crf": ladder.CRF,
        "maxrate": rung.cap_bps,
        "bufsize": 2 * rung.cap_bps,
        "g": segment,
        "keyint_min": segment,
        "sc_threshold": 0,
        "fps_mode": "passthrough",
        "video_track_timescale": ladder.timescale_for(rate),
        "movflags": FRAGMENTS,
        **NO_METADATA,
    }


def _copied_video(facts: SourceFacts, target: str) -> Any:
    assert facts.video is not None
    return source_input()[str(facts.video.index)].output(
        target, **{"c:v": "copy", "movflags": FRAGMENTS, **NO_METADATA}
    )


def _first_audio(facts: SourceFacts, target: str) -> Any:
    assert facts.audio is not None
    sound = source_input()[str(facts.audio.index)]
    options = {"movflags": FRAGMENTS, "frag_duration": AUDIO_FRAGMENT_US, **NO_METADATA}
    if facts.can_copy_audio:
        return sound.output(target, **{"c:a": "copy", **options})
    sound = on_timeline(sound, facts)
    return sound.output(target, **{"c:a": "aac", "b:a": FIRST_AUDIO_RATE, "ac": 2, "ar": 48000, **options})


def on_timeline(sound: Any, facts: SourceFacts) -> Any:
    """Fill a late start, gaps and an early end with silence, so that sound and picture share one clock."""
    sound = sound.filter("aresample", "48000", **{"async": 1, "first_pts": 0, "min_hard_comp": 0.1})
    return sound.filter("apad").filter("atrim", end=facts.duration_ms / 1000)
