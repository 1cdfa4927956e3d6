"""Why an upload is refused."""

from work.errors import DomainError


class UploadError(DomainError):
    """Base of what goes wrong with an upload."""

    code = "upload_refused"


class UploadTooLarge(UploadError):
    code = "too_large"
    status = 413


class QuotaExceeded(UploadError):
    """The organisation's space is used up. Facts: `free` and `quota`, in bytes."""

    code = "quota_exceeded"
    status = 413


class UploadClosed(UploadError):
    """The upload no longer takes parts: it is complete, given up or expired."""

    code = "upload_closed"
    status = 409


class PartRefused(UploadError):
    """There is no such part, or it has another size, or it did not arrive whole."""

    code = "part_refused"


class PartsMissing(UploadError):
    """Not all parts have arrived. Fact: `missing`, their numbers."""

    code = "parts_missing"
    status = 409


class HashMismatch(UploadError):
    """What arrived is not what was announced."""

    code = "hash_mismatch"
    status = 422
