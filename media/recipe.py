"""How pictures are encoded, as one table that an operator may change: `media/ladder.toml`, or the file in MEDIA_LADDER.

A package remembers the table that it was begun with, so that parts encoded before and after a change still join.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SHIPPED = Path(__file__).with_name("ladder.toml")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
Section = TypeVar("Section")


class RecipeError(ImproperlyConfigured):
    """The table holds something that cannot be encoded with; the message names the place and what is allowed."""


def _between(least: float, most: float) -> Any:
    return field(metadata={"least": least, "most": most})


@dataclass(frozen=True)
class Copy:
    """When the source's own picture is good enough to be the top rung."""

    enabled: bool
    max_side: int = _between(144, 1080)
    max_key_frame_gap_s: int = _between(1, 10)
    max_cap_share: float = _between(0.1, 10)


@dataclass(frozen=True)
class FirstLook:
    opening_s: int = _between(2, 600)


@dataclass(frozen=True)
class Still:
    """When a picture counts as a repetition; see `media.services.video.without_repetitions`."""

    enabled: bool
    difference: float = _between(0, 1)
    refresh_s: float = _between(0.1, 10)
    share: float = _between(0, 1)


@dataclass(frozen=True)
class Av1:
    enabled: bool
    sides: tuple[int, ...] = _between(144, 1080)
    preset: int = _between(0, 12)
    crf: int = _between(1, 63)


@dataclass(frozen=True)
class Recipe:
    """The whole table. Names and units are those of `ladder.toml`, which explains each."""

    copy: Copy
    first_look: FirstLook
    still: Still
    av1: Av1
    preset: str = field(metadata={"choices": PRESETS})
    segment_s: int = _between(1, 20)
    part_s: int = _between(2, 3600)
    crf: int = _between(10, 40)
    sides: tuple[int, ...] = _between(144, 2160)
    cap_kbps: int = _between(100, 50_000)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *, place: str = "") -> "Recipe":
        """Check a table and fill in what it leaves out.

        Raises:
            RecipeError: something is unknown, of the wrong kind, or out of range.
        """
        recipe = _section(cls, data, _shipped_data() if place != str(SHIPPED) else {}, place)
        for name, seconds in (("part_s", recipe.part_s), ("first_look.opening_s", recipe.first_look.opening_s)):
            if seconds % recipe.segment_s:
                raise RecipeError(
                    f"{place}: {name} is {seconds}; it must be a multiple of segment_s, {recipe.segment_s}."
                )
        return recipe

    def to_json(self) -> dict[str, Any]:
        """The form stored with a package; `from_data` reads it."""
        return dataclasses.asdict(self)


def current() -> Recipe:
    """Return the table that new packages are made by.

    Raises:
        RecipeError: it cannot be read, or is wrong.
    """
    path = Path(settings.MEDIA_LADDER or SHIPPED)
    try:
        found = path.stat()
    except OSError as error:
        raise RecipeError(f"MEDIA_LADDER names {path}, which cannot be read: {error.strerror}.") from error
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> Recipe:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} is not a table that can be read: {error}.") from error
    return Recipe.from_data(data, place=str(path))


@cache
def _shipped_data() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text("utf-8"))


def _section(kind: type[Section], data: Mapping[str, Any], defaults: Mapping[str, Any], place: str) -> Section:
    hints = get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise RecipeError(f"{place}: {unknown[0]!r} is unknown here; known are {', '.join(sorted(hints))}.")
    values: dict[str, Any] = {}
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]  # always a dataclass, which has no type of its own
        value = data.get(one.name, defaults.get(one.name))
        if dataclasses.is_dataclass(hints[one.name]):
            if not isinstance(value, Mapping):
                raise RecipeError(f"{place}: [{one.name}] must be a section.")
            values[one.name] = _section(
                hints[one.name], value, defaults.get(one.name, {}), f"{place} [{one.name}]".strip()
            )
        else:
            values[one.name] = _value(f"{place}: {one.name}", hints[one.name], value, one.metadata)
    return kind(**values)


def _value(place: str, kind: Any, value: Any, limits: Mapping[str, Any]) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind == tuple[int, ...]:
        if not isinstance(value, list | tuple) or not value or len(set(value)) != len(value):
            raise RecipeError(f"{place} must be a list of different whole numbers, such as [720, 480].")
        numbers = [_value(place, int, one, limits) for one in value]
        if any(number % 2 for number in numbers):
            raise RecipeError(f"{place} must hold even numbers.")
        return tuple(sorted(numbers, reverse=True))
    if type(value) is not kind:
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
        raise RecipeError(f"{place} is {value!r}; it must be {words[kind]}.")
    if "choices" in limits and value not in limits["choices"]:
        raise RecipeError(f"{place} is {value!r}; it must be one of {', '.join(limits['choices'])}.")
    if "least" in limits and not limits["least"] <= value <= limits["most"]:
        raise RecipeError(f"{place} is {value}; it must lie between {limits['least']} and {limits['most']}.")
    return value
