"""A full disk and a store that refuses (promise D6): the upload says what happened, leaves nothing, loses nothing."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from accounts.models import Organisation
from media import uploads
from media.models import Upload
from media.storage import StoreError, StoreFull, private_storage
from tests.factories.accounts import OrganisationFactory
from tests.support.s3 import S3Server
from tests.support.stub_store import StubStore, refusal, stub_store
from tests.support.uploads import join, made_bytes, part_of, send_part, send_parts
from tests.support.web import WebServer
from work.models import WorkState

MIB = 1024**2

# --- A disk that is really full ------------------------------------------------------------------------------------

# Runs where only it sees the small disk. The database is elsewhere, so that only the files meet their limit.
FULL_DISK = """
import hashlib, json, os
from pathlib import Path
from django.conf import settings
from tests.factories.accounts import OrganisationFactory
from tests.support.uploads import join, made_bytes, send_part
from media import uploads
from media.models import Upload
from media.storage import private_storage

root = Path(settings.MEDIA_ROOT)
data = made_bytes(3 * 2**20)
filler = root / "filler"
answer = {}

def files():
    return sorted(p.name for p in root.rglob("*") if p.is_file() and p != filler)

def fill(left):
    stat = os.statvfs(root)
    filler.write_bytes(bytes(max(0, stat.f_bavail * stat.f_bsize - left)))

