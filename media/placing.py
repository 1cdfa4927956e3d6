"""Gives the pictures of a fragmented MP4 their exact times.

Encoders write decode times of their own making: an edit list that differs from part to part moves them, and the last
picture lasts as long as the encoder guesses. Here all parts get the same edit list, every picture is shown exactly
when it should be, however many are missing between it and the next, and each segment's decoding begins and ends
exactly where its showing does. So parts of a recording follow each other to the tick.

Decode times need not be evenly spaced; a picture must only be decoded before it is shown, and the edit list gives room
for that (ISO/IEC 14496-12, 8.6.6). Negative composition offsets would need no edit list, but ffmpeg reads them wrongly
in fragments.
"""

import struct
from itertools import accumulate, chain, pairwise
from typing import IO

from media.mp4 import Mp4Error, copy_bytes
from media.trimming import Stream, open_stream, with_edit


def place(
    source: IO[bytes], target: IO[bytes], *, start: int, length: int, step: int, delay: int, sequence: int = 1
) -> int:
    """Rewrite a file so that its first picture is shown at `start` and its last one ends `length` later.

    Args:
        start, length, step: ticks. Pictures are shown at whole steps after the first one.
        delay: ticks of room that the edit list gives: by as much a picture may be shown before others that were
            decoded before it.
        sequence: number of the first fragment.

    Returns:
        The number of pictures.

    Raises:
        Mp4Error: it is damaged, or a picture is off the steps, or shown out of its fragment's turn.
    """
    stream = open_stream(source)
    shown = [_shown(stream, number) for number in range(len(stream.fragments))]
    first = min(shown[0])
    shown = [[time - first + start for time in times] for times in shown]
    times = list(chain.from_iterable(sorted(times) for times in shown))
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise Mp4Error("pictures out of order")
    if any((time - start) % step for time in times) or times[-1] >= start + length:
        raise Mp4Error("pictures off their grid")
    offset, size = stream.ftyp
    copy_bytes(source, offset, size, target)
    target.write(_box(b"moov", with_edit(stream.moov, delay)))
    ends = [*(min(times) for times in shown[1:]), start + length]
    for number, fragment in enumerate(stream.fragments):
        decoded = decode_times(shown[number], delay=delay)
        rows = [
            struct.pack(">IIIi", until - at, sample.size, sample.flags, seen + delay - at)
            for at, until, sample, seen in zip(
                decoded, [*decoded[1:], ends[number]], fragment.samples, shown[number], strict=True
            )
        ]
        _write_header(target, stream.track_id, sequence + number, decoded[0], rows)
        size = sum(sample.size for sample in fragment.samples)
        target.write(struct.pack(">I4s", size + 8, b"mdat"))
        copy_bytes(source, fragment.data_offset, size, target)
    return len(times)


def _shown(stream: Stream, number: int) -> list[int]:
    """When each picture of a fragment is shown, in order of decoding."""
    fragment = stream.fragments[number]
    if not fragment.samples[0].is_key:
        raise Mp4Error("a fragment without a key frame")
    decoded = accumulate((sample.duration for sample in fragment.samples), initial=fragment.decode_ticks)
    return [at + sample.shift - stream.delay for at, sample in zip(decoded, fragment.samples, strict=False)]


def decode_times(shown: list[int], *, delay: int) -> list[int]:
    """Spread the decoding of a fragment over its time, nothing later than `delay` after it is shown.

    >>> decode_times([0, 40, 20, 10, 30], delay=20)
    [0, 10, 20, 30, 40]
    >>> decode_times([0, 400, 10, 20], delay=20)
    [0, 10, 20, 40]

    Raises:
        Mp4Error: the delay is too short.
    """
    latest = []
    limit = shown[-1] + delay + 1
    for time in reversed(shown):
        limit = min(time + delay, limit - 1)
        latest.append(limit)
    times = [min(pair) for pair in zip(sorted(shown), reversed(latest), strict=True)]
    if times[0] != min(shown):
        raise Mp4Error("pictures are reordered by more than the edit list allows for")
    return times


def _write_header(target: IO[bytes], track_id: int, sequence: int, decode_ticks: int, rows: list[bytes]) -> None:
    samples = b"".join(rows)
    mfhd = _box(b"mfhd", struct.pack(">II", 0, sequence))
    # Offsets count from the start of the moof (default-base-is-moof).
    tfhd = _box(b"tfhd", struct.pack(">II", 0x00020000, track_id))
    tfdt = _box(b"tfdt", struct.pack(">IQ", 0x01000000, decode_ticks))
    before = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + 8 + 12
    trun = _box(b"trun", struct.pack(">IIi", 0x01000F01, len(rows), before + len(samples) + 8) + samples)
    target.write(_box(b"moof", mfhd + _box(b"traf", tfhd + tfdt + trun)))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content
