"""What ends the processes of a small installation."""

import signal
from collections.abc import Iterator

import pytest

from studio.supervisor import on_ending

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDINGS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_closed_terminal_ends_the_service_as_ctrl_c_does() -> None:
    heard: list[int] = []
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    on_ending(lambda number, _frame: heard.append(number))
    for number in ENDINGS:
        signal.raise_signal(number)
    assert heard == list(ENDINGS)


def test_what_is_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    on_ending(lambda *_args: None)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
