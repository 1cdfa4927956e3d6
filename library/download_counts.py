"""How often files are downloaded: a number per webinar, kind of file and day, and nothing about who did."""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from events.models import Webinar
from library.models import DownloadDay, DownloadKind


def note_download(request: HttpRequest, webinar: Webinar, kind: DownloadKind) -> None:
    """Count a download. Looking only at its size, or taking up an interrupted one, is none."""
    if request.method != "GET" or not request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
        return
    today = DownloadDay.objects.filter(webinar=webinar, kind=kind, day=timezone.now().date())
    if today.update(count=F("count") + 1):
        return
    try:
        with transaction.atomic():
            DownloadDay.objects.create(webinar=webinar, kind=kind, day=timezone.now().date(), count=1)
    except IntegrityError:  # another request was the day's first
        today.update(count=F("count") + 1)
