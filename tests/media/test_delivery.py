"""Files of the local store, as they leave it: ranges, headers, names."""

import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils.http import http_date
from pytest_django import Settings

from media.delivery import ByteRange, FileSlice, Unsatisfiable, parse_range
from media.storage import PrivateStorage, private_storage

pytestmark = pytest.mark.usefixtures("own_store")

DATA = bytes(range(200))


@pytest.fixture
def storage() -> PrivateStorage:
    return private_storage()


@pytest.fixture
def url(storage: PrivateStorage) -> str:
    return storage.signed_url(storage.save("a/video.mp4", ContentFile(DATA)))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, **headers: str) -> Answer:
    return fetch("GET", url, **headers)


def fetch(method: str, url: str, **headers: str) -> Answer:
    """Ask for a file and close the answer, as a web server does; `if_range="x"` is the header If-Range."""
    response = Client().generic(method, url, headers={key.replace("_", "-"): value for key, value in headers.items()})
    with closing(response):
        return Answer(response.status_code, response.headers, response.getvalue())


def test_whole_file(url: str) -> None:
    response = get(url)
    assert (response.status, response.body) == (200, DATA)
    assert response.headers["Content-Length"] == "200"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Type"] == "video/mp4"


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-9", 0, 9), ("bytes=190-", 190, 199), ("bytes=-5", 195, 199), ("bytes=150-9999", 150, 199)],
)
def test_range(url: str, header: str, start: int, end: int) -> None:
    response = get(url, range=header)
    assert (response.status, response.body) == (206, DATA[start : end + 1])
    assert response.headers["Content-Range"] == f"bytes {start}-{end}/200"
    assert response.headers["Content-Length"] == str(end - start + 1)


def test_range_behind_the_end_is_unsatisfiable(url: str) -> None:
    response = get(url, range="bytes=200-")
    assert (response.status, response.headers["Content-Range"]) == (416, "bytes */200")


@pytest.mark.parametrize("header", ["bytes=5-2", "lines=0-1", "bytes=0-1,5-6", "bytes=", "bytes=-", "nonsense"])
def test_range_that_cannot_be_read_gives_the_whole_file(url: str, header: str) -> None:
    response = get(url, range=header)
    assert (response.status, response.body) == (200, DATA)


def test_if_range_with_another_etag_gives_the_whole_file(url: str) -> None:
    etag = get(url).headers["ETag"]
    same = get(url, range="bytes=0-9", if_range=etag)
    other = get(url, range="bytes=0-9", if_range='"other"')
    assert (same.status, other.status) == (206, 200)


def test_if_range_with_a_date(url: str) -> None:
    modified = get(url).headers["Last-Modified"]
    same = get(url, range="bytes=0-9", if_range=modified)
    other = get(url, range="bytes=0-9", if_range=http_date(0))
    assert (same.status, other.status) == (206, 200)


def test_known_etag_is_not_sent_again(url: str) -> None:
    response = get(url, if_none_match=get(url).headers["ETag"])
    assert (response.status, response.body) == (304, b"")


def test_head_has_the_headers_and_no_body(url: str) -> None:
    response = fetch("HEAD", url, range="bytes=0-9")
    assert (response.status, response.headers["Content-Length"], response.body) == (206, "10", b"")


def test_post_is_not_allowed(url: str) -> None:
    assert fetch("POST", url).status == 405


def test_every_file_is_sandboxed_and_not_sniffed(url: str) -> None:
    response = get(url)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("ending", ["html", "svg", "xml", "pdf", "pptx", "bin", "js", "zip"])
def test_types_that_could_run_anything_are_only_offered_for_download(storage: PrivateStorage, ending: str) -> None:
    response = get(storage.signed_url(storage.save(f"a/file.{ending}", ContentFile(b"<script>"))))
    assert response.headers["Content-Disposition"] == f'attachment; filename="file.{ending}"'


def test_file_name_makes_a_download(storage: PrivateStorage) -> None:
    key = storage.save("a/b.mp4", ContentFile(b"x"))
    assert "Content-Disposition" not in get(storage.signed_url(key)).headers
    named = get(storage.signed_url(key, file_name="talk.mp4"))
    assert named.headers["Content-Disposition"] == 'attachment; filename="talk.mp4"'


def test_hostile_names_stay_inside_the_header(storage: PrivateStorage, corpus: Path) -> None:
    key = storage.save("a/b.mp4", ContentFile(b"x"))
    for name in json.loads((corpus / "strings" / "filenames.json").read_text()):
        header = get(storage.signed_url(key, file_name=name)).headers["Content-Disposition"]
        assert header.startswith("attachment")
        assert not set(header) & set("\r\n\0")


def test_given_content_type_is_declared(storage: PrivateStorage) -> None:
    url = storage.signed_url(storage.save("a/b", ContentFile(b"x")), content_type="audio/flac")
    assert get(url).headers["Content-Type"] == "audio/flac"


def test_deleted_file_is_not_found(storage: PrivateStorage, url: str) -> None:
    storage.delete("a/video.mp4")
    assert get(url).status == 404


def test_key_cannot_climb_out_of_the_store(storage: PrivateStorage) -> None:
    assert get(storage.signed_url("../../etc/passwd")).status in (400, 404)


def test_nginx_is_told_which_file_to_send(storage: PrivateStorage, settings: Settings) -> None:
    settings.SENDFILE = "nginx"
    response = get(storage.signed_url(storage.save("a/ü.mp4", ContentFile(DATA))))
    assert response.headers["X-Accel-Redirect"] == "/protected-files/a/%C3%BC.mp4"
    assert (response.headers["Content-Type"], response.body) == ("video/mp4", b"")


def test_cache_may_keep_it_no_longer_than_the_address_works(url: str, settings: Settings) -> None:
    seconds = int(get(url).headers["Cache-Control"].split("max-age=")[1].split(",")[0])
    assert 0 < seconds <= settings.MEDIA_LINK_LIFE_S


def test_on_s3_our_own_door_is_closed(url: str, settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.S3PrivateStorage", "OPTIONS": {"bucket_name": "b", "region_name": "x"}},
    }
    assert get(url).status == 404


def test_parse_range_of_an_empty_file() -> None:
    assert parse_range("", 0) is None
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=0-", 0)
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=-5", 0)


def test_parse_range_of_huge_numbers() -> None:
    assert parse_range("bytes=0-999999999999999999", 10) == ByteRange(0, 9)
    assert parse_range(f"bytes={'9' * 400}-", 10) is None


def test_a_range_leaves_by_sendfile(tmp_path: Path) -> None:
    """gunicorn hands what it sends to `socket.sendfile`, which moves the file afterwards: failing there would close
    the connection after each range."""
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    ours, theirs = socket.socketpair()
    with ours, theirs, path.open("rb") as file:
        file.seek(50)
        part = FileSlice(file, 100)
        assert ours.sendfile(part, offset=50, count=100) == 100
        assert theirs.recv(200) == DATA[50:150]


@pytest.mark.django_db(transaction=True)
def test_the_database_is_let_go_before_a_slow_client_gets_its_bytes(url: str) -> None:
    connection.ensure_connection()
    response = Client().get(url)
    assert connection.connection is None
    response.close()
