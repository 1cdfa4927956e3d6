import pytest
import torch

from tests.transcripts import speech
from tests.transcripts.speech import Speech


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """The models are so small that threads only wait for each other, for minutes on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def french() -> Speech:
    return speech.load("fr_75s")


@pytest.fixture(scope="session")
def arabic() -> Speech:
    return speech.load("ar_75s")


@pytest.fixture(scope="session")
def silence() -> Speech:
    return speech.load("silence_20s")
