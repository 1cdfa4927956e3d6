"""What the version for slow connections is made of: small sound, and still pictures of moments."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from media.ffmpeg.runner import Progress, ShouldStop, never, own_input, run_ffmpeg, silent
from media.models import MAIN_SOUND, Derivative, DerivativeKind, Package, RenditionKind
from media.services import stored
from media.services.audio import save_derivative
from media.services.frames import ANOTHER, STILL, FrameFile, changed_share, gray_frames, rungs_of
from media.services.stored import Fenced

# AAC-LC in MP4 plays in every browser and old phone, which Opus does not; at this rate speech is clear.
AUDIO_KBPS = 32
AUDIO_HZ = 24_000
# ffmpeg's encoder takes a third more than it is told for some voices, so what it made is measured.
MOST_KBPS = 35
TRIES = 3
LOOK_SIZE = (64, 36)
LOOK_MS = 6000
LEAST_MS, MOST_MS = 10_000, 60_000  # between two pictures of a moving scene


@dataclass(frozen=True)
class Size:
    """How large and how good pictures are: pixels, JPEG quality of Pillow's and of ffmpeg's scale (2 is best)."""

    side: int
    quality: int
    q: int


SIZES = (Size(960, 62, 6), Size(800, 52, 8), Size(640, 45, 10), Size(480, 38, 13))


def make_light_audio(
    *,
    package: Package,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    fenced: Fenced = transaction.atomic,
) -> Derivative | None:
    """Make the sound small: mono, AUDIO_KBPS. None if the recording has no sound; kept while its source is the same."""
    sound = package.renditions.filter(kind=RenditionKind.AUDIO, name=MAIN_SOUND).first()
    if sound is None:
        return None
    existing = package.derivatives.filter(kind=DerivativeKind.LIGHT_AUDIO, name="").first()
    if existing is not None and existing.facts.get("made_of") == sound.key:
        return existing
    with tempfile.TemporaryDirectory(dir=workdir) as name, stored.on_disk(sound.key, workdir) as path:
        wanted = float(AUDIO_KBPS)
        for _number in range(TRIES):
            run_ffmpeg(
                light_audio_command(wanted),
                inputs={"sound": path},
                output_dir=Path(name),
                duration_ms=sound.duration_ms,
                progress=progress,
                activity=_("Making the sound small"),
                should_stop=should_stop,
            )
            kbps = (Path(name) / "light.m4a").stat().st_size * 8 / max(1, sound.duration_ms)
            if kbps <= MOST_KBPS or sound.duration_ms < 10_000:  # of seconds, most are the file's own headers
                break
            wanted *= AUDIO_KBPS / kbps
        key = stored.new_key(package, "light", ".m4a")
        size = stored.put(Path(name) / "light.m4a", key)
    with stored.stored_until_failure(fenced) as uncommitted:
        uncommitted.append(key)
        return save_derivative(
            package,
            DerivativeKind.LIGHT_AUDIO,
            key=key,
            size=size,
            content_type="audio/mp4",
            facts={"made_of": sound.key, "duration_ms": sound.duration_ms},
        )


def light_audio_command(kbps: float) -> Any:
    """Return the ffmpeg graph that encodes the sound small."""
    options: dict[str, Any] = {
        "c:a": "aac",
        "b:a": f"{kbps:.1f}k",
        "ac": 1,
        "ar": AUDIO_HZ,
        "movflags": "+faststart",
        "map_metadata": "-1",
        "map_chapters": "-1",
        "f": "mp4",
    }
    return own_input("sound")["a"].output("file:out/light.m4a", **options)


def key_moments(
    *,
    package: Package,
    spans: Sequence[tuple[int, int]],
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> list[int]:
    """Return moments within spans (of this version's time) whose pictures together show what happens in them.

    A picture that stands still is taken when it is new; of what moves all the time, one a minute.
    """
    if not spans or not package.renditions.filter(kind=RenditionKind.VIDEO).exists():
        return []
    rung = rungs_of(package)[0]
    look_ms = max(500, min(LOOK_MS, rung.duration_ms // 20))
    with tempfile.TemporaryDirectory(dir=workdir) as name, stored.on_disk(rung.key, workdir) as path:
        frames = list(
            gray_frames(
                FrameFile(rung, path, Path(name), *LOOK_SIZE),
                interval_ms=look_ms,
                only_key_frames=look_ms == LOOK_MS,
                progress=progress,
                activity=_("Looking for pictures that tell the most"),
                should_stop=should_stop,
            )
        )
    moments = []
    for start_ms, end_ms in spans:
        # Not at the very beginning, which may still be a transition.
        numbers = [n for n in range(len(frames)) if start_ms <= n * look_ms < end_ms] or [
            min(len(frames) - 1, start_ms // look_ms)
        ]
        kept, kept_at = None, 0
        for n in numbers:
            at_ms = min(max(n * look_ms, start_ms), end_ms)
            if kept is not None:
                stands = changed_share(frames[n], frames[min(n + 1, len(frames) - 1)]) < STILL
                is_due = at_ms - kept_at >= (LEAST_MS if stands else MOST_MS)
                if not is_due or changed_share(frames[n], kept) < ANOTHER:
                    continue
            kept, kept_at = frames[n], at_ms
            moments.append(at_ms)
    return moments


def draw_stills(
    *,
    package: Package,
    moments: Sequence[int],
    size: Size,
    folder: Path,
    workdir: Path,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> list[Path]:
    """Write the picture of each moment (of this version's time) as a JPEG into the folder, in order."""
    if not moments:
        return []
    rungs = rungs_of(package)
    # The smallest that has enough: quicker to fetch and to decode.
    rung = next((rung for rung in rungs if max(rung.width or 0, rung.height or 0) >= size.side), rungs[-1])
    made = []
    with stored.on_disk(rung.key, workdir) as path:
        for number, at_ms in enumerate(moments):
            progress(100 * number / len(moments), _("Drawing pictures"))
            target = folder / f"still{number}.jpg"
            last_ms = max(0, rung.duration_ms - 200)
            run_ffmpeg(
                still_command(min(at_ms, last_ms), side=size.side, q=size.q, name=target.name),
                inputs={"rung": path},
                output_dir=folder,
                duration_ms=1000,
                should_stop=should_stop,
            )
            if target.exists():
                made.append(target)
    return made


def still_command(at_ms: int, *, side: int, q: int, name: str) -> Any:
    """Return the ffmpeg graph that draws the picture of a moment, not larger than a square of `side` pixels."""
    picture = own_input("rung", ss=f"{at_ms / 1000:.3f}")["v"]
    picture = picture.filter("scale", f"min({side},iw)", f"min({side},ih)", force_original_aspect_ratio="decrease")
    options = {"frames:v": 1, "q:v": q, "pix_fmt": "yuvj420p", "f": "image2", "update": 1, "map_metadata": "-1"}
    return picture.output(f"file:out/{name}", **options)
