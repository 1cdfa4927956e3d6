"""The bucket itself: what it must allow so that browsers can send and play, and what it must never allow."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from media.storage.s3 import S3PrivateStorage
from work.doctor import Check

CORS_RULE = "rostrum"
LEFTOVERS_RULE = "rostrum-unfinished-uploads"
ADVICE_CORS = (
    "Run `manage.py configure_bucket`. If this server has no CORS of buckets, allow the origin {origin} with the "
    "methods GET, HEAD and PUT in the server's own configuration."
)
ADVICE_PUBLIC = (
    "Take public rights away: no public policy, no public ACL. `manage.py configure_bucket` does so where it can."
)
# What servers say that lack a feature of AWS.
UNKNOWN_HERE = ("NotImplemented", "MethodNotAllowed", "NotSupported", "InvalidRequest", "501", "405", "MalformedXML")
TIMEOUT_S = 10


@dataclass(frozen=True)
class Change:
    """What became of one setting of the bucket. `is_done` is None where the server does not know such a setting."""

    name: str
    is_done: bool | None
    detail: str


def origin() -> str:
    """The origin of our pages, as browsers name it (RFC 6454, section 6.2)."""
    address = urlsplit(settings.BASE_URL)
    return f"{address.scheme}://{address.netloc}"


def configure(storage: S3PrivateStorage) -> Iterator[Change]:
    """Set CORS, the end of unfinished uploads and the block on public rights; other rules of the bucket stay."""
    yield _change("CORS", f"pages of {origin()} may send parts and read files", lambda: _set_cors(storage))
    yield _change(
        "unfinished uploads",
        f"removed by the store itself after {_leftover_days()} days",
        lambda: _set_leftovers_rule(storage),
    )
    yield _change("public rights", "blocked for good", lambda: _block_public_rights(storage))


def _change(name: str, detail: str, do: Callable[[], object]) -> Change:
    try:
        do()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in UNKNOWN_HERE:
            return Change(name, None, f"this server has no such setting ({code})")
        return Change(name, False, f"refused ({code})")
    except _Ignored:
        return Change(name, None, "this server has no such setting")
    except BotoCoreError as error:
        return Change(name, False, f"{type(error).__name__}: {error}")
    return Change(name, True, detail)


def _set_cors(storage: S3PrivateStorage) -> None:
    client, bucket = storage.client, storage.bucket_name
    ours = {
        "ID": CORS_RULE,
        "AllowedOrigins": [origin()],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 3600,
    }
    _add_rule(
        ours,
        lambda: client.get_bucket_cors(Bucket=bucket).get("CORSRules", []),
        lambda rules: client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules}),
    )


def _set_leftovers_rule(storage: S3PrivateStorage) -> None:
    client, bucket = storage.client, storage.bucket_name
    ours = {
        "ID": LEFTOVERS_RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _leftover_days()},
    }
    _add_rule(
        ours,
        lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", []),
        lambda rules: client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules}),
    )


Rule = dict[str, Any]


def _add_rule(ours: Rule, ask: Callable[[], list[Rule]], put: Callable[[list[Rule]], object]) -> None:
    """Put our rule beside those that are there, in place of an earlier one of ours.

    Raises:
        _Ignored: the server takes such rules and forgets them.
    """
    put([rule for rule in _rules(ask) if rule.get("ID") != ours["ID"]] + [ours])
    if not any(rule.get("ID") == ours["ID"] for rule in _rules(ask)):
        raise _Ignored


class _Ignored(Exception):
    """Some servers answer everything that they do not know with success."""


def _leftover_days() -> int:
    """Later than our own chore, which knows more; this is for what it lost sight of."""
    return settings.UPLOAD_EXPIRES_S // 86_400 + 2


def _rules(ask: Callable[[], list[Rule]]) -> list[Rule]:
    try:
        return ask()
    except ClientError as error:
        if str(error.response.get("Error", {}).get("Code", "")).startswith("NoSuch"):
            return []
        raise


def _block_public_rights(storage: S3PrivateStorage) -> None:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    storage.client.put_public_access_block(
        Bucket=storage.bucket_name, PublicAccessBlockConfiguration=dict.fromkeys(names, True)
    )


# --- What is so, whatever the settings say ----------------------------------------------------------------------------


def checks(storage: S3PrivateStorage) -> Iterator[Check]:
    """Try what browsers and strangers would try."""
    yield _cors_check(storage)
    yield _private_check(storage)


def _cors_check(storage: S3PrivateStorage) -> Check:
    name = "bucket: uploads from the browser (CORS)"
    address = storage.part_address(f"doctor/{uuid.uuid4()}", "doctor", 1, size=1, life_s=60).url
    asked = {"Origin": origin(), "Access-Control-Request-Method": "PUT"}
    try:
        answer = requests.options(address, headers=asked, timeout=TIMEOUT_S)
    except requests.RequestException as error:
        return Check(name, False, str(error), "Check S3_PUBLIC_ENDPOINT_URL: browsers must reach the store there.")
    allowed = answer.headers.get("Access-Control-Allow-Origin", "")
    methods = answer.headers.get("Access-Control-Allow-Methods", "").upper()
    if not answer.ok or allowed not in ("*", origin()) or "PUT" not in methods:
        detail = f"pages of {origin()} may not send parts to {urlsplit(address).netloc} (answer {answer.status_code})"
        return Check(name, False, detail, ADVICE_CORS.format(origin=origin()))
    return Check(name, True, f"pages of {origin()} may send parts to {urlsplit(address).netloc}")


def _private_check(storage: S3PrivateStorage) -> Check:
    """Ask as a stranger: for the list of files, and for a file by its name (promises A6 and U2)."""
    name = "bucket: private"
    key = f"doctor/{uuid.uuid4()}"
    client, bucket = storage.client, storage.bucket_name
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"private")
        listing = client.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket})
        shown = [
            what
            for what, address in (("a file", storage.signed_url(key)), ("the list of files", listing))
            # Without its query an address carries no signature.
            if requests.get(address.partition("?")[0], timeout=TIMEOUT_S, allow_redirects=False).ok
        ]
        client.delete_object(Bucket=bucket, Key=key)
    except (requests.RequestException, ClientError, BotoCoreError) as error:
        return Check(name, False, str(error), "Check the S3_ settings and that the server runs.")
    if shown:
        return Check(name, False, f"strangers can read {' and '.join(shown)}", ADVICE_PUBLIC)
    return Check(name, True, "strangers are shown neither files nor their list")
