"""Cutting fragmented MP4 without re-encoding what lies between two key frames.

A cut begins and ends at any frame. Whole groups of pictures are copied byte for byte; only the frames from the wished
start to the next key frame, and from the last key frame to the wished end, are new (media/services/cutting.py encodes
them). The new pictures bring their own H.264 parameter sets under an identifier of their own, which stand beside the
old ones in the one sample entry (ISO/IEC 14496-15, 5.3.3.1): so one file with one initialisation section holds both,
whoever encoded the old ones. Sound is cut between AAC frames, and an edit list hides the samples before the start
(ISO/IEC 14496-12, 8.6.6).

Pure Python; media data that is copied is never held.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import IO

from media.mp4 import CONTAINERS, Mp4Error, box_content, boxes, copy_bytes, top_level_boxes

KEY, NOT_KEY = 0x02000000, 0x01010000  # sample flags, ISO/IEC 14496-12, 8.8.3.1
NON_SYNC = 0x00010000
NAL_LENGTH_BYTES = 4
IDR, FIRST_PICTURE_NAL, LAST_PICTURE_NAL = 5, 1, 5
VISUAL_ENTRY_BYTES = 86  # header and fields of a VisualSampleEntry, before its boxes
PREROLL = 1  # AAC frames that a decoder needs before the first one that it gives right


class CannotJoin(Mp4Error):
    """New pictures cannot stand beside these; they must be encoded whole."""


@dataclass(frozen=True)
class Sample:
    duration: int
    size: int
    flags: int
    shift: int  # composition offset

    @property
    def is_key(self) -> bool:
        return not self.flags & NON_SYNC


@dataclass(frozen=True)
class Fragment:
    """A moof with its mdat. Offsets and sizes are bytes in the file, times are ticks."""

    offset: int
    header_size: int
    size: int
    data_offset: int
    decode_ticks: int
    samples: tuple[Sample, ...]

    @property
    def ticks(self) -> int:
        return sum(sample.duration for sample in self.samples)


@dataclass
class Stream:
    """A fragmented MP4 of one track, down to its samples.

    Attributes:
        delay: ticks by which presentation lies before the media's own time (edit list).
    """

    file: IO[bytes]
    ftyp: tuple[int, int]
    moov: bytes
    timescale: int
    track_id: int
    is_video: bool
    delay: int
    fragments: list[Fragment] = field(default_factory=list)

    def starts_at(self, fragment: Fragment) -> int:
        """When the first sample of a fragment is shown, in ticks."""
        return fragment.decode_ticks + fragment.samples[0].shift - self.delay

    @property
    def end(self) -> int:
        """When the last sample ends."""
        last = self.fragments[-1]
        ends = last.decode_ticks + last.ticks + (last.samples[0].shift if self.is_video else 0)
        return ends - self.delay

    def data(self, fragment: Fragment, first: int = 0, last: int | None = None) -> bytes:
        """The bytes of some of a fragment's samples."""
        chosen = fragment.samples[first:last]
        self.file.seek(fragment.data_offset + sum(sample.size for sample in fragment.samples[:first]))
        return self.file.read(sum(sample.size for sample in chosen))

    def is_clean(self, fragment: Fragment) -> bool:
        """True if everything from this fragment on can be decoded without what was before it.

        A file may call a picture a key frame after which pictures of the group before it are still shown (open group).
        Only an IDR picture (ITU-T H.264, 7.4.1.2.4) is clean.
        """
        if not fragment.samples[0].is_key:
            return False
        return not self.is_video or _first_picture(self.data(fragment, 0, 1)) == IDR


