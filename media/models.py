"""Stored media: uploads in parts, assets, and what is made from them. Knows files, not webinars."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from work.models import Record, WorkRow, WorkState


def random_prefix() -> str:
    """A storage prefix that nobody can guess (144 random bits)."""
    return f"assets/{secrets.token_urlsafe(18)}"


class Asset(Record):
    """A stored media object: its original (the source), what was found in it, and the package in use."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="assets")
    file_name = models.CharField(max_length=255)
    source_key = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    has_video = models.BooleanField(default=False)
    has_audio = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField(null=True)
    width = models.PositiveIntegerField(null=True)  # as displayed, after rotation
    height = models.PositiveIntegerField(null=True)
    frame_rate = models.FloatField(null=True)
    probe = models.JSONField(default=dict)
    # What is unusual or was changed, as stable codes with facts: [{"code": "rotated", "degrees": 90}]
    warnings = models.JSONField(default=list)
    # What viewers are to see of it, in the source's time; an end of None means up to its end. See Package.trim_*.
    trim_start_ms = models.PositiveIntegerField(default=0)
    trim_end_ms = models.PositiveIntegerField(null=True)
    poster_at_ms = models.PositiveIntegerField(null=True)  # the moment a person chose, in the source's time
    current_package = models.ForeignKey("Package", null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.file_name


class Upload(WorkRow):
    """A file arriving in numbered parts. As a work row it is the joining and checking of those parts.

    waiting: parts arrive; queued and running: parts are joined and hashed; done: `asset` exists and reads back
    with `sha256`; failed: `error` says why; cancelled: given up or expired, and its parts are gone.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    purpose = models.CharField(max_length=100)  # what the file is for, such as "recording:<webinar id>"
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()  # bytes, as announced
    part_size = models.PositiveIntegerField()  # bytes; the last part may be smaller
    sha256 = models.CharField(max_length=64, blank=True)  # as announced by the client, if it did
    # Tells the client whether a file that is chosen again is the one it began with; its own words, such as a hash of
    # some of the bytes.
    fingerprint = models.CharField(max_length=64, blank=True)
    storage_key = models.CharField(max_length=200)
    multipart_id = models.CharField(max_length=500, blank=True)  # S3's name for the upload
    expires_at = models.DateTimeField()
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="uploads")

    class Meta(WorkRow.Meta):
        pass

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_open(self) -> bool:
        return self.state == WorkState.WAITING

    @property
    def part_count(self) -> int:
        return max(1, -(-self.size // self.part_size))


class UploadPart(Record):
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()  # from 1
    size = models.PositiveIntegerField()  # bytes
    etag = models.CharField(max_length=100)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="one_row_per_part")]

    def __str__(self) -> str:
        return f"{self.upload}, part {self.number}"


class PackageState(models.TextChoices):
    BUILDING = "building", _("building")
    COMPLETE = "complete", _("complete")


class Package(Record):
    """One version of everything made from an asset, under its own storage prefix.

    Viewers get `asset.current_package`. A first package becomes current as soon as there is something to watch, and
    its renditions join one by one; a later one becomes current only when it is complete.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="packages")
    prefix = models.CharField(max_length=100, default=random_prefix, unique=True)
    state = models.CharField(max_length=10, choices=PackageState, default=PackageState.BUILDING)
    loudness = models.JSONField(default=dict)  # EBU R128 figures of the source, measured once
    # What the pictures are like and how they are encoded: {"content": "static", "kept": 0.12, ...}
    analysis = models.JSONField(default=dict)
    # The stretch of the source that this version shows. Cues, chapters and slides keep the source's time; whoever
    # shows them beside this version moves them by trim_start_ms.
    trim_start_ms = models.PositiveIntegerField(default=0)
    trim_end_ms = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.asset} {self.created_at:%Y-%m-%d %H:%M}"


MAIN_SOUND = "audio"  # name of the rendition with the recording's own sound


