"""What the player needs to know: its addresses, and its texts in the page's language (frontend/src/player)."""

import uuid
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from library import playback, rules, selectors
from library.models import Recording
from media.models import DerivativeKind, Package
from transcripts.models import TextTrack


def player_data(
    *,
    recording: Recording,
    package: Package,
    right: rules.Right,
    tracks: list[TextTrack],
    registration_id: uuid.UUID | None = None,
    renew_url: str,
    share_url: str,
) -> dict[str, Any]:
    """What library/includes/player.html shows.

    Args:
        renew_url: where the player fetches a new grant after the old one has ended; see `grant_data`.
        share_url: the page to which "copy link to this moment" leads.
    """
    grant = playback.make_grant(recording=recording, package=package, right=right, registration_id=registration_id)
    files = selectors.plain_downloads(package)
    return {
        "base": _base(grant),
        "grant": grant,
        "package": package,
        "recording": recording,
        "is_building": package.state != "complete",
        "has_video": selectors.has_video(package),
        "has_poster": bool(selectors.derivatives(package, DerivativeKind.POSTER)),
        "has_storyboard": bool(selectors.derivatives(package, DerivativeKind.STORYBOARD)),
        "has_chapters": recording.chapters.exists(),
        "duration_ms": playback.shown_duration_ms(package),
        # Without scripts the page plays one file: the smallest, since such visitors rarely have a fast line.
        "fallback_name": files[-1].key.rpartition("/")[2] if files else "",
        "tracks": tracks,
        "labels": player_labels(),
        "renew_url": renew_url,
        "share_url": share_url,
        "is_counted_for_registration": registration_id is not None,
    }


def grant_data(
    *, recording: Recording, package: Package, right: rules.Right, registration_id: uuid.UUID | None
) -> dict[str, str]:
    """A new grant, for a player whose own has ended. Another package means that it must load everything anew."""
    grant = playback.make_grant(recording=recording, package=package, right=right, registration_id=registration_id)
    return {"base": _base(grant), "package": str(package.pk)}


def _base(grant: str) -> str:
    return reverse("library:master", args=[grant]).removesuffix("master.m3u8")


def player_labels() -> dict[str, Any]:
    """Texts of our own, and those of Media Chrome's controls by its English keys.

    Names in braces are filled in by the player.
    """
    return {
        "play": _("Play"),
        "continue": _("Continue at {time}"),
        "captions": _("Subtitles"),
        "off": _("Off"),
        "settings": _("Settings"),
        "quality": _("Quality"),
        "auto": _("Automatic"),
        "autoNow": _("Automatic ({quality})"),
        "speed": _("Speed"),
        "normal": _("Normal"),
        "sound": _("Sound"),
        "chapters": _("Chapters"),
        "copyLink": _("Copy link to this moment"),
        "copied": _("The link was copied."),
        "notCopied": _("Copy this link: {link}"),
        "help": _("Keyboard and privacy"),
        "close": _("Close"),
        "newQuality": _("More qualities are ready."),
        "failed": _("The recording cannot be played at the moment. Load the page again."),
        "unsupported": _("This browser cannot play the recording. Update it, or download the recording below."),
        "retry": _("Load again"),
        "offline": _("The connection was lost. Trying again; playing goes on by itself."),
        "withdrawn": _(
            "This recording is not available any more. It may have been withdrawn, or your access has ended."
        ),
        "shortcutsTitle": _("Keyboard"),
        "shortcutsNote": _("The keys work while the player has the focus: click into it or reach it with the tab key."),
        "shortcuts": {
            "Space, K": _("play or pause"),
            "← →": _("5 seconds back or forward"),
            "J L": _("10 seconds back or forward"),
            "↑ ↓": _("louder or quieter"),
            "0 – 9": _("to 0 % – 90 % of the recording"),
            "P N": _("previous or next chapter"),
            "< >": _("slower or faster"),
            "M": _("sound off or on"),
            "C": _("subtitles on or off"),
            "F": _("full screen"),
            "?": _("this list"),
        },
        "privacyTitle": _("What is counted"),
        "privacy": _(
            "This site counts how much of a recording is played, in which languages and how well it plays. It sets no "
            "cookie for this, keeps no address and tells nobody else. Your position, languages and quality are "
            "remembered in this browser only."
        ),
        "privacyPersonal": _(
            "You opened this page with your personal link: how much you watch is noted with your registration, so that "
            "your attendance counts."
        ),
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
            "Settings": _("Settings"),
            "settings": _("settings"),
            "Seek backward": _("Back"),
            "Seek forward": _("Forward"),
            # Media Chrome fills in {seekOffset} and the other names in braces.
            "seek back {seekOffset} seconds": _("back {seekOffset} seconds"),
            "seek forward {seekOffset} seconds": _("forward {seekOffset} seconds"),
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
            "chapter: {chapterName}": _("chapter: {chapterName}"),
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
