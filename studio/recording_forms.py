"""Forms of the pages that cut, replace and delete a recording."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from studio.forms import RecordingOptionsForm, StudioForm

_MOMENT = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3})\d*)?")


def moment_text(at_ms: int) -> str:
    """A moment as people type it, to the millisecond where it is not a whole second.

    >>> moment_text(3_723_040), moment_text(75_000)
    ('1:02:03.040', '1:15')
    """
    seconds, ms = divmod(at_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{ms:03}" if ms else text


class MomentField(forms.CharField):
    """A moment of a recording: 1:02:03, 62:03 or 3723.5, with digits of any script. Cleans to milliseconds or None."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "dir": "ltr", "autocomplete": "off", "maxlength": 14}
        super().__init__(widget=forms.TextInput(attrs=attributes), **options)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise forms.ValidationError(gettext("Write a moment such as 1:02:03, 12:34 or 12:34.5."))
        hours, minutes, seconds, fraction = match.groups()
        whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
        return whole * 1000 + int((fraction or "").ljust(3, "0"))


class CutForm(StudioForm):
    start = MomentField(label=_("Start"), required=False)
    end = MomentField(label=_("End"), required=False, help_text=_("Empty: up to the end of the file."))


class ReplacementForm(RecordingOptionsForm):
    """What becomes of the subtitles when another file takes this one's place."""

    upload = forms.UUIDField(widget=forms.HiddenInput)
    subtitles = forms.ChoiceField(
        label=_("Subtitles"),
        choices=[
            ("keep", _("Keep them: the same talk, said at the same times")),
            ("new", _("Make them anew from the new file")),
        ],
        initial="keep",
    )
    offset = forms.DecimalField(
        label=_("Seconds later"),
        required=False,
        initial=0,
        min_value=-86_400,
        max_value=86_400,
        decimal_places=3,
        help_text=_(
            "If you keep the subtitles: how many seconds later the talk begins in the new file. Write -5 if it begins "
            "5 seconds earlier."
        ),
    )
    # A published recording stays published, and nobody gets a mail.
    publish_when_ready = None  # type: ignore[assignment]  # how Django takes a field away
    send_follow_up = None  # type: ignore[assignment]

    def options(self) -> dict[str, Any]:
        """What `studio.replacement.replace_recording` wants, apart from the upload."""
        data = self.cleaned_data
        return {
            "keeps_subtitles": data["subtitles"] == "keep",
            "subtitle_offset_ms": round((data["offset"] or 0) * 1000),
            "spoken_language": data["spoken_language"],
            "other_languages": data["other_languages"],
            "subtitle_languages": data["subtitle_languages"],
        }


class DeletionForm(StudioForm):
    confirmation = forms.CharField(
        label=_("To confirm, type the name"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto", "spellcheck": "false"}),
    )


class BurnInForm(StudioForm):
    language = forms.CharField(max_length=35)


class BurnInsAllowedForm(StudioForm):
    is_allowed = forms.BooleanField(label=_("Viewers may ask for these videos, too"), required=False)
