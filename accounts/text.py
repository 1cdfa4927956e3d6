"""Cleaning of text that people typed, before it goes into a header, a calendar entry or a mail."""

import re
import unicodedata

# Joiners are letters' business in Persian, Urdu, Hindi and emoji; every other invisible character is dropped.
_JOINERS = "\u200c\u200d"
_LINK = re.compile(r"://|\bwww\.|\b[\w-]+\.[a-z]{2,}/|@\S+\.", re.IGNORECASE)
# Where mail programs see an address and make a link of it.
_LINK_MARK = re.compile(r"(?<=\w)[.@:](?=\w)|:(?=//)|/(?=/)")
_WORD_JOINER = "\u2060"


def clean_line(value: str, *, max_length: int | None = None) -> str:
    """Return the text on one line, without control and invisible characters, NFC, cut at `max_length`.

    >>> clean_line("Anna\\r\\nBcc: x@example.org")
    'Anna Bcc: x@example.org'
    """
    spaced = "".join(" " if char in "\t\n\r\v\f\x85\u2028\u2029" else char for char in value)
    line = " ".join(_without_invisible(spaced).split())
    return line if max_length is None or len(line) <= max_length else line[: max_length - 1].rstrip() + "…"


def clean_lines(value: str) -> str:
    """Return the text with its line breaks (as LF), otherwise cleaned as by `clean_line`."""
    return "\n".join(clean_line(line) for line in value.splitlines()).strip()


def _without_invisible(value: str) -> str:
    kept = (char for char in value if char in _JOINERS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co"))
    return unicodedata.normalize("NFC", "".join(kept))


def has_link(value: str) -> bool:
    """True if the text holds an address of a page or mailbox, which no person's name does."""
    return _LINK.search(value) is not None


def without_links(value: str) -> str:
    """Return the same text to the eye, which no mail program turns into a link.

    Addresses are broken by an invisible word joiner (U+2060); text without them is unchanged.
    """
    if "." not in value and "@" not in value and "://" not in value:
        return value
    return _LINK_MARK.sub(lambda match: f"{match.group()}{_WORD_JOINER}", value)
