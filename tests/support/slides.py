"""Slides and recordings of them, drawn here, so that it is known which page is on screen when.

A deck has what makes pages hard to tell apart: a common template, bullets that appear one by one, the same page twice,
pages with the same title. A scene says where in the picture slides are shown and what covers them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Gray = npt.NDArray[np.uint8]
TEXT = (
    "health care access migrant refugee programme screening vaccination language interpreter nurse doctor clinic "
    "policy evidence data trust community outreach mental support family child border camp arrival registration "
    "training guidance monitoring partner region country service water shelter protection outcome risk prevention"
)
WORDS = TEXT.split()
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"


@dataclass(frozen=True)
class Page:
    """One page: a title, lines, and a seed for the picture beside them (0: none)."""

    title: str
    lines: tuple[str, ...] = ()
    picture: int = 0


def deck(count: int, *, seed: int = 1) -> list[Page]:
    """Return pages of which every fourth grows out of the one before, and page 3 comes again in the second half."""
    chance = random.Random(seed)
    pages: list[Page] = []
    for number in range(count):
        if number % 4 == 3:
            last = pages[-1]
            pages.append(Page(last.title, (*last.lines, _words(chance, 6)), last.picture))
        elif number == count // 2 + 1 and count > 6:
            pages.append(pages[2])
        else:
            lines = tuple(_words(chance, chance.randint(3, 7)) for _line in range(chance.randint(1, 4)))
            picture = chance.randint(1, 999) if number % 3 == 1 else 0
            pages.append(Page(_words(chance, 3).capitalize(), lines, picture))
    return pages


def draw(page: Page, size: tuple[int, int] = (1600, 900)) -> Image.Image:
    """Draw a page as a house template would: a coloured bar, a logo, a title, bullets, perhaps a chart."""
    width, height = size
    unit = height / 900
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width, 110 * unit), fill=(20, 60, 120))
    pen.text((60 * unit, 28 * unit), page.title, font=ImageFont.truetype(BOLD, int(46 * unit)), fill="white")
    pen.ellipse((width - 110 * unit, 20 * unit, width - 40 * unit, 90 * unit), fill=(240, 180, 40))
    font = ImageFont.truetype(FONT, int(36 * unit))
    for number, line in enumerate(page.lines):
        top = (180 + 100 * number) * unit
        pen.ellipse((70 * unit, top + 12 * unit, 88 * unit, top + 30 * unit), fill=(20, 60, 120))
        pen.text((110 * unit, top), line, font=font, fill=(30, 30, 30))
    if page.picture:
        chance = random.Random(page.picture)
        for bar in range(6):
            left = width - (520 - 80 * bar) * unit
            colour = tuple(chance.randint(40, 220) for _channel in range(3))
            pen.rectangle((left, (800 - chance.randint(60, 420)) * unit, left + 56 * unit, 800 * unit), fill=colour)
    return image


def gray(image: Image.Image, width: int = 384) -> Gray:
    """Return a picture as the matcher takes it."""
    small = image.convert("L").resize((width, round(width * image.height / image.width)), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8)


@dataclass(frozen=True)
class Scene:
    """Where slides stand in the picture (fractions: left, top, width; the height follows), and what is around them."""

    place: tuple[float, float, float] = (0, 0, 1)
    background: int = 0  # gray; below 0: a moving picture
    inset: tuple[float, float, float, float] | None = None  # a moving speaker over it all
    gamma: float = 1.0
    contrast: float = 1.0
    frame_lines: bool = False  # a browser's window around the slides


def compose(page: Image.Image | None, scene: Scene, size: tuple[int, int], moment: int) -> Gray:
    """Draw the frame of a recording, `page` None for a moment without slides."""
    width, height = size
    if scene.background < 0 or page is None:
        canvas = camera(size, moment % 8).copy()
    else:
        canvas = np.full((height, width), scene.background, dtype=np.float32)
    if page is not None:
        left, top, share = scene.place
        shown = (round(share * width), round(share * width * page.height / page.width))
        picture = np.asarray(page.resize(shown, Image.Resampling.BOX), dtype=np.float32)
        x, y = round(left * width), round(top * height)
        if scene.frame_lines:
            canvas[max(0, y - 12) : y, x : x + shown[0]] = 210
            canvas[max(0, y - 8) : max(0, y - 4), x + 6 : x + shown[0] // 2] = 90
        part = canvas[y : y + shown[1], x : x + shown[0]]
        part[:] = picture[: part.shape[0], : part.shape[1]]
    if scene.inset is not None:
        left, top, wide, high = scene.inset
        box = (round(wide * width), round(high * height))
        canvas[round(top * height) :, round(left * width) :][: box[1], : box[0]] = camera(box, moment % 8)
    shown_canvas = 255 * (canvas / 255) ** scene.gamma * scene.contrast + 128 * (1 - scene.contrast)
    return np.clip(shown_canvas + _noise(size, moment % 8), 0, 255).astype(np.uint8)


@cache
def camera(size: tuple[int, int], moment: int) -> npt.NDArray[np.float32]:
    """A person before a shelf, more or less: soft shapes that sway, with some hard edges behind."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width, y / height
    sway = 0.03 * np.sin(moment / 3)
    picture = 90 + 40 * np.sin(9 * x) * np.cos(5 * y + 1)
    picture += np.where((x * 12) % 1 < 0.12, -50, 0) + np.where((y * 7) % 1 < 0.1, 45, 0)
    picture = np.where((x - 0.5 - sway) ** 2 / 0.03 + (y - 0.45) ** 2 / 0.06 < 1, 170 + 20 * np.sin(20 * y), picture)
    body = (np.abs(x - 0.5 - sway) < 0.28 - 0.1 * (1 - y)) & (y > 0.7)
    picture = np.where(body, 60 + 10 * np.sin(30 * x + moment), picture)
    result: npt.NDArray[np.float32] = picture.astype(np.float32)
    return result


