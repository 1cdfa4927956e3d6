"""A production: one run of the pipeline over a recording, and its steps. Also work beside it, each a row of its own."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from library.models import Recording
from media.models import Asset
from work.models import Record, WorkRow


class Production(Record):
    """One pipeline run. Its steps are rows; studio/pipeline.py says what follows what."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="productions")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    spoken_language = models.CharField(_("spoken language"), max_length=35)
    # Spoken too, by some: each utterance is then written in the one that it sounds like.
    other_languages = models.JSONField(_("other spoken languages"), default=list)
    subtitle_languages = models.JSONField(_("subtitles"), default=list)
    publish_when_ready = models.BooleanField(_("publish when ready"), default=False)
    send_follow_up = models.BooleanField(_("send the follow-up"), default=True)
    publish_requested_at = models.DateTimeField(null=True, blank=True)
    package = models.ForeignKey("media.Package", null=True, on_delete=models.SET_NULL, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    # A file that shall take the place of the recording's, once everything is made of it; None: the recording's own.
    replacement = models.ForeignKey("media.Asset", null=True, on_delete=models.SET_NULL, related_name="+")
    # Of a replacement: the subtitles of the former file are taken over, shown that much later, instead of made anew.
    keeps_subtitles = models.BooleanField(default=False)
    subtitle_offset_ms = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"production of {self.recording}"

    @property
    def asset(self) -> "Asset":
        """The file that this run works on."""
        return self.replacement or self.recording.asset


class StepRow(WorkRow):
    """One step of a production: a function of the pipeline and what became of it."""

    production = models.ForeignKey(Production, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=40)  # "encode", "translate:fr"
    position = models.PositiveSmallIntegerField()
    is_optional = models.BooleanField(default=False)
    result = models.JSONField(default=dict)

    class Meta(WorkRow.Meta):
        ordering: ClassVar[list[str]] = ["position"]
        constraints = [models.UniqueConstraint(fields=["production", "name"], name="one_row_per_step")]

    def __str__(self) -> str:
        return self.name


class StepPart(WorkRow):
    """A piece of a long step that any worker may do; finished pieces are kept when the step is tried again."""

    step = models.ForeignKey(StepRow, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()  # from 0
    payload = models.JSONField(default=dict)
    result = models.JSONField(default=dict)

    class Meta(WorkRow.Meta):
        ordering: ClassVar[list[str]] = ["number"]
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="one_row_per_step_part")]

    def __str__(self) -> str:
        return f"{self.step}, part {self.number}"


class BurnIn(WorkRow):
    """The wish for an MP4 with the subtitles of one language in the picture; stale once that track has changed."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="burn_ins")
    language = models.CharField(max_length=35)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    package = models.ForeignKey("media.Package", on_delete=models.CASCADE, related_name="+")
    revision = models.ForeignKey("transcripts.Revision", on_delete=models.CASCADE, related_name="+")
    derivative = models.ForeignKey("media.Derivative", null=True, on_delete=models.SET_NULL, related_name="+")
    # Finished stretches of picture, which a second try keeps: {"<first frame>": "<key of the file>"}
    parts = models.JSONField(default=dict)

    class Meta(WorkRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["package", "revision"], name="one_burn_in_per_package_and_revision")
        ]

    def __str__(self) -> str:
        return f"{self.language} in the picture of {self.recording}"


class Cut(WorkRow):
    """The wish that viewers see the recording from `start_ms` to `end_ms` of its source; None means its end."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="cuts")
    asset = models.ForeignKey("media.Asset", on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField(null=True)
    package = models.ForeignKey("media.Package", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"cut of {self.recording}"


class ChannelWork(WorkRow):
    """What must be done with an interpreter's channel: measure it, find its place, make it for the version shown.

    Without a channel: the recording's files to download are made anew, as a channel came or went. Each wish is a row;
    the latest one says how it stands.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="channel_work")
    channel = models.ForeignKey("media.InterpretationChannel", null=True, on_delete=models.CASCADE, related_name="work")

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"work on {self.channel or self.recording}"


class WatchedFile(WorkRow):
    """A file that was found in the watched folder or under the watched prefix, and what became of it.

    waiting: it still grows; then as every work row. `path` is relative to the folder or prefix.
    """

    path = models.CharField(max_length=500)
    size = models.PositiveBigIntegerField()  # bytes, when last looked at
    modified_at = models.DateTimeField()
    recording = models.ForeignKey(Recording, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkRow.Meta):
        constraints = [models.UniqueConstraint(fields=["path", "size", "modified_at"], name="one_row_per_watched_file")]

    def __str__(self) -> str:
        return self.path
