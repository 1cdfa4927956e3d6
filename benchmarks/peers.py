"""What other systems run on a recording: their ffmpeg commands, as facts read from their sources in 2026.

Each function returns steps: a name, and the argument lists that the system runs one after another. A step named with a
leading "first" ends with something that can be watched. Left out is what costs nothing here (moving files, packagers
that copy) and what they do beside the ladder (thumbnails, speech recognition).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Command = list[str]
FFMPEG = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]


@dataclass(frozen=True)
class Source:
    path: Path
    height: int
    rate: int


@dataclass(frozen=True)
class Step:
    """One step; `height` is that of the rendition that it finishes, `file` that rendition."""

    name: str
    command: Command
    is_first: bool = False
    is_kept: bool = True


def mediacms(source: Source, folder: Path) -> list[Step]:
    """MediaCMS: a process per rendition, from the smallest to the largest, CRF 23, medium."""
    rates = {144: 225, 240: 450, 360: 750, 480: 1500, 720: 3750, 1080: 6750}
    widths = {144: 256, 240: 427, 360: 640, 480: 853, 720: 1280, 1080: 1920}
    steps: list[Step] = []
    for height in [height for height in rates if height <= source.height]:
        keys = 4 * source.rate
        scale = (
            f"scale=if(lt(iw\\,ih)\\,{height}\\,{widths[height]}):if(lt(iw\\,ih)\\,{widths[height]}\\,{height})"
            f":force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos,fps=fps={source.rate}"
        )
        steps.append(
            Step(
                f"{height}p",
                [
                    *(*FFMPEG, "-i", str(source.path), "-c:v", "libx264", "-filter:v", scale, "-pix_fmt", "yuv420p"),
                    *("-crf", "23", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-maxrate", f"{rates[height]}k"),
                    *("-bufsize", f"{rates[height]}k", "-force_key_frames", "expr:gte(t,n_forced*4)"),
                    *("-x264-params", f"keyint={2 * keys}:keyint_min={keys}", "-preset", "medium"),
                    *("-profile:v", "main", "-level", "4.2", str(folder / f"{height}p.mp4")),
                ],
                is_first=not steps,
            )
        )
    return steps


def esup_pod(source: Source, folder: Path) -> list[Step]:
    """Esup-Pod: one process for MP4 files, one for HLS; CRF 20, slow, a key frame every second."""
    rates = {360: ("1000k", "96k"), 720: ("3000k", "128k"), 1080: ("4500k", "192k")}
    common = [
        *("-c:v", "libx264", "-preset", "slow", "-profile:v", "high", "-pix_fmt", "yuv420p", "-level", "3"),
        *("-crf", "20", "-sc_threshold", "0", "-force_key_frames", "expr:gte(t,n_forced*1)", "-c:a", "aac"),
        *("-ar", "48000", "-max_muxing_queue_size", "4000"),
    ]
    files: Command = [*FFMPEG, "-threads", "0", "-i", str(source.path)]
    lists: Command = list(files)
    for height, (rate, sound) in rates.items():
        if height > source.height:
            continue
        own = ["-vf", f"scale=-2:{height}", "-maxrate", rate, "-bufsize", rate, "-b:a", sound]
        if height < 1080:
            files += ["-map", "0:v:0", "-map", "0:a:0", *common, *own, "-movflags", "faststart", "-vsync", "0",
                      str(folder / f"{height}p.mp4")]  # fmt: skip
        lists += [*common, *own, "-hls_playlist_type", "vod", "-hls_time", "2", "-hls_flags", "single_file",
                  str(folder / f"{height}p.m3u8")]  # fmt: skip
    return [Step("mp4", files, is_first=True), Step("hls", lists)]


def esup_runner(source: Source, folder: Path) -> list[Step]:
    """esup-runner: the same two processes at mean rates, HLS first."""
    rates = {360: (500, 750, 1000, 1500, 96), 720: (1000, 2000, 3000, 4000, 128), 1080: (2000, 3000, 4500, 6000, 192)}
    steps = []
    for kind in ("hls", "mp4"):
        command: Command = [*FFMPEG, "-probesize", "100M", "-analyzeduration", "100M", "-i", str(source.path)]
        for height, (least, mean, most, buffer, sound) in rates.items():
            if height > source.height or (kind == "mp4" and height == 1080):
                continue
            command += [
                *("-map", "0:v:0?", "-map", "0:a:0?", "-c:a", "aac", "-ar", "48000", "-profile:v", "high"),
                *("-pix_fmt", "yuv420p", "-force_key_frames", "expr:gte(t,n_forced*2)", "-preset", "slow"),
                *("-qmin", "20", "-qmax", "50", "-fps_mode", "passthrough", "-vf", f"scale=-2:{height}"),
                *("-c:v", "libx264", "-sc_threshold", "0", "-b:a", f"{sound}k", "-minrate", f"{least}k"),
                *("-b:v", f"{mean}k", "-maxrate", f"{most}k", "-bufsize", f"{buffer}k"),
                *("-max_muxing_queue_size", "9999"),
            ]
            if kind == "hls":
                command += [
                    *("-hls_playlist_type", "vod", "-hls_list_size", "0", "-hls_time", "2"),
                    *("-hls_flags", "single_file+independent_segments", str(folder / f"{height}p_hls.m3u8")),
                ]
            else:
                command += ["-movflags", "faststart", "-write_tmcd", "0", str(folder / f"{height}p_file.mp4")]
        steps.append(Step(kind, command, is_first=kind == "hls"))
    return steps


def peertube(source: Source, folder: Path) -> list[Step]:
    """PeerTube: the source's size first, then the others from that, veryfast; fragmented MP4 with HLS.

    It also has a quick way, which copies the streams before anything is encoded: see `peertube_quick`.
    """
    at_30 = {1080: 6_220_800, 720: 3_041_280, 480: 1_474_560, 360: 1_036_800, 240: 522_240, 144: 210_124}
    at_25 = {1080: 5_184_000, 720: 2_534_400, 480: 1_228_800, 360: 864_000, 240: 435_200, 144: 175_104}
    rates = at_30 if source.rate >= 30 else at_25

    def encode(origin: Path, height: int) -> Command:
        rate = rates[height]
        return [
            *(*FFMPEG, "-i", str(origin), "-acodec", "aac", "-vcodec", "libx264", "-threads", "1", "-f", "mp4"),
            *("-movflags", "faststart", "-max_muxing_queue_size", "1024", "-map_metadata", "-1"),
            *("-pix_fmt", "yuv420p", "-vf", f"scale=w=-2:h={height}", "-preset", "veryfast"),
            *("-maxrate:v", str(rate), "-bufsize:v", str(2 * rate), "-b_strategy", "1", "-bf", "16"),
            *("-r", str(source.rate), "-g:v", str(2 * source.rate)),
        ]

    web = folder / "_web.mp4"
    copy = [*FFMPEG, "-i", str(web), "-acodec", "copy", "-vcodec", "copy", *_peertube_list(source.height, folder)]
    steps = [
        Step("optimise", [*encode(source.path, source.height), str(web)], is_kept=False),
        Step("hls", copy, is_first=True),
    ]
    largest = folder / f"{source.height}p.mp4"
    steps += [
        Step(f"{height}p", [*encode(largest, height), *_peertube_list(height, folder)])
        for height in (480, 360, 720, 240, 144)
        if height < source.height
    ]
    return steps


def peertube_quick(source: Source, folder: Path) -> list[Step]:
    """PeerTube's quick way to something watchable, where the source is H.264 and AAC: one copy of the streams."""
    command = [
        *(*FFMPEG, "-i", str(source.path), "-acodec", "copy", "-vcodec", "copy", "-threads", "1", "-f", "mp4"),
        *("-map_metadata", "-1", "-movflags", "faststart", str(folder / "_quick.mp4")),
    ]
    return [Step("copy", command, is_first=True, is_kept=False)]


