"""Sending a file in parts, the way a browser does, to either storage."""

import hashlib
import struct
from collections.abc import Iterable

import requests
from django.core.files.storage import storages
from django.test import Client

from media import uploads
from media.models import Upload
from media.storage import LocalPrivateStorage
from work import services as work_services

KIB = 1024


def made_bytes(size: int = 4000) -> bytes:
    """Return a sound file of that size (8-bit WAV, at least 2000 bytes), which inspection accepts.

    Its bytes repeat nowhere at a part's border, and are the same every time.
    """
    assert size >= 2000, "shorter than a quarter of a second"
    block = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(256))
    samples = (block * (size // len(block) + 1))[: size - 45] + b"!"
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", size - 44
    )
    return header + samples


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
