"""Celery's side of work: run a row, sweep."""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from work import leases, services


@shared_task(name="work.execute")
def execute(kind_name: str, pk: str) -> None:
    services.execute(kind_name, pk)


@shared_task(name="work.sweep")
def sweep() -> None:
    services.sweep()


@worker_shutting_down.connect
def _hand_back(**_kwargs: Any) -> None:
    """On SIGTERM running work gives its rows back at once, instead of letting leases expire (promise O4)."""
    leases.stopping.set()
