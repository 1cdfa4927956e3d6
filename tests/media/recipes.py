"""Tables of encoding for tests."""

from pathlib import Path

from pytest_django import Settings


def use_recipe(settings: Settings, folder: Path, text: str) -> Path:
    """Encode by the shipped table with some lines changed, such as `part_s = 6`."""
    path = folder / "ladder.toml"
    path.write_text(text)
    settings.MEDIA_LADDER = str(path)
    return path
