"""Asks ffprobe what is in a file: first its header, then, once that is harmless, every packet. Nothing is decoded."""

import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from media.ffmpeg.runner import SOURCE, ShouldStop, never, run_ffmpeg, run_ffprobe, source_input

HEADER_ENTRIES = (
    "format=format_name,start_time,duration,nb_streams:"
    "stream=index,codec_type,codec_name,profile,level,width,height,sample_aspect_ratio,pix_fmt,field_order,"
    "color_range,color_space,color_transfer,closed_captions,"
    "r_frame_rate,avg_frame_rate,channels,sample_rate,start_time:"
    "stream_disposition=attached_pic,default,dub,comment,hearing_impaired,visual_impaired:"
    "stream_tags=language,title:stream_side_data=rotation:chapter=id"
)
HEADER_WALL_S = 20
SCAN_WALL_S = 600
# High-speed cameras take 960 pictures a second; the smallest sound packets in use hold 0.2 ms.
MAX_PACKETS_PER_S = 5000
PACKETS_BETWEEN_LOOKS = 8192
PICTURE_SET = 8  # NAL unit type of a picture parameter set; 7 is that of a sequence parameter set
MAX_SETS_BYTES = 64 * 1024**2


class TooManyPackets(Exception):
    """A stream has more packets in a second than any recording."""


@dataclass
class PacketSummary:
    """All packets of one stream, in seconds of the file's own clock."""

    packets: int = 0
    hidden: int = 0
    untimed: int = 0
    size: int = 0
    start_s: float | None = None
    end_s: float = 0.0
    longest_gop_s: float = 0.0
    _key_at_s: float | None = field(default=None, repr=False)

    def add(self, at_s: float | None, duration_s: float, size: int, flags: str) -> None:
        self.packets += 1
        self.size += size
        if "D" in flags:
            self.hidden += 1
            return
        if at_s is None:
            self.untimed += 1
            return
        if self.start_s is None:
            self.start_s = self._key_at_s = self.end_s = at_s
        self.start_s = min(self.start_s, at_s)
        self.end_s = max(self.end_s, at_s + duration_s)
        if "K" in flags:
            self._close_gop(at_s)

    def _close_gop(self, at_s: float) -> None:
        if self._key_at_s is not None:
            self.longest_gop_s = max(self.longest_gop_s, at_s - self._key_at_s)
        self._key_at_s = at_s

    @property
    def is_too_dense(self) -> bool:
        timed = self.packets - self.hidden - self.untimed
        length_s = self.end_s - (self.start_s or 0.0)
        return timed > PACKETS_BETWEEN_LOOKS + MAX_PACKETS_PER_S * length_s

    def finish(self) -> None:
        self._close_gop(self.end_s)


def probe_header(path: Path, *, output_dir: Path) -> dict[str, Any]:
    """Return ffprobe's description of a file, and how many complaints there were as `complaints`.

    Raises:
        sandbox.ToolFailed, sandbox.LimitExceeded: it is no file that we may open.
    """
    result = run_ffprobe(
        ["-show_entries", HEADER_ENTRIES, "-of", "json"], path=path, output_dir=output_dir, wall_s=HEADER_WALL_S
    )
    # Text from the file may hold any bytes; NUL is what PostgreSQL refuses.
    found: dict[str, Any] = json.loads(result.stdout.decode("utf-8", "replace").replace("\\u0000", ""))
    return found | {"complaints": result.stderr_lines}


def scan_packets(
    path: Path, *, output_dir: Path, should_stop: ShouldStop = never
) -> tuple[dict[int, PacketSummary], int]:
    """Return a summary of every stream's packets, and how many complaints there were.

    Raises:
        TooManyPackets: the work that they make has no relation to what is seen and heard.
        sandbox.ToolFailed, sandbox.LimitExceeded: reading failed altogether.
    """
    streams: dict[int, PacketSummary] = {}

    def on_line(line: str) -> None:
        fields = line.split(",")
        if len(fields) < 6 or not fields[0].isdigit():
            return
        index, pts, dts, duration, size, flags = fields[:6]
        at = pts if pts != "N/A" else dts
        summary = streams.setdefault(int(index), PacketSummary())
        summary.add(
            None if at == "N/A" else float(at),
            0.0 if duration == "N/A" else float(duration),
            int(size) if size.isdigit() else 0,
            flags,
        )
        if summary.packets % PACKETS_BETWEEN_LOOKS == 0 and summary.is_too_dense:
            raise TooManyPackets

    result = run_ffprobe(
        ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,size,flags", "-of", "csv=p=0"],
        path=path,
        output_dir=output_dir,
        wall_s=SCAN_WALL_S,
        on_line=on_line,
        should_stop=should_stop,
    )
    for summary in streams.values():
        summary.finish()
    return streams, result.stderr_lines


def has_one_shape(path: Path, index: int, *, output_dir: Path, should_stop: ShouldStop = never) -> bool:
    """True if all key frames of an H.264 stream agree in their parameter sets (ITU-T H.264, 7.4.1.2.1).

    A recorder that changes the picture's size in the middle sends new ones, which a player of a copied stream never
    sees: they are described once, at its beginning. Only key frames are read where the container allows.

    Raises:
        EncodingFailed, TemporaryFailure: see `run_ffmpeg`.
    """
    target = output_dir / "parameter-sets.h264"
    # First the sets from the file's index are put before each key frame, then all but sets (7 and 8) is left out.
    graph = source_input(**{f"discard:{index}": "nokey"})[str(index)].output(
        f"file:out/{target.name}",
        **{"c": "copy", "bsf:v": "h264_mp4toannexb,filter_units=pass_types=7|8", "f": "h264", "map_metadata": "-1"},
    )
    try:
        run_ffmpeg(
            graph,
            inputs={SOURCE: path},
            output_dir=output_dir,
            duration_ms=SCAN_WALL_S * 50,
            should_stop=should_stop,
            output_bytes=MAX_SETS_BYTES,
        )
        sets = {unit.rstrip(b"\0") for unit in target.read_bytes().split(b"\0\0\1") if unit.strip(b"\0")}
    finally:
        target.unlink(missing_ok=True)
    return is_one_shape(sets)


def is_one_shape(sets: set[bytes]) -> bool:
    """True if parameter sets, each without its start code, do not contradict each other."""
    pictures = [unit for unit in sets if unit[0] & 0x1F == PICTURE_SET]
    # Several picture sets are usual, but each has an identifier of its own, the first number in it.
    identifiers = {_first_number(unit[1:5]) for unit in pictures}
    return len(sets) - len(pictures) == 1 and len(identifiers) == len(pictures)


def _first_number(data: bytes) -> int:
    """Return the Exp-Golomb number at the beginning of some bits (ITU-T H.264, 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "0", 2) - 1


def fraction(text: Any) -> Fraction:
    """Return ffprobe's "30000/1001" or "4:3" as a fraction; nothing sensible is zero."""
    try:
        return Fraction(str(text).replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def seconds(text: Any) -> float:
    """Return ffprobe's seconds; "N/A" and nothing are zero."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0
