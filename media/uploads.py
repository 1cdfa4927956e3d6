"""Files that arrive in numbered parts, from the first announcement to the stored asset.

    start_upload -> part_address (one per part; the client sends the bytes there) -> complete_upload
        -> in the background: parts joined, read back, hashed -> Asset, signal upload_completed

The same for local files and S3: only the addresses differ. Parts may come in any order, several at once, again, and
after days; `list_parts` says what has arrived.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.file_names import clean_file_name
from accounts.models import Organisation, User
from accounts.services import record_action
from media.errors import MediaRejected
from media.models import Asset, Upload, UploadPart
from media.services.inspection import inspect_source
from media.signals import upload_completed
from media.storage import (
    LocalPrivateStorage,
    PartAddress,
    PartsGone,
    PrivateStorage,
    StoredPart,
    StoreError,
    private_storage,
)
from media.storage.errors import disk_errors
from media.storage.local import PartGrant
from media.upload_errors import (
    HashMismatch,
    PartRefused,
    PartsMissing,
    QuotaExceeded,
    UploadClosed,
    UploadError,
    UploadTooLarge,
)
from work import services as work_services
from work.folders import working_folder
from work.leases import Lease
from work.models import WorkState

WORK_KIND = "media.upload"
PART_ADDRESS_LIFE_S = 6 * 3600  # a slow line must manage one part in this time
SMALLEST_PART_BYTES = 256 * 1024  # that a client may ask for; the store may want more
LARGEST_PART_BYTES = 256 * 1024**2
ShowProgress = Callable[[float, str], None]  # percent, and what is being done
UNFINISHED = (WorkState.WAITING, WorkState.QUEUED, WorkState.RUNNING)


@dataclass(frozen=True)
class Budget:
    """Space that the uploads for a purpose share, beside the organisation's.

    Attributes:
        name: whose space it is, for people.
        limit: bytes.
        used: asked while no other upload of the organisation can be announced.
    """

    name: str
    limit: int
    used: Callable[[], int]


class PurposeCheck(Protocol):
    """Decides whether this person may upload for this purpose, and out of which space; raises a DomainError if not."""

    def __call__(self, *, organisation: Organisation, user: User | None, purpose: str) -> Budget | None: ...


_purposes: dict[str, PurposeCheck] = {}


def register_purpose(prefix: str, check: PurposeCheck) -> None:
    """Let an app above decide about uploads whose purpose is `prefix:...`; other purposes are free text."""
    _purposes[prefix] = check


def start_upload(
    *,
    organisation: Organisation,
    user: User | None,
    file_name: str,
    size: int,
    purpose: str,
    sha256: str = "",
    fingerprint: str = "",
    part_size: int | None = None,
) -> Upload:
    """Announce a file of `size` bytes; its parts may then be sent.

    Args:
        sha256: of the whole file, in hexadecimal, if the client knows it already; checked at the end.
        fingerprint: kept for the client, which tells by it whether a file is the one it began with.
        part_size: bytes of a part that suit the client's line; None for the usual. The store has the last word.

    Raises:
        UploadTooLarge: larger than UPLOAD_MAX_BYTES.
        QuotaExceeded: with the organisation's other originals and open uploads, more than UPLOAD_QUOTA_BYTES, or more
            than the purpose's own budget.
        UploadError: empty, or not a SHA-256.
        StoreError: the store cannot be reached.
        DomainError: the purpose's own check refused.
    """
    sha256 = sha256.strip().lower()
    _validate(size=size, sha256=sha256)
    check = _purposes.get(purpose.partition(":")[0])
    budget = None if check is None else check(organisation=organisation, user=user, purpose=purpose)
    storage = private_storage()
    with transaction.atomic():
        # An UPDATE locks the row on every database, so parallel announcements are counted one after the other.
        Organisation.objects.filter(pk=organisation.pk).update(updated_at=timezone.now())
        _check_space(Budget(str(organisation), settings.UPLOAD_QUOTA_BYTES, lambda: used_bytes(organisation)), size)
        if budget is not None:
            _check_space(budget, size)
        upload = Upload.objects.create(
            organisation=organisation,
            created_by=user,
            purpose=purpose,
            file_name=clean_file_name(file_name),
            size=size,
            part_size=_part_size(size, part_size, storage),
            sha256=sha256,
            fingerprint=fingerprint[:64],
            storage_key=f"originals/{secrets.token_urlsafe(24)}",
            expires_at=timezone.now() + timedelta(seconds=settings.UPLOAD_EXPIRES_S),
        )
        record_action(action="upload.start", target=upload, organisation=organisation, user=user, size=size)
    # Only after the row is there: whatever the store now begins, `expire_uploads` can find and end.
    try:
        upload.multipart_id = storage.begin_parts(upload.storage_key)
    except StoreError:
        upload.delete()
        raise
    upload.save(update_fields=["multipart_id", "updated_at"])
    return upload


def _validate(*, size: int, sha256: str) -> None:
    if size < 1:
        raise UploadError(_("This file is empty. Choose another one."), code="empty", field="size")
    if size > settings.UPLOAD_MAX_BYTES:
        raise UploadTooLarge(
            _("This file has %(size)s; at most %(limit)s can be uploaded.")
            % {"size": human_size(size), "limit": human_size(settings.UPLOAD_MAX_BYTES)},
            field="size",
        )
    _validate_hash(sha256)


def _validate_hash(sha256: str) -> None:
    if sha256 and (len(sha256) != 64 or set(sha256) - set("0123456789abcdef")):
        raise UploadError(
            _("A SHA-256 is 64 hexadecimal digits; leave it out if it is not known."), code="bad_hash", field="sha256"
        )


def _part_size(size: int, wanted: int | None, storage: PrivateStorage) -> int:
    """The configured or wished size, made larger when the store wants so or the file would have too many parts."""
    usual = settings.UPLOAD_PART_BYTES
    if wanted is not None:
        usual = min(max(wanted, SMALLEST_PART_BYTES), LARGEST_PART_BYTES)
    return max(usual, storage.min_part_bytes, -(-size // storage.max_parts))


def _check_space(budget: Budget, size: int) -> None:
    free = max(0, budget.limit - budget.used())
    if size > free:
        raise QuotaExceeded(
            _(
                "%(name)s has %(free)s left for recordings, and this file has %(size)s. "
                "Delete recordings that are no longer needed, or ask for more space."
            )
            % {"name": budget.name, "free": human_size(free), "size": human_size(size)},
            field="size",
            free=free,
            quota=budget.limit,
        )


def used_bytes(organisation: Organisation) -> int:
    """Bytes of an organisation's originals, and of files that are still arriving."""
    return space_of(Asset.objects.filter(organisation=organisation), Upload.objects.filter(organisation=organisation))


