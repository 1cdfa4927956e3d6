"""Logs hold no keys (promise P5)."""

import io
import logging
import logging.config
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client

from config.logs import WithoutKeys, without_keys


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the console handler of the settings would write."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(WithoutKeys())
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/playback/{key}/master.m3u8",
        "/files/{key}",
        "/registrations/{key}/",
        "/join/{key}/",
        "/speak/{key}/",
        "/embed/clip/?grant={key}",
        "/webinars/clip/watch/?registration={key}",
    ],
)
def test_a_refused_request_leaves_no_key_in_the_log(log: io.StringIO, address: str) -> None:
    key = "SECRET0123456789SECRET"
    Client(raise_request_exception=False).get(address.format(key=key))
    assert "6789SECRET" not in log.getvalue()


def test_what_is_no_key_stays() -> None:
    line = "Not Found: /webinars/a-rather-long-name-of-a-webinar/watch/ and /playback/short/x"
    assert without_keys(line) == line


def test_every_handler_has_the_filter() -> None:
    for handler in cast(dict[str, dict[str, Any]], settings.LOGGING["handlers"]).values():
        assert "without_keys" in handler["filters"]


def test_lines_with_arguments_are_cleaned_too() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "%s %s", ("/files/0123456789abcdef", 7), None)
    assert WithoutKeys().filter(record)
    assert record.getMessage() == "/files/0123456789ab... 7"
