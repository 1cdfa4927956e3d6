"""Do the rows and the store agree (promise D5)? Finds rows without file and files without row, and mends what is safe.

Both are read piece by piece, so that memory stays small however many there are. A file without a row is only called so
once it is older than a grace time: files are stored first, and the row that points at them follows.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import Model, Q
from django.utils import timezone

from events.models import Material, MaterialPage
from media import uploads
from media.models import Asset, Derivative, Package, Rendition, ReplacedFile, Upload
from media.storage import BegunFile, PartsGone, PrivateStorage, StoredFile, private_storage
from registration.models import Answer, Certificate
from studio.models import BurnIn, StepPart, StepRow
from work.models import WorkState

GRACE = timedelta(hours=24)
BATCH = 500
ASKED_AT_ONCE = 8  # an S3 server answers for one file at a time, some milliseconds each


@dataclass(frozen=True)
class Rows:
    """A column that names files.

    Attributes:
        what: the kind of file, for people.
        column: where the key stands.
        size: the column that says how many bytes the file has, if one does.
        advice: what to do when the file is not there.
        mend: makes the row right without its file; None where only a person can.
    """

    what: str
    model: type[Model]
    column: str
    advice: str
    size: str = ""
    mend: Callable[[Any], object] | None = None


PRODUCE = "Prepare the recording again in the studio: this makes a new version from the original."
ROWS = (
    Rows("original", Asset, "source_key", "Restore the file from a backup, or replace the recording.", "size"),
    Rows("rendition", Rendition, "key", PRODUCE, "size"),
    # Pages offer what has a row, and do without what has none.
    Rows("by-product", Derivative, "key", PRODUCE, "size", mend=lambda row: row.delete()),
    Rows("material", Material, "file", "Upload the file again, or remove it from the webinar."),
    Rows("page of slides", MaterialPage, "image", "Upload the slides again."),
    Rows("certificate", Certificate, "key", "Issue the certificate again."),
    Rows("answer's file", Answer, "file_key", "Ask the person to send the file again."),
)
# Folders in which every file is ours and has a row in the table above, or is on its way to one. Elsewhere we only look.
OWN_FOLDERS = ("originals", "assets", "materials", "pages", "doctor")


@dataclass
class Problem:
    """One thing that does not agree. `is_mended` says that it does now."""

    kind: str  # file_missing, wrong_size, file_without_row, parts_without_upload, parts_missing, unknown_file
    what: str
    key: str
    row: str = ""
    size: int = 0  # bytes
    advice: str = ""
    is_mended: bool = False

    @property
    def is_wrong(self) -> bool:
        """False for a file in a folder that is not ours: somebody may keep it there on purpose."""
        return self.kind != "unknown_file" and not self.is_mended


@dataclass
class Report:
    """Fills while `check` is read."""

    rows: int = 0
    files: int = 0
    bytes: int = 0
    begun: int = 0
    problems: int = field(default=0)
    mended: int = 0


def check(*, repair: bool = False, grace: timedelta = GRACE, report: Report | None = None) -> Iterator[Problem]:
    """Yield what does not agree, and mend it before if `repair` and safe: nothing that a row needs is ever deleted.

    Raises:
        StoreError: the store cannot be asked.
    """
    report = report or Report()
    storage = private_storage()
    before = timezone.now() - grace
    for found in (
        _rows_without_file(storage, report, repair),
        _files_without_row(storage, report, repair, before),
        _parts_without_upload(storage, report, repair, before),
        _uploads_without_parts(storage, repair),
    ):
        for problem in found:
            report.problems += 1
            report.mended += problem.is_mended
            yield problem


def _rows_without_file(storage: PrivateStorage, report: Report, repair: bool) -> Iterator[Problem]:
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        for rows in ROWS:
            for batch in _batches(rows.model):
                named = [row for row in batch if _key(row, rows)]
                report.rows += len(named)
                files = pool.map(storage.find_file, [_key(row, rows) for row in named])
                for row, file in zip(named, files, strict=True):
                    problem = _compared(rows, row, file)
                    if problem is not None and _is_so_still(storage, rows, row):
                        if repair and rows.mend is not None and problem.kind == "file_missing":
                            rows.mend(row)
                            problem.is_mended = True
                        yield problem


def _batches(model: type[Model]) -> Iterator[list[Any]]:
    last = None
    while True:
        found = model._default_manager.order_by("pk")
        batch = list(found.filter(pk__gt=last)[:BATCH] if last is not None else found[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        yield batch


def _key(row: Any, rows: Rows) -> str:
    return str(getattr(row, rows.column))


def _compared(rows: Rows, row: Any, file: StoredFile | None) -> Problem | None:
    name = f"{row._meta.label_lower} {row.pk}"
    if file is None:
        return Problem("file_missing", rows.what, _key(row, rows), name, advice=rows.advice)
    if rows.size and file.size != getattr(row, rows.size):
        return Problem("wrong_size", rows.what, file.key, name, file.size, advice=rows.advice)
    return None


def _is_so_still(storage: PrivateStorage, rows: Rows, row: Any) -> bool:
    """Between reading the row and asking for its file, a new version may have taken both away."""
    fresh = rows.model._default_manager.filter(pk=row.pk).first()
    if fresh is None or _key(fresh, rows) != _key(row, rows):
        return False
    return _compared(rows, fresh, storage.find_file(_key(fresh, rows))) is not None


def _files_without_row(storage: PrivateStorage, report: Report, repair: bool, before: Any) -> Iterator[Problem]:
    files = storage.list_files()
    while batch := list(islice(files, BATCH)):
        # What people drop below the watched prefix is theirs.
        theirs = settings.WATCHED_PREFIX or "\0"
        ours = [file for file in batch if not file.key.startswith(theirs)]
        report.files += len(ours)
        report.bytes += sum(file.size for file in ours)
        old = [file for file in ours if file.modified_at < before]
        known = _known({file.key for file in old})
        for file in old:
            if file.key in known:
                continue
            is_own = file.key.partition("/")[0] in OWN_FOLDERS
            if is_own and _is_named_in_work(file.key):
                continue
            kind = "file_without_row" if is_own else "unknown_file"
            advice = "Nothing uses it; --repair deletes it." if is_own else "Not ours to judge; delete it by hand."
            problem = Problem(kind, "file", file.key, size=file.size, advice=advice)
            if repair and is_own and not _known({file.key}):
                storage.delete(file.key)
                problem.is_mended = True
            yield problem


def _known(keys: set[str]) -> set[str]:
    """Those of these keys that some row names."""
    found: set[str] = set()
    for rows in ROWS:
        named = rows.model._default_manager.filter(**{f"{rows.column}__in": keys})
        found |= {str(key) for key in named.values_list(rows.column, flat=True)}
    arriving = Upload.objects.filter(storage_key__in=keys, asset=None).exclude(multipart_id="")
    found |= set(arriving.values_list("storage_key", flat=True))
    found |= set(ReplacedFile.objects.filter(key__in=keys).values_list("key", flat=True))
    folders = {f"{key.rpartition('/')[0]}/" for key in keys}
    doomed = set(ReplacedFile.objects.filter(key__in=folders).values_list("key", flat=True))
    return found | {key for key in keys if f"{key.rpartition('/')[0]}/" in doomed}


def _is_named_in_work(key: str) -> bool:
    """Whether unfinished work keeps this intermediate file: steps, their parts and burnt-in versions note keys."""
    package = Package.objects.filter(prefix=key.rpartition("/")[0]).first()
    if package is None:
        return False
    about = Q(step__production__recording__asset=package.asset_id)
    notes: list[Any] = list(StepPart.objects.filter(about).values_list("payload", "result"))
    notes += StepRow.objects.filter(production__recording__asset=package.asset_id).values_list("result", flat=True)
    notes += [_json_of(burn_in) for burn_in in BurnIn.objects.filter(package=package)]
    notes += [package.analysis, package.loudness]
    notes += package.renditions.values_list("facts", flat=True)
    return any(key in str(note) for note in notes)


def _json_of(row: Model) -> list[Any]:
    return [getattr(row, one.attname) for one in row._meta.concrete_fields if one.get_internal_type() == "JSONField"]


def _parts_without_upload(storage: PrivateStorage, report: Report, repair: bool, before: Any) -> Iterator[Problem]:
    begun_files = storage.list_begun()
    while batch := list(islice(begun_files, BATCH)):
        report.begun += len(batch)
        for begun in batch:
            if begun.begun_at >= before or _is_awaited(begun):
                continue
            problem = Problem(
                "parts_without_upload",
                "parts",
                begun.key or begun.parts_id,
                advice="Their upload has ended; --repair removes them.",
            )
            if repair:
                storage.discard_parts(begun.key, begun.parts_id)
                problem.is_mended = True
            yield problem


def _is_awaited(begun: BegunFile) -> bool:
    uploads_of = Upload.objects.filter(multipart_id=begun.parts_id)
    return uploads_of.exclude(state__in=(WorkState.DONE, WorkState.SKIPPED, WorkState.CANCELLED)).exists()


def _uploads_without_parts(storage: PrivateStorage, repair: bool) -> Iterator[Problem]:
    """Open uploads of which the store has lost parts that had arrived."""
    for upload in Upload.objects.filter(state=WorkState.WAITING).exclude(multipart_id="").iterator(BATCH):
        noted = set(upload.parts.values_list("number", flat=True))
        try:
            stored = {part.number for part in storage.stored_parts(upload.storage_key, upload.multipart_id)}
        except PartsGone:
            stored = set()
        if not noted - stored:
            continue
        problem = Problem(
            "parts_missing",
            "upload",
            upload.storage_key,
            f"media.upload {upload.pk}",
            advice="Choose the same file again: the missing parts are sent once more.",
        )
        if repair:
            uploads.list_parts(upload=upload)
            problem.is_mended = True
        yield problem
