"""Logs hold no keys (promise P5)."""

import io
import logging
import logging.config
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client

from config.logs import Clean, without_keys, without_people


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the console handler of the settings would write."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Clean())
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


def test_every_handler_writes_clean_lines() -> None:
    for handler in cast(dict[str, dict[str, Any]], settings.LOGGING["handlers"]).values():
        assert cast(dict[str, Any], settings.LOGGING["formatters"])[handler["formatter"]]["()"] == "config.logs.Clean"


def test_the_web_servers_own_lines_are_cleaned() -> None:
    handlers = logging.getLogger("gunicorn.error").handlers
    own = [handler for handler in handlers if not type(handler).__module__.startswith("_pytest")]
    assert [type(handler.formatter) for handler in own] == [Clean]


def test_lines_with_arguments_are_cleaned_too() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "%s %s", ("/files/0123456789abcdef", 7), None)
    assert Clean().format(record) == "/files/0123456789ab... 7"


def test_what_an_exception_says_is_cleaned_too() -> None:
    try:
        raise ValueError("no user zoe.oneil+x@mail.example.org\nDETAIL:  Failing row contains (1, Zoe\nO'Neil).")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    line = Clean().format(record)
    assert line.splitlines()[-2:] == ["ValueError: no user ...@mail.example.org", "DETAIL: left out"]


@pytest.mark.parametrize("text", ["attempt 3 of job@host", "pool@%h ready", "8 @ 9", "https://example.org/x"])
def test_what_is_nobodys_address_stays(text: str) -> None:
    assert without_people(text) == text
