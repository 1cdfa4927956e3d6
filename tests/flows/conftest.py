"""One demo, played once, that several tests look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The README's demo with its embedded defaults: SQLite, files, the filesystem queue. Still serving."""
    installation = Installation(tmp_path_factory.mktemp("demo"))
    installation.start_demo()
    try:
        installation.wait_for_demo()
        installation.sign_in()
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")
