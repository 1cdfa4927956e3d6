"""Looks into a source before anything decodes it: refuses what is unsafe or no recording, notes what is unusual."""

import dataclasses
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

import sandbox
from media import languages, sample_tables
from media.errors import EncodingFailed, MediaRejected
from media.ffmpeg import probe
from media.ffmpeg.allowed import AUDIO_CODECS, SOURCE_OPTIONS, VIDEO_CODECS
from media.ffmpeg.runner import SOURCE, Progress, ShouldStop, never, run_ffmpeg, silent
from media.models import Asset
from media.services.stored import Fenced, source_on_disk
from media.source import SEEKABLE, AudioFacts, SourceFacts, VideoFacts

MAX_SIDE = 8192
MAX_PIXELS = 36_000_000  # a little more than 7680 x 4320
MIN_SIDE = 16
MAX_ASPECT = 8
MAX_STREAMS = 128
MAX_CHAPTERS = 200
MAX_FRAME_RATE = 1000
MAX_SAMPLE_RATE = 384_000  # Hz
MAX_CHANNELS = 32
PLAYLIST_MARKS = (b"#EXTM3U", b"ffconcat version", b"<MPD", b"v=0\r\n", b"v=0\n", b"[playlist]")
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
LATE_MS = 40
TITLE_CHARS = 80
# A stream of sound that ends before this share of the longest one is a test or a mistake.
WHOLE_SOUND = 0.5
CODEC_REFUSED = re.compile(r"Codec \((\w+)\) not on whitelist")


