"""Cleans an uploaded picture. Runs alone, in the sandbox (media/services/posters.py starts it); nothing of Django here.

    python -I picture_tool.py FILE OUT SIDE...   -> OUT/<side>.jpg and OUT/<side>.webp, one line of JSON

What a file is, its content decides. Its size in pixels is judged by its header, before anything is decoded; what is
written has new pixels and nothing else of it: no metadata, no profile, upright. Codes, not sentences: the caller has
the words.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

LARGEST_PICTURE = 50_000_000  # pixels
LONGEST_SIDE, SHORTEST_SIDE = 20_000, 64  # pixels
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY, WEBP_QUALITY = 82, 78


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201  (how this program answers)


def refuse(code: str, **facts: Any) -> NoReturn:
    say(refused=code, **facts)
    sys.exit(0)


def kind_of(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return None


def cleaned(path: Path) -> Any:
    """Return the picture's pixels on white paper."""
    from PIL import Image, ImageOps

    with open(path, "rb") as file:
        kind = kind_of(file.read(16))
    if kind is None:
        refuse("unknown_type")
    Image.MAX_IMAGE_PIXELS = None  # our own limit follows
    try:
        image = Image.open(path, formats=(kind,))
        width, height = image.size
        if width * height > LARGEST_PICTURE or max(width, height) > LONGEST_SIDE:
            refuse("too_large", width=width, height=height)
        if min(width, height) < SHORTEST_SIDE:
            refuse("too_small", width=width, height=height)
        if getattr(image, "n_frames", 1) > 1:
            image.seek(0)
        image.load()
        upright = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, Image.DecompressionBombError):
        refuse("damaged")
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    pixels = upright.convert("RGBA" if has_alpha else "RGB")
    paper = Image.new("RGB", pixels.size, "white")
    paper.paste(pixels, mask=pixels.getchannel("A") if has_alpha else None)
    return paper


def main(source: str, out: str, *sides: str) -> None:
    from PIL import Image

    warnings.simplefilter("ignore")
    paper = cleaned(Path(source))
    for side in map(int, sides):
        small = paper.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        small.save(Path(out) / f"{side}.jpg", "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
        small.save(Path(out) / f"{side}.webp", "WEBP", quality=WEBP_QUALITY)
    say(width=paper.width, height=paper.height)


if __name__ == "__main__":
    main(*sys.argv[1:])
