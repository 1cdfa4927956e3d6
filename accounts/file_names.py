"""Names that people's files came with: text to show, never a path, a key or an argument (promise U2)."""

import re

from accounts.text import clean_line

MAX_LENGTH = 200
_ENDING = re.compile(r"\.[\w-]{1,10}$")


def clean_file_name(name: str, *, default: str = "file") -> str:
    """Return a name fit to be shown and offered for download: one line, no folders, at most 200 characters.

    >>> clean_file_name("..\\\\..\\\\windows\\\\win.ini")
    'win.ini'
    """
    # Joiners are letters' business, but never at the ends of a name; a leading dot would hide the file.
    name = clean_line(re.split(r"[/\\]", name)[-1]).strip(" .\u200c\u200d")
    if len(name) > MAX_LENGTH:
        found = _ENDING.search(name)
        ending = found.group() if found else ""
        name = name[: MAX_LENGTH - len(ending)].rstrip() + ending
    return name or default
