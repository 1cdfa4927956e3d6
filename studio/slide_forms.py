"""Forms of the page with a recording's slides and chapters."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from library.chapters import MAX_CHAPTERS, MAX_TITLE_CHARS
from studio.forms import StudioForm
from studio.recording_forms import MomentField

EMPTY_ROWS = 3


class SlideForm(StudioForm):
    """One stretch of time and the page that is shown in it. A page is its number in its file."""

    field_names = {"start_ms": "start", "end_ms": "end"}

    interval = forms.UUIDField(widget=forms.HiddenInput, required=False)
    base = forms.CharField(widget=forms.HiddenInput)
    start = MomentField(label=_("Start"))
    end = MomentField(label=_("End"))
    material = forms.ChoiceField(label=_("Slides"), required=False)
    page = forms.IntegerField(
        label=_("Page"), min_value=1, required=False, help_text=_("Empty: no slide is shown here.")
    )

    def __init__(self, *args: Any, materials: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(material.pk), str(material)) for material in materials]
        field = self.fields["material"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if len(choices) < 2:
            field.widget = forms.HiddenInput()
            field.initial = choices[0][0] if choices else ""


class ChapterForm(StudioForm):
    """A row of the list. One that was never filled in is none; one whose title was emptied is to be deleted."""

    start = MomentField(label=_("Start"), required=False)
    title = forms.CharField(label=_("Title"), max_length=MAX_TITLE_CHARS, required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("title") and values.get("start") is None and "start" not in self.errors:
            self.add_error("start", _("Say when this chapter begins."))
        return values


ChapterFormSet = forms.formset_factory(
    ChapterForm, extra=EMPTY_ROWS, can_delete=True, max_num=MAX_CHAPTERS, absolute_max=MAX_CHAPTERS + EMPTY_ROWS
)


class PosterMomentForm(StudioForm):
    moment = MomentField(label=_("Moment"), help_text=_("In the time of the uploaded file, such as 12:34."))


class PosterUploadForm(StudioForm):
    """A picture of one's own. Its content decides its type; `accept` only helps the file chooser."""

    picture = forms.FileField(
        label=_("Picture"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("JPEG, PNG or WebP. Wide pictures (16:9) look best. Its metadata is removed."),
    )
