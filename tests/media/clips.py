"""Short real clips for the tests, made with ffmpeg directly: the tests' own inputs are not hostile."""

import subprocess
from pathlib import Path

FRAGMENTED = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof+delay_moov")


def ffmpeg(*args: str | Path) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, args)], check=True)


def make_clip(
    path: Path,
    *,
    seconds: float = 2,
    size: str = "320x180",
    rate: int = 25,
    sound: bool = True,
    extra: tuple[str, ...] = (),
) -> Path:
    """A moving picture with its own frame counter burnt in as brightness, and a tone."""
    inputs = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]
    ffmpeg(*inputs, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", *extra, path)
    return path


def frame_times(path: Path) -> list[float]:
    """Return the presentation times of all video packets, in order of showing."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    out = subprocess.run([*command, path], check=True, capture_output=True, text=True).stdout
    return sorted(float(line.strip(",")) for line in out.splitlines() if line.strip(","))
