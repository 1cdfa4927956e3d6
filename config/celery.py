"""Celery: it carries hints that work is due; the rows in the database are the truth (docs/architecture.md)."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun
from kombu import Queue
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import close_old_connections

# Kombu's own transport for folders may hand out half a message (config/folder_queue.py).
TRANSPORT_ALIASES["filesystem"] = "config.folder_queue:Transport"

app = Celery("rostrum")


def transport_options() -> dict[str, Any]:
    if settings.BROKER_URL.startswith("filesystem"):
        folders = {name: settings.VAR_DIR / "queue" / name for name in ("messages", "done", "control")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "processed_folder": str(folders["done"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
        }
    if settings.BROKER_URL.startswith("redis"):
        return {
            "visibility_timeout": settings.BROKER_VISIBILITY_S,
            "unacked_restore_interval": min(60, settings.BROKER_VISIBILITY_S),
            # A server that vanished without a word must not hold up a web request, or a worker, for ever.
            "socket_timeout": 20,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
        }
    return {}


app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options=transport_options(),
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_default_queue="default",
    task_queues=[Queue(name) for name in ("default", "mail", "bulk", "media", "speech")],
    task_acks_late=False,
    task_publish_retry=False,
    broker_connection_timeout=3,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    # A worker child that grew (a large model, a leaking library) is replaced after this many tasks.
    worker_max_tasks_per_child=200,
    timezone="UTC",
    beat_schedule={
        "work.sweep": {"task": "work.sweep", "schedule": settings.WORK_SWEEP_S},
        "media.expire_uploads": {"task": "media.expire_uploads", "schedule": 3600},
        "media.delete_replaced": {"task": "media.delete_replaced", "schedule": 3600},
    },
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
)
# After every task Celery would close not only the connection to the database but the pool it came from, and the next
# task would open four of them. So it is asked to leave both alone, which is said under this name only, and the
# connection is given back below. https://docs.celeryq.dev/en/stable/django/first-steps-with-django.html
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def _give_connections_back(task: Any, **_kwargs: Any) -> None:
    """As at the start and the end of a web request. What is called in this process may be inside a transaction."""
    if not task.request.is_eager:
        close_old_connections()


@setup_logging.connect
def _keep_django_logging(**_kwargs: Any) -> None:
    """Celery would replace the logging that settings.LOGGING has set up."""
