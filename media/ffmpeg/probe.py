"""Asks ffprobe what is in a file: first its header, then, once that is harmless, every packet. Nothing is decoded."""

import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from media.ffmpeg.runner import ShouldStop, never, run_ffprobe

HEADER_ENTRIES = (
    "format=format_name,start_time,duration,nb_streams:"
    "stream=index,codec_type,codec_name,profile,width,height,sample_aspect_ratio,pix_fmt,field_order,color_transfer,"
    "r_frame_rate,avg_frame_rate,channels,sample_rate,start_time:"
    "stream_disposition=attached_pic,default:stream_side_data=rotation:chapter=id"
)
HEADER_WALL_S = 20
SCAN_WALL_S = 600


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

    def finish(self) -> None:
        self._close_gop(self.end_s)


def probe_header(path: Path, *, output_dir: Path) -> dict[str, Any]:
    """Return ffprobe's description of a file.

    Raises:
        sandbox.ToolFailed, sandbox.LimitExceeded: it is no file that we may open.
    """
    result = run_ffprobe(
        ["-show_entries", HEADER_ENTRIES, "-of", "json"], path=path, output_dir=output_dir, wall_s=HEADER_WALL_S
    )
    # Text from the file may hold any bytes; NUL is what PostgreSQL refuses.
    found: dict[str, Any] = json.loads(result.stdout.decode("utf-8", "replace").replace("\\u0000", ""))
    return found


def scan_packets(
    path: Path, *, output_dir: Path, should_stop: ShouldStop = never
) -> tuple[dict[int, PacketSummary], int]:
    """Return a summary of every stream's packets, and how many complaints there were.

    Raises:
        sandbox.ToolFailed, sandbox.LimitExceeded: reading failed altogether.
    """
    streams: dict[int, PacketSummary] = {}

    def on_line(line: str) -> None:
        fields = line.split(",")
        if len(fields) < 6 or not fields[0].isdigit():
            return
        index, pts, dts, duration, size, flags = fields[:6]
        at = pts if pts != "N/A" else dts
        streams.setdefault(int(index), PacketSummary()).add(
            None if at == "N/A" else float(at),
            0.0 if duration == "N/A" else float(duration),
            int(size) if size.isdigit() else 0,
            flags,
        )

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
