"""Looks at and draws materials. Runs alone, in the sandbox (events/slides.py starts it); nothing of Django here.

    python -I material_tool.py inspect FILE MOST_PAGES          -> one line of JSON: what it is, or why not
    python -I material_tool.py picture FILE OUT                 -> OUT.png or OUT.jpg, without metadata
    python -I material_tool.py pages FILE OUT MOST_PAGES CPU_S  -> OUT/<number>.jpg, one line of JSON per page

All parsing of hostile bytes happens here. Codes, not sentences: the caller has the words.
"""

import json
import re
import signal
import stat
import struct
import sys
import xml.parsers.expat
import zipfile
from pathlib import Path
from typing import Any, NoReturn

# Pages are drawn to fit this box, whatever size the file claims them to be.
PAGE_WIDTH, PAGE_HEIGHT = 1600, 2400  # pixels
JPEG_QUALITY = 86
TEXT_LENGTH = 20_000  # characters kept of a page's words

LARGEST_PAGE_PT = 14_400  # 200 inches, what PDF itself allows (ISO 32000-1, annex C)
LARGEST_PICTURE = 50_000_000  # pixels
LONGEST_SIDE = 20_000  # pixels

MOST_ENTRIES = 5_000
LARGEST_DIRECTORY = 4 * 1024**2  # bytes
LARGEST_UNPACKED = 400 * 1024**2  # bytes, all entries together
LARGEST_XML = 60 * 1024**2  # bytes
SUSPECT_BYTES, SUSPECT_RATIO = 10 * 1024**2, 150  # what is both larger and better packed than this is a bomb
CHUNK = 256 * 1024

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PPTX_MAIN = b"application/vnd.openxmlformats-officedocument.presentationml"
ODP_TYPE = b"application/vnd.oasis.opendocument.presentation"
ACTIVE_PDF = re.compile(rb"/(?:JavaScript|JS|Launch|RichMedia)\b")
ATTACHED_PDF = re.compile(rb"/EmbeddedFiles?\b")
OUTSIDE = re.compile(r"(?:https?|ftp|file|smb):|\\\\|//", re.IGNORECASE)


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201  (how this program answers)


def refuse(code: str, **facts: Any) -> NoReturn:
    say(refused=code, **facts)
    sys.exit(0)


def inspect(path: Path, most_pages: int) -> None:
    with open(path, "rb") as file:
        head = file.read(16)
    if head.startswith(b"%PDF-"):
        inspect_pdf(path, most_pages)
    elif head.startswith(b"PK\x03\x04"):
        inspect_presentation(path)
    elif head.startswith(OLE2):
        refuse("old_office")
    elif head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        image = open_picture(path)
        say(type="png" if image.format == "PNG" else "jpeg", pages=1, warnings=[])
    else:
        refuse("unknown_type")


# --- PDF -----------------------------------------------------------------------------------------------------------


def open_pdf(path: Path, most_pages: int) -> Any:
    import pypdfium2

    data = path.read_bytes()
    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        # PDFium calls some damage "incorrect password" too.
        if getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD and b"/Encrypt" in data:
            refuse("pdf_encrypted")
        refuse("pdf_damaged")
    if len(pdf) == 0:
        refuse("pdf_damaged")
    if len(pdf) > most_pages:
        refuse("too_many_pages", pages=len(pdf), limit=most_pages)
    for number in range(len(pdf)):
        width, height = pdf.get_page_size(number)
        if not (0 < width <= LARGEST_PAGE_PT and 0 < height <= LARGEST_PAGE_PT):
            refuse("page_too_large", page=number + 1)
    return pdf


def inspect_pdf(path: Path, most_pages: int) -> None:
    import pypdfium2

    pdf = open_pdf(path, most_pages)
    data = path.read_bytes()
    warnings = []
    if pypdfium2.raw.FPDFDoc_GetJavaScriptActionCount(pdf) > 0 or ACTIVE_PDF.search(data):
        warnings.append({"code": "active_content"})
    if pdf.count_attachments() > 0 or ATTACHED_PDF.search(data):
        warnings.append({"code": "attachments"})
    say(type="pdf", pages=len(pdf), warnings=warnings)


