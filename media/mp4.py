"""Fragmented MP4 (ISO/IEC 14496-12): finds the byte ranges that HLS plays, and joins parts that were placed in time.

Only files that our own commands wrote come here: one track, `moov` first, then `moof` + `mdat` pairs. Memory is
constant: media data is skipped or copied, and at most one fragment of it is held. `media.placing` gives pictures their
exact times; `media.sample_tables` reads other people's files, and takes a few functions from here that bear them.
"""

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf"))
MAX_HEADER_BYTES = 64 * 1024**2  # of a moov or moof; hours of samples in one fragment need less
COPY_BYTES = 1024**2
MESSAGES, FILLER = 6, 12  # NAL unit types (ITU-T H.264, table 7-1)
TOGETHER = 32  # fewer pictures than this are walked through faster one by one


_Numbers: TypeAlias = npt.NDArray[np.int64]


class Mp4Error(ValueError):
    """The file is not a fragmented MP4 of one track."""


@dataclass(frozen=True)
class Segment:
    """One fragment (moof + mdat): a byte range and its duration.

    `key_size` bytes of it, from its start, hold its first picture alone, which is a key frame.
    """

    offset: int
    size: int
    duration_ms: int
    key_size: int


@dataclass(frozen=True)
class Track:
    """What a file holds.

    Attributes:
        init_size: bytes from the start of the file to the end of the moov: the HLS initialisation section.
        codecs: RFC 6381, such as "avc1.64001f" or "mp4a.40.2".
        timescale: ticks per second.
        ticks: duration of all samples in decoding order, encoder delay included.
        delay_ticks: how much of the start an edit list hides (reordering delay of video, priming of audio).
        samples: number of frames.
        start_ticks: decode time of the first frame.
        lengths: ticks of each segment.
        segments: in order. Their durations add up without drift.
    """

    init_size: int
    codecs: str
    timescale: int
    ticks: int
    delay_ticks: int
    samples: int
    segments: tuple[Segment, ...]
    start_ticks: int = 0
    lengths: tuple[int, ...] = ()

    @property
    def duration_ms(self) -> int:
        """The duration as a player sees it. Video's hidden start is time, not frames: it does not count off."""
        hidden = self.delay_ticks if self.codecs.startswith("mp4a") else 0
        return round(1000 * (self.ticks - hidden) / self.timescale)

    @property
    def index(self) -> dict[str, list[int] | list[list[int]]]:
        """The form stored with a rendition: bytes and milliseconds."""
        return {
            "init": [0, self.init_size],
            "segments": [[segment.offset, segment.size, segment.duration_ms] for segment in self.segments],
            "key_sizes": [segment.key_size for segment in self.segments],
        }

    @property
    def average_bandwidth(self) -> int:
        """Bits per second over all segments (RFC 8216, AVERAGE-BANDWIDTH)."""
        return _bandwidth(sum(s.size for s in self.segments), sum(s.duration_ms for s in self.segments))

    @property
    def peak_bandwidth(self) -> int:
        """Bits per second of the heaviest segment (RFC 8216, BANDWIDTH).

        Segments shorter than half the longest are joined to what comes before them: one key frame alone is no rate.
        """
        longest = max(segment.duration_ms for segment in self.segments)
        peak = size = duration_ms = 0
        for segment in self.segments:
            size += segment.size
            duration_ms += segment.duration_ms
            if duration_ms * 2 >= longest:
                peak = max(peak, _bandwidth(size, duration_ms))
                size = duration_ms = 0
        return max(peak, self.average_bandwidth)


def _bandwidth(size: int, duration_ms: int) -> int:
    return size * 8000 // max(duration_ms, 1)


def read_track(file: IO[bytes]) -> Track:
    """Read the boxes of a fragmented MP4 with one track.

    Raises:
        Mp4Error: it is something else, or it is cut short, or a fragment does not begin where the one before it ends.
    """
    header: _Header | None = None
    found: list[tuple[int, int, _Fragment]] = []  # offset and size with the media data
    init_size = 0
    waiting: tuple[int, _Fragment] | None = None
    for kind, offset, size in top_level_boxes(file):
        if kind == b"moov":
            header = _read_header(box_content(file, offset, size))
            init_size = offset + size
        elif kind == b"moof":
            if header is None:
                raise Mp4Error("a fragment comes before the header")
            waiting = (offset, _read_fragment(box_content(file, offset, size), header))
        elif kind == b"mdat":
            if waiting is None:
                raise Mp4Error("media data without a fragment")
            fragment_offset, fragment = waiting
            fragment_size = offset + size - fragment_offset
            if fragment.end > fragment_size:
                raise Mp4Error("a fragment names more data than there is")
            found.append((fragment_offset, fragment_size, fragment))
            waiting = None
    if header is None or not found or waiting is not None:
        raise Mp4Error("no fragments" if waiting is None else "the last fragment is cut short")
    segments = []
    at = 0
    for offset, size, fragment in found:
        # The difference of rounded times, not the rounded difference: thousands of segments do not drift.
        duration_ms = round(1000 * (at + fragment.ticks) / header.timescale) - round(1000 * at / header.timescale)
        segments.append(Segment(offset, size, duration_ms, fragment.key_size))
        at += fragment.ticks
    return Track(
        init_size,
        header.codecs,
        header.timescale,
        at,
        header.delay_ticks,
        sum(fragment.samples for _offset, _size, fragment in found),
        tuple(segments),
        found[0][2].decode_ticks,
        tuple(fragment.ticks for _offset, _size, fragment in found),
    )


