"""Files that a conference system saves into a watched folder, or below a prefix of the bucket, become recordings.

    <organisation>/<webinar>/<file>       the names in the addresses of their pages

`look` runs with every sweep and notes what it finds as rows; a file that has stopped growing is queued, and `take`
stores it as an upload and starts the production, as the upload page would. Everything may be repeated: a file is
known by path, size and time of change, so it is never taken twice. A file in a wrong place is told of in the studio.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

import work.services
from accounts import rules
from accounts.models import ApiToken, Organisation, User
from accounts.services import record_action
from events.models import Webinar
from media import uploads
from media.models import Upload
from media.storage import PrivateStorage, StoreError, private_storage
from media.upload_errors import UploadError
from studio import services
from studio.errors import StudioError
from studio.models import WatchedFile
from studio.uploads import purpose_for
from work.errors import PermanentFailure, Skip, TemporaryFailure
from work.leases import Lease
from work.models import FINISHED_STATES, WorkState

logger = logging.getLogger(__name__)

WORK_KIND = "studio.watched_file"
TAKEN_FOLDER = ".taken"
MISPLACED = "misplaced"
# Names under which programs keep what they have not finished writing, and what systems put into every folder.
PARTIAL = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download", ".opdownload", ".!ut", ".swp")
NOT_MEANT = ("thumbs.db", "desktop.ini", "icon\r")
MOST_FILES = 5_000  # looked at in one sweep; more is a mistake in the setting
LONGEST_PATH = 500


class Misplaced(PermanentFailure):
    """The file does not stand where the name of a webinar says what it is."""

    code = MISPLACED


class WatchedFileGone(StudioError):
    """There is no such file any more."""

    code = "watched_file_gone"
    status = 410


@dataclass(frozen=True)
class Found:
    """A file that was seen. `path` is relative to what is watched, with slashes."""

    path: str
    size: int
    modified_at: datetime


class Place(Protocol):
    """What is watched: a folder of this machine, or a prefix in the store."""

    def files(self) -> Iterator[Found]: ...
    def find(self, path: str) -> Found | None: ...
    def open(self, path: str) -> "contextlib.AbstractContextManager[uploads.Seekable]": ...
    def move(self, path: str, target: str) -> None: ...
    def delete(self, path: str) -> None: ...


def watched_place() -> Place | None:
    """Return what the settings say is watched, if anything."""
    if settings.WATCHED_FOLDER:
        return WatchedFolder(Path(settings.WATCHED_FOLDER))
    if settings.WATCHED_PREFIX:
        return WatchedPrefix(private_storage(), settings.WATCHED_PREFIX)
    return None


class WatchedFolder:
    """Files below a folder. No link is ever followed, neither to a file nor to a folder, so nothing outside is read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self) -> Iterator[Found]:
        for folder, subfolders, names in os.walk(self.root):  # does not enter links
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                found = self.find(Path(folder, name).relative_to(self.root).as_posix())
                if found is not None:
                    yield found

    def find(self, path: str) -> Found | None:
        try:
            with self._opened(path) as descriptor:
                status = os.fstat(descriptor)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        changed = datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1e6, tz=UTC)
        return Found(path, status.st_size, changed)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[uploads.Seekable]:
        with self._opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            yield file

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        with self._folder_of(path) as (folder, name):
            # Without waiting for the other end, should it be a pipe.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def _folder_of(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Go down step by step from the root, so that no link can lead out, even one that is made at this moment."""
        *folders, name = path.split("/")
        if {"", ".", ".."} & {*folders, name}:
            raise FileNotFoundError(path)
        with contextlib.ExitStack() as opened:
            above = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, above)
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=above)
                above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
                opened.callback(os.close, above)
            yield above, name

    def move(self, path: str, target: str) -> None:
        with self._folder_of(path) as (here, name), self._folder_of(target, make=True) as (there, new_name):
            os.rename(name, new_name, src_dir_fd=here, dst_dir_fd=there)

    def delete(self, path: str) -> None:
        with self._folder_of(path) as (folder, name):
            os.unlink(name, dir_fd=folder)