def draw_pdf(path: Path, out: Path, most_pages: int, cpu_s: float) -> None:
    pdf = open_pdf(path, most_pages)
    for number in range(len(pdf)):
        # One page of a kilobyte can keep a processor busy for minutes: the timer's signal ends this process.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        say(drawing=number + 1, pages=len(pdf))
        page = pdf[number]
        scale = min(PAGE_WIDTH / page.get_width(), PAGE_HEIGHT / page.get_height())
        image = page.render(scale=scale).to_pil().convert("RGB")
        image.thumbnail((PAGE_WIDTH, PAGE_HEIGHT))  # rounding may have added a pixel
        text = page.get_textpage().get_text_range()[:TEXT_LENGTH]
        save_page(image, out, number + 1, text)
        page.close()


def save_page(image: Any, out: Path, number: int, text: str) -> None:
    image.save(out / f"{number}.jpg", "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    clean = "".join(c for c in text.replace("\r\n", "\n") if c == "\n" or c.isprintable())
    say(page=number, width=image.width, height=image.height, text=clean.encode("utf-8", "ignore").decode())


# --- Pictures ------------------------------------------------------------------------------------------------------


def open_picture(path: Path) -> Any:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limit follows
    try:
        image = Image.open(path, formats=("PNG", "JPEG"))
        if image.width * image.height > LARGEST_PICTURE or max(image.size) > LONGEST_SIDE:
            refuse("picture_too_large", width=image.width, height=image.height, limit=LARGEST_PICTURE)
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        refuse("picture_damaged")
    return image


def clean_picture(path: Path) -> Any:
    """Return the picture upright, and nothing but the picture."""
    from PIL import Image, ImageOps

    image = open_picture(path)
    name = image.format
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if name == "PNG" and ("A" in upright.getbands() or "transparency" in upright.info) else "RGB"
    pixels = upright.convert(mode)
    clean = Image.new(mode, pixels.size)
    clean.paste(pixels)
    clean.format = name
    return clean


def write_picture(path: Path, out: Path) -> None:
    image = clean_picture(path)
    if image.format == "PNG":
        image.save(out.with_suffix(".png"), "PNG", optimize=True)
    else:
        image.save(out.with_suffix(".jpg"), "JPEG", quality=90, optimize=True)


def draw_picture(path: Path, out: Path) -> None:
    from PIL import Image

    image = clean_picture(path)
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    image.thumbnail((PAGE_WIDTH, PAGE_HEIGHT))
    say(drawing=1, pages=1)
    save_page(image, out, 1, "")


# --- Presentations (zip with XML) ------------------------------------------------------------------------------------


def inspect_presentation(path: Path) -> None:
    check_directory_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            check_entries(entries)
            names = {entry.filename for entry in entries}
            kind = presentation_type(archive, names)
            check_macros(archive, names)
            outside = check_contents(archive, entries)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError):
        refuse("zip_damaged")
    except Exception as error:  # zlib, lzma and others each have their own
        if type(error).__module__ in ("zlib", "_lzma", "lzma", "struct"):
            refuse("zip_damaged")
        raise
    say(type=kind, pages=None, warnings=[{"code": "outside_links", "count": outside}] if outside else [])