def space_of(assets: "QuerySet[Asset]", uploads: "QuerySet[Upload]") -> int:
    """Bytes of these originals, and of those of these uploads that are still arriving."""
    stored = assets.aggregate(total=Sum("size"))["total"] or 0
    arriving = uploads.filter(state__in=UNFINISHED, asset=None).aggregate(total=Sum("size"))["total"] or 0
    return int(stored) + int(arriving)


def unfinished(uploads: "QuerySet[Upload]") -> "QuerySet[Upload]":
    """Those of these uploads that a client can go on with: parts arrive, are being joined, or a try can be repeated."""
    repeatable = Q(state=WorkState.FAILED, expires_at__gt=timezone.now()) & Exists(
        UploadPart.objects.filter(upload=OuterRef("pk"))
    )
    arriving = Q(state=WorkState.WAITING, expires_at__gt=timezone.now())
    return uploads.filter(arriving | repeatable | Q(state__in=(WorkState.QUEUED, WorkState.RUNNING)))


def expected_size(upload: Upload, number: int) -> int:
    """Bytes that part `number` must have: all are equal but the last.

    Raises:
        PartRefused: there is no part of that number.
    """
    if not 1 <= number <= upload.part_count:
        raise PartRefused(
            _("Parts are numbered from 1 to %(count)s.") % {"count": upload.part_count}, code="no_such_part"
        )
    return min(upload.part_size, upload.size - (number - 1) * upload.part_size)


