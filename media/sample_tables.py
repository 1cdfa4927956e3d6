"""Reads what a plain MP4 or QuickTime file says of its packets in its own tables (ISO/IEC 14496-12, 8.6 and 8.7).

An hour has a quarter of a million packets. Asking ffprobe for every one of them takes seconds, in which people wait for
their recording; its tables say the same in a hundredth of that. They come from strangers: whatever is not plain and
whole is left to ffprobe, and nothing here is larger than the tables are in the file.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from media.ffmpeg.probe import PACKETS_BETWEEN_LOOKS, PacketSummary, TooManyPackets
from media.mp4 import Mp4Error, avc_configuration, box_content, top_level_boxes

MAX_TOP_LEVEL_BOXES = 1000
MAX_ROUNDING_S = 0.001
MAX_UNITS = 4096  # NAL units of a picture, and parameter sets of a stream
MAX_SET_BYTES = 4096
PARAMETER_SETS = (7, 8)  # NAL unit types (ITU-T H.264, table 7-1)
MAX_SAMPLES = 20_000_000  # of a track: eight hours at 690 pictures a second

Array = np.ndarray[Any, np.dtype[Any]]


class NotPlain(Exception):
    """The tables alone do not say what ffmpeg will read."""


@dataclass(frozen=True)
class KeyFrames:
    """Where the key frames of an H.264 stream are, and its sample entry with the decoder's parameters (avcC)."""

    offsets: Array
    sizes: Array
    entry: bytes


@dataclass(frozen=True)
class Tables:
    """What was read, by the number of the stream."""

    summaries: dict[int, PacketSummary]
    key_frames: dict[int, KeyFrames]


@dataclass(frozen=True)
class _Box:
    """A part of the moov that is in memory, without its own head."""

    data: bytes
    start: int
    end: int

    def children(self) -> Iterator[tuple[bytes, "_Box"]]:
        at = self.start
        while at + 8 <= self.end:
            size, kind = struct.unpack_from(">I4s", self.data, at)
            if size < 8 or at + size > self.end:
                raise NotPlain("a damaged box")
            yield kind, _Box(self.data, at + 8, at + size)
            at += size

    def child(self, *kinds: bytes) -> "_Box":
        """The only box at a path."""
        found = self
        for kind in kinds:
            matching = [box for name, box in found.children() if name == kind]
            if len(matching) != 1:
                raise NotPlain(f"{len(matching)} boxes {kind!r}")
            found = matching[0]
        return found

    def maybe(self, kind: bytes) -> "_Box | None":
        return self.child(kind) if any(name == kind for name, _box in self.children()) else None

    def numbers(self, form: str, offset: int) -> tuple[Any, ...]:
        if self.start + offset + struct.calcsize(form) > self.end:
            raise NotPlain("a short box")
        return struct.unpack_from(form, self.data, self.start + offset)

    def table(self, kind: str, columns: int, offset: int = 4) -> Array:
        """Rows of numbers behind their count."""
        (rows,) = self.numbers(">I", offset)
        begin = self.start + offset + 4
        if rows * columns * np.dtype(kind).itemsize > self.end - begin:
            raise NotPlain("a short table")
        return np.frombuffer(self.data, dtype=kind, count=rows * columns, offset=begin).reshape(rows, columns)


