"""No input makes a server error (promise W1): the API is called with values made from its schema, and with odd ones."""

import json
import warnings
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis.core import NotSet
from schemathesis.core.result import Ok

from tests.config.access import World, build_world
from tests.config.test_access_matrix import body_for

EXAMPLES = 8  # per operation
ODD: list[Any] = [
    None,
    "",
    "\0",
    "\ud800",
    "x" * 20_000,
    10**40,
    [],
    {"en": {"en": 1}},
    "9999-12-31T23:59:59+14:00",
]
# Names of path parameters and fields that are references, and what they refer to in the world.
REFERENCES = {
    "organisation": "organisation_id",
    "series": "series_id",
    "speaker": "speaker_id",
    "asset": "asset_id",
    "upload": "done_upload_id",
}
# Which row of the world {id} is, where it is not the one that the resource's name tells.
ROWS = {
    "attendance-imports": "attendance_report_id",
    "attendances": "registration_id",
    "certificate-batches": "certificate_batch_id",
    "certificate-rules": "closed_id",
    "former-versions": "version_id",
    "glossary-terms": "term_id",
    "keeping-times": "organisation_id",
    "materials": "draft_material_id",
    "recordings": "public_recording_id",
    "registration-imports": "import_id",
    "series": "series_id",
    "watched-files": "watched_id",
    "webinars": "draft_id",
}


def row_of(path: str) -> str:
    """The name in the world of what an operation's {id} stands for."""
    resource = path.split("/")[3]
    return ROWS.get(resource, f"{resource.replace('-', '_').removesuffix('s')}_id")


document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped library
OPERATIONS = {
    f"{result.ok().method.upper()} {result.ok().path}": result.ok()
    for result in schemathesis.openapi.from_dict(document).get_all_operations()
    if isinstance(result, Ok)
}


def fields_of(method: str, path: str) -> list[tuple[str, str]]:
    """(media type, field) of everything that an operation's body may hold."""
    content = document["paths"][path][method].get("requestBody", {}).get("content", {})
    found = []
    for media_type, entry in content.items():
        name = entry["schema"].get("$ref", "").rpartition("/")[2]
        component = document["components"]["schemas"].get(name, entry["schema"])
        properties = component.get("properties", {}).items()
        found += [(media_type, field) for field, facts in properties if not facts.get("readOnly")]
    return found


WITH_BODY = [name for name, operation in OPERATIONS.items() if fields_of(operation.method, operation.path)]


@pytest.fixture
def world(db: None, settings: Settings) -> World:
    settings.API_PER_MINUTE = 0
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return build_world()


def referring(world: World, path: str, body: Any) -> Any:
    """The body with references to rows that exist, so that what follows is reached as well."""
    if not isinstance(body, dict):
        return body
    found = {name: str(world.values[key]) for name, key in REFERENCES.items() if name in body}
    if "webinar" in body:
        found["webinar"] = str(world.values["public" if "registrations" in path else "draft_id"])
    return body | found


def sent(body: Any, media_type: str | None) -> dict[str, Any]:
    if body is None or isinstance(body, NotSet):
        return {}
    if media_type == "multipart/form-data" and isinstance(body, dict):
        fields = {
            name: value if isinstance(value, str) else json.dumps(value, default=str) for name, value in body.items()
        }
        file = str(fields.pop("file", "")).encode(errors="replace")
        parts = {name: value.encode(errors="replace").decode() for name, value in fields.items()}
        data = encode_multipart(BOUNDARY, {**parts, "file": SimpleUploadedFile("a.vtt", file)})
        return {"data": data, "content_type": MULTIPART_CONTENT}
    return {"data": json.dumps(body, default=str), "content_type": "application/json"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_value_makes_a_server_error(world: World, name: str) -> None:
    operation = OPERATIONS[name]
    row = row_of(operation.path) if "{id}" in operation.path else ""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), data=st.data())
    def call(case: Any, data: Any) -> None:
        is_real, odd = data.draw(st.sampled_from([True, False])), data.draw(st.sampled_from(ODD))
        body, query = case.body, {key: value for key, value in (case.query or {}).items() if value is not None}
        if is_real and row:
            case.path_parameters = {**(case.path_parameters or {}), "id": str(world.values[row])}
            body = referring(world, operation.path, body)
        if isinstance(body, dict) and body and data.draw(st.booleans()):
            body = body | {data.draw(st.sampled_from(sorted(body))): odd}
        elif query and data.draw(st.booleans()):
            query |= {data.draw(st.sampled_from(sorted(query))): odd}
        address = f"{case.formatted_path}?{urlencode(query, doseq=True, errors='replace')}"
        with transaction.atomic():
            client = world.browser("owner")
            response = client.generic(operation.method.upper(), address, **sent(body, case.media_type))
            transaction.set_rollback(True)
        assert response.status_code < 500, (address, body, response.content[:500])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # schemathesis' notes about its own strategies
        call()


@pytest.mark.parametrize("name", WITH_BODY)
def test_no_odd_field_in_a_good_body_makes_a_server_error(world: World, name: str) -> None:
    operation = OPERATIONS[name]
    method, path = operation.method, operation.path
    template = path.replace("{id}", f"{{{row_of(path)}}}")
    good = body_for(method.upper(), template, world)
    client = world.browser("owner")
    for media_type, field in fields_of(method, path):
        for odd in ODD:
            # A file can be sent once, so each body is made anew.
            body = {key: value for key, value in (good if isinstance(good, dict) else {}).items() if key != "file"}
            with transaction.atomic():
                address = world.address(template, "owner")
                response = client.generic(method.upper(), address, **sent({**body, field: odd}, media_type))
                transaction.set_rollback(True)
            assert response.status_code < 500, (field, odd, response.content[:500])