def join(parts: Sequence[IO[bytes]], target: IO[bytes]) -> None:
    """Write one fragmented MP4 from placed parts of equal encoding: the first one's header, then everybody's fragments.

    Nothing is changed, so a part's bytes are the same in its own file and in the joined one.

    Raises:
        Mp4Error: a part is damaged, was encoded differently from the first, or does not begin where the last one ends.
    """
    first: _Header | None = None
    at = 0
    for part in parts:
        header: _Header | None = None
        begins = at
        for kind, offset, size in top_level_boxes(part):
            if kind == b"ftyp" and first is None:
                copy_bytes(part, offset, size, target)
            elif kind == b"moov":
                header = _read_header(box_content(part, offset, size))
                if first is None:
                    first = header
                    copy_bytes(part, offset, size, target)
                elif header != first:
                    raise Mp4Error("the parts were encoded differently")
            elif kind == b"moof":
                if header is None:
                    raise Mp4Error("a fragment comes before the header")
                fragment = _read_fragment(box_content(part, offset, size), header)
                if fragment.decode_ticks != at:
                    raise Mp4Error("a part does not begin where the one before it ends")
                at += fragment.ticks
                copy_bytes(part, offset, size, target)
            elif kind == b"mdat":
                copy_bytes(part, offset, size, target)
        if at == begins:
            raise Mp4Error("a part has no pictures")


def blank_messages(path: Path) -> None:
    """Overwrite the messages beside the pictures of an H.264 file of ours (SEI, ITU-T H.264, annex D).

    They may hold anything: a camera's place and time, somebody's text. Filler of the same length takes their place, so
    the file need not be written again; ffmpeg's filter for this costs as much as the whole copy.

    Raises:
        Mp4Error: it is no fragmented file of one H.264 track.
    """
    header: _Header | None = None
    width = 4
    with path.open("r+b") as file:
        for kind, offset, size in top_level_boxes(file):
            if kind == b"moov":
                header = _read_header(box_content(file, offset, size))
                width, _sets = avc_configuration(header.sample_entry)
            elif kind == b"moof":
                if header is None:
                    raise Mp4Error("a fragment comes before the header")
                for _durations, begin, sizes in _runs(box_content(file, offset, size), header):
                    _blank_run(file, offset + begin, sizes, width)


def _blank_run(file: IO[bytes], begin: int, sizes: _Numbers, width: int) -> None:
    """Blank the messages of pictures that lie in a row. Only the pages with a NAL unit's beginning are ever read."""
    size = int(sizes.sum())
    if not size:
        return
    start = begin - begin % mmap.ALLOCATIONGRANULARITY
    try:
        view = mmap.mmap(file.fileno(), begin - start + size, offset=start)
    except ValueError as error:
        raise Mp4Error("a fragment names more data than there is") from error
    with view:
        ends = begin - start + sizes.cumsum()
        at = ends - sizes
        while len(at) >= TOGETHER:
            at, ends = _blank_next_units(view, at, ends, width)
        for one, end in zip(at.tolist(), ends.tolist(), strict=True):
            _blank_picture(view, one, end, width)


def _blank_next_units(view: mmap.mmap, at: _Numbers, ends: _Numbers, width: int) -> tuple[_Numbers, _Numbers]:
    """Look at one NAL unit of many pictures; return where the next ones are and where those pictures end.

    A damaged length ends its picture: no player gets further either.
    """
    data = np.frombuffer(view, np.uint8)
    has_length = at + width < ends
    at, ends = at[has_length], ends[has_length]
    lengths = np.zeros_like(at)
    for number in range(width):
        lengths = lengths << 8 | data[at + number]
    at = at + width
    fits = at + lengths <= ends
    at, ends, lengths = at[fits], ends[fits], lengths[fits]
    long = np.flatnonzero(lengths > 1)
    for one in long[data[at[long]] & 0x1F == MESSAGES].tolist():
        _blank_unit(view, int(at[one]), int(lengths[one]))
    return at + lengths, ends


