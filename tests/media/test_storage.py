"""The private store: both kinds keep the same promises."""

import errno
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from pytest_django import Settings

from media.storage import LocalPrivateStorage, PrivateStorage, StoreError, StoreFull, private_storage
from media.storage.errors import PartDamaged, PartsGone, disk_errors
from tests.support.s3 import S3Server

MIB = 1024**2


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> PrivateStorage:
    if request.param == "s3":
        request.getfixturevalue("s3_storage")
    else:
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "media.storage.LocalPrivateStorage", "OPTIONS": {"location": str(tmp_path)}},
        }
    return private_storage()


def status_of(url: str) -> int:
    if url.startswith("http"):
        return requests.get(url, timeout=10).status_code
    with closing(Client().get(url)) as response:
        return response.status_code


def test_saved_file_reads_back_in_chunks(storage: PrivateStorage) -> None:
    data = bytes(range(256)) * 8192  # 2 MiB
    key = storage.save("a/b", ContentFile(data))
    chunks = list(storage.read_chunks(key))
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= MIB


def test_signed_address_gives_the_file(storage: PrivateStorage) -> None:
    url = storage.signed_url(storage.save("a/b.txt", ContentFile(b"hello")))
    assert status_of(url) == 200


def test_tampered_address_is_refused(storage: PrivateStorage) -> None:
    storage.save("a/secret.txt", ContentFile(b"secret"))
    url = storage.signed_url(storage.save("a/b.txt", ContentFile(b"hello")))
    changed = "a" if url[-5] != "a" else "b"
    assert status_of(url[:-5] + changed + url[-4:]) == 403
    if url.startswith("http"):
        assert status_of(url.replace("/a/b.txt", "/a/secret.txt")) == 403
        assert status_of(url.partition("?")[0]) in (400, 403)  # servers differ in the word for it


def test_expired_address_is_refused(storage: PrivateStorage) -> None:
    url = storage.signed_url(storage.save("a/b.txt", ContentFile(b"hello")), life_s=1)
    time.sleep(2.2)
    assert status_of(url) == 403


def test_delete_prefix_removes_only_what_is_below(storage: PrivateStorage) -> None:
    for key in ("assets/one/a", "assets/one/deep/b", "assets/only", "assets/two/c"):
        storage.save(key, ContentFile(b"x"))
    storage.delete_prefix("assets/one")
    left = [key for key in ("assets/one/a", "assets/one/deep/b", "assets/only", "assets/two/c") if storage.exists(key)]
    assert left == ["assets/only", "assets/two/c"]


def test_delete_prefix_never_empties_the_store(storage: PrivateStorage) -> None:
    with pytest.raises(ValueError):
        storage.delete_prefix("")


def test_reading_what_is_not_there_is_a_store_error(storage: PrivateStorage) -> None:
    with pytest.raises(StoreError):
        list(storage.read_chunks("nothing/here"))


def test_parts_join_in_order_whatever_order_they_came_in(storage: PrivateStorage) -> None:
    size = storage.min_part_bytes
    bodies = {1: b"1" * size, 2: b"2" * size, 3: b"3" * 10}
    parts_id = storage.begin_parts("u/key")
    for number in (3, 1, 2):
        storage.write_part("u/key", parts_id, number, BytesIO(bodies[number]), size=len(bodies[number]))
    parts = storage.stored_parts("u/key", parts_id)
    assert [(part.number, part.size) for part in parts] == [(1, size), (2, size), (3, 10)]
    storage.join_parts("u/key", parts_id, parts, lambda _percent: None)
    assert b"".join(storage.read_chunks("u/key")) == bodies[1] + bodies[2] + bodies[3]


def test_part_sent_again_replaces_the_earlier_one(storage: PrivateStorage) -> None:
    parts_id = storage.begin_parts("u/key")
    storage.write_part("u/key", parts_id, 1, BytesIO(b"old"), size=3)
    new = storage.write_part("u/key", parts_id, 1, BytesIO(b"newer"), size=5)
    assert storage.stored_parts("u/key", parts_id) == [new]