def open_stream(file: IO[bytes]) -> Stream:
    """Read the boxes of a fragmented MP4 with one track.

    Raises:
        Mp4Error: it is something else.
    """
    stream: Stream | None = None
    ftyp = (0, 0)
    defaults = _Defaults()
    waiting: tuple[int, int, _Moof] | None = None
    for kind, offset, size in top_level_boxes(file):
        if kind == b"ftyp":
            ftyp = (offset, size)
        elif kind == b"moov":
            moov = box_content(file, offset, size)
            stream, defaults = _read_moov(file, ftyp, moov)
        elif kind == b"moof":
            waiting = (offset, size, _read_moof(box_content(file, offset, size), defaults))
        elif kind == b"mdat" and waiting is not None and stream is not None:
            start, header_size, moof = waiting
            stream.fragments.append(
                Fragment(
                    offset=start,
                    header_size=header_size,
                    size=offset + size - start,
                    data_offset=start + moof.data_offset,
                    decode_ticks=moof.decode_ticks,
                    samples=moof.samples,
                )
            )
            waiting = None
    if stream is None or not stream.fragments:
        raise Mp4Error("no fragments")
    return stream


# --- What to keep --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edge:
    """Pictures to encode anew: `frames` of the constant grid from `start` ticks on, made from some fragments.

    Attributes:
        first, last: the fragments to decode, `last` not among them.
        ticks: how long the piece lasts in the end.
    """

    start: int
    ticks: int
    frames: int
    first: int
    last: int


@dataclass(frozen=True)
class VideoCut:
    """`head`, then whole fragments from `first` up to `last`, then `tail`; any of them may be missing."""

    head: Edge | None
    first: int
    last: int
    tail: Edge | None


def plan_video(stream: Stream, *, start: int, end: int, rate: Fraction) -> VideoCut:
    """Say what is copied and what is encoded anew, to show `start` to `end` (ticks) of a stream."""
    clean = [number for number, fragment in enumerate(stream.fragments) if stream.is_clean(fragment)]
    times = [stream.starts_at(stream.fragments[number]) for number in clean]
    if not clean:
        raise CannotJoin("no key frames")
    end = min(end, stream.end)
    after = bisect_left(times, start)
    first = clean[after] if after < len(clean) else len(stream.fragments)
    first_time = times[after] if after < len(clean) else stream.end
    if end >= stream.end:
        last, last_time, tail = len(stream.fragments), stream.end, None
    else:
        before = max(bisect_right(times, end) - 1, 0)
        last, last_time = clean[before], times[before]
        tail = _edge(stream, clean, times, last_time, end, rate) if last_time < end else None
    if first_time >= last_time:  # no whole group of pictures in between
        return VideoCut(_edge(stream, clean, times, start, end, rate), 0, 0, None)
    head = _edge(stream, clean, times, start, first_time, rate) if first_time > start else None
    return VideoCut(head, first, last, tail)


def _edge(stream: Stream, clean: list[int], times: list[int], start: int, end: int, rate: Fraction) -> Edge:
    first = clean[max(bisect_right(times, start) - 1, 0)]
    after = bisect_left(times, end)
    last = clean[after] if after < len(clean) else len(stream.fragments)
    frames = max(1, round((end - start) * rate / stream.timescale))
    return Edge(start, end - start, frames, first, last)


# --- Writing -------------------------------------------------------------------------------------------------------


def write_fragments(stream: Stream, first: int, last: int, target: IO[bytes]) -> int:
    """Write some fragments as a file of their own, whose time begins with them.

    Returns the ticks at which the first picture is then shown: 0, or a little more where it must be.
    """
    fragment = stream.fragments[first]
    shift = fragment.samples[0].shift - stream.delay
    base = max(0, -shift)
    _copy_head(stream, stream.moov, target)
    for number, one in enumerate(stream.fragments[first:last], start=1):
        _copy_fragment(stream, one, one.decode_ticks - fragment.decode_ticks + base, number, target)
    return base + shift


