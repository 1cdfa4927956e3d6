"""Between the store and a folder to work in: fetches files, puts results under new names, removes what was replaced."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from media.errors import MediaError
from media.models import Asset, Package, ReplacedFile
from media.storage import private_storage
from media.storage.errors import disk_errors

Fenced = Callable[[], AbstractContextManager[None]]


class SourceMissing(MediaError):
    """The row is there, the file is not."""

    code = "source_missing"
    status = 410


class _Movable(File):  # type: ignore[type-arg]  # bytes; generic only for the type checker
    """A finished local file: a store on the same disk may take it as it is instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@contextmanager
def source_on_disk(asset: Asset, workdir: Path) -> Iterator[Path]:
    """Give the original as a local file, to be read only: itself if the store is local, else fetched for a while.

    Raises:
        SourceMissing: the store does not have it.
        StoreError: the store or the disk failed.
    """
    with on_disk(asset.source_key, workdir) as path:
        yield path


@contextmanager
def on_disk(key: str, workdir: Path) -> Iterator[Path]:
    """Give a stored file as a local one; see `source_on_disk`."""
    if not default_storage.exists(key):
        raise SourceMissing(_("A file of this recording is missing from the store. Upload the recording again."))
    try:
        yield Path(default_storage.path(key))
        return
    except NotImplementedError:
        pass
    path = workdir / f"fetched-{secrets.token_hex(6)}"
    try:
        with disk_errors(), path.open("wb") as target:
            for chunk in private_storage().read_chunks(key):
                target.write(chunk)
        yield path
    finally:
        path.unlink(missing_ok=True)


def new_key(package: Package, name: str, suffix: str) -> str:
    """Return a key that was never used: results go to new names, and then one row points at them."""
    return f"{package.prefix}/{name}-{secrets.token_urlsafe(9)}{suffix}"


def put(path: Path, key: str) -> int:
    """Store a finished file under exactly this key; the local file may be gone afterwards. Returns its size.

    Raises:
        StoreFull, StoreError: the store did not take it; nothing is left there.
    """
    size = path.stat().st_size
    try:
        with disk_errors(), path.open("rb") as file:
            kept = default_storage.save(key, _Movable(file, name=str(path)))
    except BaseException:
        delete_now([key])  # a copy may have been cut short
        raise
    if kept != key or default_storage.size(key) != size:
        default_storage.delete(kept)
        raise MediaError(_("The store did not keep a file as it was given. Try again."), code="store_unreliable")
    return size


@contextmanager
def stored_until_failure(fenced: Fenced) -> Iterator[list[str]]:
    """A fenced transaction around the rows of files that are stored already.

    Yields the list of their keys; whatever goes wrong, the files on it are removed again.
    """
    keys: list[str] = []
    try:
        with fenced():
            yield keys
    except BaseException:
        delete_now(keys)
        raise


def replace_row(row: Any, key: str) -> None:
    """Remember the file that `row` pointed at until now: viewers may still be reading it."""
    if row is not None and row.key != key:
        replace_key(row.key)


def replace_key(key: str) -> None:
    """Remember a file that viewers may still be reading though nothing points at it any more."""
    # Who is in the middle of it may go on until their grant and then the last address ends.
    kept = timedelta(seconds=settings.PLAYBACK_GRANT_LIFE_S + settings.MEDIA_LINK_LIFE_S)
    ReplacedFile.objects.get_or_create(key=key, defaults={"delete_after": timezone.now() + kept})


def delete_replaced(*, now: Any = None) -> int:
    """Delete files that were replaced and that no signed address reaches any more. Returns how many."""
    deleted = 0
    for row in ReplacedFile.objects.filter(delete_after__lte=now or timezone.now())[:1000]:
        if row.key.endswith("/"):
            private_storage().delete_prefix(row.key.rstrip("/"))
        else:
            default_storage.delete(row.key)
        row.delete()
        deleted += 1
    return deleted


def discard(keys: list[str]) -> None:
    """Delete intermediate files once the transaction that made them superfluous is committed."""

    transaction.on_commit(lambda: delete_now(keys))


def discard_for_good(key: str) -> None:
    """Delete a file after commit, and once more later, should this process end in between.

    The row that says so is part of the transaction.
    """
    ReplacedFile.objects.update_or_create(key=key, defaults={"delete_after": timezone.now() + _again()})
    discard([key])


def discard_prefix(prefix: str) -> None:
    """Delete everything under a prefix after commit, and once more when no worker can still be writing there.

    A worker that is at it notices within its lease that its row is gone; what it stored last is found then.
    """
    ReplacedFile.objects.filter(key__startswith=f"{prefix}/").delete()
    ReplacedFile.objects.create(key=f"{prefix}/", delete_after=timezone.now() + _again())

    def delete() -> None:
        with suppress(Exception):  # the row above is tried until it succeeds
            private_storage().delete_prefix(prefix)

    transaction.on_commit(delete)


def _again() -> timedelta:
    return timedelta(seconds=2 * settings.WORK_LEASE_S)


def delete_now(keys: list[str]) -> None:
    """Delete files that no row points at, whatever the state of the transaction. Failing is no failure."""
    for key in keys:
        with suppress(Exception):  # what stays is found by comparing store and rows
            default_storage.delete(key)


@contextmanager
def open_stored(key: str) -> Iterator[IO[bytes]]:
    """Open a stored file for reading with seeks.

    Raises:
        SourceMissing: the store does not have it.
    """
    try:
        file = default_storage.open(key, "rb")
    except FileNotFoundError as error:
        raise SourceMissing(
            _("A file of this recording is missing from the store. Make this version again.")
        ) from error
    with file, private_storage().errors():
        yield file
