"""Bytes to text. Unicode is recognised; anything else is a guess by language, and said to be one."""

import codecs

from transcripts import languages
from transcripts.formats.base import FormatError, Report, gettext_noop

# The Windows code page that subtitle tools of a language used before Unicode.
_BY_LANGUAGE = {
    **dict.fromkeys(("cs", "hr", "hu", "pl", "ro", "sk", "sl", "bs", "sq"), "cp1250"),
    **dict.fromkeys(("tr", "az"), "cp1254"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    "vi": "cp1258",
}
_BY_SCRIPT = {"Arab": "cp1256", "Cyrl": "cp1251", "Grek": "cp1253", "Hebr": "cp1255", "Thai": "cp874"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(data: bytes, language: str, report: Report) -> tuple[str, str]:
    """Return the text and the name of its encoding; a guess is noted in the report.

    Raises:
        FormatError: the file is not text, or in no encoding that its language is written in.
    """
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16" or b"\x00" in data:
            raise _not_text(data[: error.start]) from error
        encoding = guess(language)
        text = _decode_guessed(data, encoding)
        report.add(
            "encoding_guessed",
            gettext_noop("The file is not in Unicode; it was read as %(encoding)s. Check letters with accents."),
            encoding=encoding,
        )
    at = text.find("\x00")
    if at >= 0:
        raise _not_text(text[:at].encode("utf-8", "replace"))
    return text.removeprefix("\ufeff"), encoding


def guess(language: str) -> str:
    """The code page of a language before Unicode; Western European when nothing else is known."""
    if not languages.is_known(language):
        return "cp1252"
    scripts = languages.get(language).scripts
    return _BY_LANGUAGE.get(languages.primary(language)) or _BY_SCRIPT.get(scripts[0], "cp1252")


def _decode_guessed(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text(data[: error.start]) from error


def _not_text(before: bytes) -> FormatError:
    return FormatError(
        "not_text",
        gettext_noop("This is not a text file that can be read. Save it as UTF-8 text."),
        line=before.count(b"\n") + 1,
    )
