"""Celery's side of media: what must be done from time to time."""

from celery import shared_task

from media import uploads


@shared_task(name="media.expire_uploads")
def expire_uploads() -> None:
    uploads.expire_uploads()
