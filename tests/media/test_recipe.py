"""The table of encoding: what an operator may write into it, and what is said about mistakes."""

import json
from pathlib import Path

import pytest
from django.apps import apps
from pytest_django import Settings

from media import doctor, recipe
from media.recipe import Recipe, RecipeError
from tests.media.recipes import use_recipe


def test_the_shipped_table_is_sound() -> None:
    table = recipe.current()
    assert (table.sides, table.crf, table.preset, table.av1.enabled) == ((1080, 720, 480), 21, "veryfast", False)
    assert table.part_s % table.segment_s == 0


def test_what_a_table_leaves_out_is_as_shipped(settings: Settings, tmp_path: Path) -> None:
    use_recipe(settings, tmp_path, "crf = 24\nsides = [360, 720]\n[av1]\nenabled = true\n")
    table = recipe.current()
    assert (table.crf, table.sides, table.av1.enabled) == (24, (720, 360), True)
    assert (table.part_s, table.av1.preset) == (120, 9)


def test_a_changed_table_is_read_anew(settings: Settings, tmp_path: Path) -> None:
    path = use_recipe(settings, tmp_path, "crf = 24")
    assert recipe.current().crf == 24
    path.write_text("crf = 26\n# longer")
    assert recipe.current().crf == 26


def test_a_table_survives_storage() -> None:
    table = recipe.current()
    assert Recipe.from_data(json.loads(json.dumps(table.to_json()))) == table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crf = 5", "crf is 5; it must lie between 10 and 40"),
        ("crf = true", "crf is True; it must be a whole number"),
        ('crf = "22"', "crf is '22'; it must be a whole number"),
        ('preset = "quick"', "preset is 'quick'; it must be one of ultrafast, superfast"),
        ("sides = []", "sides must be a list of different whole numbers"),
        ("sides = [720, 720]", "sides must be a list of different whole numbers"),
        ("sides = [721]", "sides must hold even numbers"),
        ("sides = [72]", "sides is 72; it must lie between 144 and 2160"),
        ("part_s = 100", "part_s is 100; it must be a multiple of segment_s, 6"),
        ("[first_look]\nopening_s = 10", "first_look.opening_s is 10; it must be a multiple of segment_s, 6"),
        ("rungs = [720]", "'rungs' is unknown here; known are av1, cap_kbps"),
        ("[still]\nthreshold = 3", r"\[still\]: 'threshold' is unknown here; known are difference"),
        ("still = 3", r"\[still\] must be a section"),
        ("crf = ", "is not a table that can be read"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place_and_what_is_allowed(
    text: str, said: str, settings: Settings, tmp_path: Path
) -> None:
    path = use_recipe(settings, tmp_path, text)
    with pytest.raises(RecipeError, match=said) as caught:
        recipe.current()
    assert str(path) in str(caught.value)


def test_a_missing_table_is_said(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_LADDER = str(tmp_path / "nowhere.toml")
    with pytest.raises(RecipeError, match="which cannot be read"):
        recipe.current()


def test_nothing_starts_with_a_wrong_table(settings: Settings, tmp_path: Path) -> None:
    use_recipe(settings, tmp_path, "crf = 5")
    with pytest.raises(RecipeError):
        apps.get_app_config("media").ready()


def test_doctor_tells_the_table_or_what_is_wrong_with_it(settings: Settings, tmp_path: Path) -> None:
    good = doctor.table_check()
    assert good.ok
    assert good.detail == "as shipped: 1080p, 720p, 480p; CRF 21, veryfast; parts of 120 s; AV1 off"
    use_recipe(settings, tmp_path, "crf = 5")
    bad = doctor.table_check()
    assert not bad.ok
    assert "between 10 and 40" in bad.detail
