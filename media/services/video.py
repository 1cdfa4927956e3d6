"""Pictures: the first look, and the commands by which everything is encoded. `parts.py` spreads them over workers."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
from django.db import transaction
from django.utils.translation import gettext as _

from media import growing, ladder, mp4, placing
from media.errors import EncodingFailed
from media.ffmpeg.runner import SOURCE, Progress, ShouldStop, never, run_ffmpeg, silent, source_input
from media.models import Package, Rendition, RenditionKind
from media.recipe import Recipe
from media.services import stored
from media.services.inspection import workable_source
from media.services.packages import note_warning, show_first
from media.services.plans import plan_of
from media.services.stored import Fenced
from media.sound import fitted, stereo
from media.source import HD_SIDE, EncodingPlan, SourceFacts, VideoFacts
from media.storage.errors import disk_errors

LEAD_S = 5  # decoded before a part begins, so that its first frames have all they refer to
FRAGMENTS = "+frag_keyframe+empty_moov+default_base_moof+delay_moov"
REORDERED_FRAMES = 2  # x264 with a pyramid of B-frames shows a picture at most two places before it is decoded
NO_METADATA = {"map_metadata": "-1", "map_chapters": "-1"}
DAMAGE = re.compile("missing picture|partial file|[Ii]nvalid")  # as ffmpeg tells of it while it copies
AUDIO_FRAGMENT_US = 6_000_000
FIRST_AUDIO_RATE, FIRST_AUDIO_HZ = "48k", 24_000
# Frames are missing from the grid, so the rate must be reckoned by time, not by number. The others lift a fast preset
# where slides need it, at small cost: letters keep their edges, and dark slides their shades.
X264_PARAMETERS = "vfr-input=1:trellis=1:aq-mode=3:rc-lookahead=20"
LOSSLESS = {"c:v": "libx264", "preset": "ultrafast", "qp": 0, "pix_fmt": "yuv420p", "bf": 0}
OUTPUT_BYTES = 64 * 1024**3  # of one encoder run
HDR_WHITE, HDR_PEAK = 203, 1000  # cd/m2


def make_first_look(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> list[Rendition]:
    """Make something to watch, soon: copies of the streams where the source allows, else the start of the lowest rung.

    A copied picture stays as the top rung. An opening grows as its parts are encoded (`parts.py`), until the joined
    rung takes its place. The sound is replaced later by the normalised one; if that exists already, it stays.
    Renditions that exist are kept, so a second run is quick.
    """
    have = {rendition.name: rendition for rendition in package.renditions.all()}
    with workable_source(package.asset, workdir, progress=progress, should_stop=should_stop) as (path, facts):
        plan = plan_of(package)[1]
        with tempfile.TemporaryDirectory(dir=workdir) as name:
            folder = Path(name)
            made: list[_Made] = []
            if plan.first and plan.first.name not in have:
                encode_range(
                    path,
                    facts,
                    [plan.first],
                    (0, plan.opening_frames),
                    plan.recipe,
                    output_dir=folder,
                    progress=lambda percent, activity: progress(percent / 2, activity),
                    should_stop=should_stop,
                )
                opening = folder / "opening.mp4"
                place_range(folder / f"{plan.first.name}.mp4", opening, facts, (0, plan.opening_frames), plan.recipe)
                made.append(_Made(plan.first.name, opening, plan.first, is_growing=plan.first in plan.rest))
            outputs = []
            complaints = 0
            if plan.copied and plan.copied.name not in have:
                outputs.append(_copied_video(facts, "file:out/picture.mp4"))
                made.append(_Made(plan.copied.name, folder / "picture.mp4", plan.copied))
            if facts.audio and "audio" not in have:
                outputs.append(_first_audio(facts, "file:out/sound.mp4"))
                made.append(_Made("audio", folder / "sound.mp4", None))
            if outputs:
                copied = run_ffmpeg(
                    ffmpeg.merge_outputs(*outputs),
                    inputs={SOURCE: path},
                    output_dir=folder,
                    duration_ms=facts.duration_ms,
                    progress=lambda percent, activity: progress(50 + percent / 2 if plan.first else percent, activity),
                    activity=_("Copying picture and sound") if plan.copied else _("Preparing the sound"),
                    should_stop=should_stop,
                )
                complaints = len(DAMAGE.findall(copied.stderr_tail))
            if plan.copied and plan.copied.name not in have:
                _blank_messages(folder / "picture.mp4")
            rows = [*have.values(), *_keep(package, facts, plan, made, fenced)]
            if complaints:  # whoever read only the file's tables could not hear them
                with fenced():
                    note_warning(package.asset, {"code": "read_errors", "count": complaints})
            return rows


@dataclass(frozen=True)
class _Made:
    """A finished file of the first look."""

    name: str
    path: Path
    rung: ladder.Rung | None
    is_growing: bool = False


def _keep(
    package: Package, facts: SourceFacts, plan: EncodingPlan, made: Sequence[_Made], fenced: Fenced
) -> list[Rendition]:
    kept: list[tuple[_Made, str, int, mp4.Track]] = []
    keys: list[str] = []
    try:
        for one in made:
            track = read_track(one.path)
            key = stored.new_key(package, one.name, ".mp4")
            size = stored.put(one.path, key)
            keys.append(key)
            kept.append((one, key, size, track))
    except BaseException:
        stored.delete_now(keys)
        raise
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted += keys
        rows = []
        for one, key, size, track in kept:
            if one.rung is None and package.renditions.filter(name=one.name).exists():
                # The normalised sound arrived first. Nobody was told of this one.
                stored.discard([key])
                continue
            rate = None
            if one.rung is not None and facts.video is not None:
                rate = Fraction(facts.video.average_rate) if one.rung == plan.copied else facts.rate
            row = save_rendition(package, name=one.name, key=key, size=size, track=track, rung=one.rung, rate=rate)
            if one.is_growing:
                row.index = growing.begin(row.index, key)
                row.save(update_fields=["index", "updated_at"])
            rows.append(row)
        show_first(package)
    return rows


def place_range(source: Path, target: Path, facts: SourceFacts, frames: tuple[int, int], recipe: Recipe) -> mp4.Track:
    """Put an encoded range of the grid at its place in the whole, to the tick.

    Raises:
        EncodingFailed: a key frame is missing, or something is off the grid.
    """
    ticks = int(ladder.timescale_for(facts.rate) / facts.rate)
    segment = ladder.segment_frames(facts.rate, recipe.segment_s)
    start, end = frames
    try:
        with source.open("rb") as encoded, disk_errors(), target.open("wb") as placed:
            placing.place(
                encoded,
                placed,
                start=start * ticks,
                length=(end - start) * ticks,
                step=ticks,
                delay=REORDERED_FRAMES * ticks,
                sequence=start // segment + 1,
            )
    except (mp4.Mp4Error, FileNotFoundError) as error:
        raise _nothing_decoded() from error
    source.unlink()
    track = read_track(target)
    if track.timescale != ladder.timescale_for(facts.rate) or not ladder.is_on_grid(track.lengths, segment * ticks):
        raise EncodingFailed(_("A picture that everything after it depends on is missing. Try encoding again."))
    return track


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
        raise _nothing_decoded() from error


def _blank_messages(path: Path) -> None:
    try:
        mp4.blank_messages(path)
    except mp4.Mp4Error as error:
        raise _nothing_decoded() from error


def _nothing_decoded() -> EncodingFailed:
    return EncodingFailed(_("Nothing could be decoded from this recording. Its file may be damaged."))


# --- Commands ------------------------------------------------------------------------------------------------------


def encode_range(
    path: Path,
    facts: SourceFacts,
    rungs: Sequence[ladder.Rung],
    frames: tuple[int, int],
    recipe: Recipe,
    caps: Sequence[int] = (),
    *,
    output_dir: Path,
    progress: Progress,
    should_stop: ShouldStop,
    is_lossless: bool = False,
) -> int:
    """Encode frames of the constant grid, one file `<rung>.mp4` per rung. Returns the decoder's complaints.

    What comes out begins at zero; `place_range` moves it to its place.
    """
    names = ", ".join(rung.name.partition("-")[0] for rung in rungs)
    result = run_ffmpeg(
        encode_command(facts, rungs, frames, recipe, caps, is_lossless=is_lossless),
        inputs={SOURCE: path},
        output_dir=output_dir,
        duration_ms=round(1000 * (frames[1] - frames[0]) / facts.rate),
        progress=progress,
        activity=_("Encoding %(names)s") % {"names": names},
        output_bytes=OUTPUT_BYTES,
        should_stop=should_stop,
    )
    return result.stderr_lines


def encode_command(
    facts: SourceFacts,
    rungs: Sequence[ladder.Rung],
    frames: tuple[int, int],
    recipe: Recipe,
    caps: Sequence[int] = (),
    *,
    is_lossless: bool = False,
) -> Any:
    """Return the ffmpeg graph that decodes once and encodes all rungs, with peak rates `caps` if given.

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
    if recipe.still.enabled:
        picture = without_repetitions(picture, rate, recipe)
    outputs = []
    copies = picture.split() if len(rungs) == 1 else picture.filter_multi_output("split", len(rungs))
    for number, rung in enumerate(rungs):
        scaled = copies.stream(number) if len(rungs) > 1 else picture
        scaled = scaled.filter("scale", rung.width, rung.height, flags="lanczos").filter("setsar", 1)
        options = {
            **(LOSSLESS if is_lossless else _x264(rung, rate, recipe, caps[number] if caps else rung.cap_bps)),
            **_key_frames(rate, recipe),
            "fps_mode": "passthrough",
            "video_track_timescale": ladder.timescale_for(rate),
            "movflags": FRAGMENTS,
            **NO_METADATA,
        }
        outputs.append(scaled.output(f"file:out/{rung.name}.mp4", **options))
    return ffmpeg.merge_outputs(*outputs)


