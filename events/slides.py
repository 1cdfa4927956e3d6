"""Slides and handouts: taken in, checked, and drawn as pictures.

A file's type is what its content says. Everything that reads it (events/material_tool.py, LibreOffice) runs in the
sandbox. The quick check happens while the person waits; the pages are drawn in the background.
"""

import hashlib
import json
import secrets
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import sandbox
from accounts.file_names import clean_file_name
from accounts.models import User
from accounts.services import record_action
from events.errors import EventError
from events.models import Material, MaterialKind, MaterialPage, Speaker, Webinar, page_key, random_key
from events.signals import slides_changed
from work import services as work_services
from work.errors import PermanentFailure, TemporaryFailure
from work.leases import Lease
from work.models import WorkState

WORK_KIND = "events.material"
MATERIALS_PER_WEBINAR = 50
INSPECT_WALL_S = 12
PAGE_CPU_S = 6  # for one page; ordinary ones take a tenth of a second
DRAW_WALL_S = 900
OFFICE_WALL_S = 180
MIB = 1024**2

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "png": "image/png",
    "jpeg": "image/jpeg",
}
ENDINGS = {"pdf": (".pdf",), "pptx": (".pptx",), "odp": (".odp",), "png": (".png",), "jpeg": (".jpg", ".jpeg")}
PICTURES = ("png", "jpeg")
OFFICE = {CONTENT_TYPES["pptx"]: "source.pptx", CONTENT_TYPES["odp"]: "source.odp"}


class MaterialRejected(EventError):
    """The file cannot be taken; `code` says why."""

    code = "material_rejected"
    status = 422

    def __init__(self, message: str, *, code: str, status: int | None = None) -> None:
        super().__init__(message, code=code, field="file")
        if status is not None:
            self.status = status


class ReceivedFile(Protocol):
    """What a form, the API or the disk gives."""

    name: str | None

    def chunks(self) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class Page:
    """A drawn page: its picture is `<number>.jpg` in the tool's output folder."""

    number: int
    width: int
    height: int
    text: str


def add_material(
    *,
    webinar: Webinar,
    speaker: Speaker | None,
    user: User | None,
    file: ReceivedFile,
    kind: str,
    title: str = "",
) -> Material:
    """Take a file for the audience, and queue the drawing of its pages.

    Pictures are stored upright and without metadata, never as they came.

    Raises:
        MaterialRejected: too large, too many, damaged, protected, or nothing that we take; the message says what to do.
    """
    if webinar.materials.exclude(state=WorkState.FAILED).count() >= MATERIALS_PER_WEBINAR:
        raise _too_many()
    with _work_folder() as folder:
        source = folder / "source"
        _receive(file, source)
        facts = inspect(source)
        if facts["type"] in PICTURES:
            source = _cleaned_picture(source, folder)
        name = _display_name(file.name or "", facts["type"])
        with _open(source) as content:
            key = default_storage.save(random_key("materials", name), content)
        try:
            return _create(
                webinar=webinar,
                speaker=speaker,
                user=user,
                kind=MaterialKind(kind),
                title=title.strip(),
                file_name=name,
                file=key,
                content_type=CONTENT_TYPES[facts["type"]],
                size=source.stat().st_size,
                sha256=_sha256(source),
                warnings=facts["warnings"],
            )
        except BaseException:
            default_storage.delete(key)
            raise


def _create(*, webinar: Webinar, user: User | None, speaker: Speaker | None, **fields: Any) -> Material:
    with transaction.atomic():
        # An UPDATE locks the row on every database: parallel requests are counted one after the other (promise U12).
        # It changes nothing, least of all `updated_at`, by which the webinar's editors notice each other.
        Webinar.objects.filter(pk=webinar.pk).update(state=F("state"))
        if webinar.materials.exclude(state=WorkState.FAILED).count() >= MATERIALS_PER_WEBINAR:
            raise _too_many()
        material = Material.objects.create(webinar=webinar, speaker=speaker, **fields)
        work_services.enqueue(material)
        record_action(
            action="material.add",
            target=material,
            organisation=webinar.organisation,
            user=user,
            actor="speaker" if speaker and not user else "",
            webinar=str(webinar.pk),
        )
    return material