def test_part_that_ends_early_is_not_stored(storage: PrivateStorage) -> None:
    parts_id = storage.begin_parts("u/key")
    with pytest.raises(EOFError):
        storage.write_part("u/key", parts_id, 1, BytesIO(b"abc"), size=5)
    assert storage.stored_parts("u/key", parts_id) == []


def test_joining_again_after_a_crash_gives_the_same_file(storage: PrivateStorage) -> None:
    parts_id = storage.begin_parts("u/key")
    part = storage.write_part("u/key", parts_id, 1, BytesIO(b"abc"), size=3)
    for _attempt in range(2):
        storage.join_parts("u/key", parts_id, [part], lambda _percent: None)
    assert b"".join(storage.read_chunks("u/key")) == b"abc"


def test_joining_discarded_parts_says_that_they_are_gone(storage: PrivateStorage) -> None:
    parts_id = storage.begin_parts("u/key")
    part = storage.write_part("u/key", parts_id, 1, BytesIO(b"abc"), size=3)
    storage.discard_parts("u/key", parts_id)
    with pytest.raises(PartsGone):
        storage.join_parts("u/key", parts_id, [part], lambda _percent: None)
    storage.discard_parts("u/key", parts_id)  # again: nothing to remove is fine


def test_local_address_stays_the_same_for_a_while_so_that_browsers_can_cache(settings: Settings) -> None:
    storage = storages["default"]
    assert isinstance(storage, LocalPrivateStorage)
    settings.MEDIA_LINK_LIFE_S = 80_000
    assert storage.url("a/b") in {storage.url("a/b") for _again in range(3)}


def test_local_part_that_the_disk_changed_is_noticed(tmp_path: Path) -> None:
    storage = LocalPrivateStorage(location=str(tmp_path))
    parts_id = storage.begin_parts("u/key")
    part = storage.write_part("u/key", parts_id, 1, BytesIO(b"abc"), size=3)
    [path] = (tmp_path / ".parts" / parts_id).iterdir()
    path.write_bytes(b"abx")
    with pytest.raises(PartDamaged):
        storage.join_parts("u/key", parts_id, [part], lambda _percent: None)
    assert not (tmp_path / "u" / "key").exists()


def test_full_disk_says_so() -> None:
    with pytest.raises(StoreFull, match="disk is full"), disk_errors():
        raise OSError(errno.ENOSPC, "No space left on device")


def test_unreachable_s3_is_a_store_error_that_says_so(s3_server: S3Server, s3_storage: PrivateStorage) -> None:
    from media.storage import S3PrivateStorage

    options = {**s3_server.options("bucket"), "endpoint_url": "http://127.0.0.1:9"}
    with pytest.raises(StoreError, match="cannot be reached"):
        S3PrivateStorage(**options).begin_parts("key")


def test_public_endpoint_is_the_one_in_addresses(s3_storage: PrivateStorage, settings: Settings) -> None:
    settings.S3_PUBLIC_ENDPOINT_URL = "https://files.example.org"
    assert s3_storage.signed_url("a/b").startswith("https://files.example.org/")


def test_s3_download_has_the_given_name_and_type(s3_storage: PrivateStorage) -> None:
    key = s3_storage.save("a/b", ContentFile(b"hello"))
    answer = requests.get(s3_storage.signed_url(key, file_name="مرحبا.pdf", content_type="text/vtt"), timeout=10)
    assert answer.headers["Content-Type"].startswith("text/vtt")
    assert answer.headers["Content-Disposition"] == ("attachment; filename*=utf-8''%D9%85%D8%B1%D8%AD%D8%A8%D8%A7.pdf")


def test_s3_serves_ranges(s3_storage: PrivateStorage) -> None:
    url = s3_storage.signed_url(s3_storage.save("a/b", ContentFile(b"0123456789")))
    answer = requests.get(url, headers={"Range": "bytes=2-4"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, b"234")


def test_s3_discard_finds_uploads_whose_name_was_never_noted(s3_storage: PrivateStorage) -> None:
    parts_id = s3_storage.begin_parts("u/key")
    s3_storage.discard_parts("u/key", "")
    with pytest.raises(PartsGone):
        s3_storage.stored_parts("u/key", parts_id)