upload = uploads.start_upload(
    organisation=OrganisationFactory.create(), user=None, file_name="a.wav", size=len(data), purpose="",
    sha256=hashlib.sha256(data).hexdigest(),
)
part = upload.part_size
fill(part + part // 2)
answer["statuses"] = [send_part(upload, n, data[(n - 1) * part : n * part]) for n in (1, 2)]
answer["after_the_refusal"] = len(files())
filler.unlink()
answer["again"] = [send_part(upload, n, data[(n - 1) * part : n * part]) for n in (2, 3)]
fill(part // 2)
uploads.complete_upload(upload=upload)
join(upload)
answer["joined"] = [upload.state, upload.error_code, upload.error]
answer["parts_kept"] = upload.parts.count()
answer["left"] = [name for name in files() if "joining" in name or "arriving" in name]
filler.unlink()
uploads.complete_upload(upload=upload)
join(upload)
answer["in_the_end"] = [upload.state, upload.asset and upload.asset.sha256 == upload.sha256]
"""


def test_full_disk_is_said_leaves_no_torso_and_the_upload_goes_on_when_there_is_room(tmp_path: Path) -> None:
    web = WebServer(tmp_path / "var", UPLOAD_PART_BYTES=str(MIB))
    files = tmp_path / "var" / "files"
    files.mkdir()
    web.make_database()
    # A mount of our own, in a namespace of our own: no rights are needed, and nothing has to be taken down.
    script = f"import django\ndjango.setup()\n{FULL_DISK}\nprint(json.dumps(answer))"
    done = subprocess.run(
        [
            *("unshare", "--map-root-user", "--mount", "sh", "-c"),
            'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" -c "$3"',
            *("sh", str(files), sys.executable, script),
        ],
        env=web.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["statuses"] == [200, 507]
    assert answer["after_the_refusal"] == 1
    assert answer["again"] == [200, 200]
    state, code, error = answer["joined"]
    assert (state, code) == ("failed", "store_full")
    assert "disk is full" in error
    assert answer["parts_kept"] == 3
    assert answer["left"] == []
    assert answer["in_the_end"] == ["done", True]


# --- A store that refuses ------------------------------------------------------------------------------------------


@pytest.fixture
def organisation() -> Organisation:
    made: Organisation = OrganisationFactory.create()
    return made


def use(stub: StubStore, server: S3Server, settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = 5 * MIB
    options = {**server.options(server.make_bucket()), "endpoint_url": stub.endpoint_url}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "media.storage.S3PrivateStorage", "OPTIONS": options},
    }
    # One try instead of three: what is tested is what follows the last.
    storages["default"].client_config.retries = {"mode": "standard", "total_max_attempts": 1}  # type: ignore[attr-defined]  # S3 only


def start(organisation: Organisation, data: bytes) -> Upload:
    return uploads.start_upload(
        organisation=organisation,
        user=None,
        file_name="talk.wav",
        size=len(data),
        purpose="",
        sha256=hashlib.sha256(data).hexdigest(),
    )


@pytest.mark.django_db(transaction=True)
def test_store_that_is_full_at_the_announcement_is_said_and_no_row_stays(
    organisation: Organisation, s3_server: S3Server, settings: Settings
) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        use(stub, s3_server, settings)
        stub.decide = lambda method, _path: refusal(507, "InsufficientStorage") if method == "POST" else None
        with pytest.raises(StoreFull, match="store is full"):
            start(organisation, made_bytes())
    assert not Upload.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (507, "InsufficientStorage")])
def test_part_that_the_store_refused_is_sent_again(
    organisation: Organisation, s3_server: S3Server, settings: Settings, status: int, code: str
) -> None:
    data = made_bytes(5 * MIB + 7)
    with stub_store(s3_server.endpoint_url) as stub:
        use(stub, s3_server, settings)
        upload = start(organisation, data)
        stub.decide = lambda method, _path: refusal(status, code) if method == "PUT" else None
        assert send_part(upload, 1, part_of(data, upload, 1)) == status
        assert uploads.list_parts(upload=upload) == []
        stub.decide = lambda _method, _path: None
        send_parts(upload, data)
        uploads.complete_upload(upload=upload)
        assert join(upload).state == WorkState.DONE


def refuse(stub: StubStore, upload: Upload, step: str, status: int, code: str) -> None:
    """Refuse to join the upload's parts, or to give the joined file back."""

    def decide(method: str, path: str) -> Any:
        is_join = method == "POST" and "uploadId=" in path
        is_read = method == "GET" and path.endswith(upload.storage_key)
        return refusal(status, code) if (is_join if step == "join" else is_read) else None

    stub.decide = decide


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["join", "read"])
def test_joining_waits_for_a_store_that_is_away_however_long(
    organisation: Organisation, s3_server: S3Server, settings: Settings, step: str
) -> None:
    data = made_bytes()
    with stub_store(s3_server.endpoint_url) as stub:
        use(stub, s3_server, settings)
        upload = start(organisation, data)
        send_parts(upload, data)
        uploads.complete_upload(upload=upload)
        refuse(stub, upload, step, 500, "InternalError")
        for _try in range(4):  # more often than what counts as too often
            Upload.objects.filter(pk=upload.pk).update(due_at=None)
            join(upload)
        assert (upload.state, upload.error_code, upload.asset) == (WorkState.QUEUED, "store_unavailable", None)
        assert upload.error
        stub.decide = lambda _method, _path: None
        Upload.objects.filter(pk=upload.pk).update(due_at=None)
        assert join(upload).state == WorkState.DONE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["join", "read"])
def test_full_store_fails_the_joining_with_the_reason_and_completing_again_goes_on(
    organisation: Organisation, s3_server: S3Server, settings: Settings, step: str
) -> None:
    data = made_bytes()
    with stub_store(s3_server.endpoint_url) as stub:
        use(stub, s3_server, settings)
        upload = start(organisation, data)
        send_parts(upload, data)
        uploads.complete_upload(upload=upload)
        refuse(stub, upload, step, 507, "InsufficientStorage")
        join(upload)
        assert (upload.state, upload.error_code, upload.asset) == (WorkState.FAILED, "store_full", None)
        assert "full" in upload.error
        stub.decide = lambda _method, _path: None
        uploads.complete_upload(upload=upload)
        asset = join(upload).asset
        assert asset is not None
        assert b"".join(private_storage().read_chunks(asset.source_key)) == data


@pytest.mark.django_db(transaction=True)
def test_store_that_cannot_be_reached_is_said(
    organisation: Organisation, s3_server: S3Server, settings: Settings
) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        use(stub, s3_server, settings)
    with pytest.raises(StoreError, match="cannot be reached"):
        start(organisation, made_bytes())
    assert not Upload.objects.exists()
