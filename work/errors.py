"""Errors that say what a person can do. Every app derives its own base from `DomainError`."""

from typing import Any

from django.utils.functional import Promise


class DomainError(Exception):
    """Something a person asked for cannot be done, and why.

    Forms show `message`, the API answers with `status` and `code`, a failed step keeps both.

    Attributes:
        code: stable, for programs; never translated.
        message: for people, translated.
        field: the input it is about, if one.
        status: the HTTP status that fits.
        is_temporary: nobody here is to blame (a store is away, say), so work waits and goes on by itself.
    """

    code = "error"
    status = 400
    is_temporary = False

    def __init__(self, message: str | Promise, *, code: str = "", field: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message)


class WorkError(DomainError):
    """Base of what goes wrong around a work row."""


class StaleState(WorkError):
    """The row is not in the state that this action starts from."""

    code = "wrong_state"
    status = 409


class PermanentFailure(WorkError):
    """Trying again cannot help; the row fails at once with this reason."""

    code = "failed"


class TemporaryFailure(WorkError):
    """Trying again later may help.

    Args:
        delay_s: seconds until the next try; None for the usual growing delay.
        costs_try: False when waiting is nobody's fault (a rate limit), so that tries are not used up.
    """

    code = "temporary"

    def __init__(
        self, message: str | Promise, *, delay_s: float | None = None, costs_try: bool = True, code: str = ""
    ) -> None:
        super().__init__(message, code=code)
        self.delay_s = delay_s
        self.costs_try = costs_try


class Skip(WorkError):
    """There is nothing to do; the row is finished as skipped, with this reason."""

    code = "skipped"


class Parked(WorkError):
    """The row waits for others (its parts, say); it becomes claimable again when somebody enqueues it."""

    code = "parked"


class LeaseLost(WorkError):
    """Another worker may hold this row now: stop, and write nothing."""

    code = "lease_lost"


class Cancelled(WorkError):
    """A person cancelled this work."""

    code = "cancelled"


class HandedBack(WorkError):
    """This worker is stopping; the row goes back to the queue at no cost."""

    code = "handed_back"
