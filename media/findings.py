"""The words for what was unusual about a source, from the codes stored with its asset."""

from typing import Any

from django.utils.translation import gettext as _

from media.languages import name_in_reader_language


def describe(warning: dict[str, Any]) -> str:
    """Return one warning as a sentence for the organiser; an unknown code is shown as it is."""
    facts = {name: value for name, value in warning.items() if name != "code"}
    for name in ("claimed_ms", "found_ms", "start_ms", "length_ms"):
        if name in facts:
            facts[name.replace("_ms", "_s")] = round(facts[name] / 1000, 1)
    for name in ("language", "languages"):
        if name in facts:
            tags = facts[name] if name == "languages" else [facts[name]]
            facts[name] = ", ".join(name_in_reader_language(tag) for tag in tags if tag)
    match warning.get("code"):
        case "duration_differs":
            text = _("The file says it lasts %(claimed_s)s seconds, but %(found_s)s seconds were found in it.")
        case "damaged":
            text = _("Parts of the recording are damaged (%(count)s places). Watch it before you publish it.")
        case "read_errors":
            text = _("The file could not be read without complaints. Watch the result before you publish it.")
        case "clock_offset":
            text = _("The recording's clock does not begin at zero; it was corrected.")
        case "several_sounds":
            if facts.get("language"):
                text = _(
                    "The file holds %(count)s sound tracks (%(languages)s); number %(number)s, %(language)s, is used."
                )
            elif "number" in facts:
                text = _("The file holds %(count)s sound tracks; number %(number)s is used.")
            else:
                text = _("The file holds %(count)s sound tracks; its default one is used.")
        case "several_pictures":
            text = _(
                "The file holds %(count)s pictures at once; the one of %(width)s x %(height)s pixels is used. "
                "To show both, record them as one picture."
            )
        case "subtitles_inside":
            if facts.get("languages"):
                text = _(
                    "The file carries subtitles (%(languages)s), which are not used. "
                    "Export them as SRT or WebVTT and upload them with the other subtitles."
                )
            else:
                text = _(
                    "The file carries subtitles, which are not used. "
                    "Export them as SRT or WebVTT and upload them with the other subtitles."
                )
        case "captions_inside":
            text = _("The picture carries television captions, which are left out. Subtitles are made from the sound.")
        case "changing_picture":
            text = _("The picture changes its size or coding in the middle; it was brought to one form.")
        case "chapters_dropped":
            text = _("The file holds %(count)s chapters; they were left out.")
        case "no_audio":
            text = _("The recording has no sound, so there are no subtitles to make.")
        case "audio_only":
            text = _("The recording has sound but no picture.")
        case "late_audio":
            text = _("The sound begins %(start_s)s seconds after the picture; this was kept.")
        case "short_audio":
            text = _("The recording has only %(length_s)s seconds of sound.")
        case "downmixed":
            text = _("The sound has %(channels)s channels; it was mixed down to stereo.")
        case "silent":
            text = _("The recording's sound is silent from beginning to end.")
        case "very_quiet":
            text = _("The recording is very quiet (%(lufs)s LUFS); it was made louder, but noise may be heard.")
        case "single_frame":
            text = _("The recording holds a single picture.")
        case "rotated":
            text = _("The picture was turned upright (%(degrees)s degrees).")
        case "hdr":
            text = _("The picture has a high dynamic range; its colours were converted for ordinary screens.")
        case "interlaced":
            text = _("The picture is interlaced; it was converted.")
        case "variable_rate":
            text = _("The recording has a varying number of pictures per second (about %(average)s).")
        case "rate_reduced":
            text = _("The recording has %(found)s pictures per second; they were reduced to %(kept)s.")
        case _unknown:
            return str(warning.get("code", ""))
    return text % facts
