"""Chooses what to encode: a pure function of what was found in the source."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

RUNG_SIDES = (1080, 720, 480)  # shorter side of the picture, in pixels
SEGMENT_S = 6
MAX_FRAME_RATE = 60
# Bits per second that a 1280x720 picture at up to 30 frames may take at its peak; other sizes in proportion.
REFERENCE_CAP_BPS = 2_500_000
REFERENCE_PIXELS = 1280 * 720
# A copied top rung needs no neighbour that is nearly as large.
NEARLY = 0.85
# A rung takes at most this share of the rate of the one above it, wherever that one is a copy.
STEP_DOWN = 0.8
LEAST_CAP_BPS = 100_000
# The encoder's buffer in seconds of the peak rate; longer where that is low, so that a new slide is not blurred.
BUFFER_S, LOW_BUFFER_S = 2, 10
# ITU-T H.264, table A-1 with the factor of the High profile: level, macroblocks per second and per picture, bits/s.
LEVELS = (
    (30, 40_500, 1620, 12_500_000),
    (31, 108_000, 3600, 17_500_000),
    (32, 216_000, 5120, 25_000_000),
    (40, 245_760, 8192, 25_000_000),
    (42, 522_240, 8704, 62_500_000),
    (50, 589_824, 22_080, 168_750_000),
    (51, 983_040, 36_864, 300_000_000),
    (52, 2_073_600, 36_864, 300_000_000),
)
NTSC_24, NTSC_30, NTSC_60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
STANDARD_RATES = (
    *map(Fraction, (5, 10, 12, 15, 20)),
    NTSC_24,
    *map(Fraction, (24, 25)),
    NTSC_30,
    *map(Fraction, (30, 50)),
    NTSC_60,
    Fraction(60),
)


@dataclass(frozen=True)
class Rung:
    """One line of the ladder.

    Attributes:
        name: "720p": the shorter side, so that an upright picture is called alike.
        width, height: even numbers, the shape as displayed.
        cap_bps: peak rate given to the encoder (VBV), bits per second.
    """

    name: str
    width: int
    height: int
    cap_bps: int


def choose_rungs(
    *,
    width: int,
    height: int,
    frame_rate: Fraction,
    copied_side: int = 0,
    sides: Sequence[int] = RUNG_SIDES,
    reference_bps: int = REFERENCE_CAP_BPS,
) -> list[Rung]:
    """Return what to encode for a picture of this displayed size, largest first; `sides` likewise.

    Never above the source. A source between two rungs, or below all, also gets a rung of its own size. With
    `copied_side`, the shorter side of a stream copy that is kept as the top rung, only clearly smaller ones remain.
    """
    side = min(width, height)
    wanted = [rung for rung in sides if rung <= side]
    if side < sides[0] and (not wanted or side > wanted[0] / NEARLY):
        wanted.insert(0, side)
    if copied_side:
        wanted = [rung for rung in wanted if rung < copied_side * NEARLY]
    return [
        make_rung(width=width, height=height, side=one, frame_rate=frame_rate, reference_bps=reference_bps)
        for one in wanted
    ]


def make_rung(
    *, width: int, height: int, side: int, frame_rate: Fraction, reference_bps: int = REFERENCE_CAP_BPS
) -> Rung:
    """Return the rung whose shorter side is `side`, in the shape of width x height, both sides even."""
    scale = Fraction(side, min(width, height))
    wide, high = _even(width * scale), _even(height * scale)
    name = f"{min(wide, high)}p"
    cap = cap_bps(width=wide, height=high, frame_rate=frame_rate, reference_bps=reference_bps)
    return Rung(name, wide, high, cap)


def cap_bps(*, width: int, height: int, frame_rate: Fraction, reference_bps: int = REFERENCE_CAP_BPS) -> int:
    """Return the peak rate for a picture: it grows slower than the number of pixels, and of frames beyond 30."""
    pixels = (width * height / REFERENCE_PIXELS) ** 0.8
    frames = (max(float(frame_rate), 30) / 30) ** 0.5
    return max(150_000, round(float(reference_bps * pixels * frames / 1000)) * 1000)


def caps_below(rungs: Sequence[Rung], copied_bps: int | None, *, seconds: float = math.inf) -> list[int]:
    """Return the peak rates of rungs, largest first, below a copied one that takes `copied_bps` in the same stretch.

    An encoder may spend its buffer once beyond the rate, which counts in a stretch of few `seconds`.

    A smaller picture must never take more than a larger one: nobody could use it. Sources of little detail and much
    noise, hard pressed by their encoder, would else bring that about.
    """
    if copied_bps is None:
        return [rung.cap_bps for rung in rungs]
    caps = []
    limit = float(copied_bps)
    for rung in rungs:
        limit *= STEP_DOWN
        caps.append(round(min(float(rung.cap_bps), max(LEAST_CAP_BPS, limit / (1 + LOW_BUFFER_S / seconds)))))
    return caps


def level_of(rung: Rung, frame_rate: Fraction) -> int:
    """Return the H.264 level, times ten: the lowest that holds the rung, the same for all of its parts."""
    blocks = -(-rung.width // 16) * -(-rung.height // 16)
    for level, per_second, per_picture, bps in LEVELS:
        if blocks <= per_picture and blocks * frame_rate <= per_second and rung.cap_bps <= bps:
            return level
    return LEVELS[-1][0]


def output_frame_rate(*, real: Fraction, average: Fraction) -> Fraction:
    """Return the constant rate of all outputs.

    Args:
        real: the rate of the stream's clock (ffprobe's r_frame_rate), absurd for a variable rate.
        average: frames divided by duration.

    A constant rate is kept, halved until it is at most 60. A variable one gets the nearest usual rate that does not
    lose frames on average.
    """
    if average <= 0:
        return Fraction(25)
    if real > 0 and abs(real - average) <= average / 50:
        rate = real
        while rate > MAX_FRAME_RATE:
            rate /= 2
        # Clocks that are off by a hair would make absurd time bases.
        nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
        if abs(nearest - rate) <= rate / 5000:
            return nearest
        return rate.limit_denominator(1001) if rate >= 1 else Fraction(5)
    fitting = [rate for rate in STANDARD_RATES if rate >= average * Fraction(9995, 10_000)]
    return fitting[0] if fitting else Fraction(MAX_FRAME_RATE)


def timescale_for(rate: Fraction) -> int:
    """Return ticks per second in which a frame lasts a whole number of ticks: at least 10 000, for exact sums."""
    factor = -(-10_000 // rate.numerator)
    return rate.numerator * factor


def segment_frames(rate: Fraction, segment_s: int = SEGMENT_S) -> int:
    """Return the frames between two key frames: whole ones, of about `segment_s` seconds."""
    return max(1, round(segment_s * rate))


def refresh_frames(rate: Fraction, segment: int, refresh_s: float) -> int:
    """Return after how many frames even a repeated picture is kept: a divisor of a segment, so that its start is."""
    most = max(1, round(refresh_s * rate))
    return max(number for number in range(1, min(most, segment) + 1) if segment % number == 0)


def plan_parts(*, total_frames: int, rate: Fraction, part_s: int, segment_s: int = SEGMENT_S) -> list[tuple[int, int]]:
    """Cut a picture track into ranges of frames (first, one past the last) at key frame boundaries.

    A rest shorter than one segment goes to the last range.
    """
    segment = segment_frames(rate, segment_s)
    length = max(1, part_s // segment_s) * segment
    starts = list(range(0, max(total_frames, 1), length))
    if len(starts) > 1 and total_frames - starts[-1] < segment:
        starts.pop()
    return list(zip(starts, [*starts[1:], total_frames], strict=True))


def is_on_grid(lengths: Sequence[int], segment_ticks: int) -> bool:
    """True when all segments last as long as they should; the last one may be shorter."""
    return all(length == segment_ticks for length in lengths[:-1]) and 0 < lengths[-1] <= segment_ticks


def can_join(parts: Sequence[tuple[int, int]], total_frames: int) -> bool:
    """True when the ranges follow each other without gap or overlap and cover everything."""
    ends = [0, *(end for _start, end in parts)]
    return [start for start, _end in parts] == ends[:-1] and ends[-1] == total_frames


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
