"""Private files in an S3 bucket; browsers read and send parts with presigned addresses, past this server."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from storages.backends.s3 import S3Storage

from media.storage.base import (
    CHUNK_BYTES,
    BegunFile,
    PartAddress,
    PrivateStorage,
    Progress,
    StoredFile,
    StoredPart,
)
from media.storage.errors import PartsGone, StoreError, StoreFull

GONE = ("NoSuchUpload", "NoSuchKey", "404")
FULL = ("InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507")
# A file opened from S3 is fetched whole; without a limit it would be held in memory, and joining parts opens them all.
MAX_MEMORY_BYTES = 8 * 1024**2


@contextlib.contextmanager
def s3_errors() -> Iterator[None]:
    """Turn what S3 or the way to it answers into errors that say what to do.

    Raises:
        StoreFull: the store's space is used up.
        StoreError: anything else.
    """
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in FULL:
            raise StoreFull(_("The file store is full. Ask its operator to make room, then try again.")) from error
        raise StoreError(_("The file store refused (%(reason)s). Try again later.") % {"reason": code}) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StoreError(
            _("The file store cannot be reached (%(reason)s). Try again later.") % {"reason": type(error).__name__}
        ) from error


class S3PrivateStorage(S3Storage, PrivateStorage):
    min_part_bytes = 5 * 1024**2  # S3's own rule for all parts but the last

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_memory_size", MAX_MEMORY_BYTES)
        options.setdefault(
            "client_config",
            Config(
                s3={"addressing_style": options.get("addressing_style") or "auto"},
                signature_version=options.get("signature_version") or "s3v4",
                # Newer checksum headers are unknown to many S3-compatible servers.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )
        super().__init__(**options)

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    @functools.cached_property
    def _signing_client(self) -> Any:
        """Signs for the address that browsers use, which is part of the signature. It opens no connection."""
        if not settings.S3_PUBLIC_ENDPOINT_URL:
            return self.client
        return boto3.client(
            "s3",
            endpoint_url=settings.S3_PUBLIC_ENDPOINT_URL,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region_name,
            config=self.client_config,
        )

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        state.pop("_signing_client", None)
        return state

    def url(
        self, name: str | None, parameters: Any = None, expire: int | None = None, http_method: str | None = None
    ) -> str:
        return self.signed_url(name or "", life_s=expire)

    def signed_url(
        self,
        key: str,
        *,
        file_name: str | None = None,
        content_type: str | None = None,
        life_s: int | None = None,
    ) -> str:
        parameters = {"Bucket": self.bucket_name, "Key": key}
        if file_name:
            parameters["ResponseContentDisposition"] = content_disposition_header(True, file_name) or "attachment"
        if content_type:
            parameters["ResponseContentType"] = content_type
        life = settings.MEDIA_LINK_LIFE_S if life_s is None else life_s
        address: str = self._signing_client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=life)
        return address

    def read_chunks(self, key: str) -> Iterator[bytes]:
        return self.read_from(key, 0)

    def read_from(self, key: str, offset: int) -> Iterator[bytes]:
        with s3_errors():
            wanted = {"Range": f"bytes={offset}-"} if offset else {}
            body = self.client.get_object(Bucket=self.bucket_name, Key=key, **wanted)["Body"]
            with contextlib.closing(body):
                yield from body.iter_chunks(CHUNK_BYTES)

    def list_files(self, prefix: str = "") -> Iterator[StoredFile]:
        with s3_errors():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    yield StoredFile(key=item["Key"], size=item["Size"], modified_at=item["LastModified"])

    def find_file(self, key: str) -> StoredFile | None:
        with s3_errors():
            try:
                head = self.client.head_object(Bucket=self.bucket_name, Key=key)
            except ClientError as error:
                if _code(error) in GONE:
                    return None
                raise
        return StoredFile(key=key, size=head["ContentLength"], modified_at=head["LastModified"])

    def move_file(self, key: str, target: str) -> None:
        with s3_errors():
            # In pieces, inside the store, where the file is larger than one copy may be.
            self.client.copy({"Bucket": self.bucket_name, "Key": key}, self.bucket_name, target)
            self.client.delete_object(Bucket=self.bucket_name, Key=key)

    def delete_prefix(self, prefix: str) -> None:
        if not prefix.strip("/"):
            raise ValueError("A prefix must name a folder below the store.")
        with s3_errors():
            # One by one: deleting many in one request wants headers that not all servers agree on.
            for item in self.bucket.objects.filter(Prefix=f"{prefix.rstrip('/')}/"):
                item.delete()

    # --- What Django's and django-storages' own methods raise ------------------------------------------------------

    def exists(self, name: str) -> bool:
        with s3_errors():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with s3_errors():
            return int(super().size(name))

    def delete(self, name: str) -> None:
        with s3_errors():
            super().delete(name)

    def _open(self, name: str, mode: str = "rb") -> Any:
        with s3_errors():
            return super()._open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        with s3_errors():
            return str(super()._save(name, content))

    def errors(self) -> contextlib.AbstractContextManager[None]:
        return s3_errors()

    # --- Files that arrive in parts --------------------------------------------------------------------------------

    def begin_parts(self, key: str) -> str:
        with s3_errors():
            begun = self.client.create_multipart_upload(
                Bucket=self.bucket_name, Key=key, ContentType="application/octet-stream"
            )
        return str(begun["UploadId"])

    def part_address(self, key: str, parts_id: str, number: int, *, size: int, life_s: int) -> PartAddress:
        # The size cannot be signed for browsers (they set Content-Length themselves); it is checked on completion.
        address = self._signing_client.generate_presigned_url(
            "upload_part",
            Params={"Bucket": self.bucket_name, "Key": key, "UploadId": parts_id, "PartNumber": number},
            ExpiresIn=life_s,
        )
        return PartAddress(url=address, method="PUT", headers={})

    def write_part(self, key: str, parts_id: str, number: int, stream: BinaryIO, *, size: int) -> StoredPart:
        data = stream.read(size)  # one part, some megabytes: S3 wants it again if a try fails
        if len(data) != size:
            raise EOFError(f"{size - len(data)} of {size} bytes did not arrive")
        with s3_errors():
            sent = self.client.upload_part(
                Bucket=self.bucket_name, Key=key, UploadId=parts_id, PartNumber=number, Body=data
            )
        return StoredPart(number=number, size=size, etag=_bare(sent["ETag"]))

    def stored_parts(self, key: str, parts_id: str) -> list[StoredPart]:
        with s3_errors():
            pages = self.client.get_paginator("list_parts").paginate(
                Bucket=self.bucket_name, Key=key, UploadId=parts_id
            )
            try:
                return [
                    StoredPart(number=part["PartNumber"], size=part["Size"], etag=_bare(part["ETag"]))
                    for page in pages
                    for part in page.get("Parts", [])
                ]
            except ClientError as error:
                if _code(error) not in GONE:
                    raise
                raise PartsGone(_("The parts of this upload are gone. Upload the file again.")) from error

    def join_parts(
        self, key: str, parts_id: str, parts: Sequence[StoredPart], progress: Progress, *, check: bool = True
    ) -> None:
        listed = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        with s3_errors():
            try:
                self.client.complete_multipart_upload(
                    Bucket=self.bucket_name, Key=key, UploadId=parts_id, MultipartUpload={"Parts": listed}
                )
            except ClientError as error:
                if _code(error) not in GONE:
                    raise
                # An earlier attempt may have joined them, and then died.
                if self.find_file(key) is None:
                    raise PartsGone(_("The parts of this upload are gone. Upload the file again.")) from error
        progress(100)

    def list_begun(self) -> Iterator[BegunFile]:
        with s3_errors():
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name)
            for page in pages:
                for item in page.get("Uploads", []):
                    yield BegunFile(key=item["Key"], parts_id=item["UploadId"], begun_at=item["Initiated"])

    def discard_parts(self, key: str, parts_id: str) -> None:
        with s3_errors():
            for begun in [parts_id] if parts_id else self._begun(key):
                try:
                    self.client.abort_multipart_upload(Bucket=self.bucket_name, Key=key, UploadId=begun)
                except ClientError as error:
                    if _code(error) not in GONE:
                        raise

    def _begun(self, key: str) -> list[str]:
        """Uploads that were begun for a key while nobody could note their names (a crash just then)."""
        found = self.client.list_multipart_uploads(Bucket=self.bucket_name, Prefix=key)
        return [str(item["UploadId"]) for item in found.get("Uploads", []) if item["Key"] == key]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _bare(etag: str) -> str:
    return etag.strip('"')