class WatchedPrefix:
    """Files of the private store whose keys begin with a prefix."""

    def __init__(self, storage: PrivateStorage, prefix: str) -> None:
        self.storage = storage
        self.prefix = prefix

    def files(self) -> Iterator[Found]:
        for file in self.storage.list_files(self.prefix):
            path = file.key.removeprefix(self.prefix)
            if path and not path.endswith("/"):
                yield Found(path, file.size, file.modified_at)

    def find(self, path: str) -> Found | None:
        file = self.storage.find_file(self.prefix + path)
        return None if file is None else Found(path, file.size, file.modified_at)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[uploads.Seekable]:
        with contextlib.closing(_StoredStream(self.storage, self.prefix + path)) as stream:
            yield stream

    def move(self, path: str, target: str) -> None:
        self.storage.move_file(self.prefix + path, self.prefix + target)

    def delete(self, path: str) -> None:
        self.storage.delete(self.prefix + path)


class _StoredStream:
    """A stored file as a stream; a jump asks the store anew from there."""

    def __init__(self, storage: PrivateStorage, key: str) -> None:
        self._storage, self._key = storage, key
        self._chunks: Iterator[bytes] | None = None
        self._offset, self._rest = 0, b""

    def read(self, size: int, /) -> bytes:
        if self._chunks is None:
            self._chunks = self._storage.read_from(self._key, self._offset)
        pieces, wanted = [self._rest], size - len(self._rest)
        while wanted > 0 and (chunk := next(self._chunks, b"")):
            pieces.append(chunk)
            wanted -= len(chunk)
        data = b"".join(pieces)
        self._rest = data[size:]
        return data[:size]

    def seek(self, offset: int, /) -> int:
        self.close()
        self._offset, self._rest, self._chunks = offset, b"", None
        return offset

    def close(self) -> None:
        if self._chunks is not None:
            self._chunks.close()  # type: ignore[attr-defined]  # a generator, which ends its request so


# --- Looking -------------------------------------------------------------------------------------------------------


def look() -> None:
    """Note new files, queue those that have stopped growing, forget those that are gone. A chore of every sweep.

    Raises:
        OSError, StoreError: what is watched cannot be read.
    """
    place = watched_place()
    if place is None:
        return
    if isinstance(place, WatchedFolder) and not place.root.is_dir():
        raise NotADirectoryError(f"WATCHED_FOLDER {place.root} is not there")
    seen: set[str] = set()
    for number, found in enumerate(place.files()):
        if number == MOST_FILES:
            logger.warning("more than %s files are watched; the rest is not looked at", MOST_FILES)
            return  # without having seen all, nothing can be called gone
        if is_meant(found.path) and found.size:
            seen.add(found.path)
            _note(found)
    _forget(seen)


def is_meant(path: str) -> bool:
    """False for hidden files and folders, for what is still being written, and for what systems leave behind.

    >>> is_meant("who/session-1/talk.mp4"), is_meant("who/session-1/talk.mp4.part"), is_meant("who/.taken/talk.mp4")
    (True, False, False)
    """
    parts = path.lower().split("/")
    if any(part.startswith((".", "~")) for part in parts) or parts[-1] in NOT_MEANT or len(path) > LONGEST_PATH:
        return False
    try:
        path.encode()
    except UnicodeEncodeError:
        logger.warning("a watched file has a name that is not UTF-8: %r", path)
        return False
    return not parts[-1].endswith(PARTIAL)


