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
_BY_SCRIPT = {
    "Arab": "cp1256", "Cyrl": "cp1251", "Grek": "cp1253", "Hebr": "cp1255", "Thai": "cp874", "Jpan": "cp932",
    "Kore": "cp949", "Hani": "gb18030", "Hans": "gb18030", "Hant": "big5",
}  # fmt: skip
# Others that were used for the same letters, tried when the first does not read as the language.
_ALSO = {
    "cp1250": ("iso8859-2", "cp852"), "cp1251": ("koi8-u", "iso8859-5", "cp866"), "cp1253": ("iso8859-7",),
    "cp1254": ("iso8859-9",), "cp1255": ("iso8859-8",), "cp1256": ("iso8859-6",), "cp1257": ("iso8859-13",),
    "cp932": ("euc-jp", "iso2022-jp"), "gb18030": ("big5",), "big5": ("gb18030",), "cp949": ("euc-kr",),
    "cp1252": ("cp1250", "cp1251", "cp1256", "cp1253"),
}  # fmt: skip
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(data: bytes, language: str, report: Report) -> tuple[str, str]:
    """Return the text and the name of its encoding; a guess is noted in the report.

    Raises:
        FormatError: the file is not text, or in no encoding that its language is written in.
    """
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "") or _without_bom(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding.startswith("utf-16") or b"\x00" in data:
            raise _not_text(data[: error.start]) from error
        text, encoding = _decode_guessed(data, language)
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


def _without_bom(data: bytes) -> str:
    """UTF-16 that lost its mark is known by its NULs, which are all on one side of the first few hundred characters."""
    head = data[:400]
    if len(head) >= 8 and len(data) % 2 == 0:
        for name, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
            if zeros.count(0) > len(zeros) / 3 and not others.count(0):
                return name
    return "utf-8"


def _decode_guessed(data: bytes, language: str) -> tuple[str, str]:
    """The text in the language's old code page, or in the one of its relatives that reads best."""
    first = guess(language)
    best: tuple[float, str, str] | None = None
    failure: UnicodeDecodeError | None = None
    for encoding in (first, *_ALSO.get(first, ())):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            failure = failure or error
            continue
        score = _reads_like(text, language)
        if best is None or score > best[0] + 0.05:  # the usual one, unless another is clearly better
            best = (score, text, encoding)
    if best is None:
        assert failure is not None
        raise _not_text(data[: failure.start]) from failure
    return best[1], best[2]


def _reads_like(text: str, language: str) -> float:
    """From 0 to 2: the share of letters beyond ASCII that are of the language's script, and of those in small ones.

    KOI8 and Windows-1251 hold each other's letters with small and capital ones exchanged.
    """
    foreign = [character for character in text[:4000] if not character.isascii() and not character.isspace()]
    letters = [character for character in foreign if character.isalpha()]
    if not foreign:
        return 2.0
    share = len(letters) / len(foreign)
    if languages.is_known(language):
        counts = languages.letters_by_script("".join(letters))
        own = languages.letters_in_own_script(languages.get(language), counts)
        share = own / len(foreign)
    return share + sum(not character.isupper() for character in letters) / max(1, len(letters))


def _not_text(before: bytes) -> FormatError:
    return FormatError(
        "not_text",
        gettext_noop("This is not a text file that can be read. Save it as UTF-8 text."),
        line=before.count(b"\n") + 1,
    )
