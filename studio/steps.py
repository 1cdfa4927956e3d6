"""The steps of a production in words for people."""

from typing import Any

from django.utils.translation import gettext as _

from studio.pipeline import step_of
from transcripts import languages
from work.models import WorkState


def title_of(name: str) -> str:
    """What a step does, such as "Translate into français" for `translate:fr`."""
    step, _colon, language = name.partition(":")
    if language:
        autonym = languages.get(language).autonym if languages.is_known(language) else language
        return _("Translate into %(language)s") % {"language": autonym}
    titles = {
        "inspect": _("Check the file"),
        "first_look": _("Make a first version to watch"),
        "audio": _("Prepare the sound"),
        "channels": _("Add the interpreters' channels"),
        "encode": _("Make the picture sizes"),
        "pictures": _("Draw preview pictures"),
        "slides": _("Find the slides and chapters"),
        "light": _("Make the version for slow connections"),
        "transcribe": _("Write down what is said"),
        "captions": _("Make subtitles of it"),
        "package": _("Check everything and make the downloads"),
        "subtitled_mp4": _("Make the video file with subtitles inside"),
        "av1": _("Make smaller picture files for newer browsers"),
        "replace": _("Let it take the place of the former file"),
        "ready": _("Ready to publish"),
        "publish": _("Publish"),
        "follow_up": _("Tell everybody who registered"),
    }
    return titles.get(step, step.replace("_", " "))


def shown_steps(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`production_progress`'s steps with their titles and with what a person may do about each."""
    return [
        {
            **step,
            "title": title_of(step["name"]),
            "state_label": WorkState(step["state"]).label,
            "may_retry": step["state"] in (WorkState.FAILED, WorkState.CANCELLED) or _is_worth_retrying(step),
            "may_skip": step["state"] == WorkState.FAILED and step_of(step["row"]).can_be_skipped,
        }
        for step in steps
    ]


def _is_worth_retrying(step: dict[str, Any]) -> bool:
    """A skipped step may be tried again where settings or uploads may have changed: subtitles."""
    name = step["name"].partition(":")[0]
    return step["state"] == WorkState.SKIPPED and name in ("transcribe", "translate", "subtitled_mp4", "slides")