def _note(found: Found) -> None:
    row = WatchedFile.objects.filter(path=found.path, size=found.size, modified_at=found.modified_at).first()
    if row is None:
        grown = WatchedFile.objects.filter(path=found.path, state=WorkState.WAITING).first()
        if grown is not None:
            WatchedFile.objects.filter(pk=grown.pk, state=WorkState.WAITING).update(
                size=found.size, modified_at=found.modified_at, updated_at=timezone.now()
            )
        else:
            WatchedFile.objects.get_or_create(path=found.path, size=found.size, modified_at=found.modified_at)
        return
    settled = row.updated_at <= timezone.now() - timedelta(seconds=settings.WATCHED_SETTLE_S)
    if row.state == WorkState.WAITING and settled:
        work.services.enqueue(row)
    elif row.state == WorkState.FAILED and row.error_code == MISPLACED and webinar_of(row) is not None:
        # The webinar that it names was planned meanwhile.
        work.services.retry(row)
        work.services.enqueue(row)


def _forget(seen: set[str]) -> None:
    """Files that were renamed, moved or deleted need no line; what was taken is remembered."""
    gone = WatchedFile.objects.filter(state__in=(WorkState.WAITING, *FINISHED_STATES)).exclude(state=WorkState.DONE)
    for row in gone:
        if row.path not in seen:
            gone.filter(pk=row.pk).delete()


# --- Taking --------------------------------------------------------------------------------------------------------


def take(lease: Lease[WatchedFile]) -> None:
    """Store one file as an upload of its webinar and start the production. Goes on where an earlier attempt ended.

    Raises:
        Misplaced: it does not say which webinar it belongs to.
        Skip: it is gone, or has changed and is looked at anew.
        PermanentFailure: it was refused, and why.
        StoreError, TemporaryFailure: the store or the disk failed.
    """
    row, place = lease.row, watched_place()
    if place is None:
        raise Skip(_("Nothing is watched any more."))
    webinar = webinar_of(row)
    if webinar is None:
        raise Misplaced(_explanation(row))
    if row.recording_id is None:
        upload = _store(lease, place, webinar)
        production = services.receive_recording(
            upload=upload,
            webinar=webinar,
            user=None,
            spoken_language=webinar.spoken_language,
            subtitle_languages=webinar.subtitle_languages,
        )
        lease.write(recording=production.recording)
        record_action(
            action="recording.watched", target=production.recording, organisation=webinar.organisation, user=None
        )
    _put_away(place, row)


def _upload_for(row: WatchedFile, webinar: Webinar) -> Upload:
    """The upload that an earlier attempt began, or a new one."""
    mark = f"watched:{row.pk}"
    mine = Upload.objects.filter(organisation=webinar.organisation, purpose=purpose_for(webinar), fingerprint=mark)
    arrived = mine.filter(state=WorkState.DONE, asset__isnull=False)
    begun = arrived.first() or uploads.unfinished(mine).order_by("-created_at").first()
    return begun or uploads.start_upload(
        organisation=webinar.organisation,
        user=None,
        file_name=row.path.rpartition("/")[2],
        size=row.size,
        purpose=purpose_for(webinar),
        fingerprint=mark,
    )


def _store(lease: Lease[WatchedFile], place: Place, webinar: Webinar) -> Upload:
    row = lease.row
    try:
        _refuse_if_changed(place, row)
        upload = _upload_for(row, webinar)
        if upload.asset is None:
            with place.open(row.path) as stream:
                uploads.send_stream(upload=upload, stream=stream, user=None, progress=lease.report)
            try:
                _refuse_if_changed(place, row)
            except Skip:
                uploads.abort_upload(upload=upload)  # it may be half the old file and half the new one
                raise
            uploads.finish_here(upload=upload, user=None, progress=lease.report)
    except UploadError as error:
        if error.code == "cut_off":
            raise Skip(error.message) from error
        raise PermanentFailure(error.message, code=error.code) from error
    except FileNotFoundError as error:
        raise Skip(_("The file is gone.")) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TemporaryFailure(_("The file cannot be read (%(reason)s).") % {"reason": reason}) from error
    return upload


def _refuse_if_changed(place: Place, row: WatchedFile) -> None:
    if place.find(row.path) != Found(row.path, row.size, row.modified_at):
        raise Skip(_("The file was changed, moved or deleted. A changed file is looked at anew."))


