"""Private files on this machine's disk, reached through signed addresses of our own (media/views.py)."""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core import signing
from django.core.files.storage import FileSystemStorage
from django.urls import reverse
from django.utils.translation import gettext as _

from media.storage.base import (
    CHUNK_BYTES,
    BegunFile,
    PartAddress,
    PrivateStorage,
    Progress,
    StoredFile,
    StoredPart,
)
from media.storage.errors import AddressExpired, AddressInvalid, PartDamaged, PartsGone, disk_errors

PARTS_FOLDER = ".parts"
_PART_NAME = re.compile(r"(\d{5})-([0-9a-f]{64})")


@dataclass(frozen=True)
class FileGrant:
    """What a signed file address allows: to read `key` until `expires_at` (Unix seconds)."""

    key: str
    expires_at: int
    file_name: str | None
    content_type: str | None


@dataclass(frozen=True)
class PartGrant:
    """What a signed part address allows: to send exactly `size` bytes as part `number` of `key`."""

    key: str
    parts_id: str
    number: int
    size: int  # bytes


class LocalPrivateStorage(FileSystemStorage, PrivateStorage):
    def url(self, name: str | None) -> str:
        return self.signed_url(name or "")

    def signed_url(
        self,
        key: str,
        *,
        file_name: str | None = None,
        content_type: str | None = None,
        life_s: int | None = None,
    ) -> str:
        life = settings.MEDIA_LINK_LIFE_S if life_s is None else life_s
        # Ends are rounded down, so that a page loaded again within an eighth of the life gives the same address and
        # the browser's cache is of use.
        step = max(1, life // 8)
        expires_at = (int(time.time()) + life) // step * step
        token = _signer("file").sign_object([key, expires_at, file_name, content_type])
        return reverse("media:file", args=[token])

    def open_address(self, token: str) -> FileGrant:
        """Return what a signed file address allows.

        Raises:
            AddressExpired, AddressInvalid: it allows nothing (any more).
        """
        key, expires_at, file_name, content_type = _opened("file", token)
        _check_time(expires_at)
        return FileGrant(key, expires_at, file_name, content_type)

    def read_chunks(self, key: str) -> Iterator[bytes]:
        return self.read_from(key, 0)

    def read_from(self, key: str, offset: int) -> Iterator[bytes]:
        with disk_errors(), open(self.path(key), "rb") as file:
            file.seek(offset)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        root = Path(self.location)
        # Begin at the folder that the prefix names: a store may hold a hundred thousand files.
        start = root / prefix.rpartition("/")[0]
        with disk_errors():
            for folder, subfolders, names in os.walk(start):
                subfolders[:] = sorted(name for name in subfolders if Path(folder, name) != root / PARTS_FOLDER)
                for name in sorted(names):
                    key = Path(folder, name).relative_to(root).as_posix()
                    if key.startswith(prefix) and (found := self.find_file(key)) is not None:
                        yield found

    def find_file(self, key: str) -> StoredFile | None:
        path = Path(self.path(key))
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return StoredFile(key=key, size=status.st_size, modified_at=_moment(status.st_mtime))

    def move_file(self, key: str, target: str) -> None:
        path = Path(self.path(target))
        with disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.path(key), path)

    def errors(self) -> contextlib.AbstractContextManager[None]:
        return disk_errors()

    def delete_prefix(self, prefix: str) -> None:
        folder = Path(self.path(prefix))
        if folder == Path(self.location):
            raise ValueError("A prefix must name a folder below the store.")
        shutil.rmtree(folder, ignore_errors=True)

    # --- Files that arrive in parts --------------------------------------------------------------------------------

    def begin_parts(self, key: str) -> str:
        return secrets.token_urlsafe(18)

    def part_address(self, key: str, parts_id: str, number: int, *, size: int, life_s: int) -> PartAddress:
        token = _signer("part").sign_object([key, parts_id, number, size, int(time.time()) + life_s])
        return PartAddress(url=reverse("media:part", args=[token]), method="PUT", headers={})

    def open_part_address(self, token: str) -> PartGrant:
        """Return what a signed part address allows.

        Raises:
            AddressExpired, AddressInvalid: it allows nothing (any more).
        """
        key, parts_id, number, size, expires_at = _opened("part", token)
        _check_time(expires_at)
        return PartGrant(key, parts_id, number, size)

    def write_part(self, key: str, parts_id: str, number: int, stream: BinaryIO, *, size: int) -> StoredPart:
        with self.received_part(parts_id, number, stream, size=size) as (received, keep):
            keep()
        return received

    @contextlib.contextmanager
    def received_part(
        self, parts_id: str, number: int, stream: BinaryIO, *, size: int
    ) -> Iterator[tuple[StoredPart, Any]]:
        """Receive a part beside the others, and make it one of them only when the body calls the second value.

        Raises:
            EOFError: the stream ended early; nothing was stored.
            StoreFull, StoreError: the disk refused.
        """
        folder = self._parts_folder(parts_id)
        arriving = folder / f"{number:05d}.{secrets.token_hex(8)}.arriving"
        try:
            etag = self._receive(arriving, stream, size)
            part = StoredPart(number=number, size=size, etag=etag)

            def keep() -> None:
                with disk_errors():
                    earlier = [path for path in folder.glob(f"{number:05d}-*") if not path.name.endswith(etag)]
                    os.replace(arriving, folder / f"{number:05d}-{etag}")
                    for path in earlier:
                        path.unlink(missing_ok=True)

            yield part, keep
        finally:
            arriving.unlink(missing_ok=True)

    def _receive(self, path: Path, stream: BinaryIO, size: int) -> str:
        with disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "xb")  # noqa: SIM115  (the next block closes it; errors of the stream are not the disk's)
        digest = hashlib.sha256()
        left = size
        with file:
            while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                digest.update(chunk)
                with disk_errors():
                    file.write(chunk)
            if left:
                raise EOFError(f"{left} of {size} bytes did not arrive")
            with disk_errors():
                file.flush()
                os.fsync(file.fileno())
        return digest.hexdigest()

    def stored_parts(self, key: str, parts_id: str) -> list[StoredPart]:
        folder = self._parts_folder(parts_id)
        return [
            StoredPart(number=int(matched[1]), size=path.stat().st_size, etag=matched[2])
            for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if (matched := _PART_NAME.fullmatch(path.name))
        ]

    def join_parts(
        self, key: str, parts_id: str, parts: Sequence[StoredPart], progress: Progress, *, check: bool = True
    ) -> None:
        target = Path(self.path(key))
        folder = self._parts_folder(parts_id)
        if not folder.is_dir():
            if target.exists():
                return
            raise PartsGone(_("The parts of this upload are gone. Upload the file again."))
        # Beside the parts, so that whatever ends this process, discarding them removes the torso too.
        joined = folder / f"{secrets.token_hex(8)}.joining"
        total, done = sum(part.size for part in parts), 0
        try:
            with disk_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(joined, "xb") as out:
                    for part in parts:
                        self._append(folder, part, out, check=check)
                        done += part.size
                        progress(100 * done / max(1, total))
                    out.flush()
                    os.fsync(out.fileno())
                os.chmod(joined, settings.FILE_UPLOAD_PERMISSIONS or 0o640)
                os.replace(joined, target)
                _sync_folder(target.parent)
        finally:
            joined.unlink(missing_ok=True)

    def _append(self, folder: Path, part: StoredPart, out: BinaryIO, *, check: bool) -> None:
        digest = hashlib.sha256()
        with open(folder / f"{part.number:05d}-{part.etag}", "rb") as file:
            if not check:
                _append_in_kernel(file, out)
                return
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != part.etag:
            raise PartDamaged(_("Part %(number)s was damaged on the server's disk.") % {"number": part.number})

    def list_begun(self) -> Iterator[BegunFile]:
        folder = Path(self.path(PARTS_FOLDER))
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):  # completed meanwhile
                    yield BegunFile(key="", parts_id=path.name, begun_at=_moment(path.stat().st_mtime))

    def discard_parts(self, key: str, parts_id: str) -> None:
        if parts_id:
            shutil.rmtree(self._parts_folder(parts_id), ignore_errors=True)

    def _parts_folder(self, parts_id: str) -> Path:
        return Path(self.path(f"{PARTS_FOLDER}/{parts_id}"))


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC)


def _signer(what: str) -> signing.Signer:
    return signing.Signer(salt=f"media.{what}")


def _opened(what: str, token: str) -> list[Any]:
    try:
        opened: list[Any] = _signer(what).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise AddressInvalid(_("This address is not valid. Check that it was copied whole.")) from None
    return opened


def _check_time(expires_at: int) -> None:
    if time.time() >= expires_at:
        raise AddressExpired(_("This address has expired. Go back to the page it came from and load that again."))


def _append_in_kernel(file: BinaryIO, out: BinaryIO) -> None:
    """Copy without the bytes passing through here, which on some file systems is no copy at all."""
    try:
        while os.copy_file_range(file.fileno(), out.fileno(), 2**30):
            pass
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV):
            raise
        shutil.copyfileobj(file, out, CHUNK_BYTES)  # a network share, say: nothing was copied yet


def _sync_folder(folder: Path) -> None:
    """Make a rename in that folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