def write_video(
    stream: Stream,
    cut: VideoCut,
    *,
    start: int,
    head: IO[bytes] | None,
    tail: IO[bytes] | None,
    target: IO[bytes],
) -> None:
    """Write the cut as one file.

    Args:
        start: ticks of the source's picture at which the new file begins.
        head, tail: the edges as encoded: fragmented MP4 in which all frames last equally long.

    Raises:
        CannotJoin: the new pictures do not fit beside the old ones.
    """
    copied = stream.fragments[cut.first : cut.last]
    # Where a copied group's first picture is shown later than the edit list allows for, everything is decoded earlier.
    lead = max(0, copied[0].samples[0].shift - stream.delay) if copied else 0
    pieces = [(edge, open_stream(file)) for edge, file in ((cut.head, head), (cut.tail, tail)) if edge and file]
    moov = with_edit(stream.moov, stream.delay + lead)
    for _, piece in pieces:
        moov = _with_parameters_of(moov, piece.moov)
    _copy_head(stream, moov, target)
    writer = _Writer(stream, stream.delay + lead, target)
    for edge, piece in pieces:
        if edge is cut.head:
            room = copied[0].decode_ticks - start + lead if copied else edge.ticks
            writer.add_edge(piece, edge, shown_at=0, room=room)
    for fragment in copied:
        writer.copy(fragment, fragment.decode_ticks - start + lead)
    for edge, piece in pieces:
        if edge is cut.tail:
            writer.add_edge(piece, edge, shown_at=edge.start - start, room=edge.ticks)


def write_audio(stream: Stream, *, start: int, end: int, target: IO[bytes]) -> None:
    """Write sound from `start` to `end` (ticks), cut between AAC frames and exact to the sample at its start."""
    times = [stream.starts_at(fragment) for fragment in stream.fragments]
    first = max(bisect_right(times, start) - 1, 0)
    skip, begins = _frames_before(stream.fragments[first], times[first], start)
    back = PREROLL
    while back and (skip or first):
        if not skip:
            first -= 1
            skip = len(stream.fragments[first].samples)
        skip -= 1
        begins -= stream.fragments[first].samples[skip].duration
        back -= 1
    _copy_head(stream, with_edit(stream.moov, max(0, start - begins)), target)
    writer = _Writer(stream, 0, target)
    for number in range(first, len(stream.fragments)):
        fragment, time = stream.fragments[number], times[number]
        if time >= end:
            break
        from_sample = skip if number == first else 0
        to_sample = len(fragment.samples)
        if time + fragment.ticks > end:
            to_sample, reached = _frames_before(fragment, time, end)
            to_sample += reached < end  # the frame that holds the end
        if from_sample == 0 and to_sample == len(fragment.samples):
            writer.copy(fragment, writer.at)
        elif to_sample > from_sample:
            writer.add(fragment.samples[from_sample:to_sample], stream.data(fragment, from_sample, to_sample))


def _frames_before(fragment: Fragment, time: int, moment: int) -> tuple[int, int]:
    """How many samples end by a moment, and when the last of them ends."""
    count = 0
    for sample in fragment.samples:
        if time + sample.duration > moment:
            break
        time += sample.duration
        count += 1
    return count, time


