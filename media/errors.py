"""What can go wrong between a source and its package, each with what a person can do about it."""

from work.errors import DomainError


class MediaError(DomainError):
    """Base of this app's errors about recordings."""

    code = "media"
    status = 422


class MediaRejected(MediaError):
    """The file will not be processed, whoever tries again: it must be replaced. `code` names the reason."""

    code = "rejected"


class EncodingFailed(MediaError):
    """A tool failed on a file that had looked fine."""

    code = "encoding_failed"


class PackageIncomplete(MediaError):
    """What was made does not agree with the source, so it is not published (promise D8)."""

    code = "package_incomplete"


class NoSpace(MediaError):
    """The disk is full; temporary files are gone, and a retry continues once there is room."""

    code = "disk_full"
    status = 507


class ToolUnavailable(MediaError):
    """ffmpeg or ffprobe is not installed."""

    code = "tool_missing"
    status = 503
