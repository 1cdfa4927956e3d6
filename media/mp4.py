"""Fragmented MP4 (ISO/IEC 14496-12): finds the byte ranges that HLS plays, and joins encoded parts exactly.

Only files that our own ffmpeg commands wrote come here: one track, `moov` first, then `moof` + `mdat` pairs. Pure
Python, and constant memory: media data is skipped or copied, never held.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf"))
MAX_HEADER_BYTES = 64 * 1024**2  # of a moov or moof; hours of samples in one fragment need less
COPY_BYTES = 1024**2


class Mp4Error(ValueError):
    """The file is not a fragmented MP4 of one track."""


@dataclass(frozen=True)
class Segment:
    """One fragment (moof + mdat): a byte range and its duration."""

    offset: int
    size: int
    duration_ms: int


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
        segments: in order. Their durations add up without drift.
    """

    init_size: int
    codecs: str
    timescale: int
    ticks: int
    delay_ticks: int
    samples: int
    segments: tuple[Segment, ...]

    @property
    def duration_ms(self) -> int:
        """The duration as a player sees it. Video's hidden start is time, not frames: it does not count off."""
        hidden = self.delay_ticks if self.codecs.startswith("mp4a") else 0
        return round(1000 * (self.ticks - hidden) / self.timescale)

    @property
    def index(self) -> dict[str, list[int] | list[list[int]]]:
        """The form stored with a rendition."""
        return {
            "init": [0, self.init_size],
            "segments": [[segment.offset, segment.size, segment.duration_ms] for segment in self.segments],
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
        Mp4Error: it is something else, or it is cut short.
    """
    header: _Header | None = None
    spans: list[tuple[int, int, int]] = []  # offset, size, ticks
    samples = init_size = 0
    fragment: tuple[int, int] | None = None  # offset of the moof, its ticks
    for kind, offset, size in top_level_boxes(file):
        if kind == b"moov":
            header = _read_header(box_content(file, offset, size))
            init_size = offset + size
        elif kind == b"moof":
            if header is None:
                raise Mp4Error("a fragment comes before the header")
            ticks, count = _read_fragment(box_content(file, offset, size), header)
            samples += count
            fragment = (offset, ticks)
        elif kind == b"mdat":
            if fragment is None:
                raise Mp4Error("media data without a fragment")
            spans.append((fragment[0], offset + size - fragment[0], fragment[1]))
            fragment = None
    if header is None or not spans or fragment is not None:
        raise Mp4Error("no fragments" if fragment is None else "the last fragment is cut short")
    segments = []
    at = 0
    for offset, size, ticks in spans:
        # The difference of rounded times, not the rounded difference: thousands of segments do not drift.
        duration_ms = round(1000 * (at + ticks) / header.timescale) - round(1000 * at / header.timescale)
        segments.append(Segment(offset, size, duration_ms))
        at += ticks
    return Track(init_size, header.codecs, header.timescale, at, header.delay_ticks, samples, tuple(segments))


def join(parts: Sequence[IO[bytes]], target: IO[bytes]) -> None:
    """Write one fragmented MP4 from parts of equal encoding: the first one's header, then everybody's fragments.

    The decode time of each fragment is moved by the whole ticks of the parts before it, so frames stay on their grid
    exactly, however many parts there are.

    Raises:
        Mp4Error: a part is damaged, or was encoded differently from the first.
    """
    first: _Header | None = None
    base_ticks = sequence = 0
    for part in parts:
        header: _Header | None = None
        part_ticks = 0
        for kind, offset, size in top_level_boxes(part):
            if kind == b"ftyp" and first is None:
                copy_bytes(part, offset, size, target)
            elif kind == b"moov":
                content = box_content(part, offset, size)
                header = _read_header(content)
                if first is None:
                    first = header
                    target.write(struct.pack(">I4s", size, b"moov") + content)
                elif header != first:
                    raise Mp4Error("the parts were encoded differently")
            elif kind == b"moof":
                if header is None:
                    raise Mp4Error("a fragment comes before the header")
                content = box_content(part, offset, size)
                ticks, _count = _read_fragment(content, header)
                sequence += 1
                target.write(struct.pack(">I4s", size, b"moof") + _moved_fragment(content, base_ticks, sequence))
                part_ticks += ticks
            elif kind == b"mdat":
                copy_bytes(part, offset, size, target)
        if not part_ticks:
            raise Mp4Error("a part has no pictures")
        base_ticks += part_ticks


@dataclass(frozen=True)
class _Header:
    timescale: int
    codecs: str
    delay_ticks: int
    default_duration: int
    sample_entry: bytes  # with the decoder's parameters: equal for all parts that can be joined


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
    timescale = default_duration = delay_ticks = 0
    sample_entry = b""
    tracks = 0
    for kind, start, end in boxes(data):
        version = data[start] if start < end else 0
        if kind == b"trak":
            tracks += 1
        elif kind == b"mdhd":
            timescale = struct.unpack_from(">I", data, start + (20 if version == 1 else 12))[0]
        elif kind == b"stsd":
            sample_entry = data[start + 8 : end]
        elif kind == b"trex":
            default_duration = struct.unpack_from(">I", data, start + 12)[0]
        elif kind == b"elst":
            media_time = struct.unpack_from(">q" if version == 1 else ">i", data, start + (16 if version == 1 else 12))
            delay_ticks = max(media_time[0], 0)
    if tracks != 1 or not timescale or not sample_entry:
        raise Mp4Error("not a file of one track")
    return _Header(timescale, _codecs(sample_entry), delay_ticks, default_duration, sample_entry)


def _codecs(entry: bytes) -> str:
    """Return the RFC 6381 name of a sample entry."""
    kind = entry[4:8]
    if kind in (b"avc1", b"avc3"):
        found = entry.find(b"avcC")
        if found < 0:
            raise Mp4Error("H.264 without its parameters")
        # AVCDecoderConfigurationRecord: version, profile, compatibility, level (ISO/IEC 14496-15, 5.3.3.1).
        return f"{kind.decode()}.{entry[found + 5 : found + 8].hex()}"
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


def _read_fragment(data: bytes, header: _Header) -> tuple[int, int]:
    """Return the duration in ticks and the number of samples of a moof."""
    ticks = count = 0
    default = header.default_duration
    for kind, start, _end in boxes(data):
        if kind == b"tfhd":
            flags = struct.unpack_from(">I", data, start)[0] & 0xFFFFFF
            at = start + 8
            at += 8 if flags & 0x1 else 0  # base data offset
            at += 4 if flags & 0x2 else 0  # sample description
            default = struct.unpack_from(">I", data, at)[0] if flags & 0x8 else header.default_duration
        elif kind == b"trun":
            flags, samples = struct.unpack_from(">II", data, start)
            flags &= 0xFFFFFF
            count += samples
            if not flags & 0x100:
                ticks += default * samples
                continue
            at = start + 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
            step = 4 * (flags & 0xF00).bit_count()
            ticks += sum(struct.unpack_from(">I", data, at + step * number)[0] for number in range(samples))
    return ticks, count


def _moved_fragment(content: bytes, base_ticks: int, sequence: int) -> bytes:
    data = bytearray(content)
    for kind, start, _end in boxes(content):
        if kind == b"mfhd":
            struct.pack_into(">I", data, start + 4, sequence)
        elif kind == b"tfdt":
            if data[start] != 1:
                raise Mp4Error("decode times of 32 bits")
            at = struct.unpack_from(">Q", data, start + 4)[0]
            struct.pack_into(">Q", data, start + 4, at + base_ticks)
    return bytes(data)
