"""Files arriving in parts: the same story on local files and on a real S3 server."""

import errno
import hashlib
import io
import json
import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Organisation, User
from media import uploads
from media.models import Asset, Upload
from media.signals import upload_completed
from media.storage import LocalPrivateStorage, private_storage
from media.upload_errors import (
    HashMismatch,
    PartRefused,
    PartsMissing,
    QuotaExceeded,
    UploadClosed,
    UploadError,
    UploadTooLarge,
)
from media.views import part_view
from tests.factories.accounts import OrganisationFactory, UserFactory
from tests.support.uploads import join, made_bytes, part_of, send_part, send_parts
from work import services as work_services
from work.errors import DomainError
from work.models import WorkState

pytestmark = pytest.mark.django_db(transaction=True)

PART = 64 * 1024


@pytest.fixture(params=["local", "s3"])
def part_bytes(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> int:
    """Choose the store, and say how large its parts are: S3 wants five mebibytes."""
    if request.param == "s3":
        request.getfixturevalue("s3_storage")
        size = 5 * 1024**2
    else:
        use_local_store(settings, tmp_path)
        size = PART
    settings.UPLOAD_PART_BYTES = size
    return size


@pytest.fixture
def local(settings: Settings, tmp_path: Path) -> Path:
    use_local_store(settings, tmp_path)
    settings.UPLOAD_PART_BYTES = PART
    return tmp_path


def use_local_store(settings: Settings, folder: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.LocalPrivateStorage", "OPTIONS": {"location": str(folder)}},
    }


@pytest.fixture
def organisation() -> Organisation:
    made: Organisation = OrganisationFactory.create()
    return made


@pytest.fixture
def user() -> User:
    made: User = UserFactory.create()
    return made


def start(organisation: Organisation, data: bytes, *, sha256: str = "", name: str = "talk.mp4") -> Upload:
    return uploads.start_upload(
        organisation=organisation, user=None, file_name=name, size=len(data), purpose="", sha256=sha256
    )


def stored_bytes(asset: Asset) -> bytes:
    return b"".join(private_storage().read_chunks(asset.source_key))


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# --- The whole way -------------------------------------------------------------------------------------------------


def test_parts_become_an_asset_with_size_and_hash(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(2 * part_bytes + 123)
    upload = start(organisation, data)
    assert upload.part_count == 3
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    asset = join(upload).asset
    assert upload.state == WorkState.DONE
    assert asset is not None
    assert (asset.size, asset.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stored_bytes(asset) == data


def test_parts_sent_in_parallel_and_in_any_order(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(3 * part_bytes + 1)
    upload = start(organisation, data)
    numbers = [4, 2, 3, 1]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: _send_in_thread(upload, n, part_of(data, upload, n)), numbers))
    assert answers == [200] * 4
    uploads.complete_upload(upload=upload)
    asset = join(upload).asset
    assert asset is not None
    assert stored_bytes(asset) == data


def _send_in_thread(upload: Upload, number: int, body: bytes) -> int:

    try:
        return send_part(upload, number, body)
    finally:
        connection.close()


def test_interrupted_upload_goes_on_with_the_missing_parts(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(3 * part_bytes)
    upload = start(organisation, data, sha256=hashlib.sha256(data).hexdigest())
    send_parts(upload, data, [1, 3])

    later = Upload.objects.get(pk=upload.pk)
    assert [part.number for part in uploads.list_parts(upload=later)] == [1, 3]
    send_parts(later, data, [2])
    uploads.complete_upload(upload=later)
    asset = join(later).asset
    assert asset is not None
    assert asset.sha256 == hashlib.sha256(data).hexdigest()


def test_part_may_be_sent_again(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data)
    assert send_part(upload, 1, bytes(len(data))) == 200
    assert send_part(upload, 1, data) == 200
    uploads.complete_upload(upload=upload)
    asset = join(upload).asset
    assert asset is not None
    assert stored_bytes(asset) == data


def test_completing_tells_which_parts_are_missing(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(3 * part_bytes)
    upload = start(organisation, data)
    send_parts(upload, data, [2])
    with pytest.raises(PartsMissing) as caught:
        uploads.complete_upload(upload=upload)
    assert caught.value.facts["missing"] == [1, 3]
    assert upload.state == WorkState.WAITING


def test_hash_found_while_sending_is_checked_too(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload, sha256=hashlib.sha256(b"something else").hexdigest())
    join(upload)
    assert (upload.state, upload.error_code, upload.asset) == (WorkState.FAILED, "hash_mismatch", None)
    assert "upload it again" in upload.error


def test_two_different_announced_hashes_are_refused_at_once(local: Path, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data, sha256=hashlib.sha256(data).hexdigest())
    send_parts(upload, data)
    with pytest.raises(HashMismatch):
        uploads.complete_upload(upload=upload, sha256="0" * 64)
    assert uploads.complete_upload(upload=upload).state == WorkState.QUEUED


def test_parts_that_the_store_lost_are_asked_for_again(local: Path, organisation: Organisation) -> None:
    data = made_bytes(2 * PART)
    upload = start(organisation, data)
    send_parts(upload, data)
    private_storage().discard_parts(upload.storage_key, upload.multipart_id)
    assert uploads.list_parts(upload=upload) == []
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    assert join(upload).state == WorkState.DONE


def test_completing_twice_changes_nothing(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    assert uploads.complete_upload(upload=upload).state == WorkState.QUEUED
    join(upload)
    assert uploads.complete_upload(upload=upload).state == WorkState.DONE
    assert Asset.objects.count() == 1


def test_another_file_than_announced_is_refused_and_removed(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data, sha256=hashlib.sha256(b"something else").hexdigest())
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    join(upload)
    assert (upload.state, upload.error_code, upload.asset) == (WorkState.FAILED, "hash_mismatch", None)
    assert not storages["default"].exists(upload.storage_key)
    assert not upload.parts.exists()


def test_giving_up_removes_the_parts(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(2 * part_bytes)
    upload = start(organisation, data)
    send_parts(upload, data, [1])
    parts_id = upload.multipart_id
    uploads.abort_upload(upload=upload)
    assert upload.state == WorkState.CANCELLED
    assert parts_left(upload, parts_id) == 0
    with pytest.raises(UploadClosed):
        uploads.part_address(upload=upload, number=2)


def parts_left(upload: Upload, parts_id: str) -> int:
    try:
        return len(private_storage().stored_parts(upload.storage_key, parts_id))
    except DomainError:  # S3 forgets the upload itself
        return 0


def test_uploads_not_completed_in_time_end_and_leave_nothing(part_bytes: int, organisation: Organisation) -> None:
    data = made_bytes(2 * part_bytes)
    old, young = start(organisation, data), start(organisation, data)
    for upload in (old, young):
        send_parts(upload, data, [1])
    Upload.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    old_parts_id = old.multipart_id

    assert uploads.expire_uploads() == 1
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.state, young.state) == (WorkState.CANCELLED, WorkState.WAITING)
    assert (parts_left(old, old_parts_id), parts_left(young, young.multipart_id)) == (0, 1)
    assert uploads.expire_uploads() == 0


def test_store_file_goes_the_same_way(part_bytes: int, organisation: Organisation, tmp_path: Path) -> None:
    data = made_bytes(2 * part_bytes + 5)
    path = tmp_path / "on-disk.mp4"
    path.write_bytes(data)
    seen: list[float] = []
    asset = uploads.store_file(
        organisation=organisation, user=None, path=path, progress=lambda percent, _activity: seen.append(percent)
    )
    assert (asset.file_name, asset.sha256) == ("on-disk.mp4", hashlib.sha256(data).hexdigest())
    assert stored_bytes(asset) == data
    assert seen == sorted(seen)
    assert path.read_bytes() == data


# --- Crashes -------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing after it runs but the next attempt."""


def crash_and_repeat(upload: Upload, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Die when `uploads.<name>` is reached, then let the sweeper bring the row back to another worker."""
    with monkeypatch.context() as patch:

        def die(*_args: object, **_kwargs: object) -> None:
            raise Killed

        patch.setattr(uploads, name, die)
        with pytest.raises(Killed):
            work_services.execute(uploads.WORK_KIND, upload.pk)
    Upload.objects.filter(pk=upload.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work_services.sweep()
    join(upload)


@pytest.mark.parametrize("where", ["_join_parts", "_read_back", "inspect_source"])
def test_killed_while_joining_the_next_attempt_finishes_it_once(
    part_bytes: int, organisation: Organisation, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    data = made_bytes(part_bytes + 7)
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    crash_and_repeat(upload, monkeypatch, where)
    assert upload.state == WorkState.DONE
    assert [stored_bytes(asset) for asset in Asset.objects.all()] == [data]


def test_killed_after_the_asset_was_stored_it_stays_the_only_one(
    local: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_bytes()
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    with monkeypatch.context() as patch:

        def die(*_args: object) -> None:
            raise Killed

        patch.setattr(LocalPrivateStorage, "discard_parts", die)
        with pytest.raises(Killed):
            work_services.execute(uploads.WORK_KIND, upload.pk)
    Upload.objects.filter(pk=upload.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work_services.sweep()
    join(upload)
    assert (upload.state, Asset.objects.count()) == (WorkState.DONE, 1)
    assert left_behind(local) == [upload.storage_key]


def test_receivers_rows_are_stored_with_the_asset_or_not_at_all(local: Path, organisation: Organisation) -> None:
    data = made_bytes()
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)

    def fail(**_kwargs: object) -> None:
        raise RuntimeError("no")

    upload_completed.connect(fail)
    try:
        join(upload)
    finally:
        upload_completed.disconnect(fail)
    assert (upload.state, upload.asset, Asset.objects.count()) == (WorkState.QUEUED, None, 0)


def test_signal_carries_upload_and_asset(local: Path, organisation: Organisation) -> None:
    data = made_bytes()
    seen: list[tuple[Upload, Asset]] = []

    def note(upload: Upload, asset: Asset, **_kwargs: object) -> None:
        seen.append((upload, asset))

    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    upload_completed.connect(note)
    try:
        join(upload)
    finally:
        upload_completed.disconnect(note)
    assert seen == [(upload, upload.asset)]


def test_full_disk_fails_with_the_reason_and_keeps_the_parts(
    local: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:

    data = made_bytes()
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("media.storage.local.os.replace", full)
        join(upload)
    assert (upload.state, upload.error_code) == (WorkState.FAILED, "store_full")
    assert "disk is full" in upload.error
    assert [name for name in left_behind(local) if "joining" in name] == []

    # Once there is room, completing again is all that is needed.
    uploads.complete_upload(upload=upload)
    assert join(upload).state == WorkState.DONE


def test_what_is_no_recording_is_refused_with_the_reason_and_not_kept(local: Path, organisation: Organisation) -> None:
    data = b"<!doctype html><script>alert(1)</script>" * 100
    upload = start(organisation, data)
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    join(upload)
    assert (upload.state, Asset.objects.count(), left_behind(local)) == (WorkState.FAILED, 0, [])
    assert "video" in upload.error


# --- What is refused ------------------------------------------------------------------------------------------------


def test_empty_file_is_refused(organisation: Organisation) -> None:
    with pytest.raises(UploadError, match="empty"):
        start(organisation, b"")


def test_file_larger_than_the_limit_is_refused_with_the_limit(organisation: Organisation, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000_000
    with pytest.raises(UploadTooLarge, match=r"at most 1\.0 MB"):
        start(organisation, bytes(1_000_001))


def test_what_is_no_sha256_is_refused(organisation: Organisation) -> None:
    with pytest.raises(UploadError) as caught:
        start(organisation, b"x", sha256="abc")
    assert caught.value.field == "sha256"


def test_quota_counts_originals_and_open_uploads(local: Path, organisation: Organisation, settings: Settings) -> None:
    settings.UPLOAD_QUOTA_BYTES = 10_000
    data = made_bytes(4000)
    first = start(organisation, data)
    send_parts(first, data)
    uploads.complete_upload(upload=first)
    join(first)
    second = start(organisation, data)
    with pytest.raises(QuotaExceeded) as caught:
        start(organisation, data)
    assert caught.value.facts == {"free": 2000, "quota": 10_000}
    uploads.abort_upload(upload=second)
    assert start(organisation, data).state == WorkState.WAITING


def test_quota_holds_under_parallel_uploads(local: Path, organisation: Organisation, settings: Settings) -> None:
    """Promise U12."""
    settings.UPLOAD_QUOTA_BYTES = 5 * 40

    def announce(_number: int) -> str:

        try:
            start(organisation, bytes(40))
        except QuotaExceeded:
            return "refused"
        else:
            return "taken"
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = sorted(pool.map(announce, range(10)))
    assert answers == ["refused"] * 5 + ["taken"] * 5


def test_other_organisations_quota_is_their_own(organisation: Organisation, local: Path, settings: Settings) -> None:
    settings.UPLOAD_QUOTA_BYTES = 50
    start(organisation, bytes(40))
    assert start(OrganisationFactory.create(), bytes(40)).state == WorkState.WAITING


def test_purpose_may_be_refused_by_who_registered_it(organisation: Organisation) -> None:
    class No(DomainError):
        code = "no"

    def refuse(**_kwargs: object) -> None:
        raise No("No.")

    uploads.register_purpose("test-only", refuse)
    with pytest.raises(No):
        uploads.start_upload(
            organisation=organisation, user=None, file_name="x", size=1, purpose="test-only:1", sha256=""
        )
    assert not Upload.objects.exists()


def test_very_large_file_gets_larger_parts_rather_than_too_many(organisation: Organisation, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = settings.UPLOAD_QUOTA_BYTES = 10**12
    upload = uploads.start_upload(organisation=organisation, user=None, file_name="x", size=10**12, purpose="")
    assert upload.part_count <= 10_000


@pytest.mark.parametrize(
    ("wanted", "given"), [(1, 256 * 1024), (1024**2, 1024**2), (10**9, 256 * 1024**2), (None, PART)]
)
def test_client_may_ask_for_parts_that_suit_its_line(
    organisation: Organisation, local: Path, wanted: int | None, given: int
) -> None:
    upload = uploads.start_upload(
        organisation=organisation, user=None, file_name="x", size=10**9, purpose="", part_size=wanted
    )
    assert upload.part_size == max(given, 10**9 // 10_000)


def test_store_has_the_last_word_on_the_size_of_parts(organisation: Organisation, s3_storage: object) -> None:
    upload = uploads.start_upload(
        organisation=organisation, user=None, file_name="x", size=10**9, purpose="", part_size=1024**2
    )
    assert upload.part_size == 5 * 1024**2


@pytest.mark.parametrize("number", [0, 3, 10**6])
def test_part_that_does_not_exist_is_refused(organisation: Organisation, local: Path, number: int) -> None:
    upload = start(organisation, made_bytes(PART + 1))
    with pytest.raises(PartRefused):
        uploads.part_address(upload=upload, number=number)


def test_hostile_names_are_only_shown(organisation: Organisation, local: Path, corpus: Path) -> None:

    for name in json.loads((corpus / "strings" / "filenames.json").read_text()):
        upload = start(organisation, b"x", name=name)
        assert len(upload.file_name) <= 200
        assert not set(upload.file_name) & set("/\\\r\n\0\u202e\u200b")
        assert upload.storage_key.startswith("originals/")
        assert len(upload.storage_key) == len("originals/") + 32


def test_starting_and_completing_are_recorded(organisation: Organisation, local: Path, user: User) -> None:
    upload = uploads.start_upload(organisation=organisation, user=user, file_name="x", size=1, purpose="")
    send_parts(upload, b"x")
    uploads.complete_upload(upload=upload, user=user)
    entries = AuditEntry.objects.filter(target_id=str(upload.pk)).order_by("pk")
    assert [(entry.action, entry.user) for entry in entries] == [("upload.start", user), ("upload.complete", user)]


# --- Our own door for parts (local files) ----------------------------------------------------------------------------


def test_part_of_another_size_is_refused(local: Path, organisation: Organisation) -> None:
    upload = start(organisation, made_bytes(PART))
    assert send_part(upload, 1, b"short") == 400
    assert send_part(upload, 1, bytes(PART + 1)) == 413
    assert left_behind(local) == []


def test_part_address_that_was_changed_opens_nothing(local: Path, organisation: Organisation) -> None:

    url = uploads.part_address(upload=start(organisation, b"x"), number=1).url
    changed = "a" if url[-5] != "a" else "b"
    assert Client().put(url[:-5] + changed + url[-4:], b"x").status_code == 403


def test_part_address_expires(local: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_ADDRESS_LIFE_S", -1)
    assert send_part(start(organisation, b"x"), 1, b"x") == 403


class Zeros(io.RawIOBase):
    """A body that exists only while it is read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        given = min(self.left, len(view))
        view[:given] = bytes(given)
        self.left -= given
        return given


def test_large_part_goes_to_disk_without_filling_memory(
    local: Path, organisation: Organisation, settings: Settings
) -> None:
    settings.UPLOAD_PART_BYTES = size = 64 * 1024**2
    upload = uploads.start_upload(organisation=organisation, user=None, file_name="x", size=size, purpose="")
    url = uploads.part_address(upload=upload, number=1).url
    body: dict[str, Any] = {"CONTENT_LENGTH": str(size), "wsgi.input": Zeros(size)}
    request = RequestFactory().generic("PUT", url, **body)
    tracemalloc.start()
    try:
        response = part_view(request, url.rpartition("/")[2])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert response.status_code == 200
    assert peak < 8 * 1024**2


def test_part_that_comes_after_completion_is_refused_and_changes_nothing(
    local: Path, organisation: Organisation
) -> None:

    data = made_bytes()
    upload = start(organisation, data)
    url = uploads.part_address(upload=upload, number=1).url
    send_parts(upload, data)
    uploads.complete_upload(upload=upload)
    assert Client().put(url, bytes(len(data))).status_code == 409
    asset = join(upload).asset
    assert asset is not None
    assert stored_bytes(asset) == data


def test_random_cuts_and_repeats_end_in_the_same_file(local: Path, organisation: Organisation) -> None:
    """Promise D2: whatever is sent twice, out of order or short, the whole is right."""
    chance = random.Random(7)
    data = made_bytes(9 * PART + 17)
    upload = start(organisation, data, sha256=hashlib.sha256(data).hexdigest())
    for _step in range(40):
        number = chance.randint(1, upload.part_count)
        body = part_of(data, upload, number)
        send_part(upload, number, body[: chance.choice([0, len(body) // 2, len(body)])])
    have = {part.number for part in uploads.list_parts(upload=upload)}
    send_parts(upload, data, [n for n in range(1, upload.part_count + 1) if n not in have])
    uploads.complete_upload(upload=upload)
    asset = join(upload).asset
    assert asset is not None
    assert stored_bytes(asset) == data
    assert left_behind(local) == [asset.source_key]