class _Writer:
    """Writes fragments one after another; `at` is where the next one begins, in ticks of decoding time."""

    def __init__(self, stream: Stream, delay: int, target: IO[bytes]) -> None:
        self.stream, self.delay, self.target = stream, delay, target
        self.at = self.sequence = 0

    def copy(self, fragment: Fragment, decode_ticks: int) -> None:
        """Copy a fragment as it is, but for its time."""
        self.sequence += 1
        _copy_fragment(self.stream, fragment, decode_ticks, self.sequence, self.target)
        self.at = decode_ticks + fragment.ticks

    def add(self, samples: Iterable[Sample], data: bytes) -> None:
        """Write samples as a new fragment."""
        rows = list(samples)
        self.sequence += 1
        run = struct.pack(">IIi", 0x01000F01, len(rows), 0)
        run += b"".join(struct.pack(">IIIi", s.duration, s.size, s.flags, s.shift) for s in rows)
        traf = _box(b"tfhd", struct.pack(">II", 0x00020000, self.stream.track_id))
        traf += _box(b"tfdt", struct.pack(">IQ", 0x01000000, self.at))
        mfhd = _box(b"mfhd", struct.pack(">II", 0, self.sequence))
        size = 8 + len(mfhd) + 8 + len(traf) + 8 + len(run)
        run = run[:8] + struct.pack(">i", size + 8) + run[12:]  # the data begins after the mdat's header
        self.target.write(_box(b"moof", mfhd + _box(b"traf", traf + _box(b"trun", run))))
        self.target.write(_box(b"mdat", data))
        self.at += sum(sample.duration for sample in rows)

    def add_edge(self, piece: Stream, edge: Edge, *, shown_at: int, room: int) -> None:
        """Write newly encoded pictures: `room` ticks of decoding time, `edge.ticks` of presentation."""
        count = sum(len(fragment.samples) for fragment in piece.fragments)
        begins, length = self.at, max(room, 1)
        number = 0
        for fragment in piece.fragments:
            decode = fragment.decode_ticks
            rows = []
            for sample in fragment.samples:
                shown = round(Fraction(decode + sample.shift - piece.delay, sample.duration))
                decoded = begins + length * number // count
                ends = begins + length * (number + 1) // count
                flags = KEY if sample.is_key else NOT_KEY
                shift = shown_at + edge.ticks * shown // count + self.delay - decoded
                rows.append(Sample(ends - decoded, sample.size, flags, shift))
                decode += sample.duration
                number += 1
            self.add(rows, piece.data(fragment))
        self.at = begins + length


def _copy_head(stream: Stream, moov: bytes, target: IO[bytes]) -> None:
    offset, size = stream.ftyp
    copy_bytes(stream.file, offset, size, target)
    target.write(_box(b"moov", moov))


def _copy_fragment(stream: Stream, fragment: Fragment, decode_ticks: int, sequence: int, target: IO[bytes]) -> None:
    stream.file.seek(fragment.offset)
    header = bytearray(stream.file.read(fragment.header_size))
    for kind, start, _end in boxes(bytes(header)):
        if kind == b"mfhd":
            struct.pack_into(">I", header, start + 4, sequence)
        elif kind == b"tfdt":
            form, value = (">Q", decode_ticks) if header[start] == 1 else (">I", decode_ticks)
            struct.pack_into(form, header, start + 4, value)
    target.write(header)
    rest = fragment.header_size
    copy_bytes(stream.file, fragment.offset + rest, fragment.size - rest, target)


# --- Boxes ---------------------------------------------------------------------------------------------------------


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise Mp4Error(f"a damaged {kind!r} box")
        yield kind, data[at + 8 : at + size]
        at += size


def _edited(data: bytes, edit: Callable[[bytes, bytes], bytes]) -> bytes:
    """Return the boxes with their contents as `edit(kind, content)` says, from the inside outwards."""
    return b"".join(
        _box(kind, edit(kind, _edited(content, edit) if kind in CONTAINERS else content))
        for kind, content in _children(data)
    )


def with_edit(moov: bytes, delay: int) -> bytes:
    """Return the header with one edit list entry that hides the first `delay` ticks of the media's time."""
    entry = struct.pack(">IIQqHH", 0x01000000, 1, 0, delay, 1, 0)
    edts = _box(b"edts", _box(b"elst", entry)) if delay else b""

    def edit(kind: bytes, content: bytes) -> bytes:
        if kind != b"trak":
            return content
        kept = [(child, data) for child, data in _children(content) if child != b"edts"]
        return b"".join(_box(child, data) + (edts if child == b"tkhd" else b"") for child, data in kept)

    return _edited(moov, edit)


@dataclass(frozen=True)
class _Defaults:
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True)
class _Moof:
    data_offset: int
    decode_ticks: int
    samples: tuple[Sample, ...]


