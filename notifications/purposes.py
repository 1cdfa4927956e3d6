"""What mails are for. An app says for each of its purposes when a queued mail is still wanted (promise M6)."""

from collections.abc import Callable

from notifications.models import Message

_still_wanted: dict[str, Callable[[Message], bool]] = {}


def register(name: str, still_wanted: Callable[[Message], bool]) -> None:
    """Have `still_wanted` asked right before each mail of that purpose leaves; False stops it for good."""
    _still_wanted[name] = still_wanted


def is_still_wanted(message: Message) -> bool:
    """Ask the app that queued the mail; a purpose without a rule is always wanted."""
    rule = _still_wanted.get(message.purpose)
    return rule is None or rule(message)