def _too_many() -> MaterialRejected:
    return MaterialRejected(
        _("A webinar can have %(count)s files. Remove one that is no longer needed.")
        % {"count": MATERIALS_PER_WEBINAR},
        code="too_many_files",
    )


def remove_material(*, material: Material, user: User | None) -> None:
    """Delete a material with its pages, and stop their drawing if it is going on."""
    keys = [material.file.name, *material.pages.values_list("image", flat=True)]
    with transaction.atomic():
        record_action(
            action="material.remove",
            target=material,
            organisation=material.webinar.organisation,
            user=user,
            actor="speaker" if material.speaker and not user else "",
            webinar=str(material.webinar_id),
        )
        webinar_id = material.webinar_id
        material.delete()
        slides_changed.send(sender=Material, webinar_id=webinar_id)
        transaction.on_commit(lambda: _delete_files(keys))


def material_url(material: Material) -> str:
    """Return a short-lived address that downloads the file under its name. Check first who may have it."""
    # The private storages add this to Django's own (media/storage/base.py).
    storage = cast(Any, default_storage)
    address: str = storage.signed_url(
        material.file.name, file_name=material.file_name, content_type=material.content_type
    )
    return address


def warning_texts(material: Material) -> list[str]:
    """Say in words what is unusual about a material that was taken all the same."""
    return [_warning_text(warning) for warning in material.warnings]


def _warning_text(warning: dict[str, Any]) -> str:
    if warning["code"] == "outside_links":
        count = warning["count"]
        return ngettext(
            "%(count)s picture or file is linked from outside this presentation and will be missing: "
            "insert it instead.",
            "%(count)s pictures or files are linked from outside this presentation and will be missing: "
            "insert them instead.",
            count,
        ) % {"count": count}
    if warning["code"] == "attachments":
        return _("This PDF carries attached files. They are not shown here, but everyone who downloads it gets them.")
    return _("This PDF carries programs (JavaScript or actions). They do not run here, but may where it is opened.")


# --- Taking a file in ----------------------------------------------------------------------------------------------


