"""What can be wrong with a webinar, a series or a speaker."""

from work.errors import DomainError


class EventError(DomainError):
    """Base of this app's errors."""

    code = "event_error"


class InvalidValue(EventError):
    """A field holds something that cannot be meant. `field` names it."""

    code = "invalid"


class UnknownTimeZone(InvalidValue):
    code = "unknown_time_zone"


class UnknownLanguage(InvalidValue):
    code = "unknown_language"


class ImpossibleLocalTime(InvalidValue):
    """The clocks are put forward over this time, so it does not exist on that day."""

    code = "impossible_local_time"


class DoubledLocalTime(InvalidValue):
    """The clocks are put back over this time, so it happens twice.

    Attributes:
        facts: `first` and `second`, the two moments as aware datetimes.
    """

    code = "doubled_local_time"


class ZoneChangeUnclear(InvalidValue):
    """The organiser's zone changes and nobody said whether the clock time or the moment stays."""

    code = "zone_change_unclear"


class EndsBeforeStart(InvalidValue):
    code = "ends_before_start"


class SlugTaken(InvalidValue):
    code = "address_taken"


class EditConflict(EventError):
    """Somebody else saved this row after the caller had read it; nothing was written.

    Attributes:
        facts: `current`, the row as it is now.
    """

    code = "edit_conflict"
    status = 409


class WrongState(EventError):
    """The webinar is not in a state in which this can be done."""

    code = "wrong_state"
    status = 409


class NoAddress(EventError):
    """A speaker without an e-mail address cannot be invited."""

    code = "no_address"
    status = 409