def without_repetitions(picture: Any, rate: Fraction, recipe: Recipe) -> Any:
    """Leave out frames that look like the one before them; what stays keeps its time on the grid.

    Slides stand still for minutes, and an encoder spends nearly as much time on a repetition as on a new picture. The
    measure is the mean difference of brightness (scdet), which costs next to nothing, unlike mpdecimate's comparison
    of overlapping blocks. Now and then a frame stays in any case: so small changes are never late for long, and every
    segment has its first frame, whatever it shows.
    """
    segment = ladder.segment_frames(rate, recipe.segment_s)
    refresh = ladder.refresh_frames(rate, segment, recipe.still.refresh_s)
    return picture.filter("scdet", threshold=100).filter(
        "metadata",
        mode="select",
        key="lavfi.scd.mafd",
        function="greater",
        value=f"{recipe.still.difference:.3f}",
        enable=f"mod(n,{refresh})",
    )


def _upright_progressive(picture: Any, video: VideoFacts) -> Any:
    """Bring the decoder's pictures to one size and a plain form. ffmpeg has turned them upright before.

    Screens that know nothing of colour spaces must show what the maker saw: a high dynamic range is mapped to the
    ordinary one, RGB and full range are converted, and how colours are coded is written down. Without that, players
    guess by the height of the picture, so that colours would change with the quality.
    """
    width, height = video.coded_width, video.coded_height
    if video.rotation in (90, 270):
        width, height = height, width
    if video.is_hdr and min(width, height) > ladder.RUNG_SIDES[0]:
        # Floating point takes 12 bytes per pixel: no more of it than the largest rung needs.
        scale = Fraction(ladder.RUNG_SIDES[0], min(width, height))
        width, height = 2 * round(width * scale / 2), 2 * round(height * scale / 2)
    plain: dict[str, str] = {}
    if not video.is_hdr:
        plain |= {"out_range": "tv"} if video.is_full_range or video.is_rgb else {}
        plain |= {"out_color_matrix": "bt709"} if video.is_rgb else {}
    # First of all, so that a change of size in the middle meets a filter that can take it; else it does nothing.
    picture = picture.filter("scale", width, height, **plain)
    if video.is_interlaced:
        picture = picture.filter("yadif", deint="interlaced")
    if video.is_hdr:
        picture = _to_ordinary_range(picture, video)
    picture = picture.filter("format", "yuv420p")
    return picture.filter("setparams", range="tv", colorspace=_matrix(video))


