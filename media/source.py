"""What was found in a source, in the form that is stored with an asset and that all later steps read."""

from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Any

from media import ladder
from media.recipe import Recipe

# Containers whose index lets us seek to a frame, and copy streams with their times.
SEEKABLE = ("mov", "matroska")
COPY_PROFILES = ("Constrained Baseline", "Baseline", "Main", "High")
COPY_MAX_GAP_MS = 10_050
COPY_GAP_SLACK_MS = 50
COPY_MAX_START_MS = 40
COPY_MAX_TAIL_MS = 1000  # of sound alone after the last picture
COPY_MAX_LEVEL = 52  # H.264 level 5.2, the highest that decoders in phones know
HD_SIDE = 720  # pictures of unnamed colours are taken for BT.709 from here on, by players and by us


@dataclass(frozen=True)
class VideoFacts:
    """The picture stream chosen. Sizes are as displayed: turned upright, with square pixels.

    `start_ms` and `end_ms` count from the start of the file; `hidden` packets lie before an edit list's start.
    `transfer` and `matrix` are ffprobe's names of how colours are coded, empty if the file does not say.
    `is_one_shape` is False when size or coding change in the middle.
    """

    index: int
    codec: str
    profile: str
    pixel_format: str
    coded_width: int
    coded_height: int
    width: int
    height: int
    rotation: int
    is_anamorphic: bool
    is_interlaced: bool
    is_hdr: bool
    real_rate: str
    average_rate: str
    packets: int
    hidden: int
    size: int
    start_ms: int
    end_ms: int
    longest_gop_ms: int
    level: int = 0
    transfer: str = ""
    matrix: str = ""
    is_full_range: bool = False
    is_one_shape: bool = True

    @property
    def is_rgb(self) -> bool:
        return self.matrix == "gbr" or self.pixel_format.startswith(("gbr", "rgb", "bgr", "argb", "abgr", "0rgb"))


@dataclass(frozen=True)
class AudioFacts:
    """The sound stream chosen. Times as with `VideoFacts`; `language` is a BCP 47 subtag, empty if unknown."""

    index: int
    codec: str
    profile: str
    channels: int
    sample_rate: int
    packets: int
    size: int
    start_ms: int
    end_ms: int
    language: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """Attributes:
    container: ffprobe's name of the format.
    needs_remux: its clock may jump or its index be missing, so it is rewritten before each use.
    claimed_ms: the duration in the header, which may be a lie.
    sounds: every sound stream that can be decoded, in the file's order: index, language, title, channels, start_ms,
        end_ms. Conference systems keep interpreters there.
    """

    container: str
    needs_remux: bool
    claimed_ms: int
    start_ms: int
    duration_ms: int
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    counts: dict[str, int] = field(default_factory=dict)
    sounds: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SourceFacts":
        known = dict(data)
        known["video"] = VideoFacts(**data["video"]) if data.get("video") else None
        known["audio"] = AudioFacts(**data["audio"]) if data.get("audio") else None
        return cls(**known)

    @property
    def rate(self) -> Fraction:
        """The constant frame rate of everything encoded from this source."""
        if self.video is None:
            return Fraction(25)
        return ladder.output_frame_rate(real=Fraction(self.video.real_rate), average=Fraction(self.video.average_rate))

    @property
    def total_frames(self) -> int:
        """Frames of the whole duration on the grid; the last picture stays if the sound goes on."""
        return max(1, round(self.duration_ms * self.rate / 1000))

    @property
    def can_copy_video(self) -> bool:
        """True when the picture stream plays in browsers as it is (transcoding recipe, first look)."""
        video = self.video
        if video is None or self.needs_remux or not self.duration_ms:
            return False
        average = Fraction(video.average_rate)
        return (
            video.codec == "h264"
            and video.profile in COPY_PROFILES
            and video.pixel_format in ("yuv420p", "yuvj420p")
            and max(video.width, video.height) <= 1920
            and min(video.width, video.height) <= 1080
            and average <= ladder.MAX_FRAME_RATE
            and not (video.rotation or video.is_anamorphic or video.is_interlaced or video.is_hdr or video.hidden)
            and video.width % 2 == video.height % 2 == 0
            and video.packets > 1
            and video.is_one_shape
            and video.level <= COPY_MAX_LEVEL
            and not video.is_rgb
            and abs(video.start_ms) <= COPY_MAX_START_MS
            and self.duration_ms - video.end_ms <= COPY_MAX_TAIL_MS
            and video.longest_gop_ms <= COPY_MAX_GAP_MS
        )

    @property
    def can_copy_audio(self) -> bool:
        """True when the sound stream may serve as the first look's, before the normalised one is made."""
        audio = self.audio
        return (
            audio is not None
            and not self.needs_remux
            and (audio.codec, audio.profile) == ("aac", "LC")
            and audio.channels <= 2
            and audio.sample_rate in (44_100, 48_000)
            and abs(audio.start_ms) <= COPY_MAX_START_MS
            and audio.packets > 10
        )


