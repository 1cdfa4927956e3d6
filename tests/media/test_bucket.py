"""The bucket's own settings: what `configure_bucket` does, and what `doctor` finds wrong."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from media.storage import S3PrivateStorage, bucket, private_storage
from tests.support.s3 import S3Server
from tests.support.stub_store import StubStore, refusal, stub_store


def storage_behind(stub: StubStore, server: S3Server) -> Any:
    options = {**server.options(server.make_bucket()), "endpoint_url": stub.endpoint_url}
    return S3PrivateStorage(**options)


def test_private_bucket_with_cors_is_found_fit(s3_storage: Any) -> None:
    assert [(check.name, check.ok) for check in bucket.checks(s3_storage)] == [
        ("bucket: uploads from the browser (CORS)", True),
        ("bucket: private", True),
    ]


def test_missing_cors_is_found_with_what_to_do(s3_server: S3Server) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        stub.decide = lambda method, _path: (403, b"") if method == "OPTIONS" else None
        cors, private = bucket.checks(storage_behind(stub, s3_server))
    assert (cors.ok, private.ok) == (False, True)
    assert "http://testserver may not send parts" in cors.detail
    assert "configure_bucket" in cors.advice


def test_bucket_that_strangers_can_read_is_found(s3_server: S3Server) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        stub.decide = lambda method, path: (200, b"shown") if method == "GET" and "?" not in path else None
        _cors, private = bucket.checks(storage_behind(stub, s3_server))
    assert private.ok is False
    assert private.detail == "strangers can read a file and the list of files"


def test_store_that_does_not_answer_is_said(s3_server: S3Server) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        storage = storage_behind(stub, s3_server)
    assert [check.ok for check in bucket.checks(storage)] == [False, False]


def test_configuring_sets_our_rules_and_keeps_others(s3_server: S3Server, settings: Settings) -> None:
    settings.BASE_URL = "https://webinars.example/sub/"
    other = (
        b"<CORSConfiguration><CORSRule><ID>theirs</ID><AllowedOrigin>https://other.example</AllowedOrigin>"
        b"<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
    )
    with stub_store(s3_server.endpoint_url) as stub:
        storage = storage_behind(stub, s3_server)

        def answer(method: str, path: str) -> tuple[int, bytes] | None:
            if method == "GET" and path in stub.put:
                return 200, stub.put[path]
            if method == "GET" and path.endswith("?cors"):
                return 200, other
            if method == "GET" and path.endswith("?lifecycle"):
                return refusal(404, "NoSuchLifecycleConfiguration")
            return (200, b"") if method == "PUT" and "?" in path else None

        stub.decide = answer
        changes = list(bucket.configure(storage))
    bodies = {path.rpartition("?")[2]: body for path, body in stub.put.items()}
    assert [change.is_done for change in changes] == [True, True, True]
    cors = bodies["cors"].decode()
    assert "<ID>theirs</ID>" in cors
    assert "<AllowedOrigin>https://webinars.example</AllowedOrigin>" in cors
    assert "<ExposeHeader>ETag</ExposeHeader>" in cors
    assert b"<DaysAfterInitiation>9</DaysAfterInitiation>" in bodies["lifecycle"]
    assert b"<RestrictPublicBuckets>true</RestrictPublicBuckets>" in bodies["publicAccessBlock"]


def test_server_that_takes_a_rule_and_forgets_it_is_not_believed(s3_server: S3Server) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        storage = storage_behind(stub, s3_server)
        stub.decide = lambda method, path: (200, b"<X/>") if "?" in path and "doctor" not in path else None
        changes = list(bucket.configure(storage))
    assert [change.is_done for change in changes] == [None, None, True]


def test_command_says_what_the_server_does_not_know_and_verifies(s3_storage: Any) -> None:
    out = StringIO()
    call_command("configure_bucket", stdout=out)
    said = out.getvalue()
    assert "not here  CORS" in said  # Swift has it for the whole server, not for a bucket
    assert "ok  bucket: private" in said


def test_command_fails_where_the_bucket_is_not_fit(s3_server: S3Server, settings: Settings) -> None:
    with stub_store(s3_server.endpoint_url) as stub:
        stub.decide = lambda method, _path: (403, b"") if method == "OPTIONS" else None
        options = {**s3_server.options(s3_server.make_bucket()), "endpoint_url": stub.endpoint_url}
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "media.storage.S3PrivateStorage", "OPTIONS": options},
        }
        with pytest.raises(CommandError, match="not fit"):
            call_command("configure_bucket", stdout=StringIO())


def test_command_says_when_there_is_no_bucket() -> None:
    assert not isinstance(private_storage(), S3PrivateStorage)
    with pytest.raises(CommandError, match="S3_BUCKET is not set"):
        call_command("configure_bucket")
