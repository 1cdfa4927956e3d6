"""Every argument list that a production builds, read back (promises S2, S3, S5)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as builder
import pytest
from pytest_django import Settings

import sandbox
from media import services
from media.ffmpeg import runner
from media.ffmpeg.allowed import DECODERS, FORMATS, OWN_OPTIONS, PROBE_OPTIONS, PROTOCOLS, SOURCE_OPTIONS
from tests.factories.media import make_asset
from tests.media.clips import ffmpeg, make_clip
from tests.media.production import make_everything, produce
from tests.media.recipes import use_recipe

pytestmark = pytest.mark.django_db

HOSTILE = "x'; touch pwned; -i http://evil.example $(id) | <b>"
# Options by which ffmpeg would open something that is not in the argument list, or write elsewhere.
NEVER = (
    "-dump_attachment",
    "-attach",
    "-filter_script",
    "-filter_complex_script",
    "-report",
    "-passlogfile",
    "-sdp_file",
)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], sandbox.Limits]]:
    """Every command that is run from here on; they are run."""
    seen: list[tuple[list[str], sandbox.Limits]] = []
    run = sandbox.run

    def record(command: Sequence[str], **options: Any) -> sandbox.Result:
        seen.append((list(command), options["limits"]))
        return run(command, **options)

    monkeypatch.setattr(sandbox, "run", record)
    return seen


def test_every_command_of_a_production_is_fenced_in(
    commands: list[tuple[list[str], sandbox.Limits]], tmp_path: Path, settings: Settings
) -> None:
    use_recipe(settings, tmp_path, "part_s = 6")
    clip = tmp_path / "clip.mkv"
    ffmpeg("-i", make_clip(tmp_path / "clip.mp4", size="854x600", seconds=2), "-c", "copy", "-metadata",
           f"title={HOSTILE}", "-metadata:s:a", f"title={HOSTILE}", "-metadata:s:a", "language=eng", clip)  # fmt: skip
    asset = make_asset(clip)
    asset.file_name = f"{HOSTILE}.mp4"
    asset.save()
    package = produce(asset, tmp_path)
    cue = f"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n{HOSTILE}\n"
    services.make_subtitled_mp4(package=package, tracks=[("en", cue)], workdir=tmp_path)

    tools = {command[0] for command, _limits in commands}
    assert tools == {"ffmpeg", "ffprobe"}
    for command, limits in commands:
        assert "pwned" not in " ".join(command)
        assert not any(word in ("http", "tcp", "concat", "crypto", "data") for word in command)
        assert not set(NEVER) & set(command)
        assert 0 < limits.wall_s < 7 * 24 * 3600
        assert limits.memory_bytes == settings.TOOL_MEMORY_MB * 1024**2
        inputs = [at for at, word in enumerate(command) if word == "-i"]
        assert inputs
        begin = 0
        for at in inputs:
            options = command[begin:at]
            allowed = {name: options[options.index(f"-{name}") + 1] for name in SOURCE_OPTIONS}
            assert allowed in (SOURCE_OPTIONS, OWN_OPTIONS) if command[0] == "ffmpeg" else allowed == PROBE_OPTIONS
            assert command[at + 1].startswith("file:in/")
            # Only a file of ours may be opened with our own, shorter lists; what came from outside is "source".
            assert (command[at + 1] == f"file:in/{runner.SOURCE}") == (allowed != OWN_OPTIONS)
            begin = at + 2
        outputs = [word for word in command[begin:] if word.startswith(("file:", "pipe:")) and word != "pipe:1"]
        assert all(word.startswith("file:out/") for word in outputs)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-i", "file:in/source", "file:out/x.mp4"],
        ["-protocol_whitelist", "file", "-format_whitelist", "mov", "-i", "file:in/source", "file:out/x.mp4"],
        [*(f"-{name}={value}" for name, value in SOURCE_OPTIONS.items()), "-i", "/etc/passwd", "file:out/x.mp4"],
        ["file:out/x.mp4"],
    ],
)
def test_a_command_without_allow_lists_is_a_mistake(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match="input"):
        runner.validate_inputs(arguments)


def test_a_second_input_needs_lists_of_its_own() -> None:
    both = builder.concat(runner.source_input().video, builder.input("file:in/other").video).output("file:out/x.mp4")
    with pytest.raises(ValueError, match="every input"):
        runner.validate_inputs(builder.get_args(both))


def test_the_lists_hold_nothing_that_opens_other_files() -> None:
    assert set(PROTOCOLS) == {"file", "pipe"}
    assert not {"hls", "concat", "dash", "sdp", "rtsp", "image2", "lavfi", "tee", "applehttp", "gif"} & set(FORMATS)
    # Holes of the last years sat in rare decoders (CVE-2026-8461 and others).
    assert not {"magicyuv", "exr", "tdsc", "mss2", "cfhd", "ansi", "gif", "bitpacked", "screenpresso"} & set(DECODERS)


def test_everything_twice_runs_no_command_for_what_is_there(
    commands: list[tuple[list[str], sandbox.Limits]], tmp_path: Path
) -> None:
    package = produce(make_asset(make_clip(tmp_path / "clip.mp4")), tmp_path)
    commands.clear()
    make_everything(package, tmp_path)
    assert not any("libx264" in command for command, _limits in commands)
