"""Recordings to measure with, drawn and encoded as a conference system would, the same on every machine.

Needs ffmpeg, Pillow and the DejaVu fonts (Debian: fonts-dejavu-core).
"""

import random
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/truetype/dejavu")
WIDTH, HEIGHT = 1920, 1080
PAPERS = ((255, 255, 255), (250, 248, 242), (24, 36, 60))
TERMS = (
    "access assessment border care children clinic coverage culture data displacement evidence families funding "
    "guidance health host housing interpreter language measles mental migrant nurses outreach pathway policy "
    "prevention primary records referral refugee region screening services shelter stigma surveillance team training "
    "trauma trust tuberculosis vaccination women workers"
)
WORDS = TERMS.split()
# What Zoom, BigBlueButton and OBS leave behind: one pass at a fixed rate, a key frame every ten seconds.
AS_RECORDED = (
    *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p", "-b:v", "2500k"),
    *("-maxrate", "3000k", "-bufsize", "6000k", "-g", "250", "-c:a", "aac", "-b:a", "128k", "-ar", "48000"),
    *("-movflags", "+faststart"),
)


def make_slides(path: Path, seconds: int) -> Path:
    """1080p, 25 pictures a second: a new slide every ten to eighteen seconds, nothing else moves."""
    show = _slide_show(path.parent, seconds)
    _ffmpeg(*show, *_voice(seconds), "-filter_complex", "[0:v]fps=25,format=yuv420p[v]", "-map", "[v]", "-map", "1:a",
            *AS_RECORDED, "-t", seconds, path)  # fmt: skip
    return path


def make_slides_with_speaker(path: Path, seconds: int) -> Path:
    """The same with a small noisy moving picture in a corner."""
    show = _slide_show(path.parent, seconds)
    person = "mandelbrot=s=320x180:r=25:start_scale=0.04:end_scale=0.0008:end_pts=1000,noise=alls=8:allf=t"
    graph = "[0:v]fps=25,format=yuv420p[b];[b][2:v]overlay=W-w-24:H-h-24:shortest=1,format=yuv420p[v]"
    _ffmpeg(*show, *_voice(seconds), "-f", "lavfi", "-i", person, "-filter_complex", graph, "-map", "[v]", "-map",
            "1:a", *AS_RECORDED, "-t", seconds, path)  # fmt: skip
    return path


def make_camera(path: Path, seconds: int) -> Path:
    """720p, 25 pictures a second: everything moves, with the noise of a webcam."""
    scene = "mandelbrot=s=640x360:r=25:maxiter=300:start_scale=0.05:end_scale=0.0005:end_pts=900"
    _ffmpeg("-f", "lavfi", "-i", f"{scene},scale=1280x720,noise=alls=6:allf=t,format=yuv420p", *_voice(seconds),
            "-map", "0:v", "-map", "1:a", *AS_RECORDED, "-t", seconds, path)  # fmt: skip
    return path


def make_long(path: Path, short: Path, seconds: int) -> Path:
    """Repeat a recording up to a length, without encoding anything."""
    _ffmpeg("-stream_loop", "-1", "-i", short, "-c", "copy", "-t", seconds, "-movflags", "+faststart", path)
    return path


MAKERS = {"slides": make_slides, "pip": make_slides_with_speaker, "camera": make_camera}


def _slide_show(folder: Path, seconds: int) -> list[str | Path]:
    dice = random.Random(2026)
    lines: list[str] = []
    at = 0.0
    while at < seconds:
        path = folder / f"slide-{len(lines):03d}.png"
        _draw_slide(path, len(lines), dice)
        length = dice.choice((10.2, 12.4, 15.0, 17.8))
        lines.append(f"file '{path}'\nduration {length}\n")
        at += length
    listed = folder / "slides.txt"
    listed.write_text("".join(lines) + f"file '{path}'\n")
    return ["-f", "concat", "-safe", "0", "-i", listed]


def _voice(seconds: int) -> list[str]:
    """Something with the rhythm of speech; what is said does not matter here."""
    tone = "aevalsrc='0.25*sin(2*PI*(140+40*sin(3*t))*t)*gt(sin(2*PI*t/1.7)\\,-0.5)*(0.6+0.4*sin(19*t))'"
    return ["-f", "lavfi", "-i", f"{tone}:s=48000:d={seconds},aeval=val(0)+0.002*(random(0)-0.5)"]


def _draw_slide(path: Path, number: int, dice: random.Random) -> None:
    paper = PAPERS[number % len(PAPERS)]
    ink = (235, 235, 235) if sum(paper) < 300 else (28, 30, 36)
    picture = Image.new("RGB", (WIDTH, HEIGHT), paper)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, 118), fill=(0, 96, 142))
    draw.text((70, 30), f"{number + 1}. {_phrase(dice, 4).title()}", font=_font("DejaVuSans-Bold", 52), fill="white")
    for row in range(6):
        top = 170 + 96 * row
        draw.text((90, top), f"\N{BULLET} {_phrase(dice, 7)}", font=_font("DejaVuSans", 36), fill=ink)
        draw.text((130, top + 48), _phrase(dice, 10), font=_font("DejaVuSans", 24), fill=ink)
    (_draw_table, _draw_chart, _draw_photo)[number % 3](picture, draw, ink, dice)
    draw.text((70, HEIGHT - 46), "Distance learning, session 4", font=_font("DejaVuSans", 20), fill=(125, 125, 135))
    picture.save(path)


def _draw_table(
    _picture: Image.Image, draw: ImageDraw.ImageDraw, ink: tuple[int, int, int], dice: random.Random
) -> None:
    for row in range(7):
        for column in range(9):
            left, top = 100 + 150 * column, 770 + 32 * row
            draw.rectangle((left, top, left + 150, top + 32), outline=ink)
            draw.text(
                (left + 10, top + 6), f"{dice.random() * 10_000:9.1f}", font=_font("DejaVuSansMono", 18), fill=ink
            )


def _draw_chart(
    _picture: Image.Image, draw: ImageDraw.ImageDraw, _ink: tuple[int, int, int], dice: random.Random
) -> None:
    for number, colour in enumerate(((200, 60, 50), (40, 130, 70), (50, 90, 210))):
        points = [(120 + 14 * x, 960 - 40 * number - dice.randrange(110)) for x in range(110)]
        draw.line(points, fill=colour, width=3)


def _draw_photo(
    picture: Image.Image, _draw: ImageDraw.ImageDraw, _ink: tuple[int, int, int], dice: random.Random
) -> None:
    size = (520, 340)
    grain = Image.frombytes("L", size, dice.randbytes(size[0] * size[1])).resize((260, 170)).resize(size)
    light = Image.radial_gradient("L").resize(size)
    picture.paste(Image.merge("RGB", (light, Image.blend(grain, light, 0.6), Image.linear_gradient("L").resize(size))),
                  (1320, 690))  # fmt: skip


def _phrase(dice: random.Random, words: int) -> str:
    return " ".join(dice.sample(WORDS, words))


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f"{name}.ttf"), size)


def _ffmpeg(*arguments: str | int | Path) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)