def _put_away(place: Place, row: WatchedFile) -> None:
    """Move or delete what is stored, as the setting says. It staying where it is does no harm."""
    try:
        if place.find(row.path) != Found(row.path, row.size, row.modified_at):
            return
        if settings.WATCHED_TAKEN == "delete":
            place.delete(row.path)
        elif settings.WATCHED_TAKEN == "move":
            folder, _slash, name = row.path.rpartition("/")
            place.move(row.path, f"{TAKEN_FOLDER}/{folder}/{row.modified_at:%Y%m%d-%H%M%S}-{name}")
    except (OSError, StoreError):
        logger.warning("%s was stored, but could not be put away", row.path, exc_info=True)


# --- Whose file it is ----------------------------------------------------------------------------------------------


def webinar_of(row: WatchedFile) -> Webinar | None:
    """The webinar that the file's place names."""
    names = row.path.split("/")
    if len(names) != 3:
        return None
    found = Webinar.objects.filter(organisation__slug=names[0], slug=names[1])
    return found.select_related("organisation").first()


def _explanation(row: WatchedFile) -> str:
    names = row.path.split("/")
    rule = _("Files belong in <organisation>/<webinar>/, named as in the addresses of their pages.")
    if len(names) != 3:
        return _("This file is in a wrong place.") + " " + rule
    if not Organisation.objects.filter(slug=names[0]).exists():
        return _("There is no organisation %(name)s.") % {"name": names[0]} + " " + rule
    return _("There is no webinar %(name)s in this organisation.") % {"name": names[1]} + " " + rule


def watched_files_of(organisations: "QuerySet[Organisation]") -> "QuerySet[WatchedFile]":
    """Rows whose files lie in the folders of these organisations, newest first."""
    mine = Q(pk=None)
    for slug in organisations.values_list("slug", flat=True):
        mine |= Q(path__startswith=f"{slug}/")
    return WatchedFile.objects.filter(mine).order_by("-created_at")


def watched_files_of_webinar(webinar: Webinar) -> "QuerySet[WatchedFile]":
    """Rows of the webinar's folder that are not recordings yet, newest first."""
    found = WatchedFile.objects.filter(path__startswith=f"{webinar.organisation.slug}/{webinar.slug}/")
    return found.exclude(state=WorkState.DONE).order_by("-created_at")


def unplaced_files() -> "QuerySet[WatchedFile]":
    """Rows whose files lie in no organisation's folder: for administrators."""
    found = WatchedFile.objects.filter(state=WorkState.FAILED, error_code=MISPLACED)
    for slug in Organisation.objects.values_list("slug", flat=True):
        found = found.exclude(path__startswith=f"{slug}/")
    return found.order_by("-created_at")


def files_for(user: User, *, token: ApiToken | None = None) -> "QuerySet[WatchedFile]":
    """Those in the folders of the person's organisations; administrators also see those that lie in nobody's."""
    found = watched_files_of(rules.organisations_of(user, token=token))
    return found | unplaced_files() if user.is_superuser and token is None else found


def failed_files_for(user: User) -> "QuerySet[WatchedFile]":
    """Those that wait for a person."""
    return files_for(user).filter(state=WorkState.FAILED)


def organisation_of(row: WatchedFile) -> Organisation | None:
    return Organisation.objects.filter(slug=row.path.partition("/")[0]).first()


def retry(*, row: WatchedFile, user: User | None) -> None:
    """Take a file once more, as a person asked.

    Raises:
        WatchedFileGone: it is not there any more.
        StaleState: it is being taken, or was.
    """
    place = watched_place()
    found: Any = place.find(row.path) if place is not None else None
    if found is None:
        raise WatchedFileGone(_("This file is gone. Put it there again."))
    work.services.retry(row)
    work.services.enqueue(row)
    record_action(action="watched_file.retry", target=row, organisation=organisation_of(row), user=user)
