"""What can go wrong around a recording."""

from work.errors import DomainError


class LibraryError(DomainError):
    """Base of this app's errors."""


class RecordingNotReady(LibraryError):
    """There is nothing to watch yet, or its webinar is still a draft."""

    code = "recording_not_ready"
    status = 409


class WrongRecordingState(LibraryError):
    """The recording is not in the state that this action starts from."""

    code = "wrong_state"
    status = 409


class GrantError(LibraryError):
    """A playback address is forged, too old, or the right behind it is gone."""

    code = "grant_invalid"
    status = 404


class BeatError(LibraryError):
    """What came in as a player's beat is none."""

    code = "beat_invalid"
