"""Published recordings: a webinar's media asset, who may watch it, its chapters and slides, and how it was watched."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.models import MaterialPage, Visibility, Webinar, random_nonce
from media.models import Asset
from registration.models import Registration
from work.models import Record, WorkRow


class RecordingState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Recording(Record):
    """Joins a webinar, its asset and the right to watch it. Never public by default."""

    State = RecordingState

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="recordings")
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="recording")
    state = models.CharField(_("state"), max_length=10, choices=RecordingState, default=RecordingState.DRAFT)
    visibility = models.CharField(_("visible to"), max_length=12, choices=Visibility, default=Visibility.PUBLIC)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Once a person has edited the chapters, machines leave them alone.
    are_chapters_edited = models.BooleanField(default=False)
    # Viewers may ask for a video with the subtitles in the picture, once per language; else only members may.
    may_viewers_request_burn_in = models.BooleanField(_("viewers may ask for it"), default=False)

    def __str__(self) -> str:
        return f"{self.webinar}: {self.asset}"


class Chapter(Record):
    """A titled stretch of a recording, up to the next chapter. Times are the source's."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="chapters")
    start_ms = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=200)

    class Meta:
        ordering: ClassVar[list[str]] = ["start_ms"]
        constraints = [models.UniqueConstraint(fields=["recording", "start_ms"], name="one_chapter_per_moment")]

    def __str__(self) -> str:
        return self.title


class SlideInterval(Record):
    """A stretch of a recording during which one page of the slides is on screen. Times are the source's.

    What a person has set stays when the slides are looked for again; a `page` of None then says that there is none.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="slide_intervals")
    page = models.ForeignKey(MaterialPage, null=True, on_delete=models.CASCADE, related_name="+")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    certainty = models.FloatField()  # 0 to 1
    is_by_person = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["start_ms"]

    def __str__(self) -> str:
        return f"{self.page} at {self.start_ms} ms"


class UpdateTask(models.TextChoices):
    SLIDES = "slides", _("find the slides")
    LIGHT = "light", _("make the version for slow connections")
    POSTER = "poster", _("draw the poster")


class RecordingUpdate(WorkRow):
    """The wish to make a by-product of a recording anew, because slides or subtitles have changed."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="updates")
    task = models.CharField(max_length=10, choices=UpdateTask)

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.task} of {self.recording}"


class FormerVersion(Record):
    """A file that another one took the place of. Until `delete_after` one can go back to it; then it is deleted.

    Whoever began to watch it goes on with it until the grant ends.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="former_versions")
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="former_version")
    replaced_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    delete_after = models.DateTimeField(db_index=True)
    # Chapters and slides in this file's time:
    # {"chapters": [[ms, title]], "slides": [[page, ms, ms, certainty, by a person]]}
    timeline = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"former {self.asset} of {self.recording}"


class Viewing(Record):
    """One opening of the player, told by its own beats: no cookie, no address, no third party.

    `registration` is known only where a personal link was used; `seen` holds one character per ten seconds of the
    recording, "1" where they were played.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="viewings")
    registration = models.ForeignKey(Registration, null=True, on_delete=models.SET_NULL, related_name="viewings")
    last_beat_at = models.DateTimeField()
    watched_ms = models.PositiveIntegerField(default=0)  # time spent playing, repeats included
    seen = models.TextField(blank=True)
    startup_ms = models.PositiveIntegerField(null=True)  # from the wish to play to the first picture
    stalls = models.PositiveIntegerField(default=0)  # times that playback had to wait for the network
    caption_language = models.CharField(max_length=35, blank=True)
    audio_language = models.CharField(max_length=35, blank=True)

    class Meta:
        indexes = [models.Index(fields=["recording", "created_at"])]

    def __str__(self) -> str:
        return f"viewing of {self.recording}"


class ViewingDay(models.Model):
    """What is left of the viewings of one day (UTC) once they are older than VIEWING_KEEP_DAYS: sums, no openings."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="viewing_days")
    day = models.DateField()
    openings = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    watched_ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["day"]
        constraints = [models.UniqueConstraint(fields=["recording", "day"], name="one_sum_per_day")]

    def __str__(self) -> str:
        return f"{self.recording} on {self.day}"


class DownloadKind(models.TextChoices):
    VIDEO = "video", _("video or sound")
    SUBTITLES = "subtitles", _("subtitles")
    MATERIAL = "material", _("slides and handouts")


class DownloadDay(models.Model):
    """How many files of a webinar were downloaded on a day (UTC)."""

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="download_days")
    kind = models.CharField(max_length=10, choices=DownloadKind)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["day"]
        constraints = [models.UniqueConstraint(fields=["webinar", "kind", "day"], name="one_download_count_per_day")]

    def __str__(self) -> str:
        return f"{self.count} of {self.webinar} on {self.day}"


class EmbedLinkQuerySet(models.QuerySet["EmbedLink"]):
    def live(self) -> Self:
        """Those that still open something."""
        return self.filter(revoked_at__isnull=True, ends_at__gt=timezone.now())


class EmbedLink(Record):
    """Permission to show a recording that is not public inside the pages of certain sites, until a day or revoked.

    `sites` are origins such as "https://intranet.example.org": browsers show the player nowhere else.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="embed_links")
    name = models.CharField(_("name"), max_length=100)
    sites = models.JSONField(default=list)
    ends_at = models.DateTimeField(_("ends"))
    revoked_at = models.DateTimeField(null=True)
    link_nonce = models.CharField(max_length=40, default=random_nonce)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = EmbedLinkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.ends_at > timezone.now()
