"""A kind of work to test with: a material's row, handled by whatever the test says."""

from collections.abc import Callable
from typing import Any

import pytest

from events.models import Material
from tests.factories.events import MaterialFactory
from work import kinds
from work.leases import Lease
from work.models import WorkState


class Stage:
    """Set `handle` to what the work does; `outcomes` lists the states that `after` was called with."""

    def __init__(self) -> None:
        self.handle: Callable[[Lease[Material]], None] = lambda lease: None
        self.outcomes: list[str] = []

    def row(self, **fields: Any) -> Material:
        row: Material = MaterialFactory(**{"state": WorkState.QUEUED, **fields})
        return row


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()
    kind = kinds.WorkKind(
        name="test",
        model=Material,
        handle=lambda lease: stage.handle(lease),
        queue=lambda row: "default",
        after=lambda row: stage.outcomes.append(row.state),
    )
    monkeypatch.setattr(kinds, "_kinds", {"test": kind})
    monkeypatch.setattr(kinds, "_chores", [])
    return stage