def check_directory_size(path: Path) -> None:
    """Refuse by the numbers at the archive's end, before anything is read into memory by them."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        refuse("zip_damaged")
    entries, size = struct.unpack("<HI", tail[at + 10 : at + 16])
    # Zip64 is for archives far beyond what is accepted here.
    if entries > MOST_ENTRIES or size > LARGEST_DIRECTORY or tail[max(0, at - 20) : at][:4] == b"PK\x06\x07":
        refuse("zip_too_many_entries", limit=MOST_ENTRIES)


def check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        refuse("zip_too_many_entries", limit=MOST_ENTRIES)
    for entry in entries:
        name = entry.orig_filename
        if name.startswith("/") or "\\" in name or ":" in name or "\0" in name or ".." in name.split("/"):
            refuse("zip_bad_names")
        if stat.S_ISLNK(entry.external_attr >> 16):
            refuse("zip_bad_names")
        if entry.flag_bits & 0x1:
            refuse("office_encrypted")
        if entry.file_size > SUSPECT_BYTES and entry.file_size > SUSPECT_RATIO * max(1, entry.compress_size):
            refuse("zip_bomb")
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
        refuse("zip_bomb")


def presentation_type(archive: zipfile.ZipFile, names: set[str]) -> str:
    if "[Content_Types].xml" in names and "ppt/presentation.xml" in names:
        if PPTX_MAIN in read(archive, "[Content_Types].xml") or b"macroEnabled" in read(archive, "[Content_Types].xml"):
            return "pptx"
    elif "mimetype" in names and "content.xml" in names and read(archive, "mimetype").strip() == ODP_TYPE:
        if b"encryption-data" in read(archive, "META-INF/manifest.xml"):
            refuse("office_encrypted")
        return "odp"
    refuse("not_presentation")


def check_macros(archive: zipfile.ZipFile, names: set[str]) -> None:
    if any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
        refuse("macros")
    if "[Content_Types].xml" in names and b"macroEnabled" in read(archive, "[Content_Types].xml"):
        refuse("macros")


def check_contents(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> int:
    """Unpack everything once, counting; return how many things outside the file it refers to."""
    total = outside = 0
    for entry in entries:
        with archive.open(entry) as stream:
            head = stream.read(CHUNK)
            parser = XmlCheck(entry.filename) if looks_like_xml(entry.filename, head) else None
            chunk = head
            while chunk:
                total += len(chunk)
                if total > LARGEST_UNPACKED:
                    refuse("zip_bomb")
                if parser is not None:
                    parser.feed(chunk)
                chunk = stream.read(CHUNK)
            if parser is not None:
                parser.end()
                outside += parser.outside
    return outside


def looks_like_xml(name: str, head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1]
    return name.endswith((".xml", ".rels", ".vml")) or start == b"<"


class XmlCheck:
    """Reads XML without believing it: no document types, so no entities; notes links to the outside."""

    def __init__(self, name: str) -> None:
        self.is_relations = name.endswith(".rels")
        self.outside = 0
        self._size = 0
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = lambda *_args: refuse("xml_doctype")
        self._parser.StartElementHandler = self._element

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > LARGEST_XML:
            refuse("zip_bomb")
        self._parse(data, False)

    def end(self) -> None:
        if self._size:
            self._parse(b"", True)

    def _parse(self, data: bytes, is_last: bool) -> None:
        try:
            self._parser.Parse(data, is_last)
        except xml.parsers.expat.ExpatError:
            refuse("zip_damaged")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        if self.is_relations:
            is_link = attributes.get("Type", "").endswith("/hyperlink")
            self.outside += attributes.get("TargetMode") == "External" and not is_link
        elif name.rpartition(":")[2] != "a" and name != "draw:a":  # what one may click on is not loaded
            self.outside += bool(OUTSIDE.match(attributes.get("xlink:href", "")))


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the beginning of an entry, nothing if there is none."""
    try:
        with archive.open(name) as stream:
            return stream.read(1024**2)
    except KeyError:
        return b""


def main(command: str, source: str, *rest: str) -> None:
    path = Path(source)
    if command == "inspect":
        inspect(path, int(rest[0]))
    elif command == "picture":
        write_picture(path, Path(rest[0]))
    elif command == "pages":
        with open(path, "rb") as file:
            is_pdf = file.read(5) == b"%PDF-"
        if is_pdf:
            draw_pdf(path, Path(rest[0]), int(rest[1]), float(rest[2]))
        else:
            draw_picture(path, Path(rest[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
