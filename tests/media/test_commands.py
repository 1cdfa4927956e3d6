"""Every argument list that is built: allow-lists on every input, fixed names, no user text (promises S2, S5)."""

import dataclasses
import tomllib
from fractions import Fraction

import ffmpeg
import pytest

from media import ladder, recipe
from media.ffmpeg.runner import own_input, source_input, validate_inputs
from media.languages import iso639_2
from media.services import av1, pictures, video
from media.source import AudioFacts, SourceFacts, VideoFacts, plan_encoding

VIDEO = VideoFacts(
    index=0, codec="vp9", profile="Profile 0", pixel_format="yuv420p", coded_width=1920, coded_height=1080, width=1920,
    height=1080, rotation=0, is_anamorphic=False, is_interlaced=False, is_hdr=False, real_rate="25", average_rate="25",
    packets=2500, hidden=0, size=10_000_000, start_ms=0, end_ms=100_000, longest_gop_ms=5000,
)  # fmt: skip
AUDIO = AudioFacts(
    index=1, codec="opus", profile="", channels=2, sample_rate=48_000, packets=5000, size=1_000_000, start_ms=0,
    end_ms=100_000,
)  # fmt: skip
FACTS = SourceFacts("matroska,webm", False, 100_000, 0, 100_000, VIDEO, AUDIO)
STORYBOARD = {"tile_width": 160, "tile_height": 90, "columns": 10, "rows": 1, "count": 10, "interval_ms": 5000}

RECIPE = recipe.current()
PLAN = plan_encoding(FACTS, RECIPE)
COMMANDS = {
    "encode": video.encode_command(FACTS, PLAN.rest, (600, 1200), RECIPE),
    "encode hdr": video.encode_command(
        dataclasses.replace(FACTS, video=dataclasses.replace(VIDEO, is_hdr=True, is_interlaced=True, rotation=90)),
        PLAN.rest[:1],
        (0, 2500),
        RECIPE,
    ),
    "lossless": video.encode_command(FACTS, PLAN.rest[1:2], (600, 1200), RECIPE, is_lossless=True),
    "av1": av1.segment_command(FACTS, RECIPE, (150, 300)),
    "copy": video._copied_video(FACTS, "file:out/x.mp4"),
    "first audio": video._first_audio(FACTS, "file:out/x.mp4"),
    "storyboard": pictures.storyboard_command(STORYBOARD),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_input_is_a_fixed_name_behind_allow_lists(name: str) -> None:
    validate_inputs(ffmpeg.get_args(COMMANDS[name]))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-i", "file:in/source"],
        ["-i", "/etc/passwd"],
        ["-protocol_whitelist", "file", "-format_whitelist", "mov", "-codec_whitelist", "h264", "-i", "http://x/"],
    ],
)
def test_other_inputs_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match="input"):
        validate_inputs(arguments)


def test_both_kinds_of_input_pass() -> None:
    for source in (source_input(ss=1), own_input("rung")):
        validate_inputs(ffmpeg.get_args(source.output("file:out/x", f="null")))


def test_rungs_share_one_decode_and_one_key_frame_grid() -> None:
    arguments = ffmpeg.get_args(COMMANDS["encode"])
    assert arguments.count("-i") == 1
    outputs = [argument for argument in arguments if argument.startswith("file:out/")]
    assert outputs == ["file:out/1080p.mp4", "file:out/720p.mp4", "file:out/480p.mp4"]
    assert [arguments[at + 1] for at, argument in enumerate(arguments) if argument == "-g"] == ["150"] * 3


def test_a_source_that_is_not_copied_gets_the_opening_of_its_lowest_rung_first() -> None:
    plan = PLAN
    assert plan.copied is None
    assert plan.first == ladder.make_rung(width=1920, height=1080, side=480, frame_rate=Fraction(25))
    assert plan.opening_frames == 750
    assert [rung.name for rung in plan.rest] == ["1080p", "720p", "480p"]


def test_the_opening_of_a_short_source_is_all_of_its_lowest_rung() -> None:
    plan = plan_encoding(dataclasses.replace(FACTS, duration_ms=29_000), RECIPE)
    assert (plan.first and plan.first.name, plan.opening_frames) == ("480p", 725)
    assert [rung.name for rung in plan.rest] == ["1080p", "720p"]


@pytest.mark.parametrize(
    "changed", ["copy = {enabled = false}", "copy = {max_side = 720}", "copy = {max_cap_share = 0.1}"]
)
def test_an_operator_may_forbid_copies(changed: str) -> None:
    table = recipe.Recipe.from_data(tomllib.loads(changed))
    copyable = dataclasses.replace(VIDEO, codec="h264", profile="High")
    assert plan_encoding(dataclasses.replace(FACTS, video=copyable), RECIPE).copied is not None
    assert plan_encoding(dataclasses.replace(FACTS, video=copyable), table).copied is None


def test_av1_rungs_are_planned_when_wanted_and_not_above_the_source() -> None:
    table = recipe.Recipe.from_data(tomllib.loads("av1 = {enabled = true, sides = [720, 360]}"))
    assert PLAN.av1 == ()
    assert [rung.name for rung in plan_encoding(FACTS, table).av1] == ["720p-av1", "360p-av1"]
    small = dataclasses.replace(FACTS, video=dataclasses.replace(VIDEO, width=640, height=360))
    assert [rung.name for rung in plan_encoding(small, table).av1] == ["360p-av1"]


def test_a_copied_source_gets_only_smaller_rungs() -> None:
    plan = plan_encoding(
        dataclasses.replace(FACTS, container="mov,mp4", video=dataclasses.replace(VIDEO, codec="h264", profile="High")),
        RECIPE,
    )
    assert plan.copied is not None
    assert (plan.copied.name, plan.first, [rung.name for rung in plan.rest]) == ("1080p", None, ["720p", "480p"])


@pytest.mark.parametrize(
    ("tag", "code"), [("ar", "ara"), ("pt-BR", "por"), ("fuf", "fuf"), ("bm", "bam"), ("zz", "und"), ("x-own", "und")]
)
def test_language_codes_of_mp4(tag: str, code: str) -> None:
    assert iso639_2(tag) == code
