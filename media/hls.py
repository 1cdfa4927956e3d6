"""HLS playlists (RFC 8216) as text, made per viewer: addresses are short-lived and never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

VERSION = 7  # fragmented MP4 with EXT-X-MAP and byte ranges
AUDIO_GROUP = "sound"
SUBTITLE_GROUP = "text"


@dataclass(frozen=True)
class VideoVariant:
    """One picture quality. Rates are bits per second of the pictures alone."""

    uri: str
    codecs: str
    width: int
    height: int
    frame_rate: float
    bandwidth: int
    average_bandwidth: int


@dataclass(frozen=True)
class AudioVariant:
    """One sound track. `language` is a BCP 47 tag, or empty. Its name is made different from others of its group."""

    uri: str
    codecs: str
    bandwidth: int
    average_bandwidth: int
    name: str = "Audio"
    language: str = ""
    is_default: bool = True


@dataclass(frozen=True)
class IFrameVariant:
    """The key frames of one picture quality."""

    uri: str
    codecs: str
    width: int
    height: int
    bandwidth: int


class SubtitleVariant(NamedTuple):
    """One text track. `name` is the language's own name for itself."""

    language: str
    name: str
    uri: str
    is_default: bool = False


def master_playlist(
    *,
    video: Sequence[VideoVariant],
    audio: Sequence[AudioVariant] = (),
    subtitles: Sequence[tuple[str, str, str, bool]] = (),
    iframes: Sequence[IFrameVariant] = (),
) -> str:
    """Return the master playlist.

    Without pictures the first sound track is the only variant, and the others can be chosen instead of it. The order
    of `video` is kept: players begin with the first.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if video or len(audio) > 1:
        lines += _audio_lines(audio, is_first_the_variant=not video)
    lines += [_subtitle_line(SubtitleVariant(*track)) for track in subtitles]
    groups = []
    if audio and (video or len(audio) > 1):
        groups.append(f'AUDIO="{AUDIO_GROUP}"')
    if subtitles:
        groups.append(f'SUBTITLES="{SUBTITLE_GROUP}"')
    for variant in video:
        # RFC 8216 4.3.4.2: the rates of a variant hold its heaviest sound track too.
        codecs = ",".join(dict.fromkeys([variant.codecs, *(track.codecs for track in audio)]))
        bandwidth = variant.bandwidth + max((track.bandwidth for track in audio), default=0)
        average = variant.average_bandwidth + max((track.average_bandwidth for track in audio), default=0)
        attributes = [
            f"BANDWIDTH={max(bandwidth, 1)}",
            f"AVERAGE-BANDWIDTH={max(average, 1)}",
            f'CODECS="{codecs}"',
            f"RESOLUTION={variant.width}x{variant.height}",
            f"FRAME-RATE={variant.frame_rate:.3f}",
            *groups,
        ]
        lines += ["#EXT-X-STREAM-INF:" + ",".join(attributes), variant.uri]
    for keys in iframes:
        attributes = [
            f"BANDWIDTH={max(keys.bandwidth, 1)}",
            f'CODECS="{keys.codecs}"',
            f"RESOLUTION={keys.width}x{keys.height}",
            f'URI="{_quoted(keys.uri)}"',
        ]
        lines.append("#EXT-X-I-FRAME-STREAM-INF:" + ",".join(attributes))
    if not video:
        for track in audio[:1]:
            attributes = [
                f"BANDWIDTH={max(track.bandwidth, 1)}",
                f"AVERAGE-BANDWIDTH={max(track.average_bandwidth, 1)}",
                f'CODECS="{track.codecs}"',
                *groups,
            ]
            lines += ["#EXT-X-STREAM-INF:" + ",".join(attributes), track.uri]
    return "\n".join(lines) + "\n"


def media_playlist(index: dict[str, Any], url: str) -> str:
    """Return the playlist of one rendition: byte ranges (RFC 8216 4.3.2.2) of the one file at `url`.

    `index` is what `media.mp4.Track.index` made, or `media.growing`: then the list has no end yet, begins to play at
    its start nevertheless, and names several files, which lie beside the one at `url`.
    """
    segments = index["segments"]
    longest_ms = max((duration_ms for _offset, _size, duration_ms in segments), default=0)
    urls = _urls_of_segments(index, url)
    lines = _head(index, urls[0] if urls else url, longest_ms, is_growing="files" in index)
    for (offset, size, duration_ms), address in zip(segments, urls, strict=True):
        lines += [f"#EXTINF:{duration_ms / 1000:.3f},", f"#EXT-X-BYTERANGE:{size}@{offset}", address]
    if "files" not in index:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def iframe_playlist(index: dict[str, Any], url: str) -> str:
    """Return the playlist of the key frames alone, one per segment (RFC 8216 4.3.3.6), for quick searching.

    A range goes from the start of a segment to the end of its first picture, so it holds what describes the picture
    too.

    Raises:
        KeyError: the index is of a time when key frames were not noted (`has_key_frames`).
    """
    segments = index["segments"]
    longest_ms = max((duration_ms for _offset, _size, duration_ms in segments), default=0)
    lines = [*_head(index, url, longest_ms), "#EXT-X-I-FRAMES-ONLY"]
    for (offset, _size, duration_ms), key_size in zip(segments, index["key_sizes"], strict=True):
        lines += [f"#EXTINF:{duration_ms / 1000:.3f},", f"#EXT-X-BYTERANGE:{key_size}@{offset}", url]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def has_key_frames(index: dict[str, Any]) -> bool:
    """True if `iframe_playlist` can be made: the rendition is finished, and its key frames were noted."""
    return "key_sizes" in index and "files" not in index


def iframe_bandwidth(index: dict[str, Any]) -> int:
    """Bits per second of the largest key frame shown for its segment's time (RFC 8216 4.3.4.3, BANDWIDTH)."""
    rates: list[int] = [
        key_size * 8000 // max(duration_ms, 1000)
        for (_offset, _size, duration_ms), key_size in zip(index["segments"], index["key_sizes"], strict=True)
    ]
    return max(1, *rates)


