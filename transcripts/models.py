"""Text tracks: captions and subtitles of an asset, with every revision kept; and the words that terms have."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from events.models import Webinar, random_nonce
from media.models import Asset, Package
from work.models import Record, WorkRow


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

    # Who published it although the quality report found errors, when, and how many; empty for a flawless one.
    published_anyway_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_anyway_at = models.DateTimeField(null=True, blank=True)
    published_anyway_errors = models.PositiveIntegerField(default=0)

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
    # Whose link was used, where the author has no account.
    review_link = models.ForeignKey("ReviewLink", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # One opened editor: while it saves on, its next revision takes the place of this one (services/tracks.py).
    edit_session = models.CharField(max_length=32, blank=True)
    # [{"id", "start_ms", "end_ms", "text", ...}, ...]; see transcripts/cues/model.py
    cues = models.JSONField(default=list)
    cue_count = models.PositiveIntegerField(default=0)
    # What was left out, changed or guessed when this was made: [{"code", "template", "line", "facts"}, ...]
    notes = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints = [models.UniqueConstraint(fields=["track", "number"], name="one_revision_per_number")]

    def __str__(self) -> str:
        return f"{self.track}, revision {self.number}"


class TrackText(models.Model):
    """The words of a track's current revision in the form in which they are searched; see transcripts/searching.py."""

    track = models.OneToOneField(TextTrack, on_delete=models.CASCADE, primary_key=True, related_name="search_text")
    words = models.TextField()

    def __str__(self) -> str:
        return f"words of {self.track}"


class ReviewLink(Record):
    """A person without an account who was asked to review one track, and their personal link to it."""

    track = models.ForeignKey(TextTrack, on_delete=models.CASCADE, related_name="review_links")
    email = models.EmailField(_("email address"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(max_length=35, blank=True)  # BCP 47, of the mail and the page
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    link_nonce = models.CharField(max_length=32, default=random_nonce)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)  # marked as reviewed by this person

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} reviews {self.track}"


class SpeechMap(Record):
    """When somebody speaks in an asset, as voice activity detection heard it; subtitles are held against it."""

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="speech_map")
    detector = models.CharField(max_length=20)
    intervals = models.JSONField(default=list)  # [[start_ms, end_ms], ...], sorted

    def __str__(self) -> str:
        return f"speech of {self.asset}"


class GlossaryTerm(Record):
    """A word of an organisation's, or of one webinar's: how it is heard, and what it is in other languages."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="glossary_terms")
    # None: for all webinars of the organisation. A webinar's own term comes before the organisation's.
    webinar = models.ForeignKey(Webinar, null=True, blank=True, on_delete=models.CASCADE, related_name="glossary_terms")
    term = models.CharField(_("term"), max_length=120)
    is_kept = models.BooleanField(_("is never translated"), default=False)
    renderings = models.JSONField(_("in other languages"), default=dict, blank=True)  # {"fr": "santé publique", ...}

    class Meta:
        ordering: ClassVar[list[str]] = ["term"]
        constraints = [
            models.UniqueConstraint(fields=["webinar", "term"], name="one_glossary_term_per_webinar"),
            models.UniqueConstraint(
                fields=["organisation", "term"],
                condition=models.Q(webinar=None),
                name="one_glossary_term_per_organisation",
            ),
        ]

    def __str__(self) -> str:
        return self.term


class Renewal(WorkRow):
    """The wish that stale cues of a translation are translated anew; [] means all of them."""

    track = models.ForeignKey(TextTrack, on_delete=models.CASCADE, related_name="renewals")
    cue_ids = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # {"renewed": 3, "kept": ["<id of a person's cue>", ...]}
    result = models.JSONField(default=dict)

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"renewal of {self.track}"


class Waveform(WorkRow):
    """The wish for the loudness of a package's sound over time, which the editor draws; the result is a derivative."""

    package = models.OneToOneField(Package, on_delete=models.CASCADE, related_name="waveform")

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"waveform of {self.package}"