def read_tables(path: Path, *, streams: int) -> Tables | None:
    """Return what `media.ffmpeg.probe.scan_packets` would find; None if only that can say.

    `streams` is how many ffprobe found: a cover, say, is a stream without a table.

    Raises:
        TooManyPackets: see there.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            top = list(islice(top_level_boxes(file), MAX_TOP_LEVEL_BOXES + 1))
            kinds = [kind for kind, _offset, _size in top]
            if kinds[:1] != [b"ftyp"] or kinds.count(b"moov") != 1 or b"moof" in kinds:
                return None
            if len(top) > MAX_TOP_LEVEL_BOXES:
                return None
            _kind, offset, length = top[kinds.index(b"moov")]
            data = box_content(file, offset, length)
        moov = _Box(data, 0, len(data))
        traks = [box for kind, box in moov.children() if kind == b"trak"]
        if len(traks) != streams or moov.maybe(b"mvex"):
            return None
        movie_ticks_per_s, _length = _clock(moov.child(b"mvhd"))
        tables = Tables({}, {})
        for number, trak in enumerate(traks):
            _read_track(trak, movie_ticks_per_s, size, tables, number)
        return tables
    except (NotPlain, Mp4Error):
        return None


def read_parameter_sets(path: Path, frames: KeyFrames) -> set[bytes] | None:
    """Return the parameter sets of an H.264 stream: the header's, and those beside key frames.

    None if they are not where ISO/IEC 14496-15 (5.3.3) has them.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        width, found = avc_configuration(frames.entry)
    except Mp4Error:
        return None
    with path.open("rb") as file:
        for offset, size in zip(frames.offsets.tolist(), frames.sizes.tolist(), strict=True):
            at, end = offset, offset + size
            for _number in range(MAX_UNITS):
                if at >= end:
                    break
                head = os.pread(file.fileno(), width + 1, at)
                length = int.from_bytes(head[:width])
                at += width + length
                if length == 0 or len(head) <= width or at > end:
                    return None
                if head[width] & 0x1F in PARAMETER_SETS:
                    if length > MAX_SET_BYTES or len(found) > MAX_UNITS:
                        return None
                    found.add(os.pread(file.fileno(), length, at - length).rstrip(b"\0"))
            else:
                return None
    return found


def _clock(box: _Box) -> tuple[int, int]:
    """Return the ticks per second and the length in ticks of an mvhd or mdhd."""
    (version,) = box.numbers(">B", 0)
    ticks_per_s, length = box.numbers(*((">IQ", 20) if version == 1 else (">II", 12)))
    if not ticks_per_s:
        raise NotPlain("no clock")
    return ticks_per_s, length


def _read_track(trak: _Box, movie_ticks_per_s: int, file_size: int, tables: Tables, number: int) -> None:
    media = trak.child(b"mdia")
    table = media.child(b"minf", b"stbl")
    (kind,) = media.child(b"hdlr").numbers(">4s", 8)
    is_picture = kind == b"vide"
    if kind not in (b"vide", b"soun"):
        raise NotPlain("text and data have no even clock")
    description = table.child(b"stsd")
    if description.numbers(">I", 4) != (1,):
        raise NotPlain("it changes its codec")
    if is_picture and (table.maybe(b"stps") or table.maybe(b"sbgp")):
        raise NotPlain("key frames of more kinds")
    ticks_per_s, claimed = _clock(media.child(b"mdhd"))
    if not claimed:
        raise NotPlain("a recorder that did not finish")
    sizes = _sizes(table.child(b"stsz"))
    is_key = np.ones(len(sizes), dtype=bool)
    if keys := table.maybe(b"stss"):
        numbers = keys.table(">u4", 1)[:, 0].astype(np.int64)
        if not len(numbers) or numbers.min() < 1 or numbers.max() > len(sizes):
            raise NotPlain("no key frames")
        is_key[:] = False
        is_key[numbers - 1] = True
    offsets = _offsets(table, sizes, file_size)
    entry = description.data[description.start + 8 : description.end]
    if entry[4:8] in (b"avc1", b"avc3"):
        tables.key_frames[number] = KeyFrames(offsets[is_key], sizes[is_key], entry)
    del offsets  # of three hours 6 MB, as every column here
    lengths = _repeated(table.child(b"stts").table(">u4", 2), len(sizes))
    if lengths.min() <= 0 or lengths.max() > 2**31:
        raise NotPlain("it stands still, or goes back")
    shown_at = np.cumsum(lengths) - lengths
    if delays := table.maybe(b"ctts"):
        shown_at += _repeated(delays.table(">i4", 2), len(sizes))  # version 0 is unsigned, but never so large
    delay, starts_at_s, shown_s = _edit(
        trak.maybe(b"edts"), movie_ticks_per_s, ticks_per_s, int((shown_at + lengths).max())
    )
    shown_at -= delay
    hidden = shown_at + lengths <= 0
    if shown_at.min() < 0 and (is_picture or hidden.all()):
        raise NotPlain("pictures before the first one that is shown")
    at_s = shown_at[~hidden] / ticks_per_s + starts_at_s
    ends_s = np.maximum.accumulate(at_s + lengths[~hidden] / ticks_per_s)
    if not is_picture and shown_s:  # the last packet of sound counts as far as it is heard
        ends_s = np.minimum(ends_s, starts_at_s + shown_s)
    begins_s = np.minimum.accumulate(at_s)
    tables.summaries[number] = _checked(
        PacketSummary(
            packets=len(sizes),
            hidden=int(hidden.sum()),
            size=int(sizes.sum()),
            start_s=float(begins_s[-1]),
            end_s=float(ends_s[-1]),
            longest_gop_s=float(
                np.diff(np.concatenate([at_s[:1], at_s[is_key[~hidden]], ends_s[-1:]])).max(initial=0.0)
            ),
        ),
        ends_s - begins_s,
    )


