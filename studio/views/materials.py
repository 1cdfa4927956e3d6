"""Slides and handouts as a list, which organisers and speakers see alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import events.slides
from events.models import Material
from work.models import WorkState


@dataclass(frozen=True)
class MaterialRow:
    """A file as it is shown: with what is unusual about it, and where to download it for the next hours."""

    material: Material
    warnings: list[str]
    url: str


def materials_context(materials: Iterable[Material], *, poll_url: str) -> dict[str, Any]:
    """What includes/materials.html needs; it asks `poll_url` again while pages are being drawn."""
    rows = [MaterialRow(one, events.slides.warning_texts(one), events.slides.material_url(one)) for one in materials]
    is_busy = any(row.material.state in (WorkState.QUEUED, WorkState.RUNNING) for row in rows)
    return {"materials": rows, "is_busy": is_busy, "poll_url": poll_url}