@cache
def _noise(size: tuple[int, int], moment: int) -> npt.NDArray[np.float32]:
    noise: npt.NDArray[np.float32] = np.random.default_rng(moment).normal(0, 2, size[::-1]).astype(np.float32)
    return noise


@dataclass(frozen=True)
class Shown:
    """A stretch of a recording: a page by its index, or None, in a scene, for so many seconds."""

    page: int | None
    seconds: float
    scene: Scene = Scene()


def frames(
    script: Sequence[Shown], pictures: Sequence[Image.Image], size: tuple[int, int], *, interval_ms: int
) -> Iterator[Gray]:
    """Yield what the recording shows every `interval_ms`."""
    truth = truth_of(script)
    total_ms = truth[-1][2]
    small = [picture.convert("L").resize((960, round(960 * picture.height / picture.width))) for picture in pictures]
    for at_ms in range(0, total_ms, interval_ms):
        number = next(index for index, (_page, start, end) in enumerate(truth) if start <= at_ms < end)
        part = script[number]
        yield compose(None if part.page is None else small[part.page], part.scene, size, at_ms // interval_ms)


def truth_of(script: Sequence[Shown]) -> list[tuple[int | None, int, int]]:
    """Return page, start and end in milliseconds of every part."""
    found, start = [], 0.0
    for part in script:
        found.append((part.page, round(1000 * start), round(1000 * (start + part.seconds))))
        start += part.seconds
    return found


def talk(
    count: int, *, scene: Scene | None = None, seed: int = 3, shortest: float = 4, longest: float = 20
) -> list[Shown]:
    """Go through a deck as speakers do: forward, sometimes back, a moment of camera between."""
    chance = random.Random(seed)
    scene = scene or Scene()
    script: list[Shown] = [Shown(None, 6, scene)]
    number = 0
    while number < count:
        script.append(Shown(number, round(chance.uniform(shortest, longest), 1), scene))
        if chance.random() < 0.12 and number > 2:
            script.append(Shown(number - 2, round(chance.uniform(shortest, longest), 1), scene))
        if chance.random() < 0.1:
            script.append(Shown(None, round(chance.uniform(shortest, longest), 1), scene))
        number += 1
    return script


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _word in range(count))
