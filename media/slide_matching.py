"""Which page of the slides is on screen at every moment of a recording. Arithmetic on numpy arrays, nothing else.

How it works. A picture is compared by its edges (signed gradients), because these survive other contrast, gamma and
compression. From sample frames the matcher first learns where in the picture slides are shown: the whole picture, or
a part of it (a window, a stage beside the speaker). Such a place is a *layout*; there may be several in a recording.
Then every frame is compared with every page in every layout, and the most probable sequence of pages is chosen as a
whole (Viterbi), so that single odd frames do not flicker and of two identical pages the one nearer to the page before
is taken. Where nothing fits well enough the answer is "unknown", never the least bad page.

Gray pictures are arrays of uint8, rows first. Times are milliseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Gray: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Integers: TypeAlias = npt.NDArray[np.int16]

FRAME_PIXELS = 384 * 216  # frames are compared at about this size: text is still a texture of its own there
GRID_WIDTH = 144  # columns into which a page is divided for comparing
COARSE_WIDTH = 128  # of the whole frame while looking for the slides in it
SCALE_STEP = 1.09  # between the sizes that are tried
SMALLEST = 0.25  # of the frame's width: a smaller page cannot be told from others
CELLS = (8, 12)  # rows and columns of a page in which something may always cover it
SEARCHED_SAMPLES = 16  # frames in which a new layout is looked for, per round
MAX_LAYOUTS = 6

NOISE = 4.0  # levels of gray per two pixels: gradients below are mostly compression
EDGE = 12.0  # gradients above belong to letters and lines
TEMPLATE_WEIGHT = 0.1  # of what all pages have in common: a deck of the same house is another deck
PLAIN_SHARE = 0.003  # of the grid with edges: below, a page or frame has nothing to recognise

POSSIBLE = 0.4  # coarse correlation from which a closer look is worth it
LIKELY = 0.55  # correlation from which a frame supports a layout
SURE = 0.72  # one frame must reach this: other slides of the same house come close to it
CERTAIN = 0.8  # and if this, no second frame with another page is needed
UNKNOWN = 0.42  # correlation of a frame with the right page must exceed this,
FLOOR = 0.62  # and this part of what is usual in the layout
GOOD = 0.8  # correlation of an undisturbed page
# Residual energy is compared by its logarithm, as the likelihood of Gaussian noise; neighbouring points are not
# independent, so only some of the grid's thousands count.
EVIDENCE = 30.0
SWITCH_COST = 4.0
JUMP_COST = 0.6  # more than going on to the next page
DISTANCE_COST = 0.01  # for each page leapt over
HIDE_COST = 4.0  # from a page to nothing recognisable, or back

SHORTEST_MS = 1500  # leafing through is not showing
LONGEST_GAP_MS = 3000  # of nothing recognisable within one page: a transition, a message that pops up


@dataclass(frozen=True)
class Region:
    """A rectangle of the frame, in fractions of its width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Match:
    """Page number `page` (an index into the pages given) is on screen; `certainty` is between 0 and 1."""

    page: int
    start_ms: int
    end_ms: int
    certainty: float


def frame_size(width: int, height: int) -> tuple[int, int]:
    """Return the even width and height at which frames of a recording are to be given to the matcher."""
    scale = min(1.0, (FRAME_PIXELS / (width * height)) ** 0.5)
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


WHOLE = Region(0, 0, 1, 1)


