"""Where one recording of a room lies in another: how much later it began, whether its clock runs differently, how sure.

An interpreter's channel mostly holds a voice that the main recording lacks, and the room only quietly beneath it. So
loudness is levelled first, which lets the interpreter's pauses count like everything else, and whitened sounds are
compared (GCC-PHAT: Knapp and Carter 1976), where the main recording need not be loud to be found, only be there:

1. Short pieces of the channel are looked for at about their own time, then in the whole recording. Their best places
   vote for a straight line.
2. If they agree on none, rises of loudness are compared as a whole, which also finds what conference systems have
   stretched too much for the first way.
3. Many windows are compared closely around the place found. A line through their answers gives offset and drift; how
   many of them agree, and whether early and late ones do, says how sure that is.

Pure Python on numpy. Sounds are one-dimensional arrays of RATE samples per second, memory-mapped if they are long:
only a piece is in memory at a time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Report = Callable[[float], None]

RATE = 8000  # samples per second of both sounds
SURE = 0.7  # from here on, nobody needs to listen
BLOCK = 1 << 18  # samples of one transform in the search; 33 s
PIECE_S = 8.0
PIECES = 14
PEAKS = 12  # places kept of each piece
MAX_DRIFT_PPM = 300.0
BAND_HZ = (120.0, 3400.0)
LEVEL_S = 0.05  # loudness is evened out over this time
QUIET = 3e-4  # of full scale: below this there is nothing to hear
WINDOWS = 60
WINDOW_S = 8.0
REACH_S = 0.25  # to both sides of the expected place
AGREE_S = 0.004  # windows this near the line agree with it
CLEAR = 1.15  # how far a window's best place must stand out from its next one: a hum fits everywhere
HOP_S = 0.02  # of the loudness curves
CURVE_BANDS = ((150, 500), (500, 1200), (1200, 2400), (2400, 3600))
LEAST_CURVE_PEAK = 6.0  # standard deviations; what unrelated speech reaches by chance
MOST_BY_CURVE = 0.45


@dataclass(frozen=True)
class Alignment:
    """What was found.

    Attributes:
        offset_ms: how much later the channel begins than the recording (negative: earlier).
        drift_ppm: how much longer the channel's time lasts in the recording, in millionths.
        match: from 0 (nothing in common) to 1 (sure).
        windows: how many windows were compared closely, and
        agreeing: how many of them agree with the answer.
    """

    offset_ms: int = 0
    drift_ppm: float = 0.0
    match: float = 0.0
    windows: int = 0
    agreeing: int = 0

    @property
    def is_sure(self) -> bool:
        return self.match >= SURE


@dataclass(frozen=True)
class _Line:
    """Where a moment of the channel lies in the recording, in seconds: offset + t * (1 + drift)."""

    offset_s: float
    drift: float = 0.0

    def lag(self, at_s: float) -> float:
        return self.offset_s + self.drift * at_s


def align(main: Any, channel: Any, *, report: Report = lambda _share: None) -> Alignment:
    """Find the channel in the main recording. Never fails: with nothing in common the match is near 0.

    `report` gets the share done from 0 to 1, and may raise to end the search.
    """
    if min(len(main), len(channel)) < RATE:
        return Alignment()
    found = Alignment()
    # Conference systems begin all their files at about the same time, and a short search costs a few seconds.
    for search, begin, end in ((_near_places, 0.0, 0.1), (_all_places, 0.1, 0.8)):
        line = _best_line(search(main, channel, _share(report, begin, end)))
        other = _closely(main, channel, line) if line else Alignment()
        found = max(found, other, key=lambda alignment: alignment.match)
        if found.is_sure:
            return found
    curve_offset_s, strength = _by_curves(main, channel, _share(report, 0.8, 1.0))
    if strength >= LEAST_CURVE_PEAK:
        other = _closely(main, channel, _Line(curve_offset_s))
        if other.match > found.match:
            found = other
        by_curve = min(MOST_BY_CURVE, (strength - LEAST_CURVE_PEAK) / 20)
        if by_curve > found.match:
            found = Alignment(round(1000 * curve_offset_s), 0.0, round(by_curve, 3), found.windows, found.agreeing)
    return found


def _share(report: Report, begin: float, end: float) -> Report:
    """Progress of a stage that goes from `begin` to `end` of the whole."""
    return lambda share: report(begin + (end - begin) * share)


def telling_places(main: Any, channel: Any, *, offset_s: float, count: int, length_s: float) -> list[float]:
    """Return up to `count` moments of the recording, in seconds, from which on much is heard in both sounds.

    They are spread over the time that both have; none if there is no such time.
    """
    overlap = _overlap(main, channel, _Line(offset_s))
    if overlap is None:
        return []
    begin, end = (at + round(offset_s * RATE) for at in overlap)
    size = max(RATE, min(round(length_s * RATE), (end - begin) // count))
    places = []
    for number in range(count):
        low = begin + (end - begin) * number // count
        room = max(0, (end - begin) // count - size)
        tries = [low + room * step // 10 for step in range(11)]
        best = max(
            tries, key=lambda at: min(_level(main, at, size), _level(channel, at - round(offset_s * RATE), size))
        )
        places.append(max(0, best) / RATE)
    return places


# --- The search ----------------------------------------------------------------------------------------------------


# Of each piece of the channel: when it begins, and the places in the recording that it resembles most, each as a
# score in standard deviations and a lag in seconds.
Votes = list[tuple[float, list[tuple[float, float]]]]


def _near_places(main: Any, channel: Any, report: Report) -> Votes:
    """Look for each piece within some 13 seconds before and after its own time."""
    size, starts = _pieces(channel)
    votes: Votes = []
    for number, start in enumerate(starts):
        report(number / len(starts))
        begin = start - (BLOCK - size) // 2
        spectrum, piece = _white(_piece(main, begin, BLOCK), BLOCK), _white(_piece(channel, start, size), BLOCK)
        votes.append((start / RATE, _places(spectrum, piece, BLOCK - size, (begin - start) / RATE, PEAKS)))
    return votes


def _all_places(main: Any, channel: Any, report: Report) -> Votes:
    """Look for each piece everywhere, one block of the recording after another."""
    size, starts = _pieces(channel)
    spectra = [_white(_piece(channel, start, size), BLOCK) for start in starts]
    found: list[list[tuple[float, float]]] = [[] for _start in starts]
    hop = BLOCK - size
    begins = range(-size, len(main), hop)
    for number, begin in enumerate(begins):
        report(number / len(begins))
        block = _piece(main, begin, BLOCK)
        if not block.any():
            continue
        spectrum = _white(block, BLOCK)
        for places, start, piece in zip(found, starts, spectra, strict=True):
            places += _places(spectrum, piece, hop, (begin - start) / RATE, 4)
    return [(start / RATE, sorted(places, reverse=True)[:PEAKS]) for start, places in zip(starts, found, strict=True)]


def _pieces(channel: Any) -> tuple[int, list[int]]:
    size = min(round(PIECE_S * RATE), len(channel) // 3)
    return size, _audible_starts(channel, size, PIECES)


def _places(spectrum: Any, piece: Any, lags: int, first_lag_s: float, count: int) -> list[tuple[float, float]]:
    """The best places of a piece in a block, both given by their spectra; only the first `lags` are whole."""
    answer = np.abs(np.fft.irfft(spectrum * np.conj(piece), BLOCK))[: lags + 1]
    scale = float(np.sqrt(np.mean(answer**2))) or 1.0
    return [(float(answer[at]) / scale, first_lag_s + at / RATE) for at in _tops(answer, count)]


def _best_line(votes: Votes) -> _Line | None:
    """The line that most pieces' places lie on, weighed by how far they stand out."""
    everything = [(at, lag, score) for at, peaks in votes for score, lag in peaks]
    if not everything:
        return None
    ats, lags, scores = (np.array(column) for column in zip(*everything, strict=True))
    pieces = np.repeat(np.arange(len(votes)), [len(peaks) for _at, peaks in votes])
    weights = np.maximum(scores - 4.5, 0.1) ** 2
    best, best_weight = None, 0.0
    strongest = np.argsort(-scores)[:60]
    for first in strongest:
        candidates = [_Line(float(lags[first]))]
        for second in strongest:
            apart = ats[second] - ats[first]
            if apart > 20:
                drift = (lags[second] - lags[first]) / apart
                if abs(drift) * 1e6 <= MAX_DRIFT_PPM:
                    candidates.append(_Line(float(lags[first] - drift * ats[first]), float(drift)))
        for line in candidates:
            near = np.abs(line.offset_s + line.drift * ats - lags) < 0.01
            best_of_piece = np.zeros(len(votes))
            np.maximum.at(best_of_piece, pieces[near], weights[near])
            weight = float(best_of_piece.sum()) * (1 if line.drift else 1.05)
            if weight > best_weight:
                best, best_weight = line, weight
    return best


