"""Text tracks: captions and subtitles of an asset, with every revision kept. Knows assets, not webinars."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from media.models import Asset
from work.models import Record


class TrackKind(models.TextChoices):
    CAPTIONS = "captions", _("captions")  # the language that is spoken
    SUBTITLES = "subtitles", _("subtitles")  # translated


class TrackOrigin(models.TextChoices):
    MACHINE = "machine", _("speech recognition")
    TRANSLATED = "translated", _("machine translation")
    PERSON = "person", _("edited by a person")
    UPLOADED = "uploaded", _("uploaded")


class TrackState(models.TextChoices):
    DRAFT = "draft", _("draft")
    REVIEWED = "reviewed", _("reviewed")
    PUBLISHED = "published", _("published")


class TextTrack(Record):
    """Captions or subtitles in one language. `current_revision` is what viewers see once it is published."""

    Kind = TrackKind
    State = TrackState

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="tracks")
    language = models.CharField(_("language"), max_length=35)  # BCP 47
    kind = models.CharField(_("kind"), max_length=10, choices=TrackKind)
    state = models.CharField(_("state"), max_length=10, choices=TrackState, default=TrackState.DRAFT)
    source_track = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="translations")
    current_revision = models.ForeignKey("Revision", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "language"]
        constraints = [models.UniqueConstraint(fields=["asset", "language", "kind"], name="one_track_per_language")]

    def __str__(self) -> str:
        return f"{self.kind} {self.language}"


class Revision(Record):
    """One complete state of a track's cues; never changed once written."""

    track = models.ForeignKey(TextTrack, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()  # from 1
    origin = models.CharField(max_length=10, choices=TrackOrigin)
    engine = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # [{"id", "start_ms", "end_ms", "text", "speaker", "confidence", "source_ids"}, ...]; see transcripts/cues.py
    cues = models.JSONField(default=list)
    cue_count = models.PositiveIntegerField(default=0)
    # What was left out, changed or guessed when this was made: [{"code", "template", "line", "facts"}, ...]
    notes = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints = [models.UniqueConstraint(fields=["track", "number"], name="one_revision_per_number")]

    def __str__(self) -> str:
        return f"{self.track}, revision {self.number}"
