"""Celery's side of media: what must be done from time to time."""

from celery import shared_task

from media import uploads
from media.services.packages import delete_superseded_packages
from media.services.stored import delete_replaced as delete_replaced_files


@shared_task(name="media.expire_uploads")
def expire_uploads() -> None:
    uploads.expire_uploads()


@shared_task(name="media.delete_replaced")
def delete_replaced() -> None:
    delete_replaced_files()
    delete_superseded_packages()
