"""Reads about productions, shared by pages, API and commands."""

from typing import Any

from media.services import describe_content
from studio.models import Production, StepRow
from work.models import WorkState


def state_of(production: Production, steps: list[StepRow] | None = None) -> str:
    """The production in one word: cancelled, failed, published, ready, running or waiting.

    "ready" means that only the person's decision to publish is missing.
    """
    rows = list(production.steps.all()) if steps is None else steps
    by_name = {row.name: row for row in rows}
    if production.cancelled_at is not None:
        return "cancelled"
    if any(row.state == WorkState.FAILED and not row.is_optional for row in rows):
        return "failed"
    if all(row.is_finished for row in rows):
        return "published"
    if any(row.state in (WorkState.QUEUED, WorkState.RUNNING) for row in rows) or _has_live_parts(rows):
        return "running"
    if by_name["publish"].state == WorkState.WAITING and by_name["ready"].state == WorkState.DONE:
        return "ready"
    return "waiting"


def _has_live_parts(rows: list[StepRow]) -> bool:
    return any(
        part.state in (WorkState.QUEUED, WorkState.RUNNING)
        for row in rows
        if row.state == WorkState.WAITING
        for part in row.parts.all()
    )


def production_progress(production: Production) -> dict[str, Any]:
    """Everything that a progress display needs, with a fixed number of queries.

    Returns {"state", "percent", "is_finished", "steps": [...]}; a step that waits for its parts is shown as running,
    with the parts' mean progress.
    """
    rows = list(production.steps.prefetch_related("parts"))
    steps = [_step(row) for row in rows]
    for step in steps:
        if step["name"] == "encode" and step["state"] == WorkState.DONE and production.package is not None:
            step["note"] = describe_content(production.package)
    state = state_of(production, rows)
    finished = [step for step in steps if step["is_finished"]]
    return {
        "state": state,
        "percent": round(sum(step["progress"] for step in steps) / len(steps)) if steps else 0,
        "is_finished": len(finished) == len(steps) or state in ("cancelled",),
        # Nothing moves any more without a person; other steps may still run beside a failed one.
        "is_idle": state in ("cancelled", "failed", "published", "ready")
        and not any(step["state"] in (WorkState.QUEUED, WorkState.RUNNING) for step in steps),
        "steps": steps,
    }


def _step(row: StepRow) -> dict[str, Any]:
    parts = list(row.parts.all())
    done = [part for part in parts if part.state == WorkState.DONE]
    state, progress, activity, is_stalled = row.state, row.progress, row.activity, row.is_stalled
    if parts and row.state in (WorkState.WAITING, WorkState.QUEUED, WorkState.RUNNING):
        live = [part for part in parts if part.state == WorkState.RUNNING]
        state = WorkState.RUNNING.value if live or done else row.state
        progress = min(99, round(sum(part.progress for part in parts) / len(parts)))
        activity = row.activity or next((part.activity for part in live if part.activity), "")
        is_stalled = any(part.is_stalled for part in live)
    started = min((r.started_at for r in [row, *parts] if r.started_at), default=None)
    ended = max((r.finished_at for r in [row, *parts] if r.finished_at), default=None) if row.is_finished else None
    return {
        "id": str(row.pk),
        "row": row,
        "name": row.name,
        "state": state,
        "progress": 100 if row.is_finished else progress,
        "activity": activity,
        "note": "",  # what was found out in it
        "is_optional": row.is_optional,
        "is_finished": row.is_finished,
        "is_stalled": is_stalled,
        "parts_done": len(done),
        "parts": len(parts),
        "attempt": row.attempt,
        "error": row.error,
        "error_code": row.error_code,
        "log_tail": row.log_tail or next((p.log_tail for p in parts if p.log_tail), ""),
        # Wall time from the first worker's start to the end: what a person waited.
        "seconds": round((ended - started).total_seconds(), 1) if started and ended else None,
    }
