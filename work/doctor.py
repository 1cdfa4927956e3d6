"""What `manage.py doctor` asks of each app: is what the settings name there, does it work, what to do if not."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One answer. `ok` is None for something that works but that an operator should know."""

    name: str
    ok: bool | None
    detail: str
    advice: str = ""