def inspect_source(
    *,
    asset: Asset,
    workdir: Path,
    path: Path | None = None,
    language: str = "",
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> None:
    """Find out what an asset is, and store it with the asset: streams, times, size, and what is unusual.

    `path` is the original on this machine, where it is here already. Limits are checked on the header before anything
    else is read, then on the list of packets; nothing is decoded. Times come from the packets: a header may claim
    anything.

    Of several pictures the file's own choice is taken, then the largest. Of several sounds the one in `language` (what
    is spoken, a BCP 47 tag) if exactly one is said to be, else the file's own choice, and never a fragment or a
    commentary while there is another. All of them are listed in the facts.

    Raises:
        MediaRejected: the file must be replaced; `code` and message say why.
        TemporaryFailure, StoreError, ToolUnavailable: the file is not to blame.
    """
    progress(5, _("Reading the file"))
    with (
        nullcontext(path) if path is not None else source_on_disk(asset, workdir) as path,
        tempfile.TemporaryDirectory(dir=workdir) as folder,
    ):
        out = Path(folder)
        _refuse_by_first_bytes(path)
        header = _read_header(path, out)
        _refuse_by_header(header)
        container = str(header["format"].get("format_name", ""))
        needs_remux = not container.startswith(SEEKABLE) and bool(_pictures(header["streams"]))
        progress(20, _("Reading the streams"))
        streams: dict[int, probe.PacketSummary] = {}
        complaints = 0
        tables = None if needs_remux else _read_tables(path, header)
        if tables is not None:
            streams, complaints = tables.summaries, header["complaints"]
        elif not needs_remux:
            streams, complaints = _scan(path, out, should_stop)
            # Times before zero are lost in some containers.
            needs_remux = bool(_pictures(header["streams"])) and any(stream.untimed for stream in streams.values())
        if needs_remux:
            with remuxed(path, workdir, progress=progress, should_stop=should_stop) as rewritten:
                header = _merge(header, _read_header(rewritten, out))
                streams, complaints = _scan(rewritten, out, should_stop)
        facts = _facts(header, streams, container=container, needs_remux=needs_remux, language=language)
        _refuse_by_packets(facts)
        if facts.video is not None and facts.can_copy_video:
            # Reading key frames costs something, so only what would be copied is asked.
            is_one_shape = _has_one_shape(path, facts.video.index, tables, out, should_stop)
            facts = dataclasses.replace(facts, video=dataclasses.replace(facts.video, is_one_shape=is_one_shape))
    warnings = _warnings(header, facts, complaints)
    video = facts.video
    with fenced():
        asset.probe = facts.to_json()
        asset.has_video = video is not None
        asset.has_audio = facts.audio is not None
        asset.duration_ms = facts.duration_ms
        asset.width = video.width if video else None
        asset.height = video.height if video else None
        asset.frame_rate = float(facts.rate) if video else None
        asset.warnings = warnings
        asset.save()
    progress(99, "")


@contextmanager
def remuxed(
    path: Path, workdir: Path, *, progress: Progress = silent, should_stop: ShouldStop = never
) -> Iterator[Path]:
    """Give a copy of all streams in a container that can be searched, beginning at zero, with its clock's jumps mended.

    Transport streams and old formats lose frames when they are searched (transcoding recipe, parts).
    """
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        activity = _("Mending the file's clock")
        # Pictures that are no covers, and all sound; either may be absent. Data and text stay behind.
        command = [flag for name, value in SOURCE_OPTIONS.items() for flag in (f"-{name}", value)]
        command += ["-fflags", "+genpts", "-i", f"file:in/{SOURCE}", "-map", "0:V?", "-map", "0:a?", "-c", "copy"]
        command += ["-map_metadata", "-1", "-map_chapters", "-1", "-avoid_negative_ts", "make_zero"]
        command += ["-max_interleave_delta", "0", "-f", "matroska", "file:out/remuxed.mkv"]
        try:
            run_ffmpeg(
                command,
                inputs={SOURCE: path},
                output_dir=Path(folder),
                duration_ms=settings.MEDIA_MAX_DURATION_S * 1000,
                progress=lambda _percent, _activity: progress(0, activity),
                should_stop=should_stop,
                output_bytes=2 * path.stat().st_size + 64 * 1024**2,
            )
        except EncodingFailed as error:
            raise _unreadable() from error
        yield Path(folder) / "remuxed.mkv"


@contextmanager
def workable_source(
    asset: Asset, workdir: Path, *, progress: Progress = silent, should_stop: ShouldStop = never
) -> Iterator[tuple[Path, SourceFacts]]:
    """Give the file that commands read, and its facts: the original, or its rewritten copy where that is needed.

    Raises:
        MediaRejected: the asset was never inspected.
    """
    if not asset.probe:
        raise MediaRejected(_("This file was not inspected yet."), code="not_inspected")
    facts = SourceFacts.from_json(asset.probe)
    with source_on_disk(asset, workdir) as path:
        if not facts.needs_remux:
            yield path, facts
            return
        with remuxed(path, workdir, progress=progress, should_stop=should_stop) as rewritten:
            yield rewritten, facts


# --- Refusals ------------------------------------------------------------------------------------------------------


def _refuse_by_first_bytes(path: Path) -> None:
    if path.stat().st_size == 0:
        raise MediaRejected(_("The file is empty. Export or copy the recording again, then upload it."), code="empty")
    with path.open("rb") as file:
        start = file.read(1024)
    if any(mark in start for mark in PLAYLIST_MARKS):
        raise MediaRejected(
            _("The file is a playlist that points to other files, not a recording. Upload the recording itself."),
            code="playlist",
        )


def _read_header(path: Path, out: Path) -> dict[str, Any]:
    try:
        return probe.probe_header(path, output_dir=out)
    except sandbox.LimitExceeded as error:
        raise MediaRejected(
            _("Reading the beginning of this file takes more memory or time than any recording needs."),
            code="too_hard",
        ) from error
    except (sandbox.ToolFailed, json.JSONDecodeError) as error:
        tail = error.stderr_tail if isinstance(error, sandbox.ToolFailed) else ""
        with path.open("rb") as file:
            is_mp4 = file.read(12)[4:8] in (b"ftyp", b"mdat", b"moov", b"free", b"wide", b"skip")
        if is_mp4 and "moov atom not found" in tail:
            raise MediaRejected(
                _(
                    "The recording is incomplete: it was cut off before its index was written. "
                    "Upload it again, or export it again from where it was recorded."
                ),
                code="cut_short",
            ) from error
        refused = CODEC_REFUSED.search(tail)
        if refused:
            raise _codec_refused(refused[1]) from error
        raise MediaRejected(
            _("This is not a video or audio file that can be used. Upload MP4, MOV, MKV, WebM, MP3, M4A or WAV."),
            code="not_media",
        ) from error


def _codec_refused(name: str) -> MediaRejected:
    return MediaRejected(
        _("The file uses the codec “%(codec)s”, which is not accepted. Convert it to MP4 with H.264 and AAC.")
        % {"codec": name[:40]},
        code="codec",
    )


def _refuse_by_header(header: dict[str, Any]) -> None:
    """Check the limits that the header alone can break, before anything is decoded (promise S4)."""
    streams = header.get("streams", [])
    if len(streams) > MAX_STREAMS:
        raise MediaRejected(
            _("The file holds %(count)s streams; at most %(most)s are accepted.")
            % {"count": len(streams), "most": MAX_STREAMS},
            code="too_many_streams",
        )
    for stream in streams:
        if stream.get("codec_type") == "video":
            _refuse_by_size(int(stream.get("width") or 0), int(stream.get("height") or 0), is_cover=_is_cover(stream))
        elif stream.get("codec_type") == "audio":
            _refuse_by_sound(int(stream.get("sample_rate") or 0), int(stream.get("channels") or 0))
    video, audio = _pictures(streams), _sounds(streams)
    for chosen, allowed in ((video, VIDEO_CODECS), (audio, AUDIO_CODECS)):
        if chosen and not any(stream.get("codec_name") in allowed for stream in chosen):
            raise _codec_refused(str(chosen[0].get("codec_name", "?")))
    if not video and not audio:
        raise MediaRejected(_("The file holds neither picture nor sound."), code="no_streams")


def _refuse_by_size(width: int, height: int, *, is_cover: bool) -> None:
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise MediaRejected(
            _(
                "The picture is %(width)s x %(height)s pixels; "
                "at most %(side)s per side and %(most)s million in all are accepted."
            )
            % {"width": width, "height": height, "side": MAX_SIDE, "most": MAX_PIXELS // 1_000_000},
            code="picture_too_large",
        )
    if is_cover:
        return
    if width and height and max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaRejected(
            _("The picture is %(width)s x %(height)s pixels: one side is more than %(most)s times the other.")
            % {"width": width, "height": height, "most": MAX_ASPECT},
            code="picture_shape",
        )
    if min(width, height) < MIN_SIDE:
        raise MediaRejected(
            _("The picture is %(width)s x %(height)s pixels; it must be at least %(least)s on each side.")
            % {"width": width, "height": height, "least": MIN_SIDE},
            code="picture_too_small",
        )


def _refuse_by_sound(sample_rate: int, channels: int) -> None:
    if sample_rate > MAX_SAMPLE_RATE or channels > MAX_CHANNELS:
        raise MediaRejected(
            _(
                "The sound has %(channels)s channels of %(rate)s samples per second; "
                "at most %(most)s channels of %(most_rate)s are accepted."
            )
            % {"channels": channels, "rate": sample_rate, "most": MAX_CHANNELS, "most_rate": MAX_SAMPLE_RATE},
            code="sound_too_large",
        )


def _refuse_by_packets(facts: SourceFacts) -> None:
    if facts.video is None and facts.audio is None:
        raise MediaRejected(_("The file has a header, but no picture or sound in it."), code="no_content")
    limit_ms = settings.MEDIA_MAX_DURATION_S * 1000
    if facts.duration_ms > limit_ms:
        raise MediaRejected(
            _("The recording is %(hours).1f hours long; at most %(most).1f hours are accepted.")
            % {"hours": facts.duration_ms / 3_600_000, "most": limit_ms / 3_600_000},
            code="too_long",
        )
    video = facts.video
    if video is not None and Fraction(video.average_rate) > MAX_FRAME_RATE:
        raise _too_dense()
    packets = sum(stream.packets for stream in (facts.video, facts.audio) if stream)
    if facts.duration_ms > 600_000 and packets * 60_000 < facts.duration_ms:
        raise MediaRejected(
            _("The file claims to last %(hours).1f hours but holds only %(packets)s pieces of picture and sound.")
            % {"hours": facts.duration_ms / 3_600_000, "packets": packets},
            code="almost_empty",
        )


# --- Facts ---------------------------------------------------------------------------------------------------------


def _read_tables(path: Path, header: dict[str, Any]) -> sample_tables.Tables | None:
    try:
        return sample_tables.read_tables(path, streams=len(header["streams"]))
    except probe.TooManyPackets as error:
        raise _too_dense() from error


def _scan(path: Path, out: Path, should_stop: ShouldStop) -> tuple[dict[int, probe.PacketSummary], int]:
    try:
        return probe.scan_packets(path, output_dir=out, should_stop=should_stop)
    except probe.TooManyPackets as error:
        raise _too_dense() from error
    except (sandbox.ToolFailed, sandbox.LimitExceeded) as error:
        raise _unreadable() from error


def _has_one_shape(
    path: Path, index: int, tables: sample_tables.Tables | None, out: Path, should_stop: ShouldStop
) -> bool:
    if tables is not None and (frames := tables.key_frames.get(index)):
        sets = sample_tables.read_parameter_sets(path, frames)
        if sets is not None:
            return probe.is_one_shape(sets)
    try:
        return probe.has_one_shape(path, index, output_dir=out, should_stop=should_stop)
    except EncodingFailed:
        return False  # what cannot even be taken apart is not copied; decoding will show


def _too_dense() -> MediaRejected:
    return MediaRejected(
        _("The file holds far more pictures or pieces of sound per second than any recording. Export it again."),
        code="too_dense",
    )


def _unreadable() -> MediaRejected:
    return MediaRejected(_("The file begins like a recording, but cannot be read to its end."), code="unreadable")


def _merge(original: dict[str, Any], rewritten: dict[str, Any]) -> dict[str, Any]:
    """Streams and start of the rewritten file; what was claimed, said about streams and left out, from the original."""
    for kind in (_pictures, _sounds):
        # Both list what `remuxed` maps, in the file's order.
        pairs = zip(*(sorted(kind(found["streams"]), key=_index) for found in (original, rewritten)), strict=False)
        for before, after in pairs:
            after.update({name: before[name] for name in ("tags", "disposition") if name in before})
    return rewritten | {"claimed": original["format"], "chapters": original.get("chapters", []), "original": original}


def _index(stream: dict[str, Any]) -> int:
    return int(stream["index"])


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _pictures(streams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Picture streams, the file's own choice first, then the largest: the rule by which one of many is taken."""
    found = [stream for stream in streams if stream.get("codec_type") == "video" and not _is_cover(stream)]
    return sorted(found, key=lambda stream: (not _is(stream, "default"), -_pixels(stream)))


def _pixels(stream: dict[str, Any]) -> int:
    return int(stream.get("width") or 0) * int(stream.get("height") or 0)


def _sounds(streams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [stream for stream in streams if stream.get("codec_type") == "audio"]


def _is(stream: dict[str, Any], disposition: str) -> bool:
    return bool(stream.get("disposition", {}).get(disposition))


def _tag(stream: dict[str, Any], name: str) -> str:
    """A text that somebody wrote into the file: in one line, without what cannot be shown, and short."""
    text = str(stream.get("tags", {}).get(name, ""))
    return "".join(char for char in text if char.isprintable())[:TITLE_CHARS].strip()


def _language(stream: dict[str, Any]) -> str:
    return languages.from_file(_tag(stream, "language"))


def _best_sounds(
    streams: list[dict[str, Any]], packets: dict[int, probe.PacketSummary], language: str
) -> list[dict[str, Any]]:
    """Sound streams that hold something, best first (see `inspect_source`)."""

    def length_s(stream: dict[str, Any]) -> float:
        summary = packets.get(int(stream["index"]))
        return 0.0 if summary is None or summary.start_s is None else summary.end_s - summary.start_s

    found = _sounds(streams)
    longest_s = max(map(length_s, found), default=0.0)
    wanted = languages.from_file(language)
    spoken = [stream for stream in found if wanted and _language(stream) == wanted]

    def rank(stream: dict[str, Any]) -> tuple[bool, bool, bool, bool]:
        is_aside = any(_is(stream, kind) for kind in ("comment", "hearing_impaired", "visual_impaired"))
        return (
            length_s(stream) < WHOLE_SOUND * longest_s,
            is_aside,
            # Two in the spoken language: their order in the file says more than the language.
            len(spoken) == 1 and stream is not spoken[0],
            not _is(stream, "default"),
        )

    return sorted(found, key=rank)


def _facts(
    header: dict[str, Any],
    streams: dict[int, probe.PacketSummary],
    *,
    container: str,
    needs_remux: bool,
    language: str,
) -> SourceFacts:
    def with_content(
        candidates: list[dict[str, Any]], allowed: frozenset[str]
    ) -> tuple[dict[str, Any], probe.PacketSummary] | None:
        for stream in candidates:
            summary = streams.get(int(stream["index"]))
            if summary and summary.start_s is not None and stream.get("codec_name") in allowed:
                return stream, summary
        return None

    picture = with_content(_pictures(header["streams"]), VIDEO_CODECS)
    sound = with_content(_best_sounds(header["streams"], streams, language), AUDIO_CODECS)
    # ffmpeg moves the file's own start to zero; all our times count from there.
    zero_s = probe.seconds(header["format"].get("start_time"))
    sounds = [
        (stream, streams[int(stream["index"])])
        for stream in _sounds(header["streams"])
        if stream.get("codec_name") in AUDIO_CODECS
        and int(stream["index"]) in streams
        and streams[int(stream["index"])].start_s is not None
    ]
    original = header.get("original", header)["streams"]
    ends_s = [found[1].end_s - zero_s for found in (picture, sound) if found]
    return SourceFacts(
        container=container,
        needs_remux=needs_remux,
        claimed_ms=_ms(probe.seconds(header.get("claimed", header["format"]).get("duration"))),
        start_ms=_ms(probe.seconds(header.get("claimed", header["format"]).get("start_time"))),
        duration_ms=max(1, _ms(max(ends_s, default=0.0))) if ends_s else 0,
        video=_video_facts(*picture, zero_s) if picture else None,
        audio=_audio_facts(*sound, zero_s) if sound else None,
        counts={
            "streams": len(original),
            "audio": len(_sounds(original)),
            "video": len(_pictures(original)),
            "subtitles": len([stream for stream in original if stream.get("codec_type") == "subtitle"]),
            "chapters": len(header.get("chapters", [])),
        },
        sounds=[
            {
                "index": int(stream["index"]),
                "language": _language(stream),
                "title": _tag(stream, "title"),
                "channels": int(stream.get("channels") or 0),
                "start_ms": _ms((summary.start_s or 0.0) - zero_s),
                "end_ms": _ms(summary.end_s - zero_s),
            }
            for stream, summary in sounds
        ],
    )


def _video_facts(stream: dict[str, Any], summary: probe.PacketSummary, zero_s: float) -> VideoFacts:
    coded_width, coded_height = int(stream["width"]), int(stream["height"])
    shape = probe.fraction(stream.get("sample_aspect_ratio")) or Fraction(1)
    rotation = 0
    for side in stream.get("side_data_list", []):
        rotation = int(side.get("rotation") or 0) % 360
    width, height = round(coded_width * shape), coded_height
    if rotation in (90, 270):
        width, height = height, width
    length_s = summary.end_s - (summary.start_s or 0.0)
    shown = summary.packets - summary.hidden
    average = Fraction(shown / length_s).limit_denominator(1001) if length_s > 0 else Fraction(0)
    declared = probe.fraction(stream.get("avg_frame_rate"))
    # A clip of seconds may have one frame more or less than its rate says.
    if declared and length_s and abs(declared - average) <= float(average) / 50 + 1 / length_s:
        average = declared
    return VideoFacts(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "")),
        profile=str(stream.get("profile", "")),
        pixel_format=str(stream.get("pix_fmt", "")),
        coded_width=coded_width,
        coded_height=coded_height,
        width=width,
        height=height,
        rotation=rotation,
        is_anamorphic=abs(shape - 1) > Fraction(1, 100),
        is_interlaced=stream.get("field_order") in ("tt", "bb", "tb", "bt"),
        is_hdr=stream.get("color_transfer") in HDR_TRANSFERS,
        real_rate=str(probe.fraction(stream.get("r_frame_rate"))),
        average_rate=str(average),
        packets=summary.packets,
        hidden=summary.hidden,
        size=summary.size,
        start_ms=_ms((summary.start_s or 0.0) - zero_s),
        end_ms=_ms(summary.end_s - zero_s),
        longest_gop_ms=_ms(summary.longest_gop_s),
        level=max(0, int(stream.get("level") or 0)),
        transfer=_known(stream.get("color_transfer")),
        matrix=_known(stream.get("color_space")),
        is_full_range=stream.get("color_range") == "pc",
    )


def _known(name: Any) -> str:
    return "" if name in (None, "unknown", "unspecified", "reserved") else str(name)


def _audio_facts(stream: dict[str, Any], summary: probe.PacketSummary, zero_s: float) -> AudioFacts:
    return AudioFacts(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "")),
        profile=str(stream.get("profile", "")),
        channels=int(stream.get("channels") or 0),
        sample_rate=int(stream.get("sample_rate") or 0),
        packets=summary.packets,
        size=summary.size,
        start_ms=_ms((summary.start_s or 0.0) - zero_s),
        end_ms=_ms(summary.end_s - zero_s),
        language=_language(stream),
    )


