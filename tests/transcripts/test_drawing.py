"""Subtitles as they are drawn into a picture: a person's text stays text, and letters are joined as they must be."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from media.ffmpeg.runner import own_input, run_ffmpeg
from media.fonts import FONTS, font_for
from tests.media.clips import ffmpeg
from transcripts import drawing, languages
from transcripts.cues import Cue

WIDTH, HEIGHT = 1280, 720
PHRASES = {
    "ar": "لا السلام عليكم",  # lam-alef is one form
    "fa": "سلامت پزشکان",
    "ur": "ڈاکٹر اور نرسیں",
    "hi": "क्षेत्र स्वास्थ्य दृष्टि",  # conjuncts, and a vowel before its consonant
    "bn": "স্বাস্থ্য ক্ষেত্র",
}


def cue(text: str) -> Cue:
    return Cue("1", 0, 1000, text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


@pytest.fixture(scope="session")
def black(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("black") / "black.mp4"
    ffmpeg("-f", "lavfi", "-i", f"color=black:s={WIDTH}x{HEIGHT}:d=0.2", "-c:v", "libx264", path)
    return path


def drawn(folder: Path, black: Path, text: str, language: str, shaping: str = "complex") -> "np.ndarray":
    """The brightness of the picture into which libass drew the text, through the sandbox as in production."""
    (folder / "cues.ass").write_text(drawing.write([cue(text)], language=language, width=WIDTH, height=HEIGHT))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    picture = own_input("black")["v"].filter("ass", "in/subtitles.ass", shaping=shaping)
    run_ffmpeg(
        picture.output("file:out/frame.png", **{"frames:v": 1, "f": "image2", "update": 1}),
        inputs={"black": black, "subtitles.ass": folder / "cues.ass"},
        output_dir=out,
        duration_ms=200,
    )
    return np.asarray(Image.open(out / "frame.png").convert("L"))


def shape_of(picture: "np.ndarray") -> float:
    """Width divided by height of what is bright."""
    rows, columns = np.nonzero(picture > 128)
    assert rows.size
    return float(np.ptp(columns) + 1) / float(np.ptp(rows) + 1)


def by_another_shaper(text: str, language: str, layout: ImageFont.Layout) -> float:
    """The shape of the same words in the same font by Pillow, with HarfBuzz (RAQM) or without any shaping (BASIC)."""
    family = drawing.font_of([cue(text)], language).family
    command = ["fc-match", "-f", "%{file}", f"{family}:regular"]
    file = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    font = ImageFont.truetype(file, 33, layout_engine=layout)
    image = Image.new("L", (WIDTH, 200))
    ImageDraw.Draw(image).text((50, 60), text, font=font, fill=255)
    return shape_of(np.asarray(image))


@pytest.mark.parametrize("language", PHRASES)
def test_letters_are_joined_as_another_shaper_joins_them(tmp_path: Path, black: Path, language: str) -> None:
    text = PHRASES[language]
    shape = shape_of(drawn(tmp_path, black, text, language))
    assert shape == pytest.approx(by_another_shaper(text, language, ImageFont.Layout.RAQM), rel=0.06)
    assert shape != pytest.approx(by_another_shaper(text, language, ImageFont.Layout.BASIC), rel=0.06)


@pytest.mark.parametrize(
    "text", ["{\\an8}{\\pos(0,0)}Up", "{\\fs200}Big", "a\\Nb\\hc", "{", "\\", "{\\p1}m 0 0 l 9 9{\\p0}"]
)
def test_what_looks_like_a_command_is_shown_as_text(tmp_path: Path, black: Path, text: str) -> None:
    picture = drawn(tmp_path, black, text, "en")
    rows = np.nonzero(picture > 128)[0]
    # One line of the usual size at the bottom.
    assert rows.min() > HEIGHT * 0.88
    assert np.ptp(rows) < HEIGHT * 0.07


def test_every_character_of_hostile_text_is_drawn(tmp_path: Path, black: Path) -> None:
    tame = shape_of(drawn(tmp_path, black, "(/an8)Hello", "en"))
    assert shape_of(drawn(tmp_path, black, "{\\an8}Hello", "en")) == pytest.approx(tame, rel=0.12)


def test_lines_stay_lines(tmp_path: Path, black: Path) -> None:
    rows = np.nonzero(drawn(tmp_path, black, "One\nTwo", "en") > 128)[0]
    assert np.ptp(rows) > HEIGHT * 0.07


def test_a_bracket_after_a_latin_word_stays_on_its_side(tmp_path: Path, black: Path) -> None:
    """In Arabic, "(WHO) 2024" ends with the number at the far left."""
    picture = drawn(tmp_path, black, "منظمة الصحة (WHO) 2024", "ar")
    columns = np.nonzero((picture > 128).any(axis=0))[0]
    first = columns[: np.flatnonzero(np.diff(columns) > 9)[0] + 1]  # the leftmost word
    alone = drawn(tmp_path, black, "2024 سنة", "ar")
    assert np.ptp(first) == pytest.approx(80, abs=25), "the number stands alone at the left"
    assert (alone > 128).any()


@pytest.mark.parametrize(
    ("language", "text", "family"),
    [
        ("ar", "السلام", "Noto Sans Arabic"),
        ("ur", "ڈاکٹر", "Noto Nastaliq Urdu"),
        ("hi", "स्वास्थ्य", "Noto Sans Devanagari"),
        ("zh", "医生", "Noto Sans CJK SC"),
        ("zh-TW", "醫生", "Noto Sans CJK TC"),
        ("ja", "医者です", "Noto Sans CJK JP"),
        ("ko", "의사", "Noto Sans CJK KR"),
        ("sr", "Zdravlje", "Noto Sans"),
        ("uz", "саломатлик", "Noto Sans"),
        ("am", "ሐኪም", "Noto Sans Ethiopic"),
        ("ar", "WHO", "Noto Sans"),
        ("und", "", "Noto Sans"),
    ],
)
def test_the_text_decides_the_font(language: str, text: str, family: str) -> None:
    assert drawing.font_of([cue(text)], language).family == family


def test_every_language_in_the_table_has_a_font_for_its_scripts() -> None:
    scripts = {script for language in languages.every() for script in language.scripts}
    assert [script for script in sorted(scripts) if script not in FONTS] == []
    assert font_for("Hans") == FONTS["Hani"]
