"""Clips whose every picture says by its brightness which one it is, with a click each second."""

import subprocess
from pathlib import Path

import numpy as np

from tests.media.clips import ffmpeg
from tests.media.measure import beginnings, loudness

STEP, DARKEST, DISTINCT = 10, 20, 20


def make_counted_clip(
    path: Path, *, seconds: int, rate: str = "25", size: str = "1280x720", video: tuple[str, ...] = ()
) -> Path:
    """Picture n has the brightness of n modulo 20; each second begins with a click."""
    grey = f"geq=lum='{DARKEST}+{STEP}*mod(N\\,{DISTINCT})':cb=128:cr=128"
    picture = f"nullsrc=size=32x18:rate={rate}:duration={seconds},{grey},scale={size.replace('x', ':')}:flags=neighbor"
    sound = f"aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.01)':s=48000:d={seconds}"
    ffmpeg(
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "75", *video, "-c:a", "aac"),
        path,
    )
    return path


def numbers(path: Path) -> list[int]:
    """Which pictures (modulo 20) a file shows, in order."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", "scale=16:16:flags=area", "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    means = np.frombuffer(data, np.uint8).reshape(-1, 256).mean(axis=1)
    # Raw grey has the full range, 0 to 255; video's is 16 to 235.
    return [round((float(mean) * 219 / 255 + 16 - DARKEST) / STEP) for mean in means]


def clicks_in(path: Path) -> list[float]:
    """When clicks are heard. ffmpeg hands out even what an edit list hides in a fragmented file: it is cut off here."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-copyts",
        "-i",
        str(path),
        "-map",
        "a:0",
        "-af",
        "atrim=start=0",
        "-c:a",
        "pcm_s16le",
    ]
    shown = path.with_suffix(".shown.wav")
    subprocess.run([*command, "-y", shown], check=True)
    return beginnings(loudness(shown), 0.3, 1000)
