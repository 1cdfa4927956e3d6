"""Published recordings: a webinar's media asset and who may watch it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models import Visibility, Webinar
from media.models import Asset
from work.models import Record


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

    def __str__(self) -> str:
        return f"{self.webinar}: {self.asset}"