def _blank_picture(view: mmap.mmap, at: int, end: int, width: int) -> None:
    """Walk through the NAL units of one picture, as above."""
    while at + width < end:
        length = int.from_bytes(view[at : at + width])
        at += width
        if at + length > end:
            return
        if length > 1 and view[at] & 0x1F == MESSAGES:
            _blank_unit(view, at, length)
        at += length


def _blank_unit(view: mmap.mmap, at: int, length: int) -> None:
    view[at : at + length] = bytes([FILLER]) + b"\xff" * (length - 2) + b"\x80"


def avc_configuration(entry: bytes) -> tuple[int, set[bytes]]:
    """Return the size of NAL units' lengths and the parameter sets in a sample entry (ISO/IEC 14496-15, 5.3.3.1).

    Raises:
        Mp4Error: there are none, or they are damaged.
    """
    at = entry.find(b"avcC") + 4
    if at < 4 or at + 6 > len(entry):
        raise Mp4Error("H.264 without its parameters")
    width = (entry[at + 4] & 3) + 1
    found = set()
    at += 5
    for mask in (0x1F, 0xFF):  # sequence parameter sets, then picture parameter sets
        if at >= len(entry):
            raise Mp4Error("H.264 without its parameters")
        count = entry[at] & mask
        at += 1
        for _number in range(count):
            length = int.from_bytes(entry[at : at + 2])
            at += 2 + length
            if not length or at > len(entry):
                raise Mp4Error("damaged parameters of H.264")
            found.add(entry[at - length : at].rstrip(b"\0"))
    return width, found


@dataclass(frozen=True)
class _Header:
    timescale: int
    codecs: str
    delay_ticks: int
    default_duration: int
    default_size: int
    sample_entry: bytes  # with the decoder's parameters: equal for all parts that can be joined


@dataclass(frozen=True)
class _Fragment:
    """What a moof says. `key_size` and `end` are bytes from its start to the end of its first and last sample."""

    decode_ticks: int
    ticks: int
    samples: int
    key_size: int
    end: int


