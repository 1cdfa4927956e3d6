"""What must not stand in logs (promise P5): grants, signed addresses and personal links are keys; people are private.

Lines are cleaned as they are written, so whatever a library logs is cleaned as well, and what an exception says: the
database, for one, names the values that it refused.
"""

import logging
import re

_IN_PATH = re.compile(
    r"/(playback|files|parts|registrations|join|speak|proofs|invitations|teams|mail|calendars)/([^/\s?\"']{12})[^/\s?\"']*"
)
_IN_QUERY = re.compile(r"([?&](?:registration|grant|token|upload)=)([^&\s\"']{6})[^&\s\"']*")
# What PostgreSQL adds to an error: "Failing row contains (1, Anna, ...)".
_DETAIL = re.compile(r"\bDETAIL:.*?(?=\n\n|\n[A-Z]{4,}:|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>()\[\]{}\"'=,;:/@]+(?:@|%40)((?:[\w-]+\.)+[\w-]+)")


def without_keys(text: str) -> str:
    """Shorten the secret part of addresses so far that it opens nothing, but lines about the same one still match.

    >>> without_keys("Not Found: /playback/WyI3ZjVmYjM3MWU4~o_9X/master.m3u8")
    'Not Found: /playback/WyI3ZjVmYjM3.../master.m3u8'
    """
    return _IN_QUERY.sub(r"\1\2...", _IN_PATH.sub(r"/\1/\2...", text))


def without_people(text: str) -> str:
    """Leave of e-mail addresses only where they are, which helps with mail servers, and of refused rows nothing.

    >>> without_people("refused: anna@example.org\\nDETAIL:  Failing row contains (1, Anna).")
    'refused: ...@example.org\\nDETAIL: left out'
    """
    return _DETAIL.sub("DETAIL: left out", _ADDRESS.sub(r"...@\1", text))


class Clean(logging.Formatter):
    """The formatter of every handler: whole lines, with what exceptions say."""

    def format(self, record: logging.LogRecord) -> str:
        return without_people(without_keys(super().format(record)))
