import pytest

from tests.transcripts import speech
from tests.transcripts.speech import Speech


@pytest.fixture(scope="session")
def french() -> Speech:
    return speech.load("fr_75s")


@pytest.fixture(scope="session")
def arabic() -> Speech:
    return speech.load("ar_75s")


@pytest.fixture(scope="session")
def silence() -> Speech:
    return speech.load("silence_20s")
