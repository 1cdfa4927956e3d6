import pytest
import torch
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.transcripts import speech
from tests.transcripts.speech import Speech

# How long an example takes says nothing on a machine that does other things too.
hypothesis_settings.register_profile("rostrum", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("rostrum")


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
def bilingual() -> Speech:
    return speech.load("bilingual_en_fr")


@pytest.fixture(scope="session")
def silence() -> Speech:
    return speech.load("silence_20s")