def peertube_published(source: Source, folder: Path) -> list[Step]:
    """What PeerTube does until a video that it can copy is shown, as it is set up: HLS, which it makes from that copy.

    Source and copy are probed once each (`canDoQuickTranscode`, `buildNewFile`); only the job of the HLS list of the
    largest size may set the video's state to published (`createOptimizeOrMergeAudioJobs`). Left out: the torrent's
    checksums over the whole copy, which is Node's work.
    """
    copied = folder / "_quick.mp4"
    probes = [
        [*("ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters"), str(path)]
        for path in (source.path, copied)
    ]
    hls = [
        *(*FFMPEG, "-i", str(copied), "-acodec", "copy", "-vcodec", "copy"),
        *_peertube_list(source.height, folder),
    ]
    return [
        Step("probe", probes[0]),
        *(Step(step.name, step.command, is_kept=False) for step in peertube_quick(source, folder)),
        Step("probe of the copy", probes[1]),
        Step("hls", hls, is_first=True),
    ]


def _peertube_list(height: int, folder: Path) -> Command:
    return [
        *("-hls_time", "4", "-hls_list_size", "0", "-hls_playlist_type", "vod"),
        *("-hls_segment_filename", str(folder / f"{height}p.mp4"), "-hls_segment_type", "fmp4", "-f", "hls"),
        *("-hls_flags", "single_file", str(folder / f"{height}p.m3u8")),
    ]


def opencast(source: Source, folder: Path) -> list[Step]:
    """Opencast: one process, one decode, CRF 22 with tight caps, a key frame every four seconds."""
    rungs = {480: (854, 800, 64), 720: (1280, 1200, 96), 1080: (1920, 4000, 96)}
    command: Command = [*FFMPEG, "-i", str(source.path)]
    for height, (side, rate, sound) in rungs.items():
        if height > source.height:
            continue
        command += [
            *("-filter:v", f"scale={side}:{side}:force_original_aspect_ratio=decrease:force_divisible_by=2,fps=25"),
            *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "high", "-level", "4.0", "-crf", "22"),
            *("-force_key_frames", "expr:gte(t,n_forced*4)", "-maxrate", f"{rate}k", "-bufsize", f"{2 * rate}k"),
            *("-c:a", "aac", "-b:a", f"{sound}k", "-ac", "2", "-movflags", "faststart"),
            str(folder / f"{height}p.mp4"),
        ]
    return [Step("ladder", command, is_first=True)]


PEERS: dict[str, Callable[[Source, Path], list[Step]]] = {
    "MediaCMS": mediacms,
    "Esup-Pod": esup_pod,
    "esup-runner": esup_runner,
    "PeerTube": peertube,
    "Opencast": opencast,
}
