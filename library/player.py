"""What the player says, in the page's language; frontend/src/player/labels.js reads it."""

from typing import Any

from django.utils.translation import gettext as _


def player_labels() -> dict[str, Any]:
    """Texts of our own, and those of Media Chrome's controls by its English keys."""
    return {
        "captions": _("Subtitles"),
        "off": _("Off"),
        "failed": _("The recording cannot be played at the moment. Check your connection, then load the page again."),
        "retry": _("Load again"),
        "controls": {
            "Play": _("Play"),
            "play": _("play"),
            "Pause": _("Pause"),
            "pause": _("pause"),
            "Mute": _("Mute"),
            "mute": _("mute"),
            "Unmute": _("Unmute"),
            "unmute": _("unmute"),
            "volume": _("volume"),
            "seek": _("seek"),
            "Seek backward": _("Back"),
            "Seek forward": _("Forward"),
            # Media Chrome fills in {seekOffset} and the other names in braces.
            "seek back {seekOffset} seconds": _("back {seekOffset} seconds"),
            "seek forward {seekOffset} seconds": _("forward {seekOffset} seconds"),
            "Quality": _("Quality"),
            "quality": _("quality"),
            "Auto": _("Automatic"),
            "Playback rate": _("Speed"),
            "Playback rate {playbackRate}": _("Speed {playbackRate}"),
            "current playback rate": _("speed"),
            "playback time": _("time"),
            "media loading": _("loading"),
            "Enter fullscreen mode": _("Full screen"),
            "enter fullscreen mode": _("full screen"),
            "Exit fullscreen mode": _("Leave full screen"),
            "exit fullscreen mode": _("leave full screen"),
            "Enter picture in picture mode": _("Small window"),
            "enter picture in picture mode": _("small window"),
            "Exit picture in picture mode": _("Leave the small window"),
            "exit picture in picture mode": _("leave the small window"),
            "video player": _("video player"),
            "audio player": _("audio player"),
            "hour": _("hour"),
            "hours": _("hours"),
            "minute": _("minute"),
            "minutes": _("minutes"),
            "second": _("second"),
            "seconds": _("seconds"),
            "{time} remaining": _("{time} remaining"),
            "{currentTime} of {totalTime}": _("{currentTime} of {totalTime}"),
            "video not loaded, unknown time.": _("not loaded, time unknown"),
        },
    }