class RenditionKind(models.TextChoices):
    VIDEO = "video", _("video")
    AUDIO = "audio", _("audio")


class Rendition(Record):
    """One encoded stream in one fragmented MP4 file, which both streams (byte ranges) and downloads."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=30)  # "1080p", "480p", "audio"
    kind = models.CharField(max_length=6, choices=RenditionKind)
    language = models.CharField(max_length=35, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    frame_rate = models.FloatField(null=True)
    codecs = models.CharField(max_length=60)  # RFC 6381, such as avc1.64001f
    bandwidth = models.PositiveIntegerField()  # peak bits per second (RFC 8216, BANDWIDTH)
    average_bandwidth = models.PositiveIntegerField()  # bits per second
    key = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()  # bytes
    duration_ms = models.PositiveIntegerField()
    # {"init": [offset, size], "segments": [[offset, size, duration_ms], ...]}, bytes in the file at `key`
    index = models.JSONField()
    facts = models.JSONField(default=dict)  # what it was made of, where it may have to be made again

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package", "name"], name="one_rendition_per_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.package}"


class DerivativeKind(models.TextChoices):
    POSTER = "poster", _("poster")
    STORYBOARD = "storyboard", _("storyboard")
    SPEECH_AUDIO = "speech_audio", _("audio for speech recognition")
    MP4 = "mp4", _("MP4")
    MP4_SUBTITLED = "mp4_subtitled", _("MP4 with subtitles")
    MP4_BURNED = "mp4_burned", _("MP4 with subtitles in the picture")
    POSTER_CANDIDATE = "poster_candidate", _("picture to choose as poster")
    LIGHT_AUDIO = "light_audio", _("sound for slow connections")
    LIGHT_PICTURE = "light_picture", _("picture for slow connections")
    LIGHT_ZIP = "light_zip", _("archive for slow connections")
    EXCERPT = "excerpt", _("excerpt to compare by ear")
    PEAKS = "peaks", _("loudness over time for the subtitle editor")


class Derivative(Record):
    """A by-product of a package: a picture, the audio for recognition, a file to download."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="derivatives")
    kind = models.CharField(max_length=20, choices=DerivativeKind)
    name = models.CharField(max_length=60, blank=True)  # tells several of one kind apart
    key = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()  # bytes
    content_type = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)  # such as a storyboard's tiles

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package", "kind", "name"], name="one_derivative_per_name")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.package}"


SURE_MATCH = 0.7  # of a channel's place; as media.alignment.SURE, which needs numpy


class InterpretationChannel(Record):
    """The sound of an interpreter, recorded in a file of its own, which viewers can choose instead of the speaker's.

    `offset_ms` says how much later the channel's file begins than the recording (negative: earlier); None until it was
    found or given. Its clock may run differently: what it has at t is heard in the recording at
    offset + t * (1 + drift_ppm / 1,000,000). `match` between 0 and 1 says how sure the comparison of the two sounds
    is. A weak match is used only once a person has listened and confirmed.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="channels")
    source = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="channel")
    language = models.CharField(max_length=35)  # BCP 47
    name = models.CharField(max_length=100, blank=True)  # shown in the player; empty: the language's own name
    offset_ms = models.IntegerField(null=True)
    drift_ppm = models.FloatField(default=0)
    match = models.FloatField(null=True)
    loudness = models.JSONField(default=dict)  # EBU R128 figures of the source; see Package.loudness
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "language"], name="one_channel_per_language")]

    def __str__(self) -> str:
        return f"{self.language} for {self.asset}"

    @property
    def is_usable(self) -> bool:
        """True when viewers may have it: its place is sure, or a person confirmed it."""
        is_sure = self.match is not None and self.match >= SURE_MATCH
        return self.offset_ms is not None and (is_sure or self.confirmed_at is not None)


class ReplacedFile(models.Model):
    """A stored file that no row points at any more, kept until the last signed address of it has expired."""

    key = models.CharField(max_length=200, primary_key=True)
    delete_after = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