def _to_ordinary_range(picture: Any, video: VideoFacts) -> Any:
    """Map PQ or HLG (ITU-R BT.2100) to BT.709: what is darker than white paper stays as it was, lights are compressed.

    White paper has 203 cd/m2 (ITU-R BT.2408); brighter than 1000 is what hardly any master holds.
    """
    # Files often name the transfer alone, and without the rest zscale finds no path.
    matrix = video.matrix if video.matrix in ("bt2020nc", "bt2020c", "bt709") else "bt2020nc"
    said = {"color_trc": video.transfer, "color_primaries": "bt2020", "range": "pc" if video.is_full_range else "tv"}
    picture = picture.filter("setparams", colorspace="gbr" if video.is_rgb else matrix, **said)
    picture = picture.filter("zscale", transfer="linear", npl=HDR_WHITE).filter("format", "gbrpf32le")
    picture = picture.filter("zscale", primaries="bt709")
    picture = picture.filter("tonemap", "mobius", param=0.7, peak=f"{HDR_PEAK / HDR_WHITE:.3f}", desat=0)
    picture = picture.filter("zscale", transfer="bt709", matrix="bt709", range="tv")
    return picture.filter("setparams", color_primaries="bt709", color_trc="bt709")


def _matrix(video: VideoFacts) -> str:
    """How the colours of what we encode are coded."""
    if video.is_hdr or video.is_rgb:
        return "bt709"
    if video.matrix:
        return video.matrix
    return "bt709" if min(video.width, video.height) >= HD_SIDE else "smpte170m"


