"""Is this process alive, and does what it stands on answer? For load balancers and container schedulers.

The answers name parts, never reasons: `live` and `ready` need no login. `details` is for members of an organisation;
`manage.py doctor` gives the reasons.
"""

import dataclasses
import logging
import os
import shutil
from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

import sandbox
from accounts.rules import organisations_of
from config.celery import app
from work import health as work_health

logger = logging.getLogger(__name__)
BROKER_TIMEOUT_S = 2


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 if database, storage and broker answer, 503 if one does not."""
    parts = {name: "ok" if _works(name, check) else "failed" for name, check in CHECKS.items()}
    return JsonResponse(parts, status=200 if set(parts.values()) == {"ok"} else 503)


@require_safe
@never_cache
def details(request: HttpRequest) -> JsonResponse:
    """How far behind the workers are, and how much room is left (promise O3). 404 for strangers."""
    if not organisations_of(request.user).exists() and not request.user.is_staff:
        raise Http404
    disk = shutil.disk_usage(settings.VAR_DIR)
    swept = work_health.seconds_since_sweep()
    queues = [dataclasses.asdict(queue) for queue in work_health.queues()]
    return JsonResponse(
        {
            "queues": {queue.pop("name"): queue | {"oldest_s": round(queue["oldest_s"])} for queue in queues},
            "stuck": work_health.stuck_queues(longer_than_s=settings.WORK_STUCK_S),
            "seconds_since_sweep": None if swept is None else round(swept),
            "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
            "sandbox": sandbox.level(),
        }
    )


def _works(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception:  # whatever a driver raises, the part does not work
        logger.warning("not ready: %s", name, exc_info=True)
        return False
    return True


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_storage() -> None:
    """Ask the store for a key that need not exist; a folder must also be writable."""
    default_storage.exists("health/ready")
    location = getattr(default_storage, "location", "")
    if settings.S3_BUCKET == "":
        os.makedirs(location, exist_ok=True)
        _require_writable(str(location))


def check_broker() -> None:
    if settings.BROKER_URL.startswith("filesystem"):
        _require_writable(str(settings.VAR_DIR / "queue" / "messages"))
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_TIMEOUT_S)


def _require_writable(folder: str) -> None:
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} is not writable")


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "storage": check_storage,
    "broker": check_broker,
}
