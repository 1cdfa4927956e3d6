"""What is done with a recording's file, from inspection to downloads. Every function may run twice without harm."""

from media.recipe import current as current_recipe
from media.services.audio import make_audio, read_speech_audio
from media.services.burning import burn_subtitles, rung_to_burn
from media.services.channels import (
    LEAST_MATCH,
    ChannelError,
    Excerpt,
    RecordingNotHeard,
    add_channel,
    confirm_channel,
    excerpts_of,
    is_made,
    make_channel,
    make_channels,
    move_channels,
    prepare_channel,
    remove_channel,
    rename_channel,
    rendition_name,
    sounds_of,
    try_offset,
    usable_channels,
)
from media.services.cutting import cut_renditions, snapped_window
from media.services.downloads import make_downloads, make_subtitled_mp4
from media.services.inspection import inspect_source
from media.services.light import draw_stills, key_moments, make_light_audio
from media.services.packages import (
    check_package,
    complete_package,
    delete_asset,
    delete_package,
    delete_superseded_packages,
    start_package,
    whole_package,
)
from media.services.parts import describe_content, encode_part, join_parts, plan_encode_parts
from media.services.pictures import make_pictures
from media.services.posters import draw_poster, set_poster_moment, upload_poster
from media.services.slides import match_slides
from media.services.stored import delete_replaced, discard, on_disk, source_on_disk
from media.services.video import make_first_look

__all__ = [
    "LEAST_MATCH",
    "ChannelError",
    "Excerpt",
    "RecordingNotHeard",
    "add_channel",
    "burn_subtitles",
    "check_package",
    "complete_package",
    "confirm_channel",
    "current_recipe",
    "cut_renditions",
    "delete_asset",
    "delete_package",
    "delete_replaced",
    "delete_superseded_packages",
    "describe_content",
    "discard",
    "draw_poster",
    "draw_stills",
    "encode_part",
    "excerpts_of",
    "inspect_source",
    "is_made",
    "join_parts",
    "key_moments",
    "make_audio",
    "make_channel",
    "make_channels",
    "make_downloads",
    "make_first_look",
    "make_light_audio",
    "make_pictures",
    "make_subtitled_mp4",
    "match_slides",
    "move_channels",
    "on_disk",
    "plan_encode_parts",
    "prepare_channel",
    "read_speech_audio",
    "remove_channel",
    "rename_channel",
    "rendition_name",
    "rung_to_burn",
    "set_poster_moment",
    "snapped_window",
    "sounds_of",
    "source_on_disk",
    "start_package",
    "try_offset",
    "upload_poster",
    "usable_channels",
    "whole_package",
]
