"""Is this process alive, and does what it stands on answer? For load balancers and container schedulers.

The answers name parts, never reasons: these addresses need no login. `manage.py doctor` gives the reasons.
"""

import logging
import os
from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app

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
