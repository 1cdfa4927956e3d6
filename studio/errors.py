"""What can go wrong with a production."""

from work.errors import DomainError


class StudioError(DomainError):
    """Base of this app's errors."""


class UploadNotReady(StudioError):
    """The upload is not complete, so there is no recording yet."""

    code = "upload_not_complete"
    status = 409


class WrongPurpose(StudioError):
    """The file was uploaded for something else: for another webinar, or as an interpreter's channel."""

    code = "wrong_purpose"
    status = 409


class ProductionOver(StudioError):
    """The production was cancelled; nothing more happens in it."""

    code = "production_cancelled"
    status = 409
