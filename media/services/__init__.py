"""What is done with a recording's file, from inspection to downloads. Every function may run twice without harm."""

from media.services.audio import make_audio, read_speech_audio
from media.services.downloads import make_downloads, make_subtitled_mp4
from media.services.inspection import inspect_source
from media.services.packages import check_package, complete_package, delete_asset, start_package
from media.services.pictures import make_pictures
from media.services.stored import delete_replaced, on_disk, source_on_disk
from media.services.video import encode_part, join_parts, make_first_look, plan_encode_parts

__all__ = [
    "check_package",
    "complete_package",
    "delete_asset",
    "delete_replaced",
    "encode_part",
    "inspect_source",
    "join_parts",
    "make_audio",
    "make_downloads",
    "make_first_look",
    "make_pictures",
    "make_subtitled_mp4",
    "on_disk",
    "plan_encode_parts",
    "read_speech_audio",
    "source_on_disk",
    "start_package",
]
