"""What must not stand in logs (promise P5): grants, signed addresses and personal links are keys."""

import logging
import re
from typing import Any

_IN_PATH = re.compile(
    r"/(playback|files|parts|registrations|join|speak|proofs|invitations|teams|mail|calendars)/([^/\s?\"']{12})[^/\s?\"']*"
)
_IN_QUERY = re.compile(r"([?&](?:registration|grant|token|upload)=)([^&\s\"']{6})[^&\s\"']*")


def without_keys(text: str) -> str:
    """Shorten the secret part of addresses so far that it opens nothing, but lines about the same one still match.

    >>> without_keys("Not Found: /playback/WyI3ZjVmYjM3MWU4~o_9X/master.m3u8")
    'Not Found: /playback/WyI3ZjVmYjM3.../master.m3u8'
    """
    return _IN_QUERY.sub(r"\1\2...", _IN_PATH.sub(r"/\1/\2...", text))


class WithoutKeys(logging.Filter):
    """Applied to every handler, so to what libraries log as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = without_keys(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_cleaned(value) for value in record.args)
        return True


def _cleaned(value: Any) -> Any:
    return without_keys(value) if isinstance(value, str) else value
