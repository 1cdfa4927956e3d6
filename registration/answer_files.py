"""Files that people send as answers: taken by their content, kept under random keys, given to organisers only.

Nothing here opens a file beyond its first bytes and, for office documents, the list of names in the archive: files are
only ever handed out whole, as attachments (promises U1-U3).
"""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.file_names import clean_file_name
from events.models import random_key
from registration.errors import InvalidAnswer

MIB: Final = 1024**2
FILE_MAX_BYTES: Final = 10 * MIB
MOST_ENTRIES: Final = 5000
FOLDER: Final = "answers"

CONTENT_TYPES: Final = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
}
_ENDINGS: Final = {"jpg": (".jpg", ".jpeg")}


class ReceivedFile(Protocol):
    """What a form or the API gives."""

    name: str | None

    def chunks(self) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be kept, not yet in the store."""

    name: str
    kind: str
    content: bytes

    @property
    def value(self) -> dict[str, str | int]:
        """What the answer says of it."""
        return {"name": self.name, "size": len(self.content), "content_type": CONTENT_TYPES[self.kind]}

    def store(self) -> str:
        """Put it into the store; returns its key."""
        return str(default_storage.save(random_key(FOLDER, f"x.{self.kind}"), ContentFile(self.content)))


def check_file(file: ReceivedFile) -> CheckedFile:
    """Read a file, no further than is allowed, and see what it is; its name and declared type are not believed.

    Raises:
        InvalidAnswer: it is empty, too large, or nothing that we take.
    """
    content = bytearray()
    for chunk in file.chunks():
        content += chunk
        if len(content) > FILE_MAX_BYTES:
            raise InvalidAnswer(
                _("This file is too large. Send one of at most %(max)s MB.") % {"max": FILE_MAX_BYTES // MIB}
            )
    if not content:
        raise InvalidAnswer(_("This file is empty."))
    kind = _kind_of(bytes(content))
    if kind is None:
        raise InvalidAnswer(_("Send a PDF, a picture (PNG, JPEG) or a document (DOCX, ODT)."))
    name = clean_file_name(file.name or "", default=f"file.{kind}")
    if not name.lower().endswith(_ENDINGS.get(kind, (f".{kind}",))):
        name = clean_file_name(f"{name}.{kind}")
    return CheckedFile(name=name, kind=kind, content=bytes(content))


def _kind_of(content: bytes) -> str | None:
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"PK\x03\x04"):
        return _document_kind(content)
    return None


def _document_kind(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries[:MOST_ENTRIES]}
            mimetype = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                mimetype = archive.read("mimetype")
    except Exception:  # a broken archive raises whatever its unpacker does; it is no document in any case
        return None
    if len(entries) > MOST_ENTRIES or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    if "[Content_Types].xml" in names and "word/document.xml" in names:
        return "docx"
    return "odt" if mimetype.decode("ascii", "replace").strip() == CONTENT_TYPES["odt"] else None


def read_file(key: str) -> bytes:
    """The bytes of a stored answer.

    Raises:
        FileNotFoundError: it is not in the store.
    """
    with default_storage.open(key) as file:
        return cast(bytes, file.read())


def delete_on_commit(keys: Iterable[str]) -> None:
    """Delete files once the transaction that forgot them is committed."""
    gone = [key for key in keys if key]
    if gone:
        transaction.on_commit(lambda: _delete(gone))


def _delete(keys: Iterable[str]) -> None:
    for key in keys:
        default_storage.delete(key)
