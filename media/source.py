"""What was found in a source, in the form that is stored with an asset and that all later steps read."""

from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from media import ladder

# Containers whose index lets us seek to a frame, and copy streams with their times.
SEEKABLE = ("mov", "matroska")
COPY_PROFILES = ("Constrained Baseline", "Baseline", "Main", "High")
COPY_MAX_GAP_MS = 10_050
COPY_MAX_START_MS = 40
COPY_MAX_TAIL_MS = 1000  # of sound alone after the last picture


@dataclass(frozen=True)
class VideoFacts:
    """The picture stream chosen. Sizes are as displayed: turned upright, with square pixels.

    `start_ms` and `end_ms` count from the start of the file; `hidden` packets lie before an edit list's start.
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


@dataclass(frozen=True)
class AudioFacts:
    """The sound stream chosen. Times as with `VideoFacts`."""

    index: int
    codec: str
    profile: str
    channels: int
    sample_rate: int
    packets: int
    size: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class SourceFacts:
    """Attributes:
    container: ffprobe's name of the format.
    needs_remux: its clock may jump or its index be missing, so it is rewritten before each use.
    claimed_ms: the duration in the header, which may be a lie.
    """

    container: str
    needs_remux: bool
    claimed_ms: int
    start_ms: int
    duration_ms: int
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    counts: dict[str, int] = field(default_factory=dict)

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
        cap = ladder.cap_bps(width=video.width, height=video.height, frame_rate=average)
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
            and abs(video.start_ms) <= COPY_MAX_START_MS
            and self.duration_ms - video.end_ms <= COPY_MAX_TAIL_MS
            and video.longest_gop_ms <= COPY_MAX_GAP_MS
            and video.size * 8000 / self.duration_ms <= 1.8 * cap
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
    """Which rung the first look gives, and which the parts give. The same for every step that asks.

    Attributes:
        copied: the top rung is a copy of the source's stream, under this name.
        first: the rung encoded for the first look, when nothing can be copied.
        rest: rungs encoded in parts, all from one decode.
    """

    copied: ladder.Rung | None
    first: ladder.Rung | None
    rest: tuple[ladder.Rung, ...]


def plan_encoding(facts: SourceFacts) -> EncodingPlan:
    video = facts.video
    if video is None:
        return EncodingPlan(None, None, ())
    shape = {"width": video.width, "height": video.height}
    if facts.can_copy_video:
        side = min(video.width, video.height)
        copied = ladder.make_rung(**shape, side=side, frame_rate=facts.rate)
        rest = ladder.choose_rungs(**shape, frame_rate=facts.rate, copied_side=side)
        return EncodingPlan(copied, None, tuple(rest))
    *rest, first = ladder.choose_rungs(**shape, frame_rate=facts.rate)
    return EncodingPlan(None, first, tuple(rest))
