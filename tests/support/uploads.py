"""Sending a file in parts, the way a browser does, to either storage."""

import hashlib
from collections.abc import Iterable

import requests
from django.core.files.storage import storages
from django.test import Client

from media import uploads
from media.models import Upload
from media.storage import LocalPrivateStorage
from work import services as work_services

KIB = 1024


def made_bytes(size: int) -> bytes:
    """Return bytes that repeat nowhere at a part's border, and are the same every time."""
    block = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(256))
    return (block * (size // len(block) + 1))[: size - 1] + b"!"


def part_of(data: bytes, upload: Upload, number: int) -> bytes:
    return data[(number - 1) * upload.part_size : number * upload.part_size]


def send_part(upload: Upload, number: int, body: bytes) -> int:
    """Send one part to the address that the service hands out; return the answer's status."""
    address = uploads.part_address(upload=upload, number=number)
    if isinstance(storages["default"], LocalPrivateStorage):
        client = Client(headers=address.headers)
        return client.put(address.url, body, content_type="application/octet-stream").status_code
    return requests.request(address.method, address.url, data=body, headers=address.headers, timeout=30).status_code


def send_parts(upload: Upload, data: bytes, numbers: Iterable[int] | None = None) -> None:
    for number in numbers or range(1, upload.part_count + 1):
        assert send_part(upload, number, part_of(data, upload, number)) == 200


def join(upload: Upload) -> Upload:
    """Do the background work here and now; return the fresh row."""
    work_services.execute(uploads.WORK_KIND, upload.pk)
    upload.refresh_from_db()
    return upload