def part_addresses(*, upload: Upload, numbers: Iterable[int]) -> list[tuple[int, int, PartAddress]]:
    """Return number, size in bytes and address of several parts; see `part_address`."""
    return [(n, expected_size(upload, n), part_address(upload=upload, number=n)) for n in numbers]


def part_address(*, upload: Upload, number: int) -> PartAddress:
    """Return where the client sends that part, for the next six hours; no login is needed there.

    Raises:
        PartRefused: there is no part of that number.
        UploadClosed: parts are no longer taken.
    """
    size = expected_size(upload, number)
    _check_open(upload)
    return private_storage().part_address(
        upload.storage_key, upload.multipart_id, number, size=size, life_s=PART_ADDRESS_LIFE_S
    )


def _check_open(upload: Upload) -> None:
    if not upload.is_open or not upload.multipart_id or upload.expires_at <= timezone.now():
        raise UploadClosed(_("This upload takes no more parts. Start a new one."))


def receive_part(*, grant: PartGrant, stream: BinaryIO) -> StoredPart:
    """Store a part that was sent to our own address (local storage only).

    Raises:
        UploadClosed: the upload is complete, given up or gone, or became so while the part arrived.
        PartRefused: the part did not arrive whole.
        StoreFull, StoreError: the disk refused.
    """
    storage = private_storage()
    upload = Upload.objects.filter(storage_key=grant.key, multipart_id=grant.parts_id).first()
    if upload is None:
        raise UploadClosed(_("This upload takes no more parts. Start a new one."))
    _check_open(upload)
    assert isinstance(storage, LocalPrivateStorage)  # only it has made such grants
    try:
        with (
            storage.received_part(grant.parts_id, grant.number, stream, size=grant.size) as (part, keep),
            transaction.atomic(),
        ):
            # Held until the part is in its place: completing and giving up wait, or were first.
            if not Upload.objects.filter(pk=upload.pk, state=WorkState.WAITING).update(updated_at=timezone.now()):
                raise UploadClosed(_("This upload takes no more parts. Start a new one."))
            keep()
            record_part(upload=upload, part=part)
    except EOFError as error:
        raise PartRefused(
            _("The part did not arrive whole: the connection was cut. Send it again."), code="cut_off"
        ) from error
    return part


def record_part(*, upload: Upload, part: StoredPart) -> UploadPart:
    """Note that a part has arrived, in place of an earlier one of its number."""
    row, _created = UploadPart.objects.update_or_create(
        upload=upload, number=part.number, defaults={"size": part.size, "etag": part.etag}
    )
    return row


def list_parts(*, upload: Upload) -> list[UploadPart]:
    """Return the parts that have arrived, as the store itself says while the upload is open.

    Raises:
        StoreError: the store cannot be asked.
    """
    rows = list(upload.parts.all())
    if not upload.is_open or not upload.multipart_id:
        return rows
    known = {(row.number, row.size, row.etag) for row in rows}
    stored = _stored_parts(upload)
    # Parts that went straight to S3: nobody has told us of them.
    news = [part for part in stored if (part.number, part.size, part.etag) not in known]
    # Parts that the store has lost (a disk was changed, a bucket's rule removed them): they must be sent again.
    lost = {row.number for row in rows} - {part.number for part in stored}
    if lost:
        upload.parts.filter(number__in=lost).delete()
    if not news and not lost:
        return rows
    UploadPart.objects.bulk_create(
        [UploadPart(upload=upload, number=part.number, size=part.size, etag=part.etag) for part in news],
        update_conflicts=True,
        unique_fields=["upload", "number"],
        update_fields=["size", "etag"],
    )
    return list(upload.parts.all())


