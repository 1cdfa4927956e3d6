"""What both stores offer: private files, short-lived signed addresses, and files that arrive in parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.core.files.storage import Storage

CHUNK_BYTES = 1024**2
Progress = Callable[[float], None]


@dataclass(frozen=True)
class PartAddress:
    """Where and how a client sends one part: `method` to `url` with `headers`, the bytes as the body."""

    url: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True)
class StoredPart:
    """A part that has arrived. `etag` is the store's own: SHA-256 on disk, usually MD5 on S3."""

    number: int
    size: int  # bytes
    etag: str


@dataclass(frozen=True)
class StoredFile:
    """A file that the store holds."""

    key: str
    size: int  # bytes
    modified_at: datetime


@dataclass(frozen=True)
class BegunFile:
    """A file whose parts arrive or arrived, as the store knows it. `key` is empty where the store does not say."""

    key: str
    parts_id: str
    begun_at: datetime


class PrivateStorage(Storage):
    """A store in which nothing can be read without an address signed by us."""

    min_part_bytes: int = 1
    max_parts: int = 10_000

    def signed_url(
        self,
        key: str,
        *,
        file_name: str | None = None,
        content_type: str | None = None,
        life_s: int | None = None,
    ) -> str:
        """Return an address that works for `life_s` seconds (the setting MEDIA_LINK_LIFE_S if None).

        Args:
            file_name: makes the answer a download under that name (RFC 6266).
            content_type: the type to declare; None decides by the key's ending.
        """
        raise NotImplementedError

    def read_chunks(self, key: str) -> Iterator[bytes]:
        """Yield a file's bytes in pieces of at most a mebibyte.

        Raises:
            StoreError: it is not there, or cannot be read.
        """
        raise NotImplementedError

    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files whose keys begin with `prefix`, one after another: never all of them in memory.

        Raises:
            StoreError: the store cannot be asked.
        """
        raise NotImplementedError

    def find_file(self, key: str) -> StoredFile | None:
        """Return what the store has under exactly this key, or None.

        Raises:
            StoreError: the store cannot be asked.
        """
        raise NotImplementedError

    def read_from(self, key: str, offset: int) -> Iterator[bytes]:
        """Yield a file's bytes from `offset` on, in pieces of at most a mebibyte.

        Raises:
            StoreError: it is not there, or cannot be read.
        """
        raise NotImplementedError

    def move_file(self, key: str, target: str) -> None:
        """Give a file another key, without its bytes passing through here.

        Raises:
            StoreError: it is not there, or the store refused.
        """
        raise NotImplementedError

    def errors(self) -> AbstractContextManager[None]:
        """Turn what goes wrong while an opened file is read into errors that say what to do.

        Raises:
            StoreFull, StoreError: in place of the driver's own.
        """
        raise NotImplementedError

    def delete_prefix(self, prefix: str) -> None:
        """Delete every file whose key begins with `prefix` and a slash."""
        raise NotImplementedError

    # --- Files that arrive in parts --------------------------------------------------------------------------------

    def begin_parts(self, key: str) -> str:
        """Prepare for the parts of `key`; return the name under which they are kept."""
        raise NotImplementedError

    def part_address(self, key: str, parts_id: str, number: int, *, size: int, life_s: int) -> PartAddress:
        """Return where a client sends part `number` of exactly `size` bytes within `life_s` seconds."""
        raise NotImplementedError

    def write_part(self, key: str, parts_id: str, number: int, stream: BinaryIO, *, size: int) -> StoredPart:
        """Store one part of exactly `size` bytes from a stream, replacing an earlier one of that number.

        Raises:
            EOFError: the stream ended early; nothing was stored.
            StoreError: the store refused.
        """
        raise NotImplementedError

    def stored_parts(self, key: str, parts_id: str) -> list[StoredPart]:
        """Return the parts that have arrived, by number.

        Raises:
            PartsGone: the store knows nothing of such parts, and would take no more.
            StoreError: the store cannot be asked.
        """
        raise NotImplementedError

    def join_parts(
        self, key: str, parts_id: str, parts: Sequence[StoredPart], progress: Progress, *, check: bool = True
    ) -> None:
        """Make the file from its parts; the parts may stay. Running it again after a crash gives the same file.

        Args:
            check: compare each part with what was received; not needed where the hash of the whole is known.

        Raises:
            PartsGone: neither the parts nor the joined file are there.
            PartDamaged: a part is not what was received.
            StoreError: the store refused.
        """
        raise NotImplementedError

    def list_begun(self) -> Iterator[BegunFile]:
        """Yield whatever has parts in the store, finished or not.

        Raises:
            StoreError: the store cannot be asked.
        """
        raise NotImplementedError

    def discard_parts(self, key: str, parts_id: str) -> None:
        """Remove whatever is left of the parts; nothing to remove is fine."""
        raise NotImplementedError
