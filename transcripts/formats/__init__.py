"""Subtitle files: reading any bytes as VTT, SRT, TTML or ASS; writing VTT, SRT, TTML, plain text and a page to read.

Pure Python.

Adding a format: a module with `read(text, report) -> list[Cue]` or `write(cues) -> str`, a row in `WRITERS`, and, if it
can be read, a branch in `reader_for` that knows it by its content.
"""

from collections.abc import Callable, Sequence

from transcripts import cues as arithmetic
from transcripts.cues import Cue
from transcripts.formats import ass, page, srt, ttml, txt, vtt
from transcripts.formats.base import FormatError, Note, ReadResult, Report, gettext_noop
from transcripts.formats.encoding import decode
from transcripts.formats.page import Surroundings

__all__ = [
    "EXTENSIONS",
    "MAX_BYTES",
    "MEDIA_TYPES",
    "WRITERS",
    "FormatError",
    "Note",
    "ReadResult",
    "Surroundings",
    "read",
    "write",
]

MAX_BYTES = 8 * 1024**2

WRITERS: dict[str, Callable[[Sequence[Cue], str], str]] = {
    "vtt": lambda cues, _language: vtt.write(cues),
    "srt": lambda cues, _language: srt.write(cues),
    "ttml": ttml.write,
    "txt": txt.write,
    "timedtxt": txt.write_timed,
    "html": page.write,
}
MEDIA_TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "ttml": "application/ttml+xml",
    "txt": "text/plain",
    "timedtxt": "text/plain",
    "html": "text/html",
}
EXTENSIONS = {name: name for name in WRITERS} | {"timedtxt": "times.txt"}


def write(cues: Sequence[Cue], file_format: str, language: str = "", around: Surroundings | None = None) -> str:
    """Return the text of a file in that format; only a page shows what stands around the words.

    Raises:
        KeyError: no such format.
    """
    if file_format == "html":
        return page.write(cues, language, around)
    return WRITERS[file_format](cues, language)


def read(data: bytes, *, file_name: str = "", language: str = "") -> ReadResult:
    """Read a subtitle file: the content decides what it is, the name only helps to word errors.

    The language helps to guess the encoding of a file that is not Unicode. Cues come sorted, with start < end; every
    cue that had to be left out or changed is in the notes, with its line.

    Raises:
        FormatError: the file is too large, not text, not subtitles, has too many or too long cues, or no usable cue.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(
            "too_large", gettext_noop("The file is larger than %(megabytes)s MB."), megabytes=MAX_BYTES // 1024**2
        )
    if not data.strip():
        raise FormatError("empty", gettext_noop("The file is empty."))
    report = Report()
    text, encoding = decode(data, language, report)
    reader = reader_for(text, file_name)
    cues = reader(text, report)
    if not cues:
        raise FormatError(
            "no_cues",
            gettext_noop("No subtitle could be read from this file."),
            line=report.notes[0].line if report.notes else None,
        )
    ordered = arithmetic.with_ids(cues)
    if [(cue.start_ms, cue.end_ms) for cue in ordered] != [(cue.start_ms, cue.end_ms) for cue in cues]:
        report.add("sorted", gettext_noop("The subtitles were not in order of time; they are now."))
    return ReadResult(ordered, report.finished(), encoding)


def reader_for(text: str, file_name: str) -> Callable[[str, Report], list[Cue]]:
    """The reader for a text, by its content.

    Raises:
        FormatError: it is of a kind that is not read, or no subtitles at all.
    """
    if vtt.has_signature(text):
        return vtt.read
    extension = file_name.rpartition(".")[2].lower()
    if ass.is_ass(text):
        return ass.read
    if ttml.is_ttml(text):
        return ttml.read
    head = text[:4000].lstrip()
    if head.startswith(("<?xml", "<SAMI", "{\\rtf", "%PDF", "PK")) and "-->" not in head:
        raise FormatError(
            "unsupported_format",
            gettext_noop("This kind of file is not accepted. Save it as WebVTT (.vtt), SubRip (.srt) or TTML (.ttml)."),
        )
    if extension == "vtt":
        raise FormatError(
            "signature_missing",
            gettext_noop("The file is not WebVTT: its first line must begin with WEBVTT."),
            line=1,
        )
    if "-->" in text:
        return srt.read
    raise FormatError(
        "not_subtitles",
        gettext_noop(
            "No times such as 00:00:01,000 --> 00:00:02,000 were found. Is this a WebVTT, SubRip, TTML or ASS file?"
        ),
    )