def _receive(file: ReceivedFile, path: Path) -> None:
    """Write the file to disk, and no more of it than is allowed."""
    size = 0
    with open(path, "xb") as out:
        for chunk in file.chunks():
            size += len(chunk)
            if size > settings.MATERIAL_MAX_BYTES:
                raise MaterialRejected(
                    _("This file is larger than %(limit)s MB. Make its pictures smaller, or save it as PDF.")
                    % {"limit": settings.MATERIAL_MAX_BYTES // 10**6},
                    code="too_large",
                    status=413,
                )
            out.write(chunk)
    if size == 0:
        raise MaterialRejected(_("This file is empty. Choose another one."), code="empty")


def inspect(path: Path) -> dict[str, Any]:
    """Return what a file is: `type` (a key of CONTENT_TYPES), `pages` (None if not known yet), `warnings`.

    Raises:
        MaterialRejected: nothing that we take, or not safe to take.
    """
    with _work_folder() as out:
        try:
            result = _tool(
                "inspect", path, "in/source", str(settings.MATERIAL_MAX_PAGES), out=out, wall_s=INSPECT_WALL_S
            )
        except sandbox.SandboxError as error:
            raise _rejection({"refused": "too_hard"}) from error
    facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    if "refused" in facts:
        raise _rejection(facts)
    return facts


def _cleaned_picture(source: Path, folder: Path) -> Path:
    out = folder / "out"
    out.mkdir()
    try:
        result = _tool("picture", source, "in/source", "out/picture", out=out, wall_s=INSPECT_WALL_S)
    except sandbox.SandboxError as error:
        raise _rejection({"refused": "picture_damaged"}) from error
    for line in result.stdout.splitlines():
        raise _rejection(json.loads(line))
    [picture] = out.iterdir()
    return picture


def _display_name(name: str, kind: str) -> str:
    """The cleaned name, ending as its content does: what is downloaded must open in the right program."""
    name = clean_file_name(name, default="slides")
    return name if name.lower().endswith(ENDINGS[kind]) else f"{name}{ENDINGS[kind][0]}"


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> "File[bytes]":
    return File(open(path, "rb"), name=path.name)


def _rejection(facts: dict[str, Any]) -> MaterialRejected:
    """Put the tool's verdict into words."""
    code = facts["refused"]
    words: dict[str, Callable[[], str]] = {
        "unknown_type": lambda: _(
            "This is not a PDF, a PowerPoint (.pptx) or OpenDocument (.odp) presentation, a PNG or a JPEG picture, "
            "whatever its name says. Save the slides as PDF and upload that."
        ),
        "pdf_encrypted": lambda: _("This PDF is protected by a password. Save it without one and upload it again."),
        "pdf_damaged": lambda: _("This PDF is damaged or incomplete. Save it again and upload the new file."),
        "too_many_pages": lambda: (
            _("This file has %(pages)s pages; at most %(limit)s are possible. Split it, or leave pages out.") % facts
        ),
        "page_too_large": lambda: (
            _("Page %(page)s is larger than 5 metres. Save it with an ordinary page size.") % facts
        ),
        "old_office": lambda: _(
            "This is an old PowerPoint file (.ppt) or one that is protected by a password. "
            "Save it as .pptx or PDF, without a password."
        ),
        "office_encrypted": lambda: _("This presentation is protected by a password. Save it without one."),
        "not_presentation": lambda: _("This is not a presentation. Upload a PDF, .pptx or .odp file."),
        "macros": lambda: _("This presentation contains macros. Save it as an ordinary .pptx, or as PDF."),
        "picture_too_large": lambda: (
            _("This picture has %(width)s x %(height)s pixels, which is too many. Make it smaller.") % facts
        ),
        "picture_damaged": lambda: _("This picture is damaged or not quite a PNG or JPEG. Save it again."),
        "zip_bomb": lambda: _("This presentation unpacks to far more than it seems. Save it as PDF and upload that."),
        "zip_too_many_entries": lambda: (
            _("This presentation consists of more than %(limit)s parts. Save it as PDF and upload that.") % facts
        ),
        "too_hard": lambda: _("Reading this file takes too much time or memory. Save it as PDF again, more simply."),
    }
    damaged = lambda: _(  # noqa: E731  (the same shape as its neighbours)
        "This presentation is damaged, or not built as PowerPoint and LibreOffice do. Save it as PDF and upload that."
    )
    return MaterialRejected(words.get(code, damaged)(), code=code)


# --- Drawing pages, in the background ------------------------------------------------------------------------------


def draw(lease: Lease[Material]) -> None:
    """Draw a material's pages and store them, in place of earlier ones. May run twice.

    Raises:
        MaterialRejected, PermanentFailure: they cannot be drawn, and why.
        TemporaryFailure: the disk is full.
    """
    material = lease.row
    with _work_folder() as folder:
        source = folder / "source"
        with material.file.open("rb") as stored, open(source, "xb") as copy:
            for chunk in stored.chunks():
                copy.write(chunk)
        with _tool_errors(lease):
            if material.content_type in OFFICE:
                lease.report(1, _("Converting the presentation"))
                source = _converted(source, OFFICE[material.content_type], folder, lease)
            out = folder / "pages"
            out.mkdir()
            pages = _draw_pages(source, out, lease)
        _store_pages(lease, pages, out)


def _converted(source: Path, name: str, folder: Path, lease: Lease[Material]) -> Path:
    """Return the presentation as PDF, made by LibreOffice."""
    out = folder / "pdf"
    out.mkdir()
    # A profile of its own in the sandbox's /tmp: LibreOffice otherwise waits for other copies of itself.
    command = ["soffice", "--headless", "--norestore", "--nolockcheck", "-env:UserInstallation=file:///tmp/office"]
    sandbox.run(
        [*command, "--convert-to", "pdf:impress_pdf_Export", "--outdir", "out", f"in/{name}"],
        inputs={name: source},
        output_dir=out,
        limits=sandbox.Limits(wall_s=OFFICE_WALL_S, memory_bytes=settings.TOOL_MEMORY_MB * MIB),
        should_stop=lambda: lease.should_stop,
    )
    made = out / "source.pdf"
    if not made.exists():  # it ends with status 0 all the same
        raise MaterialRejected(
            _("LibreOffice could not read this presentation. Save it as PDF and upload that."), code="not_converted"
        )
    return made


def _draw_pages(source: Path, out: Path, lease: Lease[Material]) -> list[Page]:
    pages: list[Page] = []

    def note(line: str) -> None:
        facts = json.loads(line)
        if "refused" in facts:
            raise _rejection(facts)
        if "page" in facts:
            pages.append(Page(facts["page"], facts["width"], facts["height"], facts["text"]))
        else:
            total = facts["pages"]
            activity = _("Drawing page %(number)s of %(total)s") % {"number": facts["drawing"], "total": total}
            lease.report(5 + 90 * facts["drawing"] / total, activity)

    _tool(
        "pages",
        source,
        *("in/source", "out", str(settings.MATERIAL_MAX_PAGES), str(PAGE_CPU_S)),
        out=out,
        wall_s=DRAW_WALL_S,
        on_line=note,
        should_stop=lambda: lease.should_stop,
    )
    return pages


@contextmanager
def _tool_errors(lease: Lease[Material]) -> Iterator[None]:
    """Put what a tool does into words a person can act on."""
    try:
        yield
    except sandbox.Stopped:
        lease.check()
        raise
    except sandbox.ToolMissing as error:
        raise PermanentFailure(
            _("%(tool)s is not installed on the server. Save the slides as PDF and upload that.")
            % {"tool": error.tool},
            code="tool_missing",
        ) from error
    except (sandbox.LimitExceeded, sandbox.ToolFailed) as error:
        if isinstance(error, sandbox.ToolFailed) and error.is_disk_full:
            raise TemporaryFailure(_("The server's disk is full."), code="store_full") from error
        is_page = isinstance(error, sandbox.ToolFailed) and error.returncode == 128 + signal.SIGPROF
        words = (
            _("A page is too complicated to draw: %(activity)s. Save the slides more simply, or as pictures.")
            if is_page
            else _("The pages could not be drawn (%(activity)s). Save the slides as PDF again and upload that.")
        )
        lease.write(log_tail=str(error)[:4000])
        raise PermanentFailure(words % {"activity": lease.row.activity or "-"}, code="not_drawn") from error


def _store_pages(lease: Lease[Material], pages: list[Page], out: Path) -> None:
    """Store new pictures under new names first, then make them the material's pages in one step."""
    material = lease.row
    keys: list[str] = []
    try:
        for page in pages:
            with _open(out / f"{page.number}.jpg") as picture:
                keys.append(default_storage.save(page_key(material, "page.jpg"), picture))
            lease.report(95, _("Storing the pages"))
        with lease.fenced():
            earlier = list(material.pages.values_list("image", flat=True))
            material.pages.all().delete()
            MaterialPage.objects.bulk_create(
                MaterialPage(
                    material=material,
                    number=page.number,
                    image=key,
                    width=page.width,
                    height=page.height,
                    text=page.text,
                )
                for page, key in zip(pages, keys, strict=True)
            )
            lease.write(page_count=len(pages))
            slides_changed.send(sender=Material, webinar_id=material.webinar_id)
    except BaseException:
        _delete_files(keys)
        raise
    _delete_files(earlier)


def _delete_files(keys: Iterable[str]) -> None:
    for key in keys:
        default_storage.delete(key)


def _tool(
    command: str,
    source: Path,
    *arguments: str,
    out: Path,
    wall_s: float,
    on_line: Callable[[str], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> sandbox.Result:
    """Run events/material_tool.py on a file, in the sandbox and in a Python of its own."""
    return sandbox.run(
        [sys.executable, "-I", "in/tool.py", command, *arguments],
        inputs={"tool.py": Path(__file__).with_name("material_tool.py"), "source": source},
        output_dir=out,
        limits=sandbox.Limits(
            wall_s=wall_s, memory_bytes=min(1024, settings.TOOL_MEMORY_MB) * MIB, stdout_bytes=MIB, processes=8
        ),
        readable=sandbox.python_runtime(),
        on_line=on_line,
        should_stop=should_stop,
    )


@contextmanager
def _work_folder() -> Iterator[Path]:
    with TemporaryDirectory(dir=settings.WORK_DIR, prefix=f"slides-{secrets.token_hex(4)}-") as name:
        yield Path(name)


def material_queue(_material: Material) -> str:
    return "default"