def _ms(value_s: float) -> int:
    return round(1000 * value_s)


# --- Warnings ------------------------------------------------------------------------------------------------------


def _warnings(header: dict[str, Any], facts: SourceFacts, complaints: int) -> list[dict[str, Any]]:
    """Return what an organiser should know, as codes with facts; `media.findings` has the words."""
    found: list[dict[str, Any]] = []
    video, audio = facts.video, facts.audio
    if abs(facts.claimed_ms - facts.duration_ms) > max(300, facts.duration_ms // 50) and facts.claimed_ms:
        found.append({"code": "duration_differs", "claimed_ms": facts.claimed_ms, "found_ms": facts.duration_ms})
    if abs(facts.start_ms) > 3_600_000:
        found.append({"code": "clock_offset", "start_ms": facts.start_ms})
    if complaints:
        found.append({"code": "read_errors", "count": complaints})
    if facts.counts["audio"] > 1:
        tags = list(dict.fromkeys(sound["language"] for sound in facts.sounds if sound["language"]))
        chosen = {"language": audio.language, "number": _number_of(facts)} if audio else {}
        found.append({"code": "several_sounds", "count": facts.counts["audio"], "languages": tags, **chosen})
    if facts.counts["subtitles"]:
        subtitles = [s for s in header.get("original", header)["streams"] if s.get("codec_type") == "subtitle"]
        tags = list(dict.fromkeys(filter(None, map(_language, subtitles))))
        found.append({"code": "subtitles_inside", "count": facts.counts["subtitles"], "languages": tags})
    if facts.counts["chapters"] > MAX_CHAPTERS:
        found.append({"code": "chapters_dropped", "count": facts.counts["chapters"]})
    if audio is None:
        found.append({"code": "no_audio"})
    elif video is not None:
        if audio.start_ms - video.start_ms > LATE_MS:
            found.append({"code": "late_audio", "start_ms": audio.start_ms})
        if audio.end_ms - audio.start_ms < facts.duration_ms // 10:
            found.append({"code": "short_audio", "length_ms": max(0, audio.end_ms - audio.start_ms)})
    if audio is not None and audio.channels > 2:
        found.append({"code": "downmixed", "channels": audio.channels})
    if video is None:
        found.append({"code": "audio_only"})
        return found
    if facts.counts["video"] > 1:
        found.append(
            {"code": "several_pictures", "count": facts.counts["video"], "width": video.width, "height": video.height}
        )
    if any(stream.get("closed_captions") for stream in _pictures(header["streams"])):
        found.append({"code": "captions_inside"})
    if not video.is_one_shape:
        found.append({"code": "changing_picture"})
    if video.packets == 1:
        found.append({"code": "single_frame"})
    if video.rotation:
        found.append({"code": "rotated", "degrees": video.rotation})
    if video.is_hdr:
        found.append({"code": "hdr"})
    if video.is_interlaced:
        found.append({"code": "interlaced"})
    real, average = Fraction(video.real_rate), Fraction(video.average_rate)
    if average and real > average * Fraction(11, 10) and video.packets > 1:
        found.append({"code": "variable_rate", "average": round(float(average), 2)})
    if facts.rate < average * Fraction(98, 100):
        found.append({"code": "rate_reduced", "found": round(float(average), 2), "kept": float(facts.rate)})
    return found


def _number_of(facts: SourceFacts) -> int:
    """Which of the file's sounds was taken, counted from one as players count them."""
    indices = [sound["index"] for sound in facts.sounds]
    return indices.index(facts.audio.index) + 1 if facts.audio and facts.audio.index in indices else 1