def _read_moov(file: IO[bytes], ftyp: tuple[int, int], moov: bytes) -> tuple[Stream, _Defaults]:
    timescale = track_id = movie_timescale = delay = 0
    handler = b""
    defaults = _Defaults()
    edits: list[tuple[int, int]] = []
    for kind, start, _end in boxes(moov):
        later = 8 if moov[start : start + 1] == b"\x01" else 0
        if kind == b"mvhd":
            movie_timescale = struct.unpack_from(">I", moov, start + 12 + later)[0]
        elif kind == b"mdhd":
            timescale = struct.unpack_from(">I", moov, start + 12 + later)[0]
        elif kind == b"hdlr":
            handler = moov[start + 8 : start + 12]
        elif kind == b"trex":
            track_id, _entry, *rest = struct.unpack_from(">IIIII", moov, start + 4)
            defaults = _Defaults(*rest)
        elif kind == b"elst":
            form, step = (">Qq", 20) if later else (">Ii", 12)
            count = struct.unpack_from(">I", moov, start + 4)[0]
            edits = [struct.unpack_from(form, moov, start + 8 + step * n) for n in range(count)]
    if not (timescale and movie_timescale and track_id and handler in (b"vide", b"soun")):
        raise Mp4Error("not a file of one track of picture or sound")
    for duration, media_time in edits:  # an empty edit lets everything begin later
        delay += media_time if media_time >= 0 else -round(Fraction(duration * timescale, movie_timescale))
    return Stream(file, ftyp, moov, timescale, track_id, handler == b"vide", delay), defaults


def _read_moof(data: bytes, defaults: _Defaults) -> _Moof:
    duration, size, flags = defaults.duration, defaults.size, defaults.flags
    decode_ticks = data_offset = 0
    samples: list[Sample] = []
    for kind, start, _end in boxes(data):
        if kind == b"tfhd":
            has = struct.unpack_from(">I", data, start)[0]
            at = start + 8 + (8 if has & 0x1 else 0) + (4 if has & 0x2 else 0)
            given = [duration, size, flags]
            for number, bit in enumerate((0x8, 0x10, 0x20)):
                if has & bit:
                    given[number] = struct.unpack_from(">I", data, at)[0]
                    at += 4
            duration, size, flags = given
        elif kind == b"tfdt":
            decode_ticks = struct.unpack_from(">Q" if data[start] == 1 else ">I", data, start + 4)[0]
        elif kind == b"trun":
            has, count = struct.unpack_from(">II", data, start)
            at = start + 8
            if has & 0x1:
                if not samples:
                    data_offset = struct.unpack_from(">i", data, at)[0]
                at += 4
            first_flags = flags
            if has & 0x4:
                first_flags = struct.unpack_from(">I", data, at)[0]
                at += 4
            signed = ">i" if has >> 24 == 1 else ">I"
            for number in range(count):
                values = [duration, size, first_flags if number == 0 else flags, 0]
                for place, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
                    if has & bit:
                        values[place] = struct.unpack_from(signed if bit == 0x800 else ">I", data, at)[0]
                        at += 4
                samples.append(Sample(*values))
    if not samples:
        raise Mp4Error("a fragment without samples")
    return _Moof(data_offset, decode_ticks, tuple(samples))


# --- H.264 ---------------------------------------------------------------------------------------------------------


def parameter_set_ids(moov: bytes) -> set[int]:
    """Return the identifiers that the H.264 parameter sets of a header use.

    Raises:
        CannotJoin: it is not H.264 as we can join it.
    """
    _start, _end, record = _avc_record(_sample_entry(moov))
    sps, pps, _rest = _parameter_sets(record)
    # seq_parameter_set_id follows profile, constraints and level (ITU-T H.264, 7.3.2.1.1).
    return {_first_number(one[4:]) for one in sps} | {_first_number(one[1:]) for one in pps}


def profile_of(moov: bytes) -> int:
    """Return profile_idc as the header says, such as 100 for High."""
    return _avc_record(_sample_entry(moov))[2][1]