# --- The close look ------------------------------------------------------------------------------------------------


def _closely(main: Any, channel: Any, line: _Line) -> Alignment:
    """Compare many windows near the expected place, fit a line through what they say, and judge it."""
    overlap = _overlap(main, channel, line)
    if overlap is None:
        return Alignment()
    size = min(round(WINDOW_S * RATE), max(RATE // 2, (overlap[1] - overlap[0]) // 4))
    starts = _audible_starts(channel, size, WINDOWS, within=overlap)
    reach = round(REACH_S * RATE)
    ats, lags = [], []
    for start in starts:
        expected = round(line.lag(start / RATE) * RATE)
        around = _piece(main, start + expected - reach, size + 2 * reach)
        if np.sqrt(np.mean(around**2)) < QUIET:
            continue
        length = 1 << (size + 2 * reach - 1).bit_length()
        answer = np.abs(
            np.fft.irfft(_white(around, length) * np.conj(_white(_piece(channel, start, size), length)), length)
        )
        first, second = _tops(answer[: 2 * reach + 1], 2)
        ats.append((start + size / 2) / RATE)
        is_clear = answer[first] >= CLEAR * answer[second]
        lags.append((expected - reach + first) / RATE if is_clear else math.inf)
    if len(ats) < 2:
        return Alignment()
    return _judge(np.array(ats), np.array(lags), line, len(channel) / RATE)


def _judge(ats: Any, lags: Any, line: _Line, length_s: float) -> Alignment:
    clear = np.isfinite(lags)
    line, agree = _fit(ats[clear], lags[clear], line)
    agree = np.isin(np.arange(len(ats)), np.flatnonzero(clear)[agree])
    total, agreeing = len(ats), int(agree.sum())
    # By chance, a window's answer is anywhere within reach of the expected place. But the line was chosen to please
    # as many as possible: one window agrees with it for certain, two if it may slope, and there were many to choose.
    chance = AGREE_S / REACH_S
    free = 2 if line.drift else 1
    sure = _certainty(max(0, agreeing - free), total, chance, handicap=free)
    # A recorder that was paused agrees with one line before and with another one after: each third must agree.
    thirds = []
    for part in range(3):
        mine = (ats >= part * length_s / 3) & (ats < (part + 1) * length_s / 3)
        if mine.sum() >= 3:
            thirds.append(_certainty(int(agree[mine].sum()), int(mine.sum()), chance, handicap=0))
    match = sure * min([1.0, *(0.4 + 0.6 * third for third in thirds)])
    return Alignment(
        offset_ms=round(1000 * line.offset_s),
        drift_ppm=round(1e6 * line.drift, 2),
        match=round(match, 3),
        windows=total,
        agreeing=agreeing,
    )


def _fit(ats: Any, lags: Any, line: _Line) -> tuple[_Line, Any]:
    """A straight line through the most answers that agree (random pairs, all tried, then least squares)."""
    best = np.abs(line.offset_s + line.drift * ats - lags) < AGREE_S
    best_line = line
    span = float(np.ptp(ats)) if len(ats) else 0.0
    for first in range(len(ats)):
        constant = np.abs(lags - lags[first]) < AGREE_S
        if constant.sum() > best.sum():
            best, best_line = constant, _Line(float(np.median(lags[constant])))
        for second in range(first + 1, len(ats)):
            apart = ats[second] - ats[first]
            # Two near windows say nothing about a drift.
            if apart < max(10.0, span / 4):
                continue
            drift = (lags[second] - lags[first]) / apart
            if abs(drift) * 1e6 > MAX_DRIFT_PPM:
                continue
            near = np.abs(lags[first] + drift * (ats - ats[first]) - lags) < AGREE_S
            if near.sum() > best.sum() + 1:
                best, best_line = near, _Line(float(lags[first] - drift * ats[first]), float(drift))
    if best.sum() >= 2:
        mine_at, mine_lag = ats[best], lags[best]
        spread = float(mine_at.max() - mine_at.min())
        if best.sum() >= 6 and spread > 60:
            drift, offset_s = np.polyfit(mine_at, mine_lag, 1)
            # A drift that moves the far end by less than a window's own error is none.
            if abs(drift) * spread > 0.003 and abs(drift) * 1e6 <= MAX_DRIFT_PPM:
                best_line = _Line(float(offset_s), float(drift))
            else:
                best_line = _Line(float(np.median(mine_lag)))
        elif not best_line.drift:
            best_line = _Line(float(np.median(mine_lag)))
        best = np.abs(best_line.offset_s + best_line.drift * ats - lags) < AGREE_S
    return best_line, best


def _certainty(agreeing: int, total: int, chance: float, *, handicap: int) -> float:
    """From the probability that so many agree by chance: 1 at one in a million. The handicap takes decimals off."""
    if agreeing <= 0:
        return 0.0
    tail = sum(math.comb(total, k) * chance**k * (1 - chance) ** (total - k) for k in range(agreeing, total + 1))
    return min(1.0, max(0.0, -math.log10(max(tail, 1e-30)) - handicap) / 6)


def _overlap(main: Any, channel: Any, line: _Line) -> tuple[int, int] | None:
    """Samples of the channel that fall into the recording."""
    begin = max(0, math.ceil(-line.offset_s * RATE))
    end = min(len(channel), math.floor((len(main) / RATE - line.offset_s) / (1 + line.drift) * RATE))
    return (begin, end) if end - begin > RATE else None


# --- Loudness curves -----------------------------------------------------------------------------------------------


def _by_curves(main: Any, channel: Any, report: Report) -> tuple[float, float]:
    """Return the offset in seconds at which rises of loudness agree best, and by how many deviations it stands out."""
    first = _rises(main, lambda share: report(0.45 * share))
    second = _rises(channel, lambda share: report(0.45 + 0.45 * share))
    length = 1 << (first.shape[1] + second.shape[1]).bit_length()
    total = np.zeros(length)
    for one, other in zip(first, second, strict=True):
        total += np.fft.irfft(np.fft.rfft(one, length) * np.conj(np.fft.rfft(other, length)), length)
    # At most half of the shorter one may stick out: less overlap than that proves nothing.
    least = min(first.shape[1], second.shape[1]) // 2
    lags = np.concatenate([np.arange(0, first.shape[1] - least), np.arange(-(second.shape[1] - least), 0)])
    if not len(lags):
        return 0.0, 0.0
    overlap = np.minimum(first.shape[1], lags + second.shape[1]) - np.maximum(0, lags)
    answer = total[lags] / np.sqrt(np.maximum(overlap, 1))
    deviation = float(np.std(answer)) or 1.0
    at = int(np.argmax(answer))
    return float(lags[at]) * HOP_S, float((answer[at] - np.mean(answer)) / deviation)


def _rises(sound: Any, report: Report) -> Any:
    """Return how much louder each band became from one step to the next, standardised; bands x steps."""
    hop, width = round(HOP_S * RATE), 2 * round(HOP_S * RATE)
    steps = max(1, (len(sound) - width) // hop + 1)
    frequencies = np.fft.rfftfreq(width, 1 / RATE)
    masks = [(frequencies >= low) & (frequencies < high) for low, high in CURVE_BANDS]
    curve = np.zeros((len(masks), steps), dtype=np.float32)
    window = np.hanning(width).astype(np.float32)
    at_once = 6000
    for begin in range(0, steps, at_once):
        report(begin / steps)
        count = min(at_once, steps - begin)
        piece = _piece(sound, begin * hop, (count - 1) * hop + width)
        frames = np.lib.stride_tricks.sliding_window_view(piece, width)[::hop][:count]
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        for row, mask in zip(curve, masks, strict=True):
            row[begin : begin + count] = np.log(power[:, mask].sum(axis=1) + 1e-4)
    rises = np.maximum(np.diff(curve, axis=1, prepend=curve[:, :1]), 0)
    rises -= rises.mean(axis=1, keepdims=True)
    deviation = rises.std(axis=1, keepdims=True)
    return rises / np.where(deviation > 0, deviation, 1)


# --- Pieces of sound -----------------------------------------------------------------------------------------------


def _piece(sound: Any, start: int, size: int) -> Any:
    """`size` samples from `start` as floats between -1 and 1; silence outside."""
    piece = np.zeros(size, dtype=np.float32)
    low, high = max(0, start), min(len(sound), start + size)
    if high > low:
        values = np.asarray(sound[low:high])
        piece[low - start : high - start] = values / 32768 if values.dtype == np.int16 else values
    return piece


def _white(piece: Any, length: int) -> Any:
    """Spectrum of a levelled piece of which only the phases are kept, within the band of speech."""
    spectrum = np.fft.rfft(_levelled(piece), length)
    size = np.abs(spectrum)
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    band = (frequencies >= BAND_HZ[0]) & (frequencies <= BAND_HZ[1])
    return np.where(band & (size > 1e-9), spectrum / np.maximum(size, 1e-9), 0).astype(np.complex64)


def _levelled(piece: Any) -> Any:
    """The piece with its loudness evened out over LEVEL_S, so that quiet moments count like loud ones."""
    width = round(LEVEL_S * RATE)
    power = np.cumsum(np.concatenate([np.zeros(width), piece.astype(np.float64) ** 2, np.zeros(width)]))
    mean = (power[2 * width :] - power[: -2 * width]) / (2 * width)
    return (piece / np.sqrt(mean + QUIET**2)).astype(np.float32)


def _audible_starts(sound: Any, size: int, wanted: int, within: tuple[int, int] | None = None) -> list[int]:
    """Starts of up to `wanted` pieces spread over the sound: in each stretch the loudest of a few."""
    begin, end = within or (0, len(sound))
    room = end - begin - size
    if room < 0:
        return []
    count = max(1, min(wanted, 2 * (room + size) // size))
    starts = []
    for number in range(count):
        low = begin + room * number // count
        high = begin + room * (number + 1) // count
        tries = sorted({low, (2 * low + high) // 3, (low + 2 * high) // 3})
        loudest = max(tries, key=lambda start: _level(sound, start, size))
        if _level(sound, loudest, size) >= QUIET:
            starts.append(loudest)
    return starts


def _level(sound: Any, start: int, size: int) -> float:
    return float(np.sqrt(np.mean(_piece(sound, start, size) ** 2)))


def _tops(values: Any, count: int) -> list[int]:
    """Indices of the highest values that are not neighbours."""
    apart = RATE // 200
    values, found = values.copy(), []
    for _number in range(count):
        at = int(np.argmax(values))
        found.append(at)
        values[max(0, at - apart) : at + apart] = 0
    return found
