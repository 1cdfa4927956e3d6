"""What `manage.py doctor` says about the tools that recordings need."""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

import sandbox
from media import recipe
from media.ffmpeg.allowed import AUDIO_CODECS, VIDEO_CODECS
from media.fonts import FONTS
from work.doctor import Check

INSTALL = "Install the Debian package ffmpeg: apt-get install ffmpeg"
# CVE-2026-8461 (code from a crafted video in a rare decoder) is mended in these; our allow-list keeps it out anyway.
FIRST_SAFE = {(7, 1): 5, (8, 0): 3, (8, 1): 2}
NEEDED_ENCODERS = ("libx264", "aac", "flac", "mjpeg")
NEEDED_FILTERS = ("ass", "scdet", "metadata", "ebur128", "loudnorm", "zscale", "tonemap", "tpad", "yadif")
LIMITS = sandbox.Limits(wall_s=30)
FONT_LIMITS = sandbox.Limits(wall_s=60, stdout_bytes=64 * 1024**2)


def checks() -> Iterator[Check]:
    """Yield one answer per tool."""
    yield _sandbox_check()
    yield table_check()
    for tool in ("ffmpeg", "ffprobe"):
        try:
            said = _ask(tool, "-version")
        except sandbox.SandboxError as error:
            yield Check(tool, False, str(error), INSTALL)
            continue
        found = re.search(r"version (\S+)", said)
        yield version_check(tool, found[1] if found else "?")
    try:
        yield _parts_check("encoders", (*NEEDED_ENCODERS, *_optional_encoders()))
        yield _parts_check("filters", NEEDED_FILTERS)
    except sandbox.SandboxError:
        return  # said above
    yield fonts_check(_missing_scripts)
    yield Check(
        "allowed codecs",
        True,
        f"pictures: {', '.join(sorted(VIDEO_CODECS))}; sound: {', '.join(sorted(AUDIO_CODECS))}",
    )


def table_check() -> Check:
    """Is the table of encoding sound? It was when this process began, but workers read it anew."""
    name = "table of encoding"
    try:
        table = recipe.current()
    except recipe.RecipeError as error:
        return Check(name, False, str(error), "Mend the file, or empty MEDIA_LADDER to use the shipped table.")
    sides = ", ".join(f"{side}p" for side in table.sides)
    text = (
        f"{settings.MEDIA_LADDER or 'as shipped'}: {sides}; CRF {table.crf}, {table.preset}; parts of {table.part_s} s"
    )
    return Check(name, True, f"{text}; AV1 {'on' if table.av1.enabled else 'off'}")


def _optional_encoders() -> tuple[str, ...]:
    try:
        return ("libsvtav1",) if recipe.current().av1.enabled else ()
    except recipe.RecipeError:
        return ()  # said above


def fonts_check(missing_scripts: Callable[[], dict[str, str]]) -> Check:
    """Judge whether every script can be drawn into a picture."""
    try:
        missing = missing_scripts()
    except sandbox.SandboxError as error:
        return Check("fonts", False, str(error), "Install the Debian package fontconfig: apt-get install fontconfig")
    if not missing:
        return Check("fonts", True, f"subtitles in the picture can be drawn in {len(FONTS)} scripts")
    packages = " ".join(sorted(set(missing.values())))
    return Check(
        "fonts",
        None,
        f"no font for subtitles in the picture in: {', '.join(sorted(missing))}",
        f"Install the Debian packages that have them: apt-get install {packages}",
    )


def _missing_scripts() -> dict[str, str]:
    """Scripts of which a font is missing, or has not the letters, and the package that brings it."""
    with tempfile.TemporaryDirectory() as folder:
        asked = ["fc-list", "--format", "%{family}|%{charset}\n"]
        result = sandbox.run(asked, inputs={}, output_dir=Path(folder), limits=FONT_LIMITS)
    letters: dict[str, set[int]] = {}
    wanted = {ord(letter) for font in FONTS.values() for letter in font.sample}
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        families, _bar, charset = line.partition("|")
        # Ranges in hexadecimal, such as "20-7e a0".
        ranges = [[int(end, 16) for end in one.split("-")] for one in charset.split()]
        has = {code for code in wanted if any(one[0] <= code <= one[-1] for one in ranges)}
        for family in families.split(","):
            letters.setdefault(family, set()).update(has)
    return {
        script: font.package
        for script, font in FONTS.items()
        if not {ord(letter) for letter in font.sample} <= letters.get(font.family, set())
    }


def version_check(tool: str, version: str) -> Check:
    """Judge a version as ffmpeg prints it, such as "5.1.9-0+deb12u1" or "n8.1.1"."""
    numbers = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if numbers is None:
        return Check(tool, None, f"version {version}", "This version is not a release; use one of your distribution.")
    branch, patch = (int(numbers[1]), int(numbers[2])), int(numbers[3] or 0)
    is_safe = branch > max(FIRST_SAFE) or (branch in FIRST_SAFE and patch >= FIRST_SAFE[branch])
    if is_safe:
        return Check(tool, True, f"version {version}")
    return Check(
        tool,
        None,
        f"version {version} lacks the upstream repair of CVE-2026-8461; the decoder concerned is never allowed here",
        "Install security updates of your distribution as they come.",
    )


def _sandbox_check() -> Check:
    if sandbox.level() == "strong":
        return Check("sandbox", True, "bubblewrap works: tools run without network and see only their own files")
    return Check(
        "sandbox",
        None,
        "bubblewrap does not work here: tools run with limits and allow-lists, but not shut in",
        "Install the Debian package bubblewrap, and allow unprivileged user namespaces (containers often forbid them).",
    )


def _parts_check(kind: str, needed: tuple[str, ...]) -> Check:
    said = _ask("ffmpeg", f"-{kind}")
    missing = [name for name in needed if not re.search(rf"\s{name}\s", said)]
    if missing:
        return Check(f"ffmpeg {kind}", False, f"missing: {', '.join(missing)}", INSTALL)
    return Check(f"ffmpeg {kind}", True, ", ".join(needed))


def _ask(tool: str, option: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        result = sandbox.run([tool, "-hide_banner", option], inputs={}, output_dir=Path(folder), limits=LIMITS)
    return result.stdout.decode("utf-8", "replace")