def _x264(rung: ladder.Rung, rate: Fraction, recipe: Recipe, cap_bps: int) -> dict[str, Any]:
    return {
        "c:v": "libx264",
        "preset": recipe.preset,
        "profile:v": "high",
        # Not as the encoder finds it from the rate: that differs between parts, and all share one header.
        "level:v": ladder.level_of(rung, rate),
        "pix_fmt": "yuv420p",
        "crf": recipe.crf,
        "maxrate": cap_bps,
        "bufsize": cap_bps * (ladder.BUFFER_S if cap_bps == rung.cap_bps else ladder.LOW_BUFFER_S),
        "sc_threshold": 0,
        "x264-params": X264_PARAMETERS,
    }


def _key_frames(rate: Fraction, recipe: Recipe) -> dict[str, Any]:
    """A key frame at the start of each segment and none elsewhere."""
    segment = ladder.segment_frames(rate, recipe.segment_s)
    # By time, since frames may be missing; half a frame early, against rounding.
    return {
        "g": segment,
        "keyint_min": segment,
        "force_key_frames": f"expr:gte(t+{float(1 / rate / 2):.6f},n_forced*{float(segment / rate):.9f})",
    }


def _copied_video(facts: SourceFacts, target: str) -> Any:
    assert facts.video is not None
    return source_input()[str(facts.video.index)].output(
        target, **{"c:v": "copy", "movflags": FRAGMENTS, **NO_METADATA}
    )


def _first_audio(facts: SourceFacts, target: str) -> Any:
    """Sound that is there soon; the lasting one is made in a step of its own."""
    assert facts.audio is not None
    sound = source_input()[str(facts.audio.index)]
    options = {"movflags": FRAGMENTS, "frag_duration": AUDIO_FRAGMENT_US, **NO_METADATA}
    if facts.can_copy_audio:
        return sound.output(target, **{"c:a": "copy", **options})
    sound = fitted(stereo(sound, facts.audio), duration_ms=facts.duration_ms)
    return sound.output(target, **{"c:a": "aac", "b:a": FIRST_AUDIO_RATE, "ac": 1, "ar": FIRST_AUDIO_HZ, **options})
