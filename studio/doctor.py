"""Is the service itself in order: database, queue, disk, storage, mail, front end?"""

import shutil
import smtplib
import uuid
from collections.abc import Iterable
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from media.storage import private_storage
from work.doctor import Check

LOW_DISK_BYTES = 5 * 1024**3


def checks() -> Iterable[Check]:
    yield _database()
    yield _broker()
    yield _storage()
    yield from _bucket()
    yield _mail()
    yield _disk()
    yield _front_end()


def _database() -> Check:
    name = f"database ({connection.vendor})"
    try:
        waiting = len(
            MigrationExecutor(connection).migration_plan(MigrationExecutor(connection).loader.graph.leaf_nodes())
        )
    except Exception as error:
        return Check(name, False, str(error), "Check DATABASE_URL and that the server runs.")
    if waiting:
        return Check(name, False, f"{waiting} migrations are not applied.", "Run `manage.py migrate`.")
    return Check(name, True, "answers, and is up to date")


def _broker() -> Check:
    name = f"queue ({settings.BROKER_URL.partition(':')[0]})"
    try:
        with current_app.connection_for_write(connect_timeout=3) as broker:
            broker.ensure_connection(max_retries=1, timeout=3)
    except Exception as error:
        return Check(
            name, False, str(error), "Check BROKER_URL and that the server runs. Nothing is lost meanwhile; it waits."
        )
    return Check(name, True, "answers")


def _storage() -> Check:
    where = settings.S3_BUCKET or settings.MEDIA_ROOT
    name = f"storage ({'S3' if settings.S3_BUCKET else 'local files'})"
    key = f"doctor/{uuid.uuid4()}"
    try:
        saved = default_storage.save(key, ContentFile(b"ok"))
        with default_storage.open(saved) as file:
            same = file.read() == b"ok"
        default_storage.delete(saved)
    except Exception as error:
        return Check(name, False, f"{where}: {error}", "Check the S3_ settings, or the rights and space of VAR_DIR.")
    return Check(name, same, f"{where}: writes, reads and deletes")


def _bucket() -> Iterable[Check]:
    """What browsers and strangers may do with the bucket, if there is one."""
    if not settings.S3_BUCKET:
        return []
    from media.storage import S3PrivateStorage, bucket  # boto3 is slow to import, and only S3 needs it

    storage = private_storage()
    assert isinstance(storage, S3PrivateStorage)
    return bucket.checks(storage)


def _mail() -> Check:
    name = f"mail ({settings.EMAIL_URL.scheme})"
    if settings.EMAIL_URL.scheme == "eml":
        return Check(
            name,
            None,
            f"mails are written to {settings.VAR_DIR / 'mail'}, not sent",
            "Set EMAIL_URL=smtp+tls://user:password@host:587 to send them.",
        )
    try:
        mailer = get_connection(timeout=5)
        mailer.open()
        mailer.close()
    except (OSError, smtplib.SMTPException) as error:
        return Check(name, False, str(error), "Check EMAIL_URL. Mails wait and are sent when the server answers.")
    return Check(name, True, f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} answers")


def _disk() -> Check:
    free = shutil.disk_usage(settings.VAR_DIR).free
    detail = f"{free / 1024**3:.1f} GiB free in {settings.VAR_DIR}"
    if free < LOW_DISK_BYTES:
        return Check("disk", None, detail, "A recording needs about three times its size while it is produced.")
    return Check("disk", True, detail)


def _front_end() -> Check:
    built = Path(settings.BASE_DIR) / "frontend" / "dist" / "player.js"
    if not built.exists():
        return Check("front end", False, "not built", "Run `make setup`.")
    return Check("front end", True, "built")