def _stored_parts(upload: Upload) -> list[StoredPart]:
    """Ask the store; begin anew where it has forgotten the upload (a bucket's rule removes old ones, say)."""
    storage = private_storage()
    try:
        return storage.stored_parts(upload.storage_key, upload.multipart_id)
    except PartsGone:
        upload.multipart_id = storage.begin_parts(upload.storage_key)
        upload.save(update_fields=["multipart_id", "updated_at"])
        return []


def complete_upload(*, upload: Upload, user: User | None = None, sha256: str = "") -> Upload:
    """The client has sent all parts: queue their joining and checking. Asking again changes nothing.

    A failed upload whose parts are still there is tried again.

    Args:
        sha256: of the whole file, in hexadecimal, if the client has found it out while it sent the parts.

    Raises:
        HashMismatch: another SHA-256 was announced at the start.
        UploadError: not a SHA-256.
        PartsMissing: not all parts have arrived, or one has the wrong size.
        UploadClosed: given up or expired.
        StoreError: the store cannot be asked.
    """
    sha256 = sha256.strip().lower()
    _validate_hash(sha256)
    upload.refresh_from_db()
    if upload.state in (WorkState.QUEUED, WorkState.RUNNING, WorkState.DONE):
        return upload
    if sha256 and upload.sha256 and sha256 != upload.sha256:
        raise HashMismatch(
            _("This is not the file that was announced at the start: its SHA-256 differs. Start a new upload."),
            field="sha256",
        )
    if upload.state == WorkState.FAILED and upload.parts.exists():
        work_services.retry(upload)
    _check_open(upload)
    have = {part.number: part.size for part in list_parts(upload=upload)}
    missing = [n for n in range(1, upload.part_count + 1) if have.get(n) != expected_size(upload, n)]
    if missing:
        raise PartsMissing(
            _("%(missing)s of %(count)s parts have not arrived whole; the first is part %(first)s.")
            % {"missing": len(missing), "count": upload.part_count, "first": missing[0]},
            missing=missing,
        )
    with transaction.atomic():
        if sha256:
            Upload.objects.filter(pk=upload.pk, state=WorkState.WAITING).update(sha256=sha256)
        work_services.enqueue(upload)
        record_action(action="upload.complete", target=upload, organisation=upload.organisation, user=user)
    upload.refresh_from_db()
    return upload


def abort_upload(*, upload: Upload, user: User | None = None) -> Upload:
    """Give an unfinished upload up; its parts are removed.

    Raises:
        UploadClosed: it is finished.
    """
    upload.refresh_from_db()
    if upload.state in (WorkState.DONE, WorkState.SKIPPED):
        raise UploadClosed(_("This upload is finished; delete the recording instead."))
    with transaction.atomic():
        if not upload.is_finished:
            work_services.request_cancel(upload)
        record_action(action="upload.abort", target=upload, organisation=upload.organisation, user=user)
    if upload.state == WorkState.FAILED:
        _discard(upload)
    return upload


def after_upload(upload: Upload) -> None:
    """An upload has ended: one that was given up leaves nothing behind."""
    if upload.state == WorkState.CANCELLED:
        # What cannot be removed now, `expire_uploads` removes later.
        transaction.on_commit(lambda: _discard(upload), robust=True)


def expire_uploads() -> int:
    """End uploads that were not completed in time, and remove parts left behind. Returns how many (promise D2)."""
    now = timezone.now()
    count = 0
    for upload in Upload.objects.filter(state=WorkState.WAITING, expires_at__lte=now):
        work_services.request_cancel(upload)
        count += 1
    ended = (WorkState.FAILED, WorkState.CANCELLED)
    for upload in Upload.objects.filter(state__in=ended, expires_at__lte=now, asset=None).exclude(multipart_id=""):
        _discard(upload)
        count += 1
    return count


