"""The private store: local files or an S3 bucket, chosen by settings alone (docs/architecture.md)."""

from typing import TYPE_CHECKING, Any, cast

from django.core.files.storage import storages

from media.storage.base import BegunFile, PartAddress, PrivateStorage, StoredFile, StoredPart
from media.storage.errors import AddressExpired, AddressInvalid, PartsGone, StoreError, StoreFull
from media.storage.local import LocalPrivateStorage

if TYPE_CHECKING:
    from media.storage.s3 import S3PrivateStorage

__all__ = [
    "AddressExpired",
    "AddressInvalid",
    "BegunFile",
    "LocalPrivateStorage",
    "PartAddress",
    "PartsGone",
    "PrivateStorage",
    "S3PrivateStorage",
    "StoreError",
    "StoreFull",
    "StoredFile",
    "StoredPart",
    "private_storage",
]


def private_storage() -> PrivateStorage:
    """Return the store that settings name, with what it offers beyond Django's own storage."""
    return cast(PrivateStorage, storages["default"])


def __getattr__(name: str) -> Any:
    if name == "S3PrivateStorage":
        from media.storage.s3 import S3PrivateStorage  # boto3 is slow to import, and most processes never need it

        return S3PrivateStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
