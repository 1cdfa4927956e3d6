"""Chooses what to encode: a pure function of what was found in the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

RUNG_SIDES = (1080, 720, 480)  # shorter side of the picture, in pixels
SEGMENT_S = 6
MAX_FRAME_RATE = 60
CRF = 22
# Bits per second that a 1280x720 picture at up to 30 frames may take at its peak; other sizes in proportion.
REFERENCE_CAP_BPS = 2_500_000
REFERENCE_PIXELS = 1280 * 720
# A copied top rung needs no neighbour that is nearly as large.
NEARLY = 0.85
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


def choose_rungs(*, width: int, height: int, frame_rate: Fraction, copied_side: int = 0) -> list[Rung]:
    """Return what to encode for a picture of this displayed size, largest first.

    Never above the source. A source between two rungs, or below all, also gets a rung of its own size. With
    `copied_side`, the shorter side of a stream copy that is kept as the top rung, only clearly smaller ones remain.
    """
    side = min(width, height)
    sides = [rung for rung in RUNG_SIDES if rung <= side]
    if side < RUNG_SIDES[0] and (not sides or side > sides[0] / NEARLY):
        sides.insert(0, side)
    if copied_side:
        sides = [rung for rung in sides if rung < copied_side * NEARLY]
    return [make_rung(width=width, height=height, side=wanted, frame_rate=frame_rate) for wanted in sides]


def make_rung(*, width: int, height: int, side: int, frame_rate: Fraction) -> Rung:
    """Return the rung whose shorter side is `side`, in the shape of width x height, both sides even."""
    scale = Fraction(side, min(width, height))
    wide, high = _even(width * scale), _even(height * scale)
    name = f"{min(wide, high)}p"
    return Rung(name, wide, high, cap_bps(width=wide, height=high, frame_rate=frame_rate))


def cap_bps(*, width: int, height: int, frame_rate: Fraction) -> int:
    """Return the peak rate for a picture: it grows slower than the number of pixels, and of frames beyond 30."""
    pixels = (width * height / REFERENCE_PIXELS) ** 0.8
    frames = (max(float(frame_rate), 30) / 30) ** 0.5
    return max(150_000, round(float(REFERENCE_CAP_BPS * pixels * frames / 1000)) * 1000)


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


def segment_frames(rate: Fraction) -> int:
    """Return the frames between two key frames: six seconds, in whole frames."""
    return max(1, round(SEGMENT_S * rate))


def plan_parts(*, total_frames: int, rate: Fraction, part_s: int) -> list[tuple[int, int]]:
    """Cut a picture track into ranges of frames (first, one past the last) at key frame boundaries.

    A rest shorter than one segment goes to the last range.
    """
    segment = segment_frames(rate)
    length = max(1, part_s // SEGMENT_S) * segment
    starts = list(range(0, max(total_frames, 1), length))
    if len(starts) > 1 and total_frames - starts[-1] < segment:
        starts.pop()
    return list(zip(starts, [*starts[1:], total_frames], strict=True))


def can_join(parts: Sequence[tuple[int, int]], total_frames: int) -> bool:
    """True when the ranges follow each other without gap or overlap and cover everything."""
    ends = [0, *(end for _start, end in parts)]
    return [start for start, _end in parts] == ends[:-1] and ends[-1] == total_frames


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
