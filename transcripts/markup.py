"""What may stand in a cue: WebVTT cue text with few tags. Pure Python.

A cue's text is always in one normal form: the tags b, i, u, ruby, rt, v, c and lang (W3C WebVTT, section 3.5),
balanced; every other `&`, `<` and `>` written as a character reference; no control characters; lines without blanks
at their ends; no empty lines. So it can be given to a player or written to a file as it is. To show it as plain text
use `plain`.
"""

import html
import re
import unicodedata
from dataclasses import dataclass, field

# At most 200 characters, so that a text of nothing but `<` costs linear time.
_TAG_LIKE = re.compile(
    r"<(/?)([A-Za-z][^\s.<>/]{0,40}|[0-9]{1,6}(?::[0-9]{2}){1,2})((?:\.[^\s.<>]{1,40}){0,5})(?:[\s/]([^<>]{0,200}))?>"
)
_CLOSING_VOICE = re.compile(r"</v>")
_CLASS = re.compile(r"[\w-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_ALLOWED = frozenset({"b", "i", "u", "ruby", "rt", "v", "c", "lang"})
_NORMAL_TAG = re.compile(r"</?(?:b|i|u|ruby|rt|v|c|lang)(?:[.\s][^<>]*)?>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# Embeddings and overrides reorder whatever follows on a page; isolates do the same to the cue alone
# (Unicode Standard Annex 9, section 2). Marks (LRM, RLM, ALM) and isolates stay.
_LRE, _RLE, _PDF, _LRO, _RLO = "\u202a", "\u202b", "\u202c", "\u202d", "\u202e"
_LRI, _RLI, _FSI, _PDI = "\u2066", "\u2067", "\u2068", "\u2069"
_ISOLATE = str.maketrans({_LRE: _LRI, _LRO: _LRI, _RLE: _RLI, _RLO: _RLI, _PDF: _PDI})
_EMBEDDING = re.compile(f"[{_LRE}{_RLE}{_PDF}{_LRO}{_RLO}]")
_BIDI_CONTROL = re.compile(f"[{_LRI}{_RLI}{_FSI}{_PDI}]")


@dataclass
class Cleaned:
    """A text in normal form, and what was taken out of it."""

    text: str
    removed_tags: list[str] = field(default_factory=list)
    removed_controls: int = 0
    isolated_bidi: bool = False


def clean(text: str, *, entities: bool = True) -> Cleaned:
    """Bring any text that may hold tags to normal form.

    Args:
        entities: decode character references such as `&lt;` and `&#233;`.
    """
    cleaned = Cleaned("")
    text = _without_controls(text, cleaned)
    out: list[str] = []
    open_tags: list[str] = []
    at = 0
    for match in _TAG_LIKE.finditer(text):
        out.append(_data(text[at : match.start()], entities, cleaned))
        at = match.end()
        closing, name, classes, annotation = match.group(1), match.group(2).lower(), match.group(3), match.group(4)
        if name not in _ALLOWED:
            cleaned.removed_tags.append(f"<{closing}{name}>")
        elif closing:
            if name in open_tags:
                # Whatever was opened inside ends here too.
                while (inner := open_tags.pop()) != name:
                    out.append(f"</{inner}>")
                out.append(f"</{name}>")
        else:
            out.append(_opening(name, classes, annotation or "", cleaned))
            open_tags.append(name)
    out.append(_data(text[at:], entities, cleaned))
    out.extend(f"</{name}>" for name in reversed(open_tags))
    cleaned.text = _balanced_bidi(_tidy_lines("".join(out)))
    return cleaned


def escape(text: str) -> str:
    """Bring a text that holds no tags (from an engine, from a translator) to normal form."""
    cleaned = Cleaned("")
    text = _without_controls(text, cleaned)
    return _balanced_bidi(_tidy_lines(_escaped(_isolated(text, cleaned))))


def plain(text: str) -> str:
    """The words of a text in normal form: no tags, no references."""
    return _tidy_lines(html.unescape(_NORMAL_TAG.sub("", text)))


def keep_tags(text: str, kept: re.Pattern[str]) -> str:
    """Take all tags but those that match off a text in normal form."""
    return _tidy_lines(_NORMAL_TAG.sub(lambda tag: tag.group() if kept.fullmatch(tag.group()) else "", text))


def pieces(text: str) -> list[tuple[str, str]]:
    """Split a text in normal form into ("tag", "<b>") and ("data", "R&D") pieces, data unescaped."""
    found: list[tuple[str, str]] = []
    at = 0
    for match in _NORMAL_TAG.finditer(text):
        if match.start() > at:
            found.append(("data", html.unescape(text[at : match.start()])))
        found.append(("tag", match.group()))
        at = match.end()
    if at < len(text):
        found.append(("data", html.unescape(text[at:])))
    return found


def split_voice(text: str) -> tuple[str, str]:
    """Take a `<v Name>` that spans the whole cue off: (name, text without it); ("", text) if there is none."""
    match = re.match(r"<v(?:\.[^\s<>]*)?\s([^<>]*)>", text)
    if match is None:
        return "", text
    closings = [found.span() for found in _CLOSING_VOICE.finditer(text)]
    openings = len(re.findall(r"<v[.\s>]", text))
    if openings != 1 or not closings or closings[-1][1] != len(text):
        return "", text
    return html.unescape(match.group(1)), _tidy_lines(text[match.end() : closings[-1][0]])


def voice_name(name: str) -> str:
    """A speaker's name as it can stand in a voice tag: one line, no control characters."""
    return " ".join(_isolated(_without_controls(name, Cleaned("")), Cleaned("")).split())


def _opening(name: str, classes: str, annotation: str, cleaned: Cleaned) -> str:
    kept = "".join(f".{one}" for one in classes.split(".") if _CLASS.fullmatch(one) and one.isascii())
    annotation = annotation.strip().rstrip("/").strip()
    if name == "v":
        return f"<v{kept} {_escaped(voice_name(html.unescape(annotation)))}>"
    if name == "lang":
        return f"<lang{kept} {annotation}>" if _LANGUAGE.fullmatch(annotation) else f"<lang{kept}>"
    if annotation:
        cleaned.removed_tags.append(f"<{name} …>")
    return f"<{name}{kept}>"


def _data(text: str, entities: bool, cleaned: Cleaned) -> str:
    if entities and "&" in text:
        text = _without_controls(_REFERENCE.sub(lambda match: html.unescape(match.group()), text), cleaned)
    return _escaped(_isolated(text, cleaned))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _isolated(text: str, cleaned: Cleaned) -> str:
    if _EMBEDDING.search(text):
        cleaned.isolated_bidi = True
        return text.translate(_ISOLATE)
    return text


def _without_controls(text: str, cleaned: Cleaned) -> str:
    """Line and paragraph separators become newlines, tabs become blanks, other control characters go."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    out: list[str] = []
    for character in text:
        if character in "\n\r\u2028\u2029\x85":
            out.append("\n")
        elif character in "\t\v\f":
            out.append(" ")
        elif unicodedata.category(character) in ("Cc", "Cs"):
            cleaned.removed_controls += 1
        else:
            out.append(character)
    return "".join(out)


def _tidy_lines(text: str) -> str:
    return "\n".join(line for line in (one.strip() for one in text.split("\n")) if line)


def _balanced_bidi(text: str) -> str:
    """Close every isolate and drop closings of nothing, so that a cue cannot reorder what stands beside it."""
    if not _BIDI_CONTROL.search(text):
        return text
    out: list[str] = []
    depth = 0
    for character in text:
        if character == _PDI:
            if depth == 0:
                continue
            depth -= 1
        elif character in (_LRI, _RLI, _FSI):
            depth += 1
        out.append(character)
    return _tidy_lines("".join(out) + _PDI * depth)