class _Shape:
    """Pages of one aspect ratio, and their edges on one grid: weighted, as vectors of length 1."""

    def __init__(self, numbers: Sequence[int], pages: Sequence[Gray]) -> None:
        self.numbers = np.array(numbers, dtype=np.intp)
        self.pages = pages
        height, width = pages[0].shape
        self.aspect = width / height
        self.columns = GRID_WIDTH if width >= height else max(16, round(GRID_WIDTH * width / height))
        self.rows = max(16, round(self.columns / self.aspect))
        self.edges = np.stack([_edges(_sampled(page, WHOLE, self.columns, self.rows)).ravel() for page in pages])
        self.weights = self._weights()
        self.edges *= self.weights.ravel()
        self.edges /= np.maximum(np.linalg.norm(self.edges, axis=1, keepdims=True), 1e-6)

    def whole_edges(self, page: int) -> Floats:
        """Return a page's edges with its template, as a vector of length 1."""
        return _unit(_edges(_sampled(self.pages[page], WHOLE, self.columns, self.rows)).ravel())

    def _weights(self) -> Floats:
        """Return how much each point of the grid tells the pages apart: little where all have the same template."""
        shape = (2, self.rows, self.columns)
        if len(self.pages) < 3:
            return np.ones(shape, dtype=np.float32)
        energy = (self.edges**2).mean(axis=0)
        differing = energy - self.edges.mean(axis=0) ** 2
        share = np.maximum(differing / (energy + 1e-3), TEMPLATE_WEIGHT)
        weights: Floats = np.sqrt(share).astype(np.float32).reshape(shape)
        return weights