def _head(index: dict[str, Any], url: str, longest_ms: int, *, is_growing: bool = False) -> list[str]:
    init_offset, init_size = index["init"]
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        # RFC 8216 4.3.3.1: no EXTINF, rounded to the nearest second, may exceed it.
        f"#EXT-X-TARGETDURATION:{max(1, -(-longest_ms // 1000))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        # Players begin at the end of a list without end, unless told otherwise (4.3.5.2).
        *(
            ["#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"]
            if is_growing
            else ["#EXT-X-PLAYLIST-TYPE:VOD"]
        ),
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{_quoted(url)}",BYTERANGE="{init_size}@{init_offset}"',
    ]


def _urls_of_segments(index: dict[str, Any], url: str) -> list[str]:
    if "files" not in index:
        return [url] * len(index["segments"])
    folder = url[: url.rfind("/") + 1]
    return [folder + key.rpartition("/")[2] for key, count in index["files"] for _number in range(count)]


def subtitle_playlist(*, url: str, duration_ms: int) -> str:
    """Return the playlist of one text track: the whole WebVTT file as a single segment (RFC 8216 3.5)."""
    seconds = max(duration_ms, 1) / 1000
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, -(-duration_ms // 1000))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{seconds:.3f},",
        url,
        "#EXT-X-ENDLIST",
    ]
    return "\n".join(lines) + "\n"


def _audio_lines(audio: Sequence[AudioVariant], *, is_first_the_variant: bool) -> list[str]:
    """One line per sound track. RFC 8216 4.3.4.1.1: no two of a group may have the same name, nor be chosen by
    themselves for the same language.
    """
    lines, names, languages = [], set[str](), set[str]()
    for number, track in enumerate(audio):
        name, copy = track.name, 2
        while name in names:
            name, copy = f"{track.name} ({copy})", copy + 1
        # 4.3.4.1: without an address the sound is that of the variant itself.
        has_address = number > 0 or not is_first_the_variant
        is_first_of_language = track.language not in languages
        names.add(name)
        languages.add(track.language)
        attributes = ["TYPE=AUDIO", f'GROUP-ID="{AUDIO_GROUP}"', f'NAME="{_quoted(name)}"']
        if track.language:
            attributes.append(f'LANGUAGE="{_quoted(track.language)}"')
        attributes += [f"DEFAULT={_yes(track.is_default)}", f"AUTOSELECT={_yes(is_first_of_language)}"]
        if has_address:
            attributes.append(f'URI="{_quoted(track.uri)}"')
        lines.append("#EXT-X-MEDIA:" + ",".join(attributes))
    return lines


def _subtitle_line(track: SubtitleVariant) -> str:
    attributes = [
        "TYPE=SUBTITLES",
        f'GROUP-ID="{SUBTITLE_GROUP}"',
        f'NAME="{_quoted(track.name)}"',
        f'LANGUAGE="{_quoted(track.language)}"',
        f"DEFAULT={_yes(track.is_default)}",
        "AUTOSELECT=YES",
        "FORCED=NO",
        f'URI="{_quoted(track.uri)}"',
    ]
    return "#EXT-X-MEDIA:" + ",".join(attributes)


def _quoted(text: str) -> str:
    """Return text fit for a quoted-string, which can hold neither quotes nor line breaks (RFC 8216 4.2)."""
    return text.replace('"', "'").replace("\r", " ").replace("\n", " ")


def _yes(is_true: bool) -> str:
    return "YES" if is_true else "NO"