def _checked(summary: PacketSummary, lengths_s: Array) -> PacketSummary:
    """Look at the density as it is looked at while ffprobe reads."""
    looks = np.arange(PACKETS_BETWEEN_LOOKS, len(lengths_s) + 1, PACKETS_BETWEEN_LOOKS)
    for packets, length_s in zip(looks, lengths_s[looks - 1], strict=True):
        if PacketSummary(packets=int(packets), start_s=0.0, end_s=float(length_s)).is_too_dense:
            raise TooManyPackets
    return summary


def _sizes(box: _Box) -> Array:
    each, count = box.numbers(">II", 4)
    if each or not 0 < count <= MAX_SAMPLES:
        raise NotPlain("samples of one size are put together by ffmpeg")
    sizes: Array = box.table(">u4", 1, offset=8)[:, 0].astype(np.int64)
    if sizes.min() == 0:
        raise NotPlain("a sample of nothing")
    return sizes


def _repeated(runs: Array, wanted: int) -> Array:
    """Write rows of (count, value) out to one value for each sample."""
    counts = runs[:, 0].astype(np.int64) & 0xFFFFFFFF
    if int(counts.sum()) != wanted:
        raise NotPlain("tables of different lengths")
    return np.repeat(runs[:, 1].astype(np.int64), counts)


def _offsets(table: _Box, sizes: Array, file_size: int) -> Array:
    """Return where in the file each sample is.

    All must lie within: of a recording that was cut short, the packets that are there have to be looked for.
    """
    long = table.maybe(b"co64")
    chunks = (long.table(">u8", 1) if long else table.child(b"stco").table(">u4", 1))[:, 0]
    runs = table.child(b"stsc").table(">u4", 3).astype(np.int64)
    firsts = runs[:, 0] - 1
    if not len(runs) or firsts[0] != 0 or (np.diff(firsts) <= 0).any() or firsts[-1] >= len(chunks):
        raise NotPlain("chunks out of order")
    per_chunk = np.repeat(runs[:, 1], np.diff([*firsts, len(chunks)]))
    if int(per_chunk.max(initial=0)) > MAX_SAMPLES or int(per_chunk.sum()) != len(sizes):
        raise NotPlain("chunks that do not hold the samples")
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    last = np.cumsum(per_chunk)
    if int(chunks.max()) > file_size:
        raise NotPlain("it is cut short")
    offsets: Array = np.repeat(chunks.astype(np.int64) - bounds[last - per_chunk], per_chunk) + bounds[:-1]
    if int((offsets + sizes).max()) > file_size:
        raise NotPlain("it is cut short")
    return offsets


def _edit(box: _Box | None, movie_ticks_per_s: int, ticks_per_s: int, ends_at: int) -> tuple[int, float, float]:
    """Return what an edit list (8.6.6) makes of a track.

    How many ticks it hides at the start, how many seconds of nothing come before them, and how many seconds it shows
    (zero: all).
    """
    if box is None:
        return 0, 0.0, 0.0
    edits = box.child(b"elst")
    (version, count) = edits.numbers(">B3xI", 0)
    form = ">QqI" if version == 1 else ">IiI"
    rows = [edits.numbers(form, 8 + number * struct.calcsize(form)) for number in range(min(count, 3))]
    waits_s = 0.0
    if rows and rows[0][1] == -1:
        waits_s = rows.pop(0)[0] / movie_ticks_per_s
        count -= 1
    if count != 1 or rows[0][1] < 0 or rows[0][2] != 1 << 16:
        raise NotPlain("an edited film")
    length, delay, _rate = rows[0]
    shown_s = length / movie_ticks_per_s
    # It is rounded to the film's clock, whose tick may be a millisecond.
    if length and (ends_at - delay) / ticks_per_s - shown_s > 1 / movie_ticks_per_s + MAX_ROUNDING_S:
        raise NotPlain("an end that is cut off")
    return delay, waits_s, shown_s