def _discard(upload: Upload) -> None:
    """Remove an ended upload's parts, and what was joined of them; then forget where they were."""
    storage = private_storage()
    storage.discard_parts(upload.storage_key, upload.multipart_id)
    if upload.asset_id is None:
        storage.delete(upload.storage_key)
    with transaction.atomic():
        upload.parts.all().delete()
        Upload.objects.filter(pk=upload.pk).update(multipart_id="")
    upload.multipart_id = ""


# --- In the background ---------------------------------------------------------------------------------------------


def join(lease: Lease[Upload]) -> None:
    """Join the parts, read the file back, and make it an asset. Runs again after a crash at any point.

    Raises:
        HashMismatch: it is not the announced file; its parts are removed.
        MediaRejected: it is no recording, or one that cannot be produced; file and parts are removed.
        UploadError: the joined file has another size than announced.
        StoreError: the store is away or full; the parts stay.
    """
    upload = lease.row
    if upload.asset_id is None:
        _join_parts(lease)
        with working_folder(lease) as workdir:
            sha256, path = _read_back(lease, workdir)
            _inspect_and_store(lease, sha256, path, workdir)
    # The asset is committed; parts that a crash leaves here are removed by the next attempt.
    private_storage().discard_parts(upload.storage_key, upload.multipart_id)
    upload.parts.all().delete()


def _join_parts(lease: Lease[Upload]) -> None:
    upload = lease.row
    parts = [StoredPart(part.number, part.size, part.etag) for part in upload.parts.all()]
    private_storage().join_parts(
        upload.storage_key,
        upload.multipart_id,
        parts,
        lambda percent: lease.report(percent * 0.4, _("Joining the parts")),
        check=not upload.sha256,
    )


def _read_back(lease: Lease[Upload], workdir: Path) -> tuple[str, Path]:
    """Return the SHA-256 of what the store gives back, not of what we believe to have written (promise D1).

    Also where the file is on this machine: what comes from afar is kept for the inspection, so it comes only once.
    """
    upload = lease.row
    storage = private_storage()
    digest, done = hashlib.sha256(), 0
    with contextlib.ExitStack() as opened:
        copy: BinaryIO | None = None
        try:
            path = Path(storage.path(upload.storage_key))
        except NotImplementedError:
            path = workdir / "read-back"
            copy = opened.enter_context(path.open("wb"))
        for chunk in storage.read_chunks(upload.storage_key):
            digest.update(chunk)
            done += len(chunk)
            if copy is not None:
                with disk_errors():
                    copy.write(chunk)
            lease.report(40 + 40 * min(1, done / upload.size), _("Checking the file"))
    refused: UploadError | None = None
    if done != upload.size:
        refused = UploadError(
            _("The joined file has %(got)s bytes instead of %(wanted)s. Upload it again.")
            % {"got": done, "wanted": upload.size},
            code="size_mismatch",
        )
    elif upload.sha256 and digest.hexdigest() != upload.sha256:
        refused = HashMismatch(
            _(
                "What arrived is not the file that was sent: its SHA-256 differs, so it was not kept. Check that no "
                "program is changing the file, and upload it again. If this happens again, copy the file to another "
                "disk first, or try another network."
            )
        )
    if refused is not None:
        with lease.fenced():  # another attempt may have made an asset of this very file
            _discard(upload)
        raise refused
    return digest.hexdigest(), path


def _inspect_and_store(lease: Lease[Upload], sha256: str, path: Path, workdir: Path) -> None:
    """Make the joined file an asset, if it is fit to be produced.

    The person who uploaded it is still there to read why it is not; what is refused is not kept
    (docs/decisions/004-inspection-before-acceptance.md).

    Raises:
        MediaRejected: it is no recording, or one that cannot be produced safely. File and parts are gone.
    """
    upload = lease.row
    asset = Asset(
        organisation=upload.organisation,
        file_name=upload.file_name,
        source_key=upload.storage_key,
        size=upload.size,
        sha256=sha256,
    )

    @contextlib.contextmanager
    def stored_together() -> Iterator[None]:
        """The asset, its place in the upload, and what receivers make of it, are stored together or not at all."""
        with lease.fenced():
            yield
            lease.write(asset=asset, sha256=sha256)
            upload_completed.send(sender=Upload, upload=upload, asset=asset)

    try:
        inspect_source(
            asset=asset,
            workdir=workdir,
            path=path,
            progress=lambda percent, activity: lease.report(80 + percent * 0.19, activity),
            should_stop=lambda: lease.should_stop,
            fenced=stored_together,
        )
    except MediaRejected:
        with lease.fenced():
            _discard(upload)
        raise