def _with_parameters_of(moov: bytes, other: bytes) -> bytes:
    """Return a header that also holds the parameter sets of another one.

    Raises:
        CannotJoin: the sizes differ, or two sets share an identifier.
    """
    entry, new_entry = _sample_entry(moov), _sample_entry(other)
    if entry[32:36] != new_entry[32:36]:
        raise CannotJoin("pictures of another size")
    start, end, record = _avc_record(entry)
    new_record = _avc_record(new_entry)[2]
    sps, pps, rest = _parameter_sets(record)
    new_sps, new_pps, _rest = _parameter_sets(new_record)
    sps += [one for one in new_sps if one not in sps]
    pps += [one for one in new_pps if one not in pps]
    for sets, skip in ((sps, 4), (pps, 1)):
        numbers = [_first_number(one[skip:]) for one in sets]
        if len(set(numbers)) != len(numbers):
            raise CannotJoin("two parameter sets under one identifier")
    merged = bytearray(record[:5])
    merged[2] &= new_record[2]  # a compatibility is claimed only where all sets have it
    merged[3] = max(record[3], new_record[3])  # level
    merged += bytes([0xE0 | len(sps)]) + b"".join(struct.pack(">H", len(one)) + one for one in sps)
    merged += bytes([len(pps)]) + b"".join(struct.pack(">H", len(one)) + one for one in pps) + rest
    changed = entry[: start - 8] + _box(b"avcC", bytes(merged)) + entry[end:]
    changed = struct.pack(">I", len(changed)) + changed[4:]

    def edit(kind: bytes, content: bytes) -> bytes:
        return content[:8] + changed if kind == b"stsd" else content

    return _edited(moov, edit)


def _sample_entry(moov: bytes) -> bytes:
    for kind, start, end in boxes(moov):
        if kind == b"stsd":
            entry = moov[start + 8 : end]
            if entry[4:8] not in (b"avc1", b"avc3") or len(entry) != struct.unpack(">I", entry[:4])[0]:
                raise CannotJoin("not one stream of H.264")
            return entry
    raise CannotJoin("no sample description")


def _avc_record(entry: bytes) -> tuple[int, int, bytes]:
    """The AVCDecoderConfigurationRecord of a sample entry, and where it is."""
    for kind, start, end in boxes(entry, VISUAL_ENTRY_BYTES):
        if kind == b"avcC":
            record = entry[start:end]
            if len(record) < 7 or (record[4] & 3) + 1 != NAL_LENGTH_BYTES:
                raise CannotJoin("lengths of another width")
            return start, end, record
    raise CannotJoin("no parameter sets")


def _parameter_sets(record: bytes) -> tuple[list[bytes], list[bytes], bytes]:
    """The sequence and picture parameter sets of an AVCDecoderConfigurationRecord, and what follows them."""
    at = 5
    found: list[list[bytes]] = []
    for mask in (0x1F, 0xFF):
        count = record[at] & mask
        at += 1
        sets = []
        for _number in range(count):
            (size,) = struct.unpack_from(">H", record, at)
            sets.append(record[at + 2 : at + 2 + size])
            at += 2 + size
        found.append(sets)
    return found[0], found[1], record[at:]


def _first_number(data: bytes) -> int:
    """Read an unsigned Exp-Golomb number (ITU-T H.264, 9.1) at the start of some bytes."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = bits.find("1")
    if zeros < 0:
        raise CannotJoin("a damaged parameter set")
    return int(bits[zeros : 2 * zeros + 1], 2) - 1


def _first_picture(data: bytes) -> int:
    """The type of the first NAL unit of a sample that holds a picture; 0 if there is none."""
    at = 0
    while at + NAL_LENGTH_BYTES < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind = data[at + NAL_LENGTH_BYTES] & 0x1F
        if FIRST_PICTURE_NAL <= kind <= LAST_PICTURE_NAL:
            return kind
        at += NAL_LENGTH_BYTES + size
    return 0