def top_level_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, offset and size of each top-level box."""
    end = file.seek(0, 2)
    offset = 0
    while offset < end:
        file.seek(offset)
        head = file.read(16)
        if len(head) < 8:
            raise Mp4Error("the file is cut short")
        size, kind = struct.unpack(">I4s", head[:8])
        if size == 1 and len(head) == 16:
            size = struct.unpack(">Q", head[8:])[0]
            if kind != b"mdat":
                raise Mp4Error("a header of more than 4 GB")
        if size < 8 or offset + size > end:
            raise Mp4Error("the file is cut short")
        yield kind, offset, size
        offset += size


def box_content(file: IO[bytes], offset: int, size: int) -> bytes:
    if size > MAX_HEADER_BYTES:
        raise Mp4Error("a header of absurd size")
    file.seek(offset + 8)
    return file.read(size - 8)


def copy_bytes(source: IO[bytes], offset: int, size: int, target: IO[bytes]) -> None:
    source.seek(offset)
    while size:
        data = source.read(min(size, COPY_BYTES))
        if not data:
            raise Mp4Error("the file is cut short")
        target.write(data)
        size -= len(data)


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of every box, containers first, then what is in them."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            raise Mp4Error(f"a damaged {kind!r} box")
        yield kind, start + 8, start + size
        if kind in CONTAINERS:
            yield from boxes(data, start + 8, start + size)
        start += size


def _read_header(data: bytes) -> _Header:
    timescale = default_duration = default_size = delay_ticks = 0
    sample_entry = b""
    tracks = 0
    for kind, start, end in boxes(data):
        version = data[start] if start < end else 0
        if kind == b"trak":
            tracks += 1
        elif kind == b"mdhd":
            timescale = struct.unpack_from(">I", data, start + (20 if version == 1 else 12))[0]
        elif kind == b"stsd":
            sample_entry = _without_rates(data[start + 8 : end])
        elif kind == b"trex":
            default_duration, default_size = struct.unpack_from(">II", data, start + 12)
        elif kind == b"elst":
            media_time = struct.unpack_from(">q" if version == 1 else ">i", data, start + (16 if version == 1 else 12))
            delay_ticks = max(media_time[0], 0)
    if tracks != 1 or not timescale or not sample_entry:
        raise Mp4Error("not a file of one track")
    return _Header(timescale, _codecs(sample_entry), delay_ticks, default_duration, default_size, sample_entry)


def _without_rates(entry: bytes) -> bytes:
    """Leave out the bit rates that ffmpeg notes (btrt): they differ from part to part, and no decoder needs them."""
    at = entry.find(b"btrt")
    return entry if at < 4 else entry[: at - 4] + entry[at - 4 + struct.unpack_from(">I", entry, at - 4)[0] :]


def _codecs(entry: bytes) -> str:
    """Return the RFC 6381 name of a sample entry."""
    kind = entry[4:8]
    if kind in (b"avc1", b"avc3"):
        found = entry.find(b"avcC")
        if found < 0:
            raise Mp4Error("H.264 without its parameters")
        # AVCDecoderConfigurationRecord: version, profile, compatibility, level (ISO/IEC 14496-15, 5.3.3.1).
        return f"{kind.decode()}.{entry[found + 5 : found + 8].hex()}"
    if kind == b"av01":
        return _av1_codec(entry)
    if kind == b"mp4a":
        return f"mp4a.40.{_audio_object_type(entry)}"
    raise Mp4Error(f"a codec that we do not write: {kind!r}")


def _audio_object_type(entry: bytes) -> int:
    """Find the AudioSpecificConfig in the esds descriptors (ISO/IEC 14496-1, 7.2.6) and return its first five bits."""
    at = entry.find(b"esds")
    if at < 0:
        raise Mp4Error("AAC without its parameters")
    at += 8
    while at < len(entry):
        tag = entry[at]
        at += 1
        while entry[at] & 0x80:  # expandable length, at most four bytes
            at += 1
        at += 1
        if tag == 0x03:  # ES descriptor: identifier and flags, then the next descriptor
            at += 3
        elif tag == 0x04:  # decoder configuration: 13 bytes, then the next descriptor
            at += 13
        elif tag == 0x05:
            return entry[at] >> 3
        else:
            break
    raise Mp4Error("AAC without its parameters")


def _av1_codec(entry: bytes) -> str:
    """Return "av01.<profile>.<level><tier>.<bits>" from the av1C box (AV1 Codec ISO Media File Format Binding, 5).

    The further fields of that name are left out: what we encode has their defaults (4:2:0, BT.709, limited range).
    """
    at = entry.find(b"av1C")
    if at < 0:
        raise Mp4Error("AV1 without its parameters")
    profile_level, flags = entry[at + 5], entry[at + 6]
    bits = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    tier = "H" if flags & 0x80 else "M"
    return f"av01.{profile_level >> 5}.{profile_level & 0x1F:02d}{tier}.{bits:02d}"


def _read_fragment(data: bytes, header: _Header) -> _Fragment:
    """Read the content of a moof (without its own eight bytes)."""
    decode_ticks = ticks = count = key_size = end = 0
    for kind, start, _end in boxes(data):
        if kind == b"tfdt":
            decode_ticks = struct.unpack_from(">Q" if data[start] == 1 else ">I", data, start + 4)[0]
    for durations, at, sizes in _runs(data, header):
        ticks += int(durations.sum())
        count += len(sizes)
        end = at + int(sizes.sum())
        key_size = key_size or at + int(sizes[0])
    return _Fragment(decode_ticks, ticks, count, key_size, end)


def _runs(data: bytes, header: _Header) -> Iterator[tuple[_Numbers, int, _Numbers]]:
    """Yield what a moof (see above) tells of samples that lie in a row: their ticks, the bytes from the start of the
    moof to the first, and their sizes.
    """
    default_duration, default_size, at_data = header.default_duration, header.default_size, 0
    for kind, start, _end in boxes(data):
        if kind == b"tfhd":
            flags = struct.unpack_from(">I", data, start)[0]
            at = start + 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
            if flags & 0x8:
                default_duration = struct.unpack_from(">I", data, at)[0]
                at += 4
            if flags & 0x10:
                default_size = struct.unpack_from(">I", data, at)[0]
        elif kind == b"trun":
            flags, count = struct.unpack_from(">II", data, start)
            at = start + 8
            if flags & 0x1:
                at_data = struct.unpack_from(">i", data, at)[0]
                at += 4
            at += 4 if flags & 0x4 else 0
            fields = (flags & 0xF00).bit_count()
            if at + 4 * fields * count > len(data):
                raise Mp4Error("a fragment tells of more samples than it lists")
            rows = np.frombuffer(data, ">u4", fields * count, at).reshape(count, fields).astype(np.int64)
            has_durations, has_sizes = bool(flags & 0x100), bool(flags & 0x200)
            durations = rows[:, 0] if has_durations else np.broadcast_to(np.int64(default_duration), count)
            sizes = rows[:, int(has_durations)] if has_sizes else np.broadcast_to(np.int64(default_size), count)
            if count:
                yield durations, at_data, sizes
            at_data += int(sizes.sum())