# --- From this machine ---------------------------------------------------------------------------------------------


class Seekable(Protocol):
    """Where the bytes of a file come from; it may be gone on with from any place."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...


def store_file(
    *,
    organisation: Organisation,
    user: User | None,
    path: Path,
    file_name: str = "",
    purpose: str = "",
    progress: ShowProgress | None = None,
) -> Asset:
    """Store a file of this machine as an asset, through the same steps as an upload over HTTP.

    Raises:
        UploadError, StoreError: as of `start_upload` and `join`.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        upload = start_upload(
            organisation=organisation,
            user=user,
            file_name=file_name or path.name,
            size=os.fstat(file.fileno()).st_size,
            purpose=purpose,
        )
        try:
            send_stream(upload=upload, stream=file, user=user, progress=progress)
            asset = finish_here(upload=upload, user=user, progress=progress)
        except (StoreError, OSError, KeyboardInterrupt):
            # Nobody would know how to go on with it.
            abort_upload(upload=upload, user=user)
            raise
    return asset


def send_stream(*, upload: Upload, stream: Seekable, user: User | None, progress: ShowProgress | None = None) -> None:
    """Store the parts of a begun upload that are missing, read from here.

    Raises:
        UploadError: the stream is shorter than announced; the upload is then given up.
        StoreError, OSError: the store or the stream failed; calling again goes on.
    """
    storage = private_storage()
    have = {part.number for part in list_parts(upload=upload)}
    at = 0
    for number in range(1, upload.part_count + 1) if upload.is_open else ():
        size = expected_size(upload, number)
        if number not in have:
            start = (number - 1) * upload.part_size
            if at != start:
                stream.seek(start)
            try:
                part = storage.write_part(
                    upload.storage_key, upload.multipart_id, number, cast(BinaryIO, stream), size=size
                )
            except EOFError as error:
                abort_upload(upload=upload, user=user)
                raise UploadError(_("The file became shorter while it was read."), code="cut_off") from error
            record_part(upload=upload, part=part)
            at = start + size
        if progress is not None:
            progress(60 * number / upload.part_count, _("Storing the file"))


def finish_here(*, upload: Upload, user: User | None, progress: ShowProgress | None = None) -> Asset:
    """Complete an upload and see it through to its asset in this process, unless a worker is quicker.

    Raises:
        UploadError: as of `complete_upload` and `join`.
        StoreError: the store cannot be asked.
    """
    complete_upload(upload=upload, user=user)
    _wait_for(upload, progress or (lambda _percent, _activity: None))
    if upload.asset is None:
        raise UploadError(upload.error, code=upload.error_code)
    return upload.asset


def _wait_for(upload: Upload, report: ShowProgress) -> None:
    """Join here and now, unless a worker was quicker; then until it is through."""
    while not upload.is_finished:
        if not work_services.execute(WORK_KIND, upload.pk):
            time.sleep(0.2)
        upload.refresh_from_db()
        report(60 + 0.4 * upload.progress, upload.error or upload.activity)


def human_size(size: int) -> str:
    """Bytes for people, such as "1.5 GB", in the language in use."""
    value, unit = float(size), _("bytes")
    for larger in (_("kB"), _("MB"), _("GB"), _("TB")):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{number_format(value, 0 if value >= 100 or unit == _('bytes') else 1)} {unit}"


def upload_queue(_row: models.Model) -> str:
    return "media"