@dataclass(frozen=True)
class EncodingPlan:
    """What each step of encoding makes. The same for every step that asks.

    Attributes:
        recipe: the table by which it was planned.
        copied: the top rung is a copy of the source's stream, under this name.
        first: the lowest rung, of which the first look shows the beginning when nothing can be copied.
        opening_frames: how much of it; all of a short recording.
        rest: rungs encoded in parts, all from one decode, largest first; `first` too unless the opening is all of it.
        av1: rungs encoded once more, late.
    """

    recipe: Recipe
    copied: ladder.Rung | None = None
    first: ladder.Rung | None = None
    opening_frames: int = 0
    rest: tuple[ladder.Rung, ...] = ()
    av1: tuple[ladder.Rung, ...] = ()

    @property
    def names(self) -> set[str]:
        """The picture rungs that a finished package must have."""
        return {rung.name for rung in (self.copied, self.first, *self.rest) if rung}


def plan_encoding(facts: SourceFacts, recipe: Recipe) -> EncodingPlan:
    video = facts.video
    if video is None:
        return EncodingPlan(recipe)
    shape: dict[str, Any] = {"width": video.width, "height": video.height, "frame_rate": facts.rate}
    shape["reference_bps"] = recipe.cap_kbps * 1000
    side = min(video.width, video.height)
    av1 = _av1_rungs(shape, side, recipe)
    if facts.can_copy_video and _is_within(facts, video, recipe):
        copied = ladder.make_rung(**shape, side=side)
        rest = ladder.choose_rungs(**shape, copied_side=side, sides=recipe.sides)
        return EncodingPlan(recipe, copied=copied, rest=tuple(rest), av1=av1)
    *rest, first = ladder.choose_rungs(**shape, sides=recipe.sides)
    opening = recipe.first_look.opening_s // recipe.segment_s * ladder.segment_frames(facts.rate, recipe.segment_s)
    if opening >= facts.total_frames:
        return EncodingPlan(recipe, first=first, opening_frames=facts.total_frames, rest=tuple(rest), av1=av1)
    return EncodingPlan(recipe, first=first, opening_frames=opening, rest=(*rest, first), av1=av1)


def _is_within(facts: SourceFacts, video: VideoFacts, recipe: Recipe) -> bool:
    """True if a copy of the picture keeps to what the operator allows."""
    limits = recipe.copy
    cap = ladder.cap_bps(
        width=video.width,
        height=video.height,
        frame_rate=Fraction(video.average_rate),
        reference_bps=recipe.cap_kbps * 1000,
    )
    return (
        limits.enabled
        and min(video.width, video.height) <= limits.max_side
        and video.longest_gop_ms <= limits.max_key_frame_gap_s * 1000 + COPY_GAP_SLACK_MS
        and video.size * 8000 / facts.duration_ms <= limits.max_cap_share * cap
    )


def _av1_rungs(shape: dict[str, Any], side: int, recipe: Recipe) -> tuple[ladder.Rung, ...]:
    if not recipe.av1.enabled:
        return ()
    rungs = [ladder.make_rung(**shape, side=wanted) for wanted in recipe.av1.sides if wanted <= side]
    return tuple(replace(rung, name=f"{rung.name}-av1") for rung in rungs)
