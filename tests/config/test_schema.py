from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api.idempotency import IdempotencyMixin


def api_views(resolver: URLResolver | None = None) -> Iterator[type[Any]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from api_views(entry)
        elif isinstance(entry, URLPattern) and "post" in getattr(entry.callback, "actions", {}):
            yield vars(entry.callback)["cls"]


def test_schema_is_valid_without_warnings(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/schema/", "/api/v1/docs/"])
def test_members_read_the_schema(admin_client: Client, address: str) -> None:
    assert admin_client.get(address).status_code == 200


@pytest.mark.django_db
def test_page_of_the_schema_runs_under_the_content_security_policy(client: Client) -> None:
    page = client.get("/api/v1/docs/").content.decode()
    script = client.get("/api/v1/docs/?script=")
    assert "<style" not in page
    assert page.count("<script src=") == page.count("<script")
    assert (script.status_code, script["Content-Type"]) == (200, "application/javascript")


def test_every_post_of_the_api_takes_an_idempotency_key() -> None:
    views = set(api_views())
    assert views
    assert {view.__name__ for view in views if not issubclass(view, IdempotencyMixin)} == set()
