"""The WebVTT track that tells a player which tile of which sprite shows a moment."""

from typing import Any


def storyboard_vtt(facts: dict[str, Any], url: str) -> str:
    """Return thumbnails as WebVTT whose cues point at tiles: `url#xywh=x,y,w,h` (W3C Media Fragments 4.2.2).

    Args:
        facts: as stored with the storyboard: tile size, columns, count, `interval_ms` and `duration_ms`.
        url: address of the sprite.
    """
    width, height, columns = facts["tile_width"], facts["tile_height"], facts["columns"]
    blocks = ["WEBVTT"]
    for number in range(facts["count"]):
        start_ms = number * facts["interval_ms"]
        end_ms = facts["duration_ms"] if number == facts["count"] - 1 else start_ms + facts["interval_ms"]
        x, y = number % columns * width, number // columns * height
        blocks.append(f"{_time(start_ms)} --> {_time(max(end_ms, start_ms + 1))}\n{url}#xywh={x},{y},{width},{height}")
    return "\n\n".join(blocks) + "\n"


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