class _Layout:
    """A place in the frame where pages of one shape are shown, less what always covers them there."""

    def __init__(self, shape: _Shape, region: Region, frame: tuple[int, int]) -> None:
        self.shape = shape
        self.region = region
        width, height = frame
        self._down = _resampling(region.y * height, region.height * height, height, shape.rows)
        self._across = _resampling(region.x * width, region.width * width, width, shape.columns).T.copy()
        self._seen = shape.weights
        self._norms = np.ones(len(shape.pages), dtype=np.float32)
        self._stretch = 1.0

    def edges(self, frame: Floats) -> Floats:
        return _edges(np.asarray(self._down @ frame @ self._across, dtype=np.float32))

    def correlations(self, frame: Floats) -> Floats:
        """Return the correlation of the frame's part with each page of the shape."""
        edges = self.edges(frame)
        if _is_plain(edges):
            return np.zeros(len(self._norms), dtype=np.float32)
        edges *= self._seen
        norm = max(float(np.linalg.norm(edges)), 1e-6)
        answers: Floats = (self.shape.edges @ edges.ravel()) / (norm * self._norms)
        return 1 - (1 - answers) * self._stretch

    def learn_usual(self, frames: Sequence[Floats]) -> None:
        """Count a fit as good only beside what is usual here: from then on the least acceptable one is UNKNOWN."""
        fits = sorted(float(self.correlations(frame).max()) for frame in frames)
        floor = max(UNKNOWN, FLOOR * fits[int(0.9 * (len(fits) - 1))]) if fits else UNKNOWN
        self._stretch = (1 - UNKNOWN) / (1 - floor)

    def learn_covered(self, shown: Sequence[tuple[Floats, int]]) -> None:
        """Leave out cells that never look like the page that is shown: an inset of the speaker, a logo.

        Args:
            shown: frames, each with the index within the shape of the page that it shows.
        """
        if len(shown) < 3:
            return
        product, own, page_energy = (np.zeros(CELLS) for _number in range(3))
        for frame, index in shown:
            edges = self.edges(frame) * self.shape.weights
            page = self.shape.edges[index].reshape(edges.shape) * float(np.linalg.norm(edges))
            product += _by_cell(edges * page)
            own += _by_cell(edges * edges)
            page_energy += _by_cell(page * page)
        likeness = product / np.sqrt(np.maximum(own * page_energy, 1e-9))
        busy = own > 0.3 * own.mean()
        covered = busy & (likeness < 0.3)
        if not covered.any() or covered.mean() > 0.45:
            return
        rows, columns = self.shape.rows, self.shape.columns
        seen = ~covered[np.arange(rows) * CELLS[0] // rows][:, np.arange(columns) * CELLS[1] // columns]
        self._seen = self.shape.weights * seen
        pages = self.shape.edges.reshape(-1, 2, rows, columns)
        energies = np.array([float((page * page * seen).sum()) for page in pages])
        # A page that is almost wholly covered cannot be recognised; a norm of 1 keeps its correlation low.
        self._norms = np.where(energies > 0.05, np.sqrt(energies), 1.0).astype(np.float32)


class SlideMatcher:
    """Compares frames with pages; first `learn` where slides are shown, then give every frame to `correlations`."""

    def __init__(self, pages: Sequence[Gray], *, frame: tuple[int, int]) -> None:
        """Take the pages, in order, and the size (width, height) of all frames to come.

        Pages on which there is almost nothing to recognise are never found.
        """
        self.frame = frame
        self.count = len(pages)
        self.layouts: list[_Layout] = []
        by_shape: dict[int, list[int]] = {}
        for number, page in enumerate(pages):
            if not _is_plain(_edges(_sampled(page, WHOLE, GRID_WIDTH, 81))):
                by_shape.setdefault(round(12 * np.log(page.shape[1] / page.shape[0])), []).append(number)
        self._shapes = [_Shape(numbers, [pages[number] for number in numbers]) for numbers in by_shape.values()]
        self._last: tuple[Gray, Floats] | None = None

    @property
    def regions(self) -> list[Region]:
        return [layout.region for layout in self.layouts]

    def learn(self, samples: Sequence[Gray]) -> None:
        """Find the places where slides are shown, from frames of the whole recording."""
        frames = [sample.astype(np.float32) for sample in samples]
        left = list(range(len(frames)))
        candidates = [_Layout(*place, self.frame) for place in self._usual_places()]
        for _round in range(3):
            before = len(left)
            left = self._adopt(candidates, frames, left)
            if not left or len(self.layouts) == MAX_LAYOUTS or (len(left) == before and _round):
                break
            candidates = self._search([frames[index] for index in _varied(frames, left)])
        for layout in self.layouts:
            shown = self._shown_in(layout, frames)
            layout.learn_covered(shown)
            layout.learn_usual([frame for frame, _page in shown])

    def correlations(self, frame: Gray) -> Floats:
        """Return how well each page fits the frame: the best of all layouts, 0 where nothing can be said."""
        if self._last is not None and _is_same(frame, self._last[0]):
            return self._last[1]
        best = np.zeros(self.count, dtype=np.float32)
        picture = frame.astype(np.float32)
        for layout in self.layouts:
            numbers = layout.shape.numbers
            best[numbers] = np.maximum(best[numbers], layout.correlations(picture))
        self._last = frame, best
        return best

    def timeline(self, frames: Iterable[Gray], *, interval_ms: int, start_ms: int = 0) -> list[Match]:
        """Return which page is on screen when; frames follow each other every `interval_ms`."""
        kept: list[npt.NDArray[np.float16]] = []
        path = _Path(self.count)
        for frame in frames:
            scores = self.correlations(frame)
            path.add(scores)
            kept.append(scores.astype(np.float16))
        if not kept or not self.count:
            return []
        return _matches(path.best(), kept, interval_ms=interval_ms, start_ms=start_ms)

    def _usual_places(self) -> list[tuple[_Shape, Region]]:
        """The whole frame: with bars beside or above the page, and stretched."""
        width, height = self.frame
        places = []
        for shape in self._shapes:
            share = shape.aspect * height / width
            fitted = Region((1 - share) / 2, 0, share, 1) if share < 1 else Region(0, (1 - 1 / share) / 2, 1, 1 / share)
            places.append((shape, fitted))
            if abs(np.log(share)) > 0.02:
                places.append((shape, WHOLE))
        return places

    def _adopt(self, candidates: list[_Layout], frames: list[Floats], left: list[int]) -> list[int]:
        """Keep candidates that explain frames, most of it first; return the frames that no layout explains."""
        candidates = list(candidates)
        while candidates and left and len(self.layouts) < MAX_LAYOUTS:
            explained = [self._explained(candidate, frames, left) for candidate in candidates]
            best = max(range(len(candidates)), key=lambda number: sum(explained[number].values()))
            if not explained[best]:
                break
            layout = self._settled(candidates.pop(best), [frames[index] for index in explained[best]])
            likely = self._explained(layout, frames, left)
            if any(layout.correlations(frames[index]).max() >= SURE for index in likely):
                self.layouts.append(layout)
                left = [index for index in left if index not in likely]
        return left

    def _explained(self, layout: _Layout, frames: list[Floats], among: list[int]) -> dict[int, float]:
        """Return, for each frame that the layout explains, how much of the frame's edges that is.

        A header's line alone can be found in many places; the right place explains most.
        """
        best = {index: layout.correlations(frames[index]) for index in among}
        likely = {index: scores for index, scores in best.items() if scores.max() >= LIKELY}
        is_certain = any(scores.max() >= CERTAIN for scores in likely.values())
        if not is_certain and len({int(scores.argmax()) for scores in likely.values()}) < 2:
            return {}
        area = layout.region.width * layout.region.height
        return {
            index: float(scores.max()) ** 2 * area * float((layout.edges(frames[index]) ** 2).mean())
            for index, scores in likely.items()
        }

    def _settled(self, layout: _Layout, frames: list[Floats]) -> _Layout:
        """Refine a place once more, by several frames together."""
        for _round in range(2):
            shown: dict[int, tuple[Floats, int]] = {}
            for frame, page in self._shown_in(layout, frames):
                shown.setdefault(page, (frame, page))
            chosen = list(shown.values())[:4]
            if not chosen:
                break
            layout = self._refined(layout.shape, layout.region, chosen)[1]
        return layout

    def _shown_in(self, layout: _Layout, frames: list[Floats]) -> list[tuple[Floats, int]]:
        shown = []
        for frame in frames:
            scores = layout.correlations(frame)
            if scores.max() >= LIKELY:
                shown.append((frame, int(scores.argmax())))
        return shown

    def _search(self, frames: list[Floats]) -> list[_Layout]:
        """Look for pages of any size at any place in each frame; return the places where one fits."""
        guesses: list[tuple[float, _Shape, int, Region, Floats]] = []
        for shape in self._shapes:
            for frame, found in zip(frames, _find_pages(shape, frames, self.frame), strict=True):
                guesses += [(score, shape, page, region, frame) for score, page, region in found]
        guesses.sort(key=lambda guess: -guess[0])
        layouts: list[_Layout] = []
        for _score, shape, page, region, frame in guesses[: 3 * SEARCHED_SAMPLES]:
            if any(layout.shape is shape and _overlap(layout.region, region) > 0.9 for layout in layouts):
                continue
            score, layout = self._refined(shape, region, [(frame, page)])
            if score >= LIKELY:
                layouts.append(layout)
            if len(layouts) == 2 * MAX_LAYOUTS:
                break
        return layouts

    def _refined(self, shape: _Shape, region: Region, shown: Sequence[tuple[Floats, int]]) -> tuple[float, _Layout]:
        """Move and resize a region by ever smaller steps to where it fits frames best, each with the page it shows."""
        width, height = self.frame
        wanted = [shape.whole_edges(page) for _frame, page in shown]

        def fit(x: float, y: float, w: float, h: float) -> tuple[float, _Layout]:
            layout = _Layout(shape, Region(x / width, y / height, w / width, h / height), self.frame)
            scores = [
                float(_unit(layout.edges(frame).ravel()) @ page)
                for (frame, _page), page in zip(shown, wanted, strict=True)
            ]
            return sum(scores) / len(scores), layout

        x, y, w, h = region.x * width, region.y * height, region.width * width, region.height * height
        # Text repeats itself every few pixels, so a start of slightly wrong size may end on a lesser summit.
        starts = [(x + w * k / 2, y + h * m / 2, w * (1 - k), h * (1 - m)) for k, m in _STARTS]
        best, layout, place = max(((*fit(*start), start) for start in starts), key=lambda found: found[0])
        # Steps in pixels: along x, along y, in size about the centre, about each corner, and one side alone.
        for step in (4.0, 2.0, 1.0, 0.5):
            improved = True
            while improved:
                improved = False
                tall = step * h / w
                moves = [(step, 0.0, 0.0, 0.0), (0.0, step, 0.0, 0.0), (-step / 2, -tall / 2, step, tall)]
                moves += [(left, top, step, tall) for left in (0.0, -step) for top in (0.0, -tall)]
                moves += [(0.0, 0.0, 0.0, step), (-step, 0.0, step, 0.0)]
                for move in moves:
                    for sign in (1, -1):
                        moved = [value + sign * change for value, change in zip(place, move, strict=True)]
                        if moved[2] < SMALLEST / 2 * width or moved[3] < 8:
                            continue
                        score, candidate = fit(*moved)
                        if score > best + 1e-4:
                            place = (moved[0], moved[1], moved[2], moved[3])
                            best, layout, improved = score, candidate, True
        return best, layout


# Parts by which width and height of a guess are made smaller before refining.
_STARTS = [(k, m) for k in (-0.08, -0.04, 0.0, 0.04) for m in (-0.08, -0.04, 0.0, 0.04) if abs(k - m) < 0.05]


# --- Pictures ------------------------------------------------------------------------------------------------------


def _resampling(start: float, length: float, pixels: int, points: int) -> Floats:
    """Return the matrix that reads `points` values off a row of pixels: linear, wide enough not to alias."""
    step = length / points
    centres = start + (np.arange(points) + 0.5) * step - 0.5
    distances = np.abs(np.arange(pixels)[None, :] - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distances / max(1.0, step))
    sums = weights.sum(axis=1, keepdims=True)
    matrix: Floats = (weights / np.where(sums > 0, sums, 1)).astype(np.float32)
    return matrix


def _sampled(picture: npt.NDArray[np.generic], region: Region, columns: int, rows: int) -> Floats:
    height, width = picture.shape
    down = _resampling(region.y * height, region.height * height, height, rows)
    across = _resampling(region.x * width, region.width * width, width, columns)
    result: Floats = down @ picture.astype(np.float32) @ across.T
    return result


def _edges(grid: Floats) -> Floats:
    """Return signed gradients (2, rows, columns), large ones compressed so that text counts beside heavy borders."""
    edges = np.zeros((2, *grid.shape), dtype=np.float32)
    edges[0, :, 1:-1] = grid[:, 2:] - grid[:, :-2]
    edges[1, 1:-1, :] = grid[2:, :] - grid[:-2, :]
    edges /= np.sqrt(np.sqrt(edges[0] ** 2 + edges[1] ** 2) + NOISE)
    return edges


def _strengths(grid: Floats) -> Floats:
    edges = _edges(grid)
    strengths: Floats = np.sqrt(edges[0] ** 2 + edges[1] ** 2)
    return strengths


def _is_plain(edges: Floats) -> bool:
    strong = EDGE / (EDGE + NOISE) ** 0.5
    return bool(((np.abs(edges[0]) > strong) | (np.abs(edges[1]) > strong)).mean() < PLAIN_SHARE)


def _unit(values: Floats) -> Floats:
    return values / max(float(np.linalg.norm(values)), 1e-6)


def _by_cell(values: Floats) -> npt.NDArray[np.float64]:
    """Sum (2, rows, columns) over the cells of CELLS."""
    flat = values.sum(axis=0)
    rows = np.linspace(0, flat.shape[0], CELLS[0], endpoint=False).astype(np.intp)
    columns = np.linspace(0, flat.shape[1], CELLS[1], endpoint=False).astype(np.intp)
    summed: npt.NDArray[np.float64] = np.add.reduceat(np.add.reduceat(flat, rows, axis=0), columns, axis=1)
    return summed


def _is_same(one: Gray, other: Gray) -> bool:
    """True if nothing moved but compression noise."""
    return bool((np.abs(one.astype(np.int16) - other) > 10).sum() < 12)


def _overlap(one: Region, other: Region) -> float:
    """Return the shared area of two regions as a part of what they cover together."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


# --- Looking for slides in a larger picture ------------------------------------------------------------------------


def _varied(frames: list[Floats], among: list[int]) -> list[int]:
    """Choose frames that differ from each other and are not plain, spread over the recording."""
    chosen: list[int] = []
    known: list[Floats] = []
    step = max(1, len(among) // (4 * SEARCHED_SAMPLES))
    for index in among[::step]:
        small = _edges(_sampled(frames[index], WHOLE, 64, 36))
        if _is_plain(small):
            continue
        unit = _unit(small.ravel())
        if any(float(unit @ other) > 0.93 for other in known):
            continue
        chosen.append(index)
        known.append(unit)
        if len(chosen) == SEARCHED_SAMPLES:
            break
    return chosen


def _find_pages(shape: _Shape, frames: list[Floats], frame: tuple[int, int]) -> list[list[tuple[float, int, Region]]]:
    """Return, for each frame, the best guesses (strength, page, region), by normalised cross-correlation.

    Edges without their sign, at low resolution: they tolerate being a little off in place and size. Of the places
    that are alike at all, those count in which most is explained: a header's line alone can be found in many.
    """
    columns = COARSE_WIDTH
    rows = max(16, round(columns * frame[1] / frame[0]))
    pictures = [_strengths(_sampled(picture, WHOLE, columns, rows)) for picture in frames]
    spectra = [np.fft.rfft2(picture) for picture in pictures]
    found: list[list[tuple[float, int, Region]]] = [[] for _picture in pictures]
    scale = 1.0
    while scale >= SMALLEST:
        width = round(columns * scale)
        height = round(width / shape.aspect)
        scale /= SCALE_STEP
        if height > rows or height < 8:
            continue
        templates = np.stack([_strengths(_sampled(page, WHOLE, width, height)) for page in shape.pages])
        templates -= templates.mean(axis=(1, 2), keepdims=True)
        templates /= np.maximum(np.linalg.norm(templates, axis=(1, 2), keepdims=True), 1e-6)
        padded = np.conj(np.fft.rfft2(templates, s=(rows, columns), axes=(1, 2)))
        for number, (picture, spectrum) in enumerate(zip(pictures, spectra, strict=True)):
            products = np.fft.irfft2(padded * spectrum, s=(rows, columns), axes=(1, 2))
            products = products[:, : rows - height + 1, : columns - width + 1]
            alike = products > POSSIBLE * np.maximum(_spread(picture, height, width), 1e-3)
            flat = np.where(alike, products, 0).reshape(len(products), -1)
            places = flat.argmax(axis=1)
            scores = flat[np.arange(len(flat)), places]
            for page in np.argsort(scores)[-2:]:
                y, x = divmod(int(places[page]), columns - width + 1)
                region = Region(x / columns, y / rows, width / columns, height / rows)
                if scores[page] > 0:
                    found[number].append((float(scores[page]), int(page), region))
    return [sorted(guesses, key=lambda guess: -guess[0])[:4] for guesses in found]


def _spread(picture: Floats, height: int, width: int) -> npt.NDArray[np.float64]:
    """Return the root of the summed squared deviations within every window of that size."""
    count = height * width
    sums = []
    for values in (picture.astype(np.float64), picture.astype(np.float64) ** 2):
        table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
        table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
        sums.append(
            table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
        )
    spread: npt.NDArray[np.float64] = np.sqrt(np.maximum(sums[1] - sums[0] ** 2 / count, 0.0))
    return spread


# --- The most probable sequence ------------------------------------------------------------------------------------


class _Path:
    """Viterbi over 2 n states: page i is shown (i), or nothing recognisable after page i (n + i).

    Only the way back is kept, two bytes per state and frame.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._index = np.arange(count)
        self._shown = np.full(count, -SWITCH_COST)
        self._hidden = np.zeros(count)
        self._back: list[tuple[Integers, npt.NDArray[np.bool_]]] = []

    def add(self, correlations: Floats) -> None:
        """Go on by one frame."""
        fit = np.minimum(np.maximum(correlations.astype(np.float64), 0), 0.98)
        likelihood = -EVIDENCE * np.log(1 - fit**2)
        nothing = -EVIDENCE * np.log(1 - UNKNOWN**2)
        came, source = self._arrivals()
        stays = self._shown >= came
        shown = np.where(stays, self._shown, came)
        from_shown = self._shown - HIDE_COST > self._hidden
        self._back.append((np.where(stays, self._index, source).astype(np.int16), from_shown))
        self._hidden = np.maximum(self._hidden, self._shown - HIDE_COST) + nothing
        self._shown = shown + likelihood
        top = max(self._shown.max(), self._hidden.max())
        self._shown -= top
        self._hidden -= top

    def best(self) -> list[int]:
        """Return the page of every frame, -1 where it is unknown."""
        states = np.concatenate([self._shown, self._hidden])
        state = int(states.argmax())
        path = []
        for source, from_shown in reversed(self._back):
            path.append(state if state < self._count else -1)
            if state < self._count:
                state = int(source[state])
            elif from_shown[state - self._count]:
                state -= self._count
        return path[::-1]

    def _arrivals(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Return, for each page, the best score with which it can be reached from another state, and which that is."""
        count, index = self._count, self._index
        is_hidden = self._hidden > self._shown
        scores = np.where(is_hidden, self._hidden, self._shown)
        states = np.where(is_hidden, index + count, index)
        # Costs that grow with the distance, in two sweeps: from before and from behind.
        rising = scores + DISTANCE_COST * index
        running = np.maximum.accumulate(rising)
        before = np.maximum.accumulate(np.where(rising >= running, index, 0))
        came = running - DISTANCE_COST * index
        falling = (scores - DISTANCE_COST * index)[::-1]
        running = np.maximum.accumulate(falling)
        behind = count - 1 - np.maximum.accumulate(np.where(falling >= running, index, 0))[::-1]
        back = running[::-1] + DISTANCE_COST * index
        origin = np.where(came >= back, before, behind)
        came = np.maximum(came, back) - SWITCH_COST - JUMP_COST
        # To the next page, and back to the one that was shown before nothing was.
        turned = np.full(count, -np.inf)
        turned[1:] = scores[:-1] - SWITCH_COST
        origin = np.where(turned > came, index - 1, origin)
        came = np.maximum(came, turned)
        again = self._hidden - HIDE_COST
        source = np.where(again > came, index + count, states[origin])
        return np.maximum(came, again), source


def _matches(path: list[int], scores: list[npt.NDArray[np.float16]], *, interval_ms: int, start_ms: int) -> list[Match]:
    """Turn pages per frame into stretches of time."""
    runs: list[list[int]] = []  # page, first frame, frame after the last
    for number, page in enumerate(path):
        if runs and runs[-1][0] == page:
            runs[-1][2] = number + 1
        else:
            runs.append([page, number, number + 1])
    shown = [run for run in runs if run[0] >= 0 and (run[2] - run[1]) * interval_ms >= SHORTEST_MS]
    joined: list[list[int]] = []
    for run in shown:
        gap_ms = (run[1] - joined[-1][2]) * interval_ms if joined else 0
        if joined and joined[-1][0] == run[0] and gap_ms <= LONGEST_GAP_MS:
            joined[-1][2] = run[2]
            continue
        if joined and 0 < gap_ms <= SHORTEST_MS:
            joined[-1][2] = run[1] = (joined[-1][2] + run[1]) // 2
        joined.append(run)
    half = interval_ms // 2  # a change lies between two frames
    return [
        Match(
            page=page,
            start_ms=start_ms + max(0, first * interval_ms - half),
            end_ms=start_ms + (end * interval_ms - half if end < len(path) else end * interval_ms),
            certainty=_certainty(page, scores[first:end]),
        )
        for page, first, end in joined
    ]


def _certainty(page: int, scores: Sequence[npt.NDArray[np.float16]]) -> float:
    """How well the page fits, less if another one fits as well."""
    table = np.stack(scores[:: max(1, len(scores) // 200)]).astype(np.float32)
    fit = table[:, page].mean()
    others = np.delete(table, page, axis=1)
    second = others.max(axis=1) if others.shape[1] else np.zeros(len(table))
    lead = np.log((1 - np.clip(second, 0, 0.98) ** 2) / (1 - np.clip(table[:, page], 0, 0.98) ** 2)).mean() * EVIDENCE
    quality = np.clip((fit - UNKNOWN) / (GOOD - UNKNOWN), 0, 1)
    distinct = np.clip(lead / SWITCH_COST, 0, 1)
    return round(float((0.4 + 0.6 * quality) * (0.7 + 0.3 * distinct)), 3)
